// Package columns gathers values into Arrow arrays, nested ones too, for the
// readers of row formats. It writes the Arrow buffers itself: the checks of
// Arrow's builders cost more than the copying of short cells. An array's memory is Go memory
// that is never used again, its validity bitmap is absent where nothing is null, and
// the bytes under a null are zero.
package columns

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// layout is how the values of a type lie in memory.
type layout int

const (
	nothing layout = iota // null
	bits                  // bool
	fixed                 // 4 or 8 bytes
	text                  // utf8, binary
	list
	record
)

// Column is an array in the making. Of the methods that append, a caller uses those
// of the column's type; each adds one value, except that a list ends with the
// values its child was given before, and each child of a struct is given its own.
type Column struct {
	dt     arrow.DataType
	layout layout
	width  int // of a fixed value
	size   *int

	n, nulls int
	valid    []byte // nil while nothing is null
	data     []byte // fixed values, text; a byte a bool
	ends     []int32
	children []*Column

	lastN, lastData int // of the array before
}

// New returns an empty column of type dt: null, bool, an integer, float, date, time
// or timestamp of 4 or 8 bytes, utf8, binary, or a list or struct of these. What
// its values take is added to *size.
func New(dt arrow.DataType, size *int) (*Column, error) {
	c := &Column{dt: dt, size: size}
	switch dt := dt.(type) {
	case *arrow.NullType:
		c.layout = nothing
	case *arrow.BooleanType:
		c.layout = bits
	case *arrow.StringType, *arrow.BinaryType:
		c.layout = text
	case *arrow.ListType:
		c.layout = list
		return c, c.add(dt.Elem())
	case *arrow.StructType:
		c.layout = record
		for _, f := range dt.Fields() {
			if err := c.add(f.Type); err != nil {
				return nil, err
			}
		}
	case *arrow.Int32Type, *arrow.Uint32Type, *arrow.Float32Type, *arrow.Date32Type, *arrow.Time32Type:
		c.layout, c.width = fixed, 4
	case *arrow.Int64Type, *arrow.Uint64Type, *arrow.Float64Type, *arrow.Date64Type, *arrow.Time64Type, *arrow.TimestampType:
		c.layout, c.width = fixed, 8
	default:
		return nil, fmt.Errorf("columns: no columns of %s", dt)
	}
	return c, nil
}

func (c *Column) add(dt arrow.DataType) error {
	child, err := New(dt, c.size)
	if err != nil {
		return err
	}
	c.children = append(c.children, child)
	return nil
}

// Type is the column's type.
func (c *Column) Type() arrow.DataType { return c.dt }

// Len is the number of values.
func (c *Column) Len() int { return c.n }

// Child is the column of a list's elements, or of a struct's field i.
func (c *Column) Child(i int) *Column { return c.children[i] }

// start makes room for as much as the last array had.
func (c *Column) start() {
	if c.layout == text || c.layout == list {
		c.ends = append(make([]int32, 0, c.lastN+1), 0)
	}
	c.data = make([]byte, 0, c.lastData+c.lastData/8)
}

// mark appends to the validity.
func (c *Column) mark(ok bool) {
	if c.valid == nil {
		if ok {
			c.n++
			return
		}
		c.valid = make([]byte, bitutil.BytesForBits(int64(c.n)), bitutil.BytesForBits(int64(max(c.lastN, c.n+1))))
		bitutil.SetBitsTo(c.valid, 0, int64(c.n), true)
	}
	if c.n&7 == 0 {
		c.valid = append(c.valid, 0)
	}
	if ok {
		c.valid[c.n>>3] |= 1 << (c.n & 7)
	} else {
		c.nulls++
	}
	c.n++
}

