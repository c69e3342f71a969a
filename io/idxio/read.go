package idxio

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// Read implements table.Format. No row of an idx file can be at fault.
func (Format) Read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, _ func(deadletter.Letter) error) error {
	o, err := o.WithDefaults()
	if err == nil {
		r := &reader{ctx: ctx, store: s, span: span, options: o}
		err = r.run(emit)
	}
	if err != nil {
		return fmt.Errorf("idxio: %s: %w", span.File, err)
	}
	return nil
}

// reader reads the items of one span.
type reader struct {
	ctx     context.Context
	store   store.Store
	span    table.Span
	options table.Options
}

// items are those of one file, from the first row of a span on.
type items struct {
	src *stream.Source
	in  io.Reader
	*header
}

func (r *reader) changed(what string) error {
	return fmt.Errorf("rows %d to %d: %s: the file was changed since it was surveyed; run again", r.span.FirstRow, r.span.FirstRow+r.span.Rows-1, what)
}

// open finds the first item of the span in the file name.
func (r *reader) open(name string) (*items, error) {
	src, err := stream.Open(r.ctx, r.store, name, nil)
	if err != nil {
		return nil, err
	}
	h, err := readHeader(src)
	if err == nil && (r.span.FirstRow < 1 || r.span.Rows < 0 || r.span.Rows > h.rows || r.span.FirstRow-1 > h.rows-r.span.Rows) {
		err = r.changed(fmt.Sprintf("it has %d rows", h.rows))
	}
	it := &items{src: src, in: src, header: h}
	if err == nil {
		err = it.skip(r.span.FirstRow - 1)
	}
	if err != nil {
		src.Close()
		return nil, err
	}
	return it, nil
}

// skip passes over items, of a plain file without reading them.
func (it *items) skip(rows int64) error {
	if it.src.Plain() {
		at := it.bytes + rows*it.rowBytes()
		if at > it.src.File.Size() {
			return errShort
		}
		it.in = store.NewReader(it.src.File, at, -1)
		return nil
	}
	_, err := io.CopyN(io.Discard, it.src, rows*it.rowBytes())
	return short(err)
}

// next reads the next n items, in this machine's byte order.
func (it *items) next(n int64) ([]byte, error) {
	out := make([]byte, n*it.rowBytes())
	if _, err := io.ReadFull(it.in, out); err != nil {
		return nil, short(err)
	}
	if w := it.typ.Bytes(); w > 1 {
		for i := 0; i < len(out); i += w {
			slices.Reverse(out[i : i+w])
		}
	}
	return out, nil
}

func (r *reader) run(emit func(*batch.Batch) error) error {
	it, err := r.open(r.span.File)
	if err != nil {
		return err
	}
	defer it.src.Close()
	fields, sources := []arrow.Field{it.column()}, []*items{it}
	if r.options.IDX.Labels {
		labels, err := r.openLabels(it.rows)
		if err != nil {
			return err
		}
		defer labels.src.Close()
		fields, sources = append(fields, arrow.Field{Name: "label", Type: labels.typ, Nullable: true}), append(sources, labels)
	}
	whole := arrow.NewSchema(fields, nil)
	columns, err := table.Select(whole, r.options.Columns)
	if err != nil {
		return err
	}
	if it.rowBytes()*r.span.Rows != r.span.Length {
		return r.changed(fmt.Sprintf("an item has %d bytes", it.rowBytes()))
	}
	schema := table.Project(whole, columns)
	most := max(1, min(int64(r.options.BatchRows), table.MaxBatchBytes/it.rowBytes()))
	for done := int64(0); done < r.span.Rows; {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		n := min(most, r.span.Rows-done)
		cols := make([]arrow.Array, len(columns))
		for i, c := range columns {
			data, err := sources[c].next(n)
			if err != nil {
				return stream.AfterRow(err, r.span.FirstRow-1+done)
			}
			cols[i] = arrayOf(fields[c].Type, sources[c].header, data, int(n))
		}
		b := &batch.Batch{Record: array.NewRecord(schema, cols, n), File: r.span.File, Span: r.span.Index, Rows: make([]int64, n)}
		for i := range b.Rows {
			b.Rows[i] = r.span.FirstRow + done + int64(i)
		}
		if err := emit(b); err != nil {
			return err
		}
		done += n
	}
	return nil
}

func (r *reader) openLabels(rows int64) (*items, error) {
	name, err := labelsOf(r.span.File)
	if err != nil {
		return nil, err
	}
	it, err := r.open(name)
	if err == nil {
		if err = it.labels(rows); err != nil {
			it.src.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("labels %s: %w", name, err)
	}
	return it, nil
}

// arrayOf is n items over data.
func arrayOf(dt arrow.DataType, h *header, data []byte, n int) arrow.Array {
	numbers := array.NewData(h.typ, n*h.item, []*memory.Buffer{nil, memory.NewBufferBytes(data)}, nil, 0, 0)
	if h.dims == 1 {
		return array.MakeFromData(numbers)
	}
	return array.MakeFromData(array.NewData(dt, n, []*memory.Buffer{nil}, []arrow.ArrayData{numbers}, 0, 0))
}
