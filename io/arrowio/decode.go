package arrowio

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/deadletter"
)

// maxValue bounds a value of fixed width.
const maxValue = 1 << 24

// decoder reads ranges of the rows of one message as arrays: offset 0, no bitmap where nothing is
// null, types as node.out. It panics with a failure where the bytes are damaged, and with
// errLarge where an array would take more than left bytes.
type decoder struct {
	body    *body
	dicts   *dictionaries
	left    int64 // bytes that may still be taken
	maxCell int64 // of a text at the top level
	long    []int // rows with a longer one, which is cut
	depth   int
}

// errLarge says that the rows do not fit.
var errLarge = fmt.Errorf("the rows take too much memory")

func (d *decoder) take(n int64) {
	if n < 0 || n > d.left {
		panic(failure{errLarge})
	}
	d.left -= n
}

// column reads the rows [from, to) of c, and says which of them have a text that is cut.
func (d *decoder) column(c *column, from, to int64) (arrow.Array, []int) {
	d.long, d.depth = nil, 0
	return array.MakeFromData(d.array(c, from, to)), d.long
}

// array reads the rows [from, to) of c.
func (d *decoder) array(c *column, from, to int64) *array.Data {
	if from < 0 || to < from || to > c.rows {
		fail("rows %d to %d of a column of %d", from, to, c.rows)
	}
	d.depth++
	defer func() { d.depth-- }()
	n := to - from
	switch c.layout {
	case runs:
		return d.runs(c, from, to)
	case indices:
		return d.indices(c, from, to)
	}
	valid, nulls := d.validity(c, from, to)
	buffers := []*memory.Buffer{valid}
	var children []arrow.ArrayData
	switch c.layout {
	case empty:
		return array.NewData(arrow.Null, int(n), []*memory.Buffer{nil}, nil, int(n), 0)
	case fixed:
		buffers = append(buffers, d.fixed(c, from, n))
	case bits:
		d.take(bitutil.BytesForBits(n))
		buffers = append(buffers, memory.NewBufferBytes(d.bits(c.parts[0], from, n)))
	case text:
		buffers = append(buffers, d.text(c, valid, from, n)...)
	case view:
		buffers = append(buffers, d.views(c, valid, from, n)...)
	case list:
		offsets, first := d.offsets(c, from, n, c.kids[0].rows)
		buffers = append(buffers, int32Buffer(offsets))
		children = append(children, d.array(c.kids[0], first, first+int64(offsets[n])))
	case listView:
		offsets, child := d.listView(c, valid, from, n)
		buffers, children = append(buffers, int32Buffer(offsets)), append(children, child)
	case fixedList:
		w := int64(c.width)
		children = append(children, d.array(c.kids[0], from*w, to*w))
	case structure:
		for _, k := range c.kids {
			children = append(children, d.array(k, from, to))
		}
	}
	return array.NewData(c.out, int(n), buffers, children, nulls, 0)
}

// validity reads a bitmap; it is nil if nothing is null.
func (d *decoder) validity(c *column, from, to int64) (*memory.Buffer, int) {
	n := to - from
	if c.valid == nil || n == 0 {
		return nil, 0
	}
	d.take(bitutil.BytesForBits(n))
	valid := d.bits(c.valid, from, n)
	nulls := int(n) - bitutil.CountSetBits(valid, 0, int(n))
	if nulls == 0 {
		return nil, 0
	}
	if c.layout == empty {
		return nil, int(n)
	}
	return memory.NewBufferBytes(valid), nulls
}

// bits copies n bits of p from bit from on.
func (d *decoder) bits(p *part, from, n int64) []byte {
	src := d.body.bytes(p, from/8, bitutil.BytesForBits(from%8+n))
	out := make([]byte, bitutil.BytesForBits(n))
	bitutil.CopyBitmap(src, int(from%8), int(n), out, 0)
	return out
}

func (d *decoder) fixed(c *column, from, n int64) *memory.Buffer {
	w := int64(c.width)
	parts := c.node.parts
	if parts == nil {
		parts = []int{c.width}
	}
	out := int64(c.out.(arrow.FixedWidthDataType).BitWidth() / 8)
	d.take(n * out)
	src := d.body.own(c.parts[0], from*w, n*w, parts...)
	if out != w {
		src = widen(src, c.width, int(out))
	}
	return memory.NewBufferBytes(aligned(src, int(out)))
}

