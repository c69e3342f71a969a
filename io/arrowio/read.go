package arrowio

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/arrays"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
	"github.com/millrace-go/millrace/io/table"
)

// maxRowBytes bounds what one row takes in memory.
const maxRowBytes = 32 << 20

var errChanged = errors.New("the file was changed since it was surveyed; run again")

// Read implements table.Format. A row with a text that is not UTF-8, with a text or binary cell of
// more than MaxCellBytes, or that takes more than 32 MiB, is a dead letter.
func (Format) Read(ctx context.Context, s store.Store, span table.Span, o table.Options,
	emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	o, err := o.WithDefaults()
	if err == nil {
		r := &reader{ctx: ctx, span: span, options: o, emit: emit, dead: dead}
		err = r.run(s)
	}
	if err != nil {
		return fmt.Errorf("arrow file %s: %w", span.File, err)
	}
	return nil
}

// choose returns the nodes that are wanted, nil for the others.
func choose(nodes []*node, names []string) ([]*node, error) {
	idx, err := table.Select(schemaOf(nodes), names)
	if err != nil {
		return nil, err
	}
	out := make([]*node, len(nodes))
	for _, i := range idx {
		if nodes[i].reason != "" {
			return nil, fmt.Errorf("column %q: %s", nodes[i].name, nodes[i].reason)
		}
		out[i] = nodes[i]
	}
	return out, nil
}

// reader reads the rows of one span.
type reader struct {
	ctx     context.Context
	span    table.Span
	options table.Options
	emit    func(*batch.Batch) error
	dead    func(deadletter.Letter) error

	wanted []*node
	schema *arrow.Schema // of the wanted
	row    int64         // rows of the span that are done
	size   int64         // of the next batch
}

func (r *reader) run(s store.Store) error {
	src, err := stream.Open(r.ctx, s, r.span.File, nil)
	if err != nil {
		return err
	}
	defer src.Close()
	m, err := open(r.ctx, src, opening{batch: r.span.RowGroup, offset: r.span.Offset, dicts: r.choose})
	if err != nil {
		return stream.AfterRow(err, r.span.FirstRow-1)
	}
	r.size = min(int64(r.options.BatchRows), firstRows)
	for r.row < r.span.Rows {
		msg, err := m.next()
		if err != nil {
			return stream.AfterRow(err, r.span.FirstRow-1+r.row)
		}
		if msg == nil || msg.Batch.Rows > r.span.Rows-r.row {
			return errChanged
		}
		if err := r.batch(m, msg); err != nil {
			return err
		}
	}
	return nil
}

// choose sets the wanted columns, and says if any of them needs dictionaries.
func (r *reader) choose(nodes []*node) (dicts bool, err error) {
	if r.wanted, err = choose(nodes, r.options.Columns); err != nil {
		return false, err
	}
	var fields []*node
	for _, n := range r.wanted {
		if n != nil {
			fields = append(fields, n)
			dicts = dicts || n.usesDictionary()
		}
	}
	r.schema = schemaOf(fields)
	return dicts, nil
}

// firstRows is the length of the first batch, before it is known what a row takes.
const firstRows = 512

// batch reads the rows of one record batch.
func (r *reader) batch(m *messages, msg *message) error {
	all, err := lay(msg.Batch, m.nodes)
	if err != nil {
		return r.at(0, err)
	}
	var cols []*column
	stored := int64(0)
	for i, c := range all {
		if r.wanted[i] != nil {
			cols = append(cols, c)
			stored += c.stored()
		}
	}
	d := &decoder{body: msg.body(), dicts: m.dicts, maxCell: int64(r.options.MaxCellBytes)}
	if err := hold(d.body, stored); err != nil {
		return err
	}
	for from := int64(0); from < msg.Batch.Rows; {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		n := min(r.size, msg.Batch.Rows-from)
		p, err := r.part(d, cols, from, n)
		switch {
		case errors.Is(err, errLarge) && n > 1:
			r.size = (n + 1) / 2
			continue
		case errors.Is(err, errLarge):
			err = r.dead(r.tooLarge())
		case err == nil:
			err = r.deliver(p)
		default:
			return r.at(n, err)
		}
		if err != nil {
			return err
		}
		from += n
		r.row += n
	}
	return nil
}

func hold(b *body, stored int64) (err error) {
	defer recoverFailure(&err)
	b.hold(stored)
	return nil
}

// at adds the place to an error of the next n rows.
func (r *reader) at(n int64, err error) error {
	first := r.span.FirstRow + r.row
	if n <= 1 {
		return fmt.Errorf("row %d: %w", first, err)
	}
	return fmt.Errorf("rows %d to %d: %w", first, first+n-1, err)
}

func (r *reader) tooLarge() deadletter.Letter {
	return deadletter.Letter{File: r.span.File, Row: r.span.FirstRow + r.row, Rule: RuleCell,
		Reason: fmt.Sprintf("want rows of at most %d MiB", maxRowBytes>>20)}
}

// rows are some rows, and in which of them the text of which column is cut.
type rows struct {
	arrow.Record
	long [][]int
}

// part reads the rows [from, from+n) of cols.
func (r *reader) part(d *decoder, cols []*column, from, n int64) (p *rows, err error) {
	defer recoverFailure(&err)
	room := int64(table.MaxBatchBytes)
	if n == 1 {
		room = maxRowBytes
	}
	d.left = room
	p = &rows{long: make([][]int, len(cols))}
	arrs := make([]arrow.Array, len(cols))
	for i, c := range cols {
		arrs[i], p.long[i] = d.column(c, from, from+n)
	}
	p.Record = array.NewRecord(r.schema, arrs, n)
	if err := arrays.Validate(p.Record); err != nil {
		return nil, err
	}
	fit := int64(r.options.BatchRows)
	if used := room - d.left; used > 0 {
		fit = min(fit, n*table.MaxBatchBytes/used)
	}
	r.size = max(1, min(fit, 2*max(n, r.size)))
	return p, nil
}
