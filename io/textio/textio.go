// Package textio reads files of text, a row a line, as one column "text".
//
// A line ends with "\n" or "\r\n", which is not part of the text; a last line need not end. The text is
// as written, UTF-8 without a byte order mark. Files may be compressed.
package textio

import (
	"bytes"
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/lines"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// The rules by which Read turns rows away.
const (
	RuleUTF8 = "text.utf8" // a line is not valid UTF-8
	RuleCell = "text.cell" // a line is longer than Options.MaxCellBytes
)

// maxLine bounds a line whatever the options say: a batch and a line more have 32-bit offsets.
const maxLine = 1 << 30

// Column is the name of the column.
const Column = "text"

var schema = arrow.NewSchema([]arrow.Field{{Name: Column, Type: arrow.BinaryTypes.String, Nullable: true}}, nil)

// Format is the table.Format of lines of text.
type Format struct{}

var _ table.Format = Format{}

// Name implements table.Format.
func (Format) Name() string { return "text" }

func rows(o table.Options) lines.Rows {
	return lines.Rows{Format: "text", Limit: o.MaxCellBytes, Row: func(l lines.Line) bool {
		return !o.Text.SkipBlank || l.Length > int64(len(l.Text)) || len(bytes.Trim(l.Text, " \t")) > 0
	}}
}

// Survey implements table.Format: one pass that finds the ends of the lines.
func (Format) Survey(ctx context.Context, s store.Store, name string, o table.Options) (*table.File, error) {
	o, err := check(o)
	if err != nil {
		return nil, fmt.Errorf("textio: %s: %w", name, err)
	}
	file, err := rows(o).Survey(ctx, s, name, o.SpanBytes, nil)
	if err != nil {
		return nil, fmt.Errorf("textio: %s: %w", name, err)
	}
	file.Schema = schema
	return file, nil
}

func check(o table.Options) (table.Options, error) {
	o, err := o.WithDefaults()
	if err == nil {
		_, err = table.Select(schema, o.Columns)
	}
	o.MaxCellBytes = min(o.MaxCellBytes, maxLine)
	return o, err
}

// Read implements table.Format. A line that is not valid UTF-8, or too long, is a dead letter.
func (Format) Read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	o, err := check(o)
	if err == nil {
		r := &reader{ctx: ctx, span: span, maxRows: o.BatchRows, maxCell: o.MaxCellBytes, emit: emit, dead: dead}
		if err = rows(o).Read(ctx, s, span, r.row); err == nil {
			err = r.flush()
		}
	}
	if err != nil {
		return fmt.Errorf("textio: %s: %w", span.File, err)
	}
	return nil
}

// reader gathers lines into batches.
type reader struct {
	ctx              context.Context
	span             table.Span
	maxRows, maxCell int
	emit             func(*batch.Batch) error
	dead             func(deadletter.Letter) error

	numbers []int64
	ends    []int32 // 0, then the end of each line
	text    []byte
	last    int // the bytes of the batch before
}

func (r *reader) row(l lines.Line, number int64) error {
	letter := deadletter.Letter{File: r.span.File, Row: number, Line: l.Number, Column: Column}
	switch {
	case l.Length > int64(r.maxCell):
		letter.Rule, letter.Reason = RuleCell, fmt.Sprintf("want at most %d bytes, has %d", r.maxCell, l.Length)
	case !utf8.Valid(l.Text):
		letter.Rule, letter.Reason = RuleUTF8, "want valid UTF-8: convert the file to UTF-8"
	default:
		return r.add(l.Text, number)
	}
	letter.Value = deadletter.Cut(string(l.Text[:min(len(l.Text), deadletter.MaxValueBytes+utf8.UTFMax)])) // Cut needs no more
	return r.dead(letter)
}

func (r *reader) add(text []byte, number int64) error {
	if r.numbers == nil {
		n := int(min(int64(r.maxRows), r.span.FirstRow+r.span.Rows-number))
		r.numbers, r.ends = make([]int64, 0, n), append(make([]int32, 0, n+1), 0)
		r.text = make([]byte, 0, r.last+r.last/8)
	}
	r.numbers = append(r.numbers, number)
	r.text = append(r.text, text...)
	r.ends = append(r.ends, int32(len(r.text)))
	if len(r.numbers) == r.maxRows || len(r.text) >= table.MaxBatchBytes {
		return r.flush()
	}
	return nil
}

func (r *reader) flush() error {
	if len(r.numbers) == 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	n := len(r.numbers)
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(r.ends)), memory.NewBufferBytes(r.text)}
	col := array.NewStringData(array.NewData(arrow.BinaryTypes.String, n, buffers, nil, 0, 0))
	b := &batch.Batch{Record: array.NewRecord(schema, []arrow.Array{col}, int64(n)), File: r.span.File, Span: r.span.Index, Rows: r.numbers}
	r.numbers, r.last = nil, len(r.text)
	return r.emit(b)
}
