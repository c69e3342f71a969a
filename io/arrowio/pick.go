package arrowio

import (
	"sort"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/internal/arrays"
)

// pick copies runs of the rows of values, which have offset 0.
func (d *decoder) pick(values *array.Data, rows []arrays.Run) *array.Data {
	for _, r := range rows {
		d.take(bytesOf(values, r.From, r.To))
	}
	out, err := arrays.Take(array.MakeFromData(values), rows)
	if err != nil {
		panic(failure{err})
	}
	return out.Data().(*array.Data)
}

// bytesOf is about how much the rows [from, to) of data take.
func bytesOf(data arrow.ArrayData, from, to int) int64 {
	if from == to {
		return 0
	}
	n := int64(to-from)/8 + 1
	switch t := data.DataType().(type) {
	case *arrow.StringType, *arrow.BinaryType:
		offsets := arrow.Int32Traits.CastFromBytes(data.Buffers()[1].Bytes())
		return n + 4*int64(to-from) + int64(offsets[to]-offsets[from])
	case *arrow.ListType:
		offsets := arrow.Int32Traits.CastFromBytes(data.Buffers()[1].Bytes())
		return n + 4*int64(to-from) + bytesOf(data.Children()[0], int(offsets[from]), int(offsets[to]))
	case *arrow.FixedSizeListType:
		w := int(t.Len())
		return n + bytesOf(data.Children()[0], from*w, to*w)
	case *arrow.StructType:
		for _, c := range data.Children() {
			n += bytesOf(c, from, to)
		}
		return n
	case arrow.FixedWidthDataType:
		return n + int64(to-from)*int64(t.BitWidth())/8
	}
	return n
}

// gather makes an array of the rows at of values, which has offset 0; null where at is negative. Nested
// values have a null as their last for that.
func (d *decoder) gather(values *array.Data, at []int64) *array.Data {
	dt := values.DataType()
	if dt.ID() == arrow.NULL {
		return array.NewData(dt, len(at), []*memory.Buffer{nil}, nil, len(at), 0)
	}
	if nested(dt) {
		return d.gatherNested(values, at)
	}
	valid, nulls := d.gatherNulls(values, at)
	var buffers []*memory.Buffer
	switch t := dt.(type) {
	case *arrow.StringType, *arrow.BinaryType:
		buffers = d.gatherText(values, at, valid)
	case *arrow.BooleanType:
		d.take(bitutil.BytesForBits(int64(len(at))))
		out := make([]byte, bitutil.BytesForBits(int64(len(at))))
		for i, v := range at {
			if v >= 0 && bitutil.BitIsSet(values.Buffers()[1].Bytes(), int(v)) {
				bitutil.SetBit(out, i)
			}
		}
		buffers = []*memory.Buffer{memory.NewBufferBytes(out)}
	case arrow.FixedWidthDataType:
		w := t.BitWidth() / 8
		d.take(int64(w) * int64(len(at)))
		src, out := values.Buffers()[1].Bytes(), make([]byte, w*len(at))
		for i, v := range at {
			if v >= 0 {
				copy(out[i*w:(i+1)*w], src[int(v)*w:])
			}
		}
		buffers = []*memory.Buffer{memory.NewBufferBytes(out)}
	}
	return array.NewData(dt, len(at), append([]*memory.Buffer{valid}, buffers...), nil, nulls, 0)
}

func (d *decoder) gatherNulls(values *array.Data, at []int64) (*memory.Buffer, int) {
	var from []byte
	if values.NullN() > 0 {
		from = values.Buffers()[0].Bytes()
	}
	d.take(bitutil.BytesForBits(int64(len(at))))
	valid, nulls := make([]byte, bitutil.BytesForBits(int64(len(at)))), 0
	for i, v := range at {
		if v < 0 || from != nil && !bitutil.BitIsSet(from, int(v)) {
			nulls++
		} else {
			bitutil.SetBit(valid, i)
		}
	}
	if nulls == 0 {
		return nil, 0
	}
	return memory.NewBufferBytes(valid), nulls
}

func (d *decoder) gatherText(values *array.Data, at []int64, valid *memory.Buffer) []*memory.Buffer {
	from := arrow.Int32Traits.CastFromBytes(values.Buffers()[1].Bytes())
	src := values.Buffers()[2].Bytes()
	d.take(4 * int64(len(at)+1))
	offsets := make([]int32, len(at)+1)
	total := 0
	for i, v := range at {
		if isValid(valid, int64(i)) {
			total += int(min(int64(from[v+1]-from[v]), d.mostOf()))
		}
	}
	if int64(total) > d.left {
		panic(failure{errLarge})
	}
	data := make([]byte, 0, total)
	for i, v := range at {
		if isValid(valid, int64(i)) {
			start := int64(from[v])
			data = append(data, d.cut(i, int64(from[v+1])-start, func(size int64) []byte { return src[start : start+size] })...)
		}
		offsets[i+1] = int32(len(data))
	}
	return []*memory.Buffer{int32Buffer(offsets), memory.NewBufferBytes(data)}
}

// mostOf is what is taken of a text.
func (d *decoder) mostOf() int64 {
	if d.top() {
		return d.maxCell
	}
	return maxDictionary
}

// nested says that a type has children.
func nested(dt arrow.DataType) bool {
	_, ok := dt.(arrow.NestedType)
	return ok
}

// gatherNested is gather for nested values, of which the last stands for null.
func (d *decoder) gatherNested(values *array.Data, at []int64) *array.Data {
	rows := make([]arrays.Run, len(at))
	for i, v := range at {
		if v < 0 {
			v = int64(values.Len()) - 1
		}
		rows[i] = arrays.Run{From: int(v), To: int(v) + 1}
	}
	return d.pick(values, rows)
}

// runs reads run-end encoded rows as plain ones.
func (d *decoder) runs(c *column, from, to int64) *array.Data {
	values := c.kids[1]
	if from == to {
		return d.array(values, 0, 0)
	}
	if c.ends == nil {
		c.ends = d.runEnds(c)
	}
	first := int64(sort.Search(len(c.ends), func(i int) bool { return c.ends[i] > from }))
	at := make([]int64, 0, to-from)
	run := first
	for row := from; row < to; row++ {
		for run < int64(len(c.ends)) && c.ends[run] <= row {
			run++
		}
		at = append(at, run-first)
	}
	if run == int64(len(c.ends)) {
		fail("the runs end at row %d of %d", c.ends[run-1], c.rows)
	}
	return d.gather(d.array(values, first, run+1), at)
}

// maxRuns bounds the runs of a record batch, whose ends are in memory.
const maxRuns = 1 << 22

// runEnds reads the ends of all runs, which ascend.
func (d *decoder) runEnds(c *column) []int64 {
	if c.kids[0].rows > maxRuns {
		panic(failure{errRuns})
	}
	left := d.left
	d.left = maxRuns * 16
	ends := d.numbers(c.kids[0].parts[0], c.kids[0].width, true, 0, c.kids[0].rows)
	d.left = left
	prev := int64(0)
	for _, e := range ends {
		if e <= prev {
			fail("a run that ends at %d after %d", e, prev)
		}
		prev = e
	}
	return ends
}
