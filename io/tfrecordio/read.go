package tfrecordio

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// Read implements table.Format. Of the faults within features only those in the columns that are
// read count. The span's schema may have more columns than the file, and lists where the file has
// scalars, as that of several files has (see Unify).
func (f Format) Read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	o, err := o.WithDefaults()
	if err == nil {
		err = f.read(ctx, s, span, o, emit, dead)
	}
	return named(span.File, err)
}

func (f Format) read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	src, err := stream.Open(ctx, s, span.File, nil)
	if err != nil {
		return err
	}
	defer src.Close()
	r := &reader{ctx: ctx, span: span, options: o, emit: emit, dead: dead}
	if err := r.open(); err != nil {
		return err
	}
	r.records = newFrames(ctx, src, f.limit(), src.Block(), 0, 0)
	if src.Plain() {
		if span.Offset < 0 || span.Length < 0 || span.Length > src.File.Size()-span.Offset {
			return changed(span, fmt.Sprintf("the file has only %d bytes", src.File.Size()))
		}
		text := store.NewReader(src.File, span.Offset, span.Length)
		r.records = newFrames(ctx, text, f.limit(), span.Length+1, span.Offset, span.FirstRow-1)
	}
	return r.run()
}

// changed is the error of a span that is not what its survey saw.
func changed(span table.Span, what string) error {
	return fmt.Errorf("rows %d to %d: %s: the file was changed since it was surveyed; run again", span.FirstRow, span.FirstRow+span.Rows-1, what)
}

// reader reads the records of one span.
type reader struct {
	ctx     context.Context
	span    table.Span
	options table.Options
	emit    func(*batch.Batch) error
	dead    func(deadletter.Letter) error

	records *frames
	rec     *record
	schema  *arrow.Schema // of the batches
	columns []column      // that are read
	bytes   int           // of the batch
	rows    []int64       // of the batch
}

// open makes the columns that the span's schema and the options name.
func (r *reader) open() error {
	schema, err := decodeSchema(r.span.Schema)
	if err != nil {
		return fmt.Errorf("the span has no schema: survey the file first: %w", err)
	}
	wanted, err := table.Select(schema, r.options.Columns)
	if err != nil {
		return err
	}
	r.rec = newRecord(func(name string, _ bool) error {
		return changed(r.span, fmt.Sprintf("there is a feature %q", name))
	})
	for _, f := range schema.Fields() {
		r.rec.add(featureOf(f))
	}
	r.schema = table.Project(schema, wanted)
	for _, at := range wanted {
		c, err := newColumn(schema.Field(at), at, &r.bytes)
		if err != nil {
			return err
		}
		r.columns = append(r.columns, c)
	}
	return nil
}

func (r *reader) run() error {
	var rows int64
	for {
		msg, ok, err := r.records.next()
		if err != nil {
			return stream.AfterRow(err, r.span.FirstRow-1+rows)
		}
		if !ok {
			break
		}
		if rows == r.span.Rows {
			return changed(r.span, "there are more records")
		}
		if err := r.row(msg, r.span.FirstRow+rows); err != nil {
			return err
		}
		rows++
	}
	if rows < r.span.Rows {
		return changed(r.span, fmt.Sprintf("only %d records are there", rows))
	}
	return r.flush()
}

// row gives a record to the batch or to dead.
func (r *reader) row(msg []byte, number int64) error {
	switch err := r.rec.read(msg); err {
	case nil:
	case errNotExample:
		return r.letter(number, letter{rule: RuleExample, reason: err.Error(), value: msg})
	default:
		return err
	}
	size := 0
	for i := range r.columns {
		c := &r.columns[i]
		if err := c.check(r.rec, r.options.MaxCellBytes); err != nil {
			var l letter
			if errors.As(err, &l) {
				return r.letter(number, l)
			}
			return changed(r.span, err.Error())
		}
		if size += c.size; size > maxRecordBytes {
			return r.letter(number, letter{rule: RuleRow, reason: fmt.Sprintf("want at most %d bytes of values", maxRecordBytes)})
		}
	}
	for i := range r.columns {
		r.columns[i].append(r.rec)
	}
	if r.rows == nil {
		r.rows = make([]int64, 0, min(int64(r.options.BatchRows), r.span.Rows))
	}
	r.rows = append(r.rows, number)
	if len(r.rows) == r.options.BatchRows || r.bytes >= table.MaxBatchBytes {
		return r.flush()
	}
	return nil
}

// letter is a fault of a row, as an error.
type letter struct {
	rule, column, reason string
	value                []byte
}

func (l letter) Error() string { return l.reason }

func (r *reader) letter(number int64, l letter) error {
	value := l.value[:min(len(l.value), 2*deadletter.MaxValueBytes)] // Cut needs no more
	return r.dead(deadletter.Letter{File: r.span.File, Row: number, Rule: l.rule, Column: l.column, Value: deadletter.Cut(string(value)), Reason: l.reason})
}

// flush emits the batch.
func (r *reader) flush() error {
	if len(r.rows) == 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	cols := make([]arrow.Array, len(r.columns))
	for i := range cols {
		cols[i] = r.columns[i].out.Array()
	}
	b := &batch.Batch{Record: array.NewRecord(r.schema, cols, int64(len(r.rows))), File: r.span.File, Span: r.span.Index, Rows: r.rows}
	r.rows, r.bytes = nil, 0
	return r.emit(b)
}
