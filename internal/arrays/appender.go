package arrays

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// appender collects rows of one type. Exactly one of the groups of fields
// below is in use, by the layout of the type.
type appender struct {
	dt    arrow.DataType
	rows  int // capacity, known at the start
	n     int
	nulls int
	valid []byte // nil while nothing is null

	width int    // fixed-width values, in bytes; 0 for other layouts
	fixed []byte // n * width bytes

	bits []byte // booleans

	offsets []byte // utf8 and binary: little-endian int32, n+1 of them
	data    []byte

	child    *appender // fixed-size lists
	listSize int

	dict arrow.ArrayData // dictionary of the indices in fixed
}

// newAppender returns nil for a type whose layout it does not know.
func newAppender(dt arrow.DataType, rows int) *appender {
	a := &appender{dt: dt, rows: rows}
	switch t := dt.(type) {
	case *arrow.BooleanType:
		a.bits = make([]byte, bitutil.BytesForBits(int64(rows)))
	case *arrow.StringType, *arrow.BinaryType:
		a.offsets = make([]byte, 4, 4*(rows+1))
	case *arrow.DictionaryType:
		a.width = t.IndexType.(arrow.FixedWidthDataType).BitWidth() / 8
	case *arrow.FixedSizeListType:
		a.listSize = int(t.Len())
		if a.child = newAppender(t.Elem(), rows*a.listSize); a.child == nil || a.child.hasDictionary() {
			return nil
		}
	case arrow.FixedWidthDataType:
		a.width = t.BitWidth() / 8
	default:
		return nil
	}
	if a.width > 0 {
		a.fixed = make([]byte, 0, rows*a.width)
	}
	return a
}

func (a *appender) hasDictionary() bool {
	_, ok := a.dt.(*arrow.DictionaryType)
	return ok || a.child != nil && a.child.hasDictionary()
}

// shareDictionary adopts the one dictionary of arrs; false if they differ.
func (a *appender) shareDictionary(arrs []arrow.Array) bool {
	if _, ok := a.dt.(*arrow.DictionaryType); !ok {
		return true
	}
	first := arrs[0].(*array.Dictionary).Dictionary()
	for _, other := range arrs[1:] {
		d := other.(*array.Dictionary).Dictionary()
		if d != first && !array.Equal(d, first) {
			return false
		}
	}
	a.dict = first.Data()
	return true
}

// append copies the rows [from, to) of d, which are relative to its offset.
func (a *appender) append(d arrow.ArrayData, from, to int) error {
	nulls := a.appendValidity(d, from, to)
	start, n := d.Offset()+from, to-from
	var err error
	switch {
	case a.bits != nil:
		a.appendBits(d.Buffers()[1].Bytes(), start, n, nulls)
	case a.offsets != nil:
		err = a.appendBinary(d, start, n, nulls)
	case a.child != nil:
		err = a.child.append(d.Children()[0], start*a.listSize, (start+n)*a.listSize)
	case a.width > 0:
		a.appendFixed(d.Buffers()[1].Bytes(), start, n, nulls)
	}
	a.n += n
	return err
}

// appendValidity returns how many of the rows are null.
func (a *appender) appendValidity(d arrow.ArrayData, from, to int) (nulls int) {
	n := to - from
	buf := d.Buffers()[0]
	if d.NullN() != 0 && buf != nil && buf.Len() > 0 {
		nulls = n - bitutil.CountSetBits(buf.Bytes(), d.Offset()+from, n)
	}
	if nulls > 0 && a.valid == nil {
		a.valid = make([]byte, bitutil.BytesForBits(int64(a.rows)))
		bitutil.SetBitsTo(a.valid, 0, int64(a.n), true)
	}
	if nulls > 0 {
		bitutil.CopyBitmap(buf.Bytes(), d.Offset()+from, n, a.valid, a.n)
	} else if a.valid != nil {
		bitutil.SetBitsTo(a.valid, int64(a.n), int64(n), true)
	}
	a.nulls += nulls
	return nulls
}

func (a *appender) appendFixed(src []byte, start, n, nulls int) {
	a.fixed = append(a.fixed, src[start*a.width:(start+n)*a.width]...)
	if nulls == 0 {
		return
	}
	for i := a.n; i < a.n+n; i++ {
		if !bitutil.BitIsSet(a.valid, i) {
			clear(a.fixed[i*a.width : (i+1)*a.width])
		}
	}
}

func (a *appender) appendBits(src []byte, start, n, nulls int) {
	bitutil.CopyBitmap(src, start, n, a.bits, a.n)
	if nulls == 0 {
		return
	}
	for i := a.n; i < a.n+n; i++ {
		if !bitutil.BitIsSet(a.valid, i) {
			bitutil.ClearBit(a.bits, i)
		}
	}
}

func (a *appender) appendBinary(d arrow.ArrayData, start, n, nulls int) error {
	if n == 0 {
		return nil
	}
	offsets := arrow.Int32Traits.CastFromBytes(d.Buffers()[1].Bytes())[start : start+n+1]
	var data []byte
	if b := d.Buffers()[2]; b != nil {
		data = b.Bytes()
	}
	if int64(len(a.data))+int64(offsets[n]-offsets[0]) > math.MaxInt32 {
		return fmt.Errorf("more than %d bytes of text in one array", math.MaxInt32)
	}
	if nulls == 0 {
		shift := int32(len(a.data)) - offsets[0]
		a.data = append(a.data, data[offsets[0]:offsets[n]]...)
		for _, o := range offsets[1:] {
			a.offsets = binary.LittleEndian.AppendUint32(a.offsets, uint32(o+shift))
		}
		return nil
	}
	for i := range n {
		if bitutil.BitIsSet(a.valid, a.n+i) {
			a.data = append(a.data, data[offsets[i]:offsets[i+1]]...)
		}
		a.offsets = binary.LittleEndian.AppendUint32(a.offsets, uint32(len(a.data)))
	}
	return nil
}

func (a *appender) finish() arrow.ArrayData {
	buffers := []*memory.Buffer{nil}
	if a.valid != nil {
		buffers[0] = memory.NewBufferBytes(a.valid)
	}
	var children []arrow.ArrayData
	switch {
	case a.bits != nil:
		buffers = append(buffers, memory.NewBufferBytes(a.bits))
	case a.offsets != nil:
		buffers = append(buffers, memory.NewBufferBytes(a.offsets), memory.NewBufferBytes(a.data))
	case a.child != nil:
		children = []arrow.ArrayData{a.child.finish()}
	default:
		buffers = append(buffers, memory.NewBufferBytes(a.fixed))
	}
	if a.dict != nil {
		return array.NewDataWithDictionary(a.dt, a.n, buffers, a.nulls, 0, a.dict.(*array.Data))
	}
	return array.NewData(a.dt, a.n, buffers, children, a.nulls, 0)
}