// Null appends a null; the fields of a struct get theirs.
func (c *Column) Null() {
	if c.n == 0 {
		c.start()
	}
	switch c.layout {
	case nothing:
		c.n++
		c.nulls++
		return
	case bits:
		c.data = append(c.data, 0)
		*c.size++
	case fixed:
		c.data = append(c.data, zeros[:c.width]...)
		*c.size += c.width
	case text:
		c.ends = append(c.ends, int32(len(c.data)))
		*c.size += 4
	case list:
		c.ends = append(c.ends, int32(c.children[0].n))
		*c.size += 4
	case record:
		for _, child := range c.children {
			child.Null()
		}
	}
	c.mark(false)
}

var zeros [8]byte

// Bool appends to a bool column.
func (c *Column) Bool(v bool) {
	if c.n == 0 {
		c.start()
	}
	b := byte(0)
	if v {
		b = 1
	}
	c.data = append(c.data, b)
	*c.size++
	c.mark(true)
}

// Fixed4 appends the bits of a value of 4 bytes.
func (c *Column) Fixed4(v uint32) {
	if c.n == 0 {
		c.start()
	}
	c.data = binary.LittleEndian.AppendUint32(c.data, v)
	*c.size += 4
	c.mark(true)
}

// Fixed8 appends the bits of a value of 8 bytes.
func (c *Column) Fixed8(v uint64) {
	if c.n == 0 {
		c.start()
	}
	c.data = binary.LittleEndian.AppendUint64(c.data, v)
	*c.size += 8
	c.mark(true)
}

// Block appends the values, none of them null, whose little-endian bytes are b.
func (c *Column) Block(b []byte) {
	if c.n == 0 {
		c.start()
	}
	c.data = append(c.data, b...)
	*c.size += len(b)
	n := len(b) / c.width
	if c.valid != nil {
		for len(c.valid) < int(bitutil.BytesForBits(int64(c.n+n))) {
			c.valid = append(c.valid, 0)
		}
		bitutil.SetBitsTo(c.valid, int64(c.n), int64(n), true)
	}
	c.n += n
}

// Bytes appends to a column of utf8 or binary.
func (c *Column) Bytes(v []byte) {
	if c.n == 0 {
		c.start()
	}
	c.data = append(c.data, v...)
	c.ends = append(c.ends, int32(len(c.data)))
	*c.size += 4 + len(v)
	c.mark(true)
}

// List appends the list of what its child was given since the last list.
func (c *Column) List() {
	if c.n == 0 {
		c.start()
	}
	c.ends = append(c.ends, int32(c.children[0].n))
	*c.size += 4
	c.mark(true)
}

// Struct appends the struct of the last value of each child.
func (c *Column) Struct() {
	if c.n == 0 {
		c.start()
	}
	c.mark(true)
}

// Array returns the values and empties the column.
func (c *Column) Array() arrow.Array { return array.MakeFromData(c.take()) }

// take is the array's data.
func (c *Column) take() arrow.ArrayData {
	if c.n == 0 {
		c.start()
	}
	buffers := []*memory.Buffer{nil}
	if c.nulls > 0 && c.layout != nothing {
		buffers[0] = memory.NewBufferBytes(c.valid)
	}
	var children []arrow.ArrayData
	for _, child := range c.children {
		children = append(children, child.take())
	}
	switch c.layout {
	case bits:
		buffers = append(buffers, memory.NewBufferBytes(pack(c.data)))
	case fixed:
		buffers = append(buffers, memory.NewBufferBytes(c.data))
	case text:
		buffers = append(buffers, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.ends)), memory.NewBufferBytes(c.data))
	case list:
		buffers = append(buffers, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.ends)))
	}
	out := array.NewData(c.dt, c.n, buffers, children, c.nulls, 0)
	c.lastN, c.lastData = c.n, len(c.data)
	c.n, c.nulls, c.valid, c.data, c.ends = 0, 0, nil, nil, nil
	return out
}

// pack makes a bitmap of a byte a value.
func pack(values []byte) []byte {
	out := make([]byte, bitutil.BytesForBits(int64(len(values))))
	for i, v := range values {
		out[i>>3] |= v << (i & 7)
	}
	return out
}