// widen lengthens little-endian integers from so many bytes to more.
func widen(src []byte, from, to int) []byte {
	out := make([]byte, len(src)/from*to)
	for i := range len(src) / from {
		v := out[i*to : (i+1)*to]
		if copy(v, src[i*from:(i+1)*from]); v[from-1] >= 0x80 {
			for j := from; j < to; j++ {
				v[j] = 0xff
			}
		}
	}
	return out
}

// aligned copies b if numbers of so many bytes in it would not be aligned.
func aligned(b []byte, width int) []byte {
	if len(b) == 0 || width&(width-1) != 0 || address(b)%uintptr(min(width, 8)) == 0 {
		return b
	}
	return append(make([]byte, 0, len(b)), b...)
}

// numbers reads n integers of c.width bytes from the from-th on.
func (d *decoder) numbers(p *part, width int, signed bool, from, n int64) []int64 {
	d.take(8 * n)
	w := int64(width)
	src := d.body.own(p, from*w, n*w, width)
	out := make([]int64, n)
	for i := range out {
		v := src[i*width:]
		switch {
		case width == 8:
			out[i] = int64(binary.LittleEndian.Uint64(v))
		case width == 4 && signed:
			out[i] = int64(int32(binary.LittleEndian.Uint32(v)))
		case width == 4:
			out[i] = int64(binary.LittleEndian.Uint32(v))
		case width == 2 && signed:
			out[i] = int64(int16(binary.LittleEndian.Uint16(v)))
		case width == 2:
			out[i] = int64(binary.LittleEndian.Uint16(v))
		case signed:
			out[i] = int64(int8(v[0]))
		default:
			out[i] = int64(v[0])
		}
	}
	return out
}

// offsets reads the offsets of n values, which ascend to at most limit. The first becomes 0 and is returned.
func (d *decoder) offsets(c *column, from, n, limit int64) (out []int32, first int64) {
	d.take(4 * (n + 1))
	out = make([]int32, n+1)
	if n == 0 {
		return out, 0
	}
	w := int64(c.width)
	src := d.body.own(c.parts[0], from*w, (n+1)*w, c.width)
	at := func(i int64) int64 {
		if w == 4 {
			return int64(int32(binary.LittleEndian.Uint32(src[4*i:])))
		}
		return int64(binary.LittleEndian.Uint64(src[8*i:]))
	}
	first = at(0)
	if last := at(n); first < 0 || last > limit || last < first {
		fail("offsets %d to %d of %d", first, last, limit)
	} else if last-first > math.MaxInt32 {
		panic(failure{errLarge})
	}
	prev := first
	for i := int64(1); i <= n; i++ {
		v := at(i)
		if v < prev {
			fail("offset %d after %d", v, prev)
		}
		out[i], prev = int32(v-first), v
	}
	return out, first
}

// text reads utf8 or binary values.
func (d *decoder) text(c *column, valid *memory.Buffer, from, n int64) []*memory.Buffer {
	offsets, first := d.offsets(c, from, n, d.body.length(c.parts[1]))
	total := int64(offsets[n])
	if !d.anyLong(offsets) {
		d.take(total)
		return []*memory.Buffer{int32Buffer(offsets), memory.NewBufferBytes(d.body.bytes(c.parts[1], first, total))}
	}
	var data []byte
	start := int64(0)
	for i := range n {
		end := int64(offsets[i+1])
		if isValid(valid, i) {
			data = append(data, d.cut(int(i), end-start, func(size int64) []byte { return d.body.bytes(c.parts[1], first+start, size) })...)
		}
		start, offsets[i+1] = end, int32(len(data))
	}
	return []*memory.Buffer{int32Buffer(offsets), memory.NewBufferBytes(data)}
}

// top says that the array is a column, not a child of one.
func (d *decoder) top() bool { return d.depth == 1 }

func (d *decoder) anyLong(offsets []int32) bool {
	if !d.top() || int64(offsets[len(offsets)-1]) <= d.maxCell {
		return false
	}
	for i := range len(offsets) - 1 {
		if int64(offsets[i+1]-offsets[i]) > d.maxCell {
			return true
		}
	}
	return false
}

// cut gets the text of row, or only its beginning if it is too long.
func (d *decoder) cut(row int, size int64, get func(size int64) []byte) []byte {
	if d.top() && size > d.maxCell {
		d.long = append(d.long, row)
		size = min(d.maxCell, deadletter.MaxValueBytes)
	}
	d.take(size)
	return get(size)
}

func isValid(valid *memory.Buffer, i int64) bool {
	return valid == nil || bitutil.BitIsSet(valid.Bytes(), int(i))
}

// address is where b begins.
func address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

func int32Buffer(v []int32) *memory.Buffer {
	return memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(v))
}
