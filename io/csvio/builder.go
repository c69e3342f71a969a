package csvio

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/table"
)

// builder gathers rows into utf8 columns without nulls. It writes the Arrow
// buffers itself: array.StringBuilder's checks cost more than the copying of short cells.
// A batch's buffers are never used again.
type builder struct {
	schema  *arrow.Schema
	columns []int // of the record
	maxRows int
	rows    []int64
	bytes   int
	ends    [][]int32 // by column: 0, then the end of each cell
	text    [][]byte  // by column
	last    int       // the rows of the last batch
	sizes   []int     // by column: the capacity for the next text
}

func newBuilder(schema *arrow.Schema, columns []int, maxRows int) *builder {
	b := &builder{schema: schema, columns: columns, maxRows: maxRows,
		ends: make([][]int32, len(columns)), text: make([][]byte, len(columns)), sizes: make([]int, len(columns))}
	return b
}

// reset starts a batch with as much room as the last one took.
func (b *builder) reset() {
	capacity := max(b.last, min(b.maxRows, 1024))
	b.rows, b.bytes = make([]int64, 0, capacity), 0
	for c := range b.columns {
		b.ends[c] = append(make([]int32, 0, capacity+1), 0)
		b.text[c] = make([]byte, 0, b.sizes[c])
	}
}

// add appends the cells of r as row number.
func (b *builder) add(r *record, number int64) {
	if b.rows == nil {
		b.reset()
	}
	b.rows = append(b.rows, number)
	for c, i := range b.columns {
		start := 0
		if i > 0 {
			start = r.ends[i-1] + 1
		}
		text := append(b.text[c], r.text[start:r.ends[i]]...)
		b.text[c] = text
		b.ends[c] = append(b.ends[c], int32(len(text)))
		b.bytes += r.ends[i] - start
	}
}

func (b *builder) full() bool {
	return len(b.rows) == b.maxRows || b.bytes >= table.MaxBatchBytes
}

// batch returns the rows since the last call.
func (b *builder) batch() *batch.Batch {
	n := len(b.rows)
	cols := make([]arrow.Array, len(b.columns))
	for c := range cols {
		buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(b.ends[c])), memory.NewBufferBytes(b.text[c])}
		cols[c] = array.NewStringData(array.NewData(arrow.BinaryTypes.String, n, buffers, nil, 0, 0))
		b.sizes[c] = len(b.text[c]) + len(b.text[c])/8
	}
	out := &batch.Batch{Record: array.NewRecord(b.schema, cols, int64(n)), Rows: b.rows}
	b.rows, b.last = nil, n
	return out
}
