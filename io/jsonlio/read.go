package jsonlio

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// Read implements table.Format. The whole line must be JSON; of the faults of
// values, length and range, only those in the columns that are read count. A batch is also closed at about table.MaxBatchBytes.
func (f Format) Read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	o, err := check(o)
	if err == nil {
		err = f.read(ctx, s, span, o, emit, dead)
	}
	if err != nil {
		return fmt.Errorf("jsonlio: %s: %w", span.File, err)
	}
	return nil
}

func (f Format) read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	src, err := stream.Open(ctx, s, span.File, nil)
	if err != nil {
		return err
	}
	defer src.Close()
	columns, err := decode(span.Schema)
	if err != nil {
		return err
	}
	selected, err := table.Select(schemaOf(columns), o.Columns)
	if err != nil {
		return err
	}
	text, block := &chunks{ctx: ctx, src: src, limit: f.limit()}, src.Block()
	r := &reader{ctx: ctx, span: span, line: 1, emit: emit, dead: dead}
	if src.Plain() {
		if span.Offset < 0 || span.Length < 0 || span.Length > src.File.Size()-span.Offset {
			return r.changed(fmt.Sprintf("the file has only %d bytes", src.File.Size()))
		}
		text.src = io.Reader(store.NewReader(src.File, span.Offset, span.Length))
		text.offset, r.line, block = span.Offset, span.FirstLine, span.Length
	}
	r.build = newBuilder(columns, selected, o.BatchRows, span.Rows)
	r.walk = newWalker(o.JSON, f.limit(), nil, r.build)
	r.walk.maxCell = o.MaxCellBytes
	text.room = room(block)
	return r.run(text)
}

// reader reads the rows of one span.
type reader struct {
	ctx   context.Context
	span  table.Span
	line  int64 // of the next chunk
	rows  int64 // that were read
	walk  *walker
	build *builder
	emit  func(*batch.Batch) error
	dead  func(deadletter.Letter) error
}

// changed is the error of a span that is not what its survey saw.
func (r *reader) changed(what string) error {
	return fmt.Errorf("rows %d to %d: %s: the file was changed since it was surveyed; run again", r.span.FirstRow, r.span.FirstRow+r.span.Rows-1, what)
}

func (r *reader) run(text *chunks) error {
	var buf []byte
	for {
		ch, err := text.next(buf)
		if err != nil {
			return stream.AfterRow(err, r.span.FirstRow-1+r.rows)
		}
		if len(ch.data) == 0 {
			break
		}
		breaks, err := r.walk.each(ch, func(breaks int64, p, end int, ok bool) error {
			if r.rows == r.span.Rows {
				return r.changed("there are more rows")
			}
			r.rows++
			return r.row(ok, r.line+breaks, p, end)
		})
		if err != nil {
			return err
		}
		r.line += breaks
		buf = ch.data
	}
	if r.rows < r.span.Rows {
		return r.changed(fmt.Sprintf("only %d rows are there", r.rows))
	}
	return r.flush()
}

// row ends a row, which is good or dead.
func (r *reader) row(ok bool, line int64, p, end int) error {
	number := r.span.FirstRow + r.rows - 1
	w := r.walk
	misfit := w.misfit
	w.misfit = nil
	switch {
	case !ok:
		r.build.undo()
		return r.dead(r.letter(number, line, p, end))
	case misfit != nil:
		return r.changed(fmt.Sprintf("row %d has another type in column %q, or it is new", number, *misfit))
	}
	r.build.add(number)
	if r.build.full() {
		return r.flush()
	}
	return nil
}

func (r *reader) flush() error {
	if len(r.build.rows) == 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	b := r.build.batch()
	b.File, b.Span = r.span.File, r.span.Index
	return r.emit(b)
}

// letter describes the line from p to end, which has a fault.
func (r *reader) letter(number, line int64, p, end int) deadletter.Letter {
	f := &r.walk.fault
	value := f.value
	if value == nil {
		value = r.walk.data[p:end]
	}
	reason := f.reason
	if f.rule == RuleSyntax {
		reason = fmt.Sprintf("byte %d: %s", f.at-p+1, reason)
	}
	return deadletter.Letter{File: r.span.File, Row: number, Line: line, Rule: f.rule, Column: f.column, Value: clip(value), Reason: reason}
}

// clip is text without its line break, as a letter keeps it.
func clip(text []byte) string {
	text = text[:min(len(text), deadletter.MaxValueBytes+utf8.UTFMax)] // Cut needs no more
	return deadletter.Cut(string(bytes.TrimRight(text, "\r\n")))
}
