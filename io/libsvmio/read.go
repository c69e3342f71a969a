package libsvmio

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/lines"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// Read implements table.Format.
func (Format) Read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	err := read(ctx, s, span, o, emit, dead)
	if err != nil {
		return fmt.Errorf("libsvmio: %s: %w", span.File, err)
	}
	return nil
}

func read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	o, err := o.WithDefaults()
	if err != nil {
		return err
	}
	r := &reader{ctx: ctx, span: span, emit: emit, dead: dead, integral: o.LibSVM.Label == "int64"}
	if err := r.open(ctx, s, o); err != nil {
		return err
	}
	if err := rows.Read(ctx, s, span, r.row); err != nil {
		return err
	}
	return r.flush()
}

// reader gathers rows into dense columns.
type reader struct {
	ctx      context.Context
	span     table.Span
	shape    shape
	schema   *arrow.Schema // of the wanted columns
	columns  []int         // the wanted, in the schema of the shape
	slots    []int         // by feature: its column among the wanted, or -1
	parser   parser
	integral bool // a label that is not is a fault
	maxRows  int
	emit     func(*batch.Batch) error
	dead     func(deadletter.Letter) error

	numbers []int64
	labels  []float64
	queries []int64
	valid   []byte // of the queries
	nulls   int
	cells   [][]float64 // by wanted feature
}

// open finds the wanted columns.
func (r *reader) open(ctx context.Context, s store.Store, o table.Options) (err error) {
	if r.shape, err = parseShape(r.span.Schema); err != nil {
		f, serr := s.Open(ctx, r.span.File) // a missing file is the better reason
		if serr != nil {
			return serr
		}
		return errors.Join(err, f.Close())
	}
	r.parser = parser{first: r.shape.first, last: r.shape.first + r.shape.features - 1}
	whole := r.shape.schema()
	if r.columns, err = table.Select(whole, o.Columns); err != nil {
		return err
	}
	r.schema = table.Project(whole, r.columns)
	r.slots = make([]int, r.shape.features)
	for i := range r.slots {
		r.slots[i] = -1
	}
	for _, c := range r.columns {
		if f := c - r.shape.before(); f >= 0 {
			r.slots[f] = len(r.cells)
			r.cells = append(r.cells, nil)
		}
	}
	r.maxRows = max(1, min(o.BatchRows, table.MaxBatchBytes/(8*len(r.columns))))
	return nil
}

// before is how many columns there are before the features.
func (s shape) before() int {
	if s.query {
		return 2
	}
	return 1
}

func (r *reader) row(l lines.Line, number int64) error {
	f := r.parser.parse(l)
	if f == nil && r.integral && !r.parser.integral {
		f = r.parser.bad(RuleLabel, "want an integer as the options say, has %v", r.parser.label)
	}
	if f != nil {
		return r.dead(deadletter.Letter{File: r.span.File, Row: number, Line: l.Number, Rule: f.rule,
			Column: columnOf[f.rule], Value: clipLine(l.Text), Reason: f.reason})
	}
	if r.shape.integral && !r.parser.integral || r.parser.hasQuery && !r.shape.query {
		return fmt.Errorf("row %d: it is not of the shape %s: the file was changed since it was surveyed; run again", number, r.shape)
	}
	r.add(number)
	if len(r.numbers) == r.maxRows {
		return r.flush()
	}
	return nil
}

// columnOf is the column that a fault is in, where it is in one.
var columnOf = map[string]string{RuleLabel: "label", RuleQuery: "qid"}

// add appends the row of the parser.
func (r *reader) add(number int64) {
	if r.numbers == nil {
		n := int(min(int64(r.maxRows), r.span.FirstRow+r.span.Rows-number))
		r.numbers, r.labels, r.queries = make([]int64, 0, n), make([]float64, 0, n), make([]int64, 0, n)
		r.valid, r.nulls = make([]byte, bitutil.BytesForBits(int64(n))), 0
		all := make([]float64, n*len(r.cells))
		for i := range r.cells {
			r.cells[i] = all[i*n : (i+1)*n : (i+1)*n]
		}
	}
	at := len(r.numbers)
	p := &r.parser
	r.numbers, r.labels, r.queries = append(r.numbers, number), append(r.labels, p.label), append(r.queries, p.query)
	if p.hasQuery {
		bitutil.SetBit(r.valid, at)
	} else {
		r.queries[at] = 0
		r.nulls++
	}
	for i, index := range p.at {
		if slot := r.slots[index-p.first]; slot >= 0 {
			r.cells[slot][at] = p.values[i]
		}
	}
}

func (r *reader) flush() error {
	if len(r.numbers) == 0 {
		return nil
	}
	if err := r.ctx.Err(); err != nil {
		return err
	}
	n := len(r.numbers)
	cols := make([]arrow.Array, len(r.columns))
	for i, c := range r.columns {
		switch {
		case c >= r.shape.before():
			cell := r.cells[r.slots[c-r.shape.before()]]
			cols[i] = numbers(arrow.PrimitiveTypes.Float64, arrow.Float64Traits.CastToBytes(cell[:n]), n, nil, 0)
		case c == 1:
			cols[i] = numbers(arrow.PrimitiveTypes.Int64, arrow.Int64Traits.CastToBytes(r.queries), n, r.valid, r.nulls)
		case r.shape.integral:
			labels := make([]int64, n)
			for k, x := range r.labels {
				labels[k] = int64(x)
			}
			cols[i] = numbers(arrow.PrimitiveTypes.Int64, arrow.Int64Traits.CastToBytes(labels), n, nil, 0)
		default:
			cols[i] = numbers(arrow.PrimitiveTypes.Float64, arrow.Float64Traits.CastToBytes(r.labels), n, nil, 0)
		}
	}
	b := &batch.Batch{Record: array.NewRecord(r.schema, cols, int64(n)), File: r.span.File, Span: r.span.Index, Rows: r.numbers}
	r.numbers = nil
	return r.emit(b)
}

// numbers is an array over values of a fixed width.
func numbers(dt arrow.DataType, values []byte, n int, valid []byte, nulls int) arrow.Array {
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(values)}
	if nulls > 0 {
		buffers[0] = memory.NewBufferBytes(valid)
	}
	return array.MakeFromData(array.NewData(dt, n, buffers, nil, nulls, 0))
}
