package csvio

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// Read implements table.Format. A row with the wrong number of cells or a
// misplaced quote is dead; of the faults within cells, UTF-8 and length, only those
// in the columns that are read count. A batch is also closed at about table.MaxBatchBytes.
func (f Format) Read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	set, err := check(o)
	if err == nil {
		err = f.read(ctx, s, span, set, emit, dead)
	}
	if err != nil {
		return fmt.Errorf("csvio: %s: %w", span.File, err)
	}
	return nil
}

func (f Format) read(ctx context.Context, s store.Store, span table.Span, set settings,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	src, err := stream.Open(ctx, s, span.File, nil)
	if err != nil {
		return err
	}
	defer src.Close()
	block := src.Block()
	if src.Plain() {
		block = min(block, headerBytes) // the rows are read from the span's offset
	}
	sc, schema, err := f.begin(ctx, src, set, block)
	if err != nil {
		return err
	}
	columns, err := table.Select(schema, set.Columns)
	if err != nil {
		return err
	}
	if src.Plain() {
		if span.Offset < 0 || span.Length < 0 || span.Length > src.File.Size()-span.Offset {
			return changed(span, fmt.Sprintf("the file has only %d bytes", src.File.Size()))
		}
		sc = newScanner(ctx, store.NewReader(src.File, span.Offset, span.Length), set.comma, f.limit(), span.Length+1)
		sc.offset, sc.line = span.Offset, span.FirstLine
	}
	sc.rec.want = schema.NumFields()
	r := &reader{ctx: ctx, sc: sc, span: span, schema: schema, columns: columns, maxCell: set.MaxCellBytes, emit: emit, dead: dead,
		build: newBuilder(table.Project(schema, columns), columns, int(min(int64(set.BatchRows), max(span.Rows, 1))))}
	return r.run()
}

// changed is the error of a span that is not what its survey saw.
func changed(span table.Span, what string) error {
	return fmt.Errorf("rows %d to %d: %s: the file was changed since it was surveyed; run again", span.FirstRow, span.FirstRow+span.Rows-1, what)
}

// reader reads the rows of one span.
type reader struct {
	ctx     context.Context
	sc      *scanner
	span    table.Span
	schema  *arrow.Schema // of the file
	columns []int         // that are read
	maxCell int
	build   *builder
	emit    func(*batch.Batch) error
	dead    func(deadletter.Letter) error
}

func (r *reader) run() error {
	var rows int64
	for {
		ok, err := r.sc.next(true)
		if err != nil {
			return stream.AfterRow(err, r.span.FirstRow-1+rows)
		}
		if !ok {
			break
		}
		if rows == r.span.Rows {
			return changed(r.span, "there are more rows")
		}
		if err := r.row(r.span.FirstRow + rows); err != nil {
			return err
		}
		rows++
	}
	if rows < r.span.Rows {
		return changed(r.span, fmt.Sprintf("only %d rows are there", rows))
	}
	return r.flush()
}

// row gives the scanner's record to the batch or to dead.
func (r *reader) row(number int64) error {
	if letter, ok := r.fault(); ok {
		letter.File, letter.Row, letter.Line = r.span.File, number, r.sc.rec.line
		return r.dead(letter)
	}
	r.build.add(&r.sc.rec, number)
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

// fault says what is wrong with the record, if anything.
func (r *reader) fault() (deadletter.Letter, bool) {
	rec := &r.sc.rec
	switch {
	case rec.fault != noFault:
		letter := deadletter.Letter{Rule: RuleQuote, Value: clip(rec.raw), Reason: rec.fault.String()}
		if at := rec.cells - 1; at >= 0 && at < rec.want {
			letter.Column = r.schema.Field(at).Name
		}
		return letter, true
	case rec.cells != rec.want:
		return deadletter.Letter{Rule: RuleRagged, Value: clip(rec.raw), Reason: fmt.Sprintf("want %d cells, has %d", rec.want, rec.cells)}, true
	case len(rec.text) <= r.maxCell && utf8.Valid(rec.text):
		return deadletter.Letter{}, false
	}
	for _, i := range r.columns {
		letter := deadletter.Letter{Column: r.schema.Field(i).Name}
		switch cell := rec.cell(i); {
		case len(cell) > r.maxCell:
			letter.Rule, letter.Reason = RuleCell, fmt.Sprintf("want at most %d bytes, has %d", r.maxCell, len(cell))
			letter.Value = clip(cell)
			return letter, true
		case !utf8.Valid(cell):
			letter.Rule, letter.Reason = RuleUTF8, "want valid UTF-8: convert the file to UTF-8"
			letter.Value = clip(cell)
			return letter, true
		}
	}
	return deadletter.Letter{}, false
}

// clip is text without its line break, as a letter keeps it.
func clip(text []byte) string {
	text = trimBreak(text[:min(len(text), deadletter.MaxValueBytes+utf8.UTFMax)]) // Cut needs no more
	return deadletter.Cut(string(text))
}
