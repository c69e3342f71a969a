package jsonlio

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/table"
)

// column gathers the cells of one column. A batch's buffers are never used again.
type column struct {
	name  string
	kind  kind
	n     int      // the cells
	words []uint64 // integers, and the bits of floats
	flags []byte   // booleans, a byte each
	ends  []int32  // of texts and lists: 0, then the end of each
	text  []byte
	nulls []int32 // the cells that are null, ascending
	items *column // of lists
	size  int     // the capacity for the next text, or items
}

func newColumn(name string, values, items kind) *column {
	c := &column{name: name, kind: values}
	if values == kindList {
		c.items = &column{name: name, kind: items}
	}
	return c
}

// reset starts a batch with room for n cells.
func (c *column) reset(n int) {
	c.n, c.nulls = 0, nil
	switch c.kind {
	case kindInt, kindFloat:
		c.words = make([]uint64, 0, n)
	case kindBool:
		c.flags = make([]byte, 0, n)
	case kindText:
		c.ends, c.text = append(make([]int32, 0, n+1), 0), make([]byte, 0, max(c.size, 8*n))
	case kindList:
		c.ends = append(make([]int32, 0, n+1), 0)
		c.items.reset(max(c.items.size, n))
	}
}

// null appends a null.
func (c *column) null() {
	c.nulls = append(c.nulls, int32(c.n))
	c.n++
	switch c.kind {
	case kindInt, kindFloat:
		c.words = append(c.words, 0)
	case kindBool:
		c.flags = append(c.flags, 0)
	case kindText, kindList:
		c.ends = append(c.ends, c.ends[len(c.ends)-1])
	}
}

// cut takes back all cells from n.
func (c *column) cut(n int) {
	if c.n <= n {
		return
	}
	c.n = n
	switch c.kind {
	case kindInt, kindFloat:
		c.words = c.words[:n]
	case kindBool:
		c.flags = c.flags[:n]
	case kindText:
		c.ends = c.ends[:n+1]
		c.text = c.text[:c.ends[n]]
	case kindList:
		c.ends = c.ends[:n+1]
		c.items.cut(int(c.ends[n]))
	}
	for len(c.nulls) > 0 && int(c.nulls[len(c.nulls)-1]) >= n {
		c.nulls = c.nulls[:len(c.nulls)-1]
	}
}

// align makes row the next cell: it fills up with nulls, or takes back a value that the row has already given.
func (c *column) align(row int) {
	c.cut(row)
	for c.n < row {
		c.null()
	}
}

func (c *column) addText(text []byte) {
	c.text = append(c.text, text...)
	c.ends = append(c.ends, int32(len(c.text)))
	c.n++
}

// data is the column's Arrow data. It also sets the room for the next.
func (c *column) data() arrow.ArrayData {
	buffers := []*memory.Buffer{c.validity(), nil}
	var children []arrow.ArrayData
	var t arrow.DataType
	switch c.kind {
	case kindInt, kindFloat:
		t = arrow.PrimitiveTypes.Int64
		if c.kind == kindFloat {
			t = arrow.PrimitiveTypes.Float64
		}
		buffers[1] = memory.NewBufferBytes(arrow.Uint64Traits.CastToBytes(c.words))
	case kindBool:
		t = arrow.FixedWidthTypes.Boolean
		packed := make([]byte, bitutil.BytesForBits(int64(c.n)))
		for i, f := range c.flags {
			packed[i>>3] |= f << (i & 7)
		}
		buffers[1] = memory.NewBufferBytes(packed)
	case kindText:
		t = arrow.BinaryTypes.String
		buffers[1] = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.ends))
		buffers = append(buffers, memory.NewBufferBytes(c.text))
		c.size = len(c.text) + len(c.text)/8
	case kindList:
		buffers[1] = memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(c.ends))
		items := c.items.data()
		t, children = arrow.ListOf(items.DataType()), []arrow.ArrayData{items}
		c.items.size = max(c.items.size, c.items.n+c.items.n/8)
	}
	return array.NewData(t, c.n, buffers, children, len(c.nulls), 0)
}

// validity is the bitmap of the cells that are not null; nil if none is.
func (c *column) validity() *memory.Buffer {
	if len(c.nulls) == 0 {
		return nil
	}
	valid := make([]byte, bitutil.BytesForBits(int64(c.n)))
	bitutil.SetBitsTo(valid, 0, int64(c.n), true)
	for _, i := range c.nulls {
		bitutil.ClearBit(valid, int(i))
	}
	return memory.NewBufferBytes(valid)
}

// builder gathers rows into batches.
type builder struct {
	schema  *arrow.Schema // of the columns that are read
	index   index         // of all columns
	columns []*column     // that are read
	byIndex []*column     // those of the file; nil if it is not read
	maxRows int
	rows    []int64
	bytes   int // in the batch, about
	width   int // of a row without its text
	started bool
	last    int // the rows of the last batch
}

// maxAhead bounds the rows that room is made for before they are there.
const maxAhead = 4096

func newBuilder(all []known, selected []int, maxRows int, rows int64) *builder {
	schema := schemaOf(all)
	b := &builder{schema: table.Project(schema, selected), index: indexOf(all), byIndex: make([]*column, len(all)), maxRows: maxRows,
		last: int(min(int64(maxRows), rows, maxAhead))}
	for _, i := range selected {
		_, values, items := all[i].typeOf()
		c := newColumn(all[i].Name, values, items)
		b.columns, b.byIndex[i] = append(b.columns, c), c
	}
	b.width = 8 * len(b.columns)
	b.last = min(b.last, table.MaxBatchBytes/b.width+1)
	return b
}

// keep finds the column of m; a name that is not the schema's is not kept.
func (b *builder) keep(m *member) bool {
	i, ok := b.index.columns[m.name]
	if ok {
		m.column = b.byIndex[i]
	}
	m.foreign = !ok
	return ok || b.index.objects[m.name+"."]
}

// start makes room for a batch as large as the last one.
func (b *builder) start() {
	b.started = true
	b.rows, b.bytes = make([]int64, 0, b.last), 0
	for _, c := range b.columns {
		c.reset(b.last)
	}
}

// align makes row the next cell of c.
func (b *builder) align(c *column, row int) {
	if !b.started {
		b.start()
	}
	c.align(row)
}

// add ends a row.
func (b *builder) add(number int64) {
	if !b.started {
		b.start()
	}
	b.rows = append(b.rows, number)
	b.bytes += b.width
}

// undo takes back the cells of a row that was not added.
func (b *builder) undo() {
	for _, c := range b.columns {
		c.cut(len(b.rows))
	}
}

func (b *builder) full() bool {
	return len(b.rows) == b.maxRows || b.bytes >= table.MaxBatchBytes
}

// batch returns the rows since the last call.
func (b *builder) batch() *batch.Batch {
	n := len(b.rows)
	cols := make([]arrow.Array, len(b.columns))
	for i, c := range b.columns {
		c.align(n)
		cols[i] = array.MakeFromData(c.data())
	}
	out := &batch.Batch{Record: array.NewRecord(b.schema, cols, int64(n)), Rows: b.rows}
	b.last, b.rows, b.started = max(n, 1), nil, false
	return out
}
