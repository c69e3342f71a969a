package parquetio

import (
	"errors"
	"fmt"
)

// Types of Thrift's compact protocol
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
const (
	thriftStop, thriftTrue, thriftFalse, thriftByte = 0, 1, 2, 3
	thriftI16, thriftI32, thriftI64, thriftDouble   = 4, 5, 6, 7
	thriftBinary, thriftList, thriftSet, thriftMap  = 8, 9, 10, 11
	thriftStruct, thriftUUID                        = 12, 13

	thriftDepth = 24 // nesting beyond this is no Parquet metadata
)

// errShort says that a value goes on beyond the bytes given.
var errShort = errors.New("metadata is cut short")

// thrift reads values of the compact protocol from b. The first error stays,
// and every read after it gives zero.
type thrift struct {
	b   []byte
	i   int // next byte of b
	err error
}

func (t *thrift) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

func (t *thrift) byte() byte {
	if t.err != nil || t.i >= len(t.b) {
		t.fail(errShort)
		return 0
	}
	t.i++
	return t.b[t.i-1]
}

func (t *thrift) uvarint() uint64 {
	v := uint64(0)
	for shift := 0; shift < 64; shift += 7 {
		c := t.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	t.fail(errors.New("an integer of more than 64 bits"))
	return 0
}

// int reads a zigzag varint.
func (t *thrift) int() int64 {
	v := t.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (t *thrift) int32() int32 {
	v := t.int()
	if int64(int32(v)) != v {
		t.fail(fmt.Errorf("%d where 32 bits are wanted", v))
		return 0
	}
	return int32(v)
}

func (t *thrift) advance(n uint64) {
	if t.err != nil {
		return
	}
	if n > uint64(len(t.b)-t.i) {
		t.fail(errShort)
		return
	}
	t.i += int(n)
}

// list reads the head of a list or set.
func (t *thrift) list() (typ byte, n int) {
	head := t.byte()
	size := uint64(head >> 4)
	if size == 15 {
		size = t.uvarint()
	}
	if size > uint64(len(t.b)-t.i) { // every element takes at least a byte
		t.fail(errShort)
		return 0, 0
	}
	return head & 15, int(size)
}

// fields calls field for each field of a struct. field reads the value, or
// returns false to have it skipped; a bool's value is in its type.
func (t *thrift) fields(depth int, field func(id int, typ byte) bool) {
	if depth == 0 {
		t.fail(errors.New("metadata is nested too deep"))
		return
	}
	id := 0
	for t.err == nil {
		head := t.byte()
		typ := head & 15
		if typ == thriftStop {
			return
		}
		if delta := int(head >> 4); delta != 0 {
			id += delta
		} else {
			id = int(t.int())
		}
		if !field(id, typ) {
			t.skip(typ, depth-1)
		}
	}
}

func (t *thrift) skip(typ byte, depth int) {
	if depth == 0 {
		t.fail(errors.New("metadata is nested too deep"))
		return
	}
	switch typ {
	case thriftTrue, thriftFalse:
	case thriftByte:
		t.advance(1)
	case thriftI16, thriftI32, thriftI64:
		t.uvarint()
	case thriftDouble:
		t.advance(8)
	case thriftUUID:
		t.advance(16)
	case thriftBinary:
		t.advance(t.uvarint())
	case thriftList, thriftSet:
		elem, n := t.list()
		for i := 0; i < n && t.err == nil; i++ {
			t.skipElement(elem, depth-1)
		}
	case thriftMap:
		t.skipMap(depth)
	case thriftStruct:
		t.fields(depth, func(int, byte) bool { return false })
	default:
		t.fail(fmt.Errorf("unknown type %d in the metadata", typ))
	}
}

// skipElement is skip where booleans take a byte.
func (t *thrift) skipElement(typ byte, depth int) {
	if typ == thriftTrue || typ == thriftFalse {
		typ = thriftByte
	}
	t.skip(typ, depth)
}

func (t *thrift) skipMap(depth int) {
	n := t.uvarint()
	if n == 0 {
		return
	}
	types := t.byte()
	for i := uint64(0); i < n && t.err == nil; i++ {
		t.skipElement(types>>4, depth-1)
		t.skipElement(types&15, depth-1)
	}
}
