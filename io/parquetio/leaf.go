package parquetio

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/parquet"
)

// leaf is one top-level column of a file.
type leaf struct {
	name     string
	index    int // of its leaf column; -1 if it is not usable
	nullable bool
	physical parquet.Type
	width    int            // bytes of a stored value; 0 for byte strings
	arrow    arrow.DataType // what it is read as
	scale    int32          // of a decimal
	decimal  bool
	reason   string // why it is not usable
}

// unsupportedKey is the key in an Arrow field's metadata of the reason why the
// column cannot be read. The type of such a field is null.
const unsupportedKey = "millrace.unsupported"

const maxDecimalBytes = 32

// leaves lists the top-level columns of a file.
func leaves(schema []node) ([]leaf, error) {
	var out []leaf
	index, at := 0, 1
	for range schema[0].children {
		from := at
		leafCount, err := skipTree(schema, &at, thriftDepth)
		if err != nil {
			return nil, err
		}
		l := newLeaf(schema[from])
		if l.reason == "" {
			l.index = index
		}
		out = append(out, l)
		index += leafCount
	}
	if at != len(schema) {
		return nil, fmt.Errorf("schema of %d nodes, %d are in its tree", len(schema), at)
	}
	return out, nil
}

// skipTree moves at beyond the node there and its children, and counts leaves.
func skipTree(schema []node, at *int, depth int) (leaves int, err error) {
	if *at >= len(schema) || depth == 0 {
		return 0, fmt.Errorf("schema of %d nodes is no tree", len(schema))
	}
	n := schema[*at]
	*at++
	if !n.group {
		return 1, nil
	}
	for range n.children {
		k, err := skipTree(schema, at, depth-1)
		if err != nil {
			return 0, err
		}
		leaves += k
	}
	return leaves, nil
}

func newLeaf(n node) leaf {
	l := leaf{name: n.name, index: -1, arrow: arrow.Null, nullable: true}
	if n.group || n.repetition == parquet.Repetitions.Repeated {
		l.reason = "it is nested (a list, map or struct)"
		return l
	}
	l.nullable = n.repetition == parquet.Repetitions.Optional
	l.physical = n.physical
	switch l.physical {
	case parquet.Types.Boolean:
		l.width = 1
	case parquet.Types.Int32, parquet.Types.Float:
		l.width = 4
	case parquet.Types.Int64, parquet.Types.Double:
		l.width = 8
	case parquet.Types.Int96:
		l.width = 12
	case parquet.Types.FixedLenByteArray:
		l.width = n.typeLen
	}
	dt := l.arrowType(n.logical)
	if dt == nil {
		l.reason = fmt.Sprintf("its type (%s, logical type %d) is not supported", l.physical, n.logical.kind)
		return l
	}
	l.arrow = dt
	return l
}

// arrowType is what values of the logical type become; nil if nothing.
func (l *leaf) arrowType(logical logical) arrow.DataType {
	if logical.kind == logicalDecimal {
		return l.decimalType(logical)
	}
	if logical.kind == logicalOther {
		return nil
	}
	plain := logical.kind == logicalNone || logical.kind == logicalNull
	switch l.physical {
	case parquet.Types.Int32:
		return int32Type(logical, plain)
	case parquet.Types.Int64:
		return int64Type(logical, plain)
	case parquet.Types.ByteArray:
		return byteArrayType(logical, plain)
	case parquet.Types.FixedLenByteArray:
		if logical.kind == logicalFloat16 && l.width == 2 {
			return arrow.PrimitiveTypes.Float32
		}
		return nil
	}
	if !plain {
		return nil
	}
	return map[parquet.Type]arrow.DataType{
		parquet.Types.Boolean: arrow.FixedWidthTypes.Boolean,
		parquet.Types.Float:   arrow.PrimitiveTypes.Float32,
		parquet.Types.Double:  arrow.PrimitiveTypes.Float64,
		parquet.Types.Int96:   timestampType(2, false), // only ever a timestamp, of Impala, Hive and Spark
	}[l.physical]
}

// decimalType reads decimals of up to 32 bytes as the nearest float64.
func (l *leaf) decimalType(logical logical) arrow.DataType {
	switch l.physical {
	case parquet.Types.FixedLenByteArray:
		if l.width < 1 || l.width > maxDecimalBytes {
			return nil
		}
	case parquet.Types.Int32, parquet.Types.Int64, parquet.Types.ByteArray:
	default:
		return nil
	}
	if logical.scale < 0 || logical.scale > 76 {
		return nil
	}
	l.scale, l.decimal = logical.scale, true
	return arrow.PrimitiveTypes.Float64
}

func int32Type(logical logical, plain bool) arrow.DataType {
	switch {
	case plain:
		return arrow.PrimitiveTypes.Int32
	case logical.kind == logicalDate:
		return arrow.FixedWidthTypes.Date32
	case logical.kind == logicalInteger && logical.sign:
		return map[int]arrow.DataType{8: arrow.PrimitiveTypes.Int8, 16: arrow.PrimitiveTypes.Int16, 32: arrow.PrimitiveTypes.Int32}[logical.bits]
	case logical.kind == logicalInteger:
		return map[int]arrow.DataType{8: arrow.PrimitiveTypes.Uint8, 16: arrow.PrimitiveTypes.Uint16, 32: arrow.PrimitiveTypes.Uint32}[logical.bits]
	}
	return nil
}

func int64Type(logical logical, plain bool) arrow.DataType {
	switch {
	case plain, logical.kind == logicalInteger && logical.bits == 64 && logical.sign:
		return arrow.PrimitiveTypes.Int64
	case logical.kind == logicalInteger && logical.bits == 64:
		return arrow.PrimitiveTypes.Uint64
	case logical.kind == logicalTimestamp:
		return timestampType(logical.unit, logical.utc)
	}
	return nil
}

func timestampType(unit int, utc bool) arrow.DataType {
	zone := ""
	if utc {
		zone = "UTC"
	}
	switch unit {
	case 1:
		return &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: zone}
	case 2:
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: zone}
	case 3:
		return &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: zone}
	}
	return nil
}

func byteArrayType(logical logical, plain bool) arrow.DataType {
	switch logical.kind {
	case logicalString, logicalEnum, logicalJSON:
		return arrow.BinaryTypes.String
	case logicalBSON:
		return arrow.BinaryTypes.Binary
	}
	if plain {
		return arrow.BinaryTypes.Binary
	}
	return nil
}

// field is the column's Arrow field.
func (l *leaf) field() arrow.Field {
	f := arrow.Field{Name: l.name, Type: l.arrow, Nullable: l.nullable}
	if l.reason != "" {
		f.Metadata = arrow.NewMetadata([]string{unsupportedKey}, []string{l.reason})
	}
	return f
}
