package ipcio

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/internal/arrays"
	"github.com/millrace-go/millrace/internal/arrowsafe"
)

// decoder lays arrays over a body, in the order of its nodes and buffers. It
// runs over the ends of both with a panic, for the caller to recover.
type decoder struct {
	batch *arrowsafe.Batch
	body  []byte
}

// decode returns the record of schema over body, which it keeps.
func decode(schema *arrow.Schema, batch *arrowsafe.Batch, body []byte) (rec arrow.Record, err error) {
	defer arrowsafe.Recover(&err, "decoding")
	d := decoder{batch: batch, body: body}
	cols := make([]arrow.Array, schema.NumFields())
	for i, f := range schema.Fields() {
		cols[i] = array.MakeFromData(d.data(f.Type))
	}
	if len(d.batch.Nodes)+len(d.batch.Buffers) > 0 {
		return nil, fmt.Errorf("%d nodes and %d buffers that no column has", len(d.batch.Nodes), len(d.batch.Buffers))
	}
	rec = array.NewRecord(schema, cols, batch.Rows)
	return rec, arrays.Validate(rec)
}

func (d *decoder) data(dt arrow.DataType) arrow.ArrayData {
	node := d.batch.Nodes[0]
	d.batch.Nodes = d.batch.Nodes[1:]
	if node.Rows < 0 || node.Rows > maxRows || node.Nulls < 0 || node.Nulls > node.Rows {
		panic(fmt.Errorf("a column of %d rows and %d nulls", node.Rows, node.Nulls))
	}
	valid := d.buffer()
	if node.Nulls == 0 {
		valid = nil
	}
	buffers := []*memory.Buffer{valid}
	var children []arrow.ArrayData
	switch t := dt.(type) {
	case *arrow.FixedSizeListType:
		children = []arrow.ArrayData{d.data(t.Elem())}
	case *arrow.StringType, *arrow.BinaryType:
		buffers = append(buffers, d.buffer(), d.buffer())
	case *arrow.BooleanType:
		buffers = append(buffers, d.bufferOf(bitutil.BytesForBits(node.Rows)))
	default:
		width := int64(dt.(arrow.FixedWidthDataType).BitWidth() / 8)
		buffers = append(buffers, d.bufferOf(node.Rows*width))
	}
	return array.NewData(dt, int(node.Rows), buffers, children, int(node.Nulls), 0)
}

func (d *decoder) buffer() *memory.Buffer {
	b := d.batch.Buffers[0]
	d.batch.Buffers = d.batch.Buffers[1:]
	return memory.NewBufferBytes(d.body[b.Offset : b.Offset+b.Len : b.Offset+b.Len])
}

// bufferOf is buffer without the padding after its n bytes: Arrow takes the
// number of values from the length.
func (d *decoder) bufferOf(n int64) *memory.Buffer {
	b := d.buffer()
	if int64(b.Len()) < n {
		panic(fmt.Errorf("a buffer of %d bytes, want %d", b.Len(), n))
	}
	return memory.NewBufferBytes(b.Bytes()[:n:n])
}
