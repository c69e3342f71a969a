package avroio

import (
	"bufio"
	"context"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/columns"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// headerRead is what is read at first where only a header is wanted.
const headerRead = 8 << 10

// Read implements table.Format. Of the faults within values only those in the columns that are
// read count.
func (f Format) Read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	o, err := o.WithDefaults()
	if err == nil {
		err = read(ctx, s, span, o, emit, dead)
	}
	return named(span.File, err)
}

func read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	src, err := stream.Open(ctx, s, span.File, nil)
	if err != nil {
		return err
	}
	defer src.Close()
	r := &reader{ctx: ctx, span: span, options: o, emit: emit, dead: dead}
	first := int64(readBytes)
	if src.Plain() {
		first = headerRead
	}
	r.blocks = &blocks{r: bufio.NewReaderSize(src, int(min(first, src.Block())))}
	if err := r.open(); err != nil {
		return stream.AfterRow(err, 0)
	}
	defer r.codec.close()
	if src.Plain() {
		if span.Offset < r.blocks.offset || span.Length < 0 || span.Length > src.File.Size()-span.Offset {
			return changed(span, fmt.Sprintf("the file has only %d bytes", src.File.Size()))
		}
		part := store.NewReader(src.File, span.Offset, span.Length)
		r.blocks.r, r.blocks.offset = bufio.NewReaderSize(part, int(min(span.Length+1, readBytes))), span.Offset
	}
	return r.run()
}

// reader reads the blocks of one span.
type reader struct {
	ctx     context.Context
	span    table.Span
	options table.Options
	emit    func(*batch.Batch) error
	dead    func(deadletter.Letter) error

	blocks *blocks
	codec  *codec
	root   *flat
	schema *arrow.Schema     // of the batches
	out    []*columns.Column // of the batch
	size   int               // of its values
	rows   []int64           // of the batch
	drop   []int             // the rows of the batch that are dead
	seen   int64             // rows of the span
	buf    []byte
}

// open reads the header and makes the columns that are wanted.
func (r *reader) open() error {
	h, err := r.blocks.header()
	if err != nil {
		return err
	}
	root, schema, err := columnsOf(h)
	if err != nil {
		return err
	}
	wanted, err := table.Select(schema, r.options.Columns)
	if err != nil {
		return err
	}
	byPlace := map[int]*columns.Column{}
	for _, at := range wanted {
		c, err := columns.New(schema.Field(at).Type, &r.size)
		if err != nil {
			return fmt.Errorf("column %q: %w", schema.Field(at).Name, err)
		}
		byPlace[at] = c
		r.out = append(r.out, c)
	}
	root.want(byPlace)
	r.root, r.schema = root, table.Project(schema, wanted)
	r.codec, err = newCodec(h.codec)
	return err
}

func (r *reader) run() error {
	for {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		k, ok, err := r.blocks.next()
		if err != nil {
			return stream.AfterRow(err, r.span.FirstRow-1+r.seen)
		}
		if !ok {
			break
		}
		if r.buf, err = r.blocks.read(k, r.buf); err != nil {
			return stream.AfterRow(err, r.span.FirstRow-1+r.seen)
		}
		if k.rows > r.span.Rows-r.seen {
			return changed(r.span, "there are more records")
		}
		if err := r.block(k); err != nil {
			return err
		}
	}
	if r.seen < r.span.Rows {
		return changed(r.span, fmt.Sprintf("only %d records are there", r.seen))
	}
	return r.flush()
}

// block reads the records of block k, which is in buf.
func (r *reader) block(k block) error {
	data, err := r.codec.decompress(r.buf)
	if err != nil {
		return r.blocks.fault(k.at, "a block that cannot be decompressed: %v", err)
	}
	if k.rows*int64(r.root.node.least) > int64(len(data)) {
		return r.blocks.fault(k.at, "a block of %d records in %d bytes", k.rows, len(data))
	}
	d := rowDecoder{decoder: decoder{b: data, size: &r.size, maxCell: r.options.MaxCellBytes}}
	for i := range k.rows {
		d.row(r.root)
		if d.err != nil {
			return r.blocks.fault(k.at, "record %d of the block, row %d of the file: %v", i+1, r.span.FirstRow+r.seen, d.err)
		}
		if err := r.row(&d); err != nil {
			return err
		}
	}
	if len(d.b) > 0 {
		return r.blocks.fault(k.at, "%d bytes behind the records of the block", len(d.b))
	}
	return nil
}

// row counts the row that d has read.
func (r *reader) row(d *rowDecoder) error {
	number := r.span.FirstRow + r.seen
	r.seen++
	if f := &d.fault; f.rule != "" {
		value := f.value[:min(len(f.value), 2*deadletter.MaxValueBytes)] // Cut needs no more
		letter := deadletter.Letter{File: r.span.File, Row: number, Rule: f.rule, Column: f.column, Value: deadletter.Cut(string(value)), Reason: f.reason}
		if err := r.dead(letter); err != nil {
			return err
		}
		r.drop = append(r.drop, len(r.rows))
	}
	if r.rows == nil {
		r.rows = make([]int64, 0, min(int64(r.options.BatchRows), r.span.Rows))
	}
	r.rows = append(r.rows, number)
	if len(r.rows) == r.options.BatchRows || r.size >= table.MaxBatchBytes {
		return r.flush()
	}
	return nil
}

// flush emits the batch.
func (r *reader) flush() error {
	if len(r.rows) == 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	cols := make([]arrow.Array, len(r.out))
	for i := range cols {
		cols[i] = r.out[i].Array()
	}
	b := &batch.Batch{Record: array.NewRecord(r.schema, cols, int64(len(r.rows))), File: r.span.File, Span: r.span.Index, Rows: r.rows}
	drop := r.drop
	r.rows, r.drop, r.size = nil, nil, 0
	if len(drop) > 0 {
		keep := make([]bool, b.NumRows())
		for i := range keep {
			keep[i] = true
		}
		for _, at := range drop {
			keep[at] = false
		}
		var err error
		if b, err = batch.Filter(b, keep); err != nil {
			return err
		}
		if b.NumRows() == 0 {
			return nil
		}
	}
	return r.emit(b)
}
