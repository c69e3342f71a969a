package batch

import (
	"fmt"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/arrays"
)

// New returns the batch of rec, with Span 0, whose rows are those of file at the 1-based
// positions rows. It takes over rec and rows: the caller no longer writes to
// them or releases rec. It is an error if their lengths differ or rows is not
// strictly increasing from 1.
func New(rec arrow.Record, file string, rows []int64) (*Batch, error) {
	if rec.NumRows() != int64(len(rows)) {
		return nil, fmt.Errorf("batch.New: %s: record of %d rows with %d row numbers", file, rec.NumRows(), len(rows))
	}
	prev := int64(0)
	for i, r := range rows {
		if r <= prev {
			return nil, fmt.Errorf("batch.New: %s: row number %d at position %d follows %d", file, r, i, prev)
		}
		prev = r
	}
	return &Batch{Record: rec, File: file, Rows: rows}, nil
}

// Filter returns the rows of b for which keep is true, in order; b itself if
// that is all of them. It panics if keep has not one element a row.
func Filter(b *Batch, keep []bool) (*Batch, error) {
	if len(keep) != b.NumRows() {
		panic(fmt.Sprintf("batch.Filter: %d keep flags for %d rows", len(keep), b.NumRows()))
	}
	runs, n := arrays.Runs(keep)
	if n == len(keep) {
		return b, nil
	}
	rec, err := arrays.TakeRecord(b.Record, runs)
	if err != nil {
		return nil, fmt.Errorf("batch.Filter: %s: %w", b.File, err)
	}
	rows := make([]int64, 0, n)
	for _, r := range runs {
		rows = append(rows, b.Rows[r.From:r.To]...)
	}
	return &Batch{Record: rec, File: b.File, Span: b.Span, Rows: rows}, nil
}

// Slice returns the rows [i, j) of b, sharing its memory. It panics if they
// are not within b.
func Slice(b *Batch, i, j int) *Batch {
	if i < 0 || j < i || j > b.NumRows() {
		panic(fmt.Sprintf("batch.Slice: rows [%d, %d) of %d", i, j, b.NumRows()))
	}
	return &Batch{Record: b.Record.NewSlice(int64(i), int64(j)), File: b.File, Span: b.Span, Rows: b.Rows[i:j:j]}
}

// Column returns the column called name. The error of a missing or repeated
// name lists the columns there are.
func Column(b *Batch, name string) (arrow.Array, error) {
	at := b.Record.Schema().FieldIndices(name)
	switch len(at) {
	case 1:
		return b.Record.Column(at[0]), nil
	case 0:
		return nil, fmt.Errorf("column %q: not in %s, which has %s", name, b.File, names(b.Record.Schema()))
	}
	return nil, fmt.Errorf("column %q: appears %d times in %s", name, len(at), b.File)
}

func names(s *arrow.Schema) string {
	out := make([]string, s.NumFields())
	for i, f := range s.Fields() {
		out[i] = fmt.Sprintf("%q", f.Name)
	}
	return strings.Join(out, ", ")
}
