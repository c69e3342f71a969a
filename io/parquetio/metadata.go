package parquetio

import (
	"errors"

	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
)

// The parts of a file's metadata that reading flat columns needs; the field
// numbers below are those of
// https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
type fileMeta struct {
	schema    []node // depth first, the root first
	rows      int64
	groups    []rowGroup
	encrypted bool
}

type rowGroup struct {
	chunks []chunk // one a leaf
	rows   int64
}

// chunk is a column of a row group.
type chunk struct {
	known      bool // its metadata is there
	elsewhere  bool // its bytes are in another file
	encrypted  bool
	physical   parquet.Type
	codec      compress.Compression
	values     int64
	compressed int64
	data, dict int64 // offsets of the first pages; dict is 0 without one
}

// node is an element of the schema tree.
type node struct {
	name       string
	group      bool
	children   int
	physical   parquet.Type
	typeLen    int
	repetition parquet.Repetition
	logical    logical
}

// logical is what the values of a column mean.
type logical struct {
	kind  logicalKind
	scale int32 // decimal
	bits  int   // integer
	sign  bool  // integer
	utc   bool  // timestamp
	unit  int   // timestamp: 1 ms, 2 µs, 3 ns
}

type logicalKind int

const (
	logicalNone logicalKind = iota
	logicalString
	logicalEnum
	logicalDecimal
	logicalDate
	logicalTimestamp
	logicalInteger
	logicalNull
	logicalJSON
	logicalBSON
	logicalFloat16
	logicalOther // a meaning that is not read: a time, an interval, a UUID, a list, …
)

func parseMeta(b []byte) (*fileMeta, error) {
	m := &fileMeta{}
	t := &thrift{b: b}
	t.fields(thriftDepth, func(id int, typ byte) bool {
		switch {
		case id == 2 && typ == thriftList:
			t.structs(func() { m.schema = append(m.schema, readNode(t)) })
		case id == 3 && typ == thriftI64:
			m.rows = t.int()
		case id == 4 && typ == thriftList:
			t.structs(func() { m.groups = append(m.groups, readRowGroup(t)) })
		case id == 8:
			m.encrypted = true
			return false
		default:
			return false
		}
		return true
	})
	if t.err == nil && len(m.schema) == 0 {
		t.fail(errors.New("no schema"))
	}
	return m, t.err
}

// structs calls elem to read each element of a list of structs.
func (t *thrift) structs(elem func()) {
	typ, n := t.list()
	if n > 0 && typ != thriftStruct {
		t.fail(errors.New("a list of something else than structs"))
	}
	for i := 0; i < n && t.err == nil; i++ {
		elem()
	}
}

// string reads a binary value.
func (t *thrift) string() string {
	n := t.uvarint()
	t.advance(n)
	if t.err != nil {
		return ""
	}
	return string(t.b[t.i-int(n) : t.i])
}

func readRowGroup(t *thrift) (g rowGroup) {
	t.fields(thriftDepth, func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == thriftList:
			t.structs(func() { g.chunks = append(g.chunks, readChunk(t)) })
		case id == 3 && typ == thriftI64:
			g.rows = t.int()
		default:
			return false
		}
		return true
	})
	return g
}

func readChunk(t *thrift) (c chunk) {
	t.fields(thriftDepth, func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == thriftBinary:
			c.elsewhere = t.string() != ""
		case id == 3 && typ == thriftStruct:
			c.known = true
			t.fields(thriftDepth, func(id int, typ byte) bool { return c.setField(t, id, typ) })
		case id == 8 || id == 9:
			c.encrypted = true
			return false
		default:
			return false
		}
		return true
	})
	return c
}

func (c *chunk) setField(t *thrift, id int, typ byte) bool {
	switch {
	case id == 1 && typ == thriftI32:
		c.physical = parquet.Type(t.int32())
	case id == 4 && typ == thriftI32:
		c.codec = compress.Compression(t.int32())
	case id == 5 && typ == thriftI64:
		c.values = t.int()
	case id == 7 && typ == thriftI64:
		c.compressed = t.int()
	case id == 9 && typ == thriftI64:
		c.data = t.int()
	case id == 11 && typ == thriftI64:
		c.dict = t.int()
	default:
		return false
	}
	return true
}

func readNode(t *thrift) node {
	n := node{group: true}
	var converted, scale int32 = -1, 0
	hasLogical := false
	t.fields(thriftDepth, func(id int, typ byte) bool {
		switch {
		case id == 4 && typ == thriftBinary:
			n.name = t.string()
		case id == 10 && typ == thriftStruct:
			n.logical, hasLogical = readLogical(t), true
		case typ != thriftI32:
			return false
		case id == 1:
			n.physical, n.group = parquet.Type(t.int32()), false
		case id == 2:
			n.typeLen = int(t.int32())
		case id == 3:
			n.repetition = parquet.Repetition(t.int32())
		case id == 5:
			n.children = int(t.int32())
		case id == 6:
			converted = t.int32()
		case id == 7:
			scale = t.int32()
		default:
			return false
		}
		return true
	})
	if !hasLogical {
		n.logical = fromConverted(converted, scale)
	}
	return n
}

// readLogical reads the LogicalType union.
func readLogical(t *thrift) (l logical) {
	kinds := map[int]logicalKind{
		1: logicalString, 4: logicalEnum, 5: logicalDecimal, 6: logicalDate, 8: logicalTimestamp,
		10: logicalInteger, 11: logicalNull, 12: logicalJSON, 13: logicalBSON, 15: logicalFloat16,
		2: logicalOther, 3: logicalOther, 7: logicalOther, 14: logicalOther,
	}
	t.fields(thriftDepth, func(id int, typ byte) bool {
		l.kind = kinds[id] // logicalNone for a meaning of the future: the values are as stored
		if typ != thriftStruct {
			return false
		}
		t.fields(thriftDepth, func(field int, typ byte) bool { return l.setField(t, field, typ) })
		return true
	})
	return l
}

func (l *logical) setField(t *thrift, field int, typ byte) bool {
	isBool := typ == thriftTrue || typ == thriftFalse
	switch {
	case l.kind == logicalDecimal && field == 1 && typ == thriftI32:
		l.scale = t.int32()
	case l.kind == logicalInteger && field == 1 && typ == thriftByte:
		l.bits = int(t.byte())
	case l.kind == logicalInteger && field == 2 && isBool:
		l.sign = typ == thriftTrue
	case l.kind == logicalTimestamp && field == 1 && isBool:
		l.utc = typ == thriftTrue
	case l.kind == logicalTimestamp && field == 2 && typ == thriftStruct:
		t.fields(thriftDepth, func(id int, _ byte) bool {
			l.unit = id
			return false
		})
	default:
		return false
	}
	return true
}

// fromConverted translates the older ConvertedType.
func fromConverted(converted, scale int32) logical {
	switch converted {
	case -1:
		return logical{}
	case 0:
		return logical{kind: logicalString}
	case 4:
		return logical{kind: logicalEnum}
	case 5:
		return logical{kind: logicalDecimal, scale: scale}
	case 6:
		return logical{kind: logicalDate}
	case 9, 10:
		return logical{kind: logicalTimestamp, unit: int(converted) - 8, utc: true}
	case 11, 12, 13, 14:
		return logical{kind: logicalInteger, bits: 8 << (converted - 11)}
	case 15, 16, 17, 18:
		return logical{kind: logicalInteger, bits: 8 << (converted - 15), sign: true}
	case 19:
		return logical{kind: logicalJSON}
	case 20:
		return logical{kind: logicalBSON}
	}
	return logical{kind: logicalOther}
}
