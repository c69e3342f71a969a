package arrays

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// Rechunker cuts a sequence of records of one schema into canonical records of
// exactly Rows rows, but for the last, and passes each to Emit.
type Rechunker struct {
	Schema *arrow.Schema
	Rows   int
	Emit   func(arrow.Record) error

	pending []arrow.Record
	n       int
}

// Write adds rec, whose columns must have the types and names of the schema.
// It keeps slices of rec until they are emitted.
func (r *Rechunker) Write(rec arrow.Record) error {
	if err := r.check(rec); err != nil {
		return err
	}
	total := int(rec.NumRows())
	for from := 0; from < total; {
		to := min(total, from+r.Rows-r.n)
		r.pending = append(r.pending, rec.NewSlice(int64(from), int64(to)))
		r.n += to - from
		from = to
		if r.n == r.Rows {
			if err := r.Flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flush emits what is pending, if anything is.
func (r *Rechunker) Flush() error {
	if r.n == 0 {
		return nil
	}
	rec, err := ConcatRecords(r.pending)
	clear(r.pending)
	r.pending, r.n = r.pending[:0], 0
	if err != nil {
		return err
	}
	return r.Emit(array.NewRecord(r.Schema, rec.Columns(), rec.NumRows()))
}

func (r *Rechunker) check(rec arrow.Record) error {
	want := r.Schema.Fields()
	if int(rec.NumCols()) != len(want) {
		return fmt.Errorf("record has %d columns, want %d", rec.NumCols(), len(want))
	}
	for i, f := range want {
		if got := rec.ColumnName(i); got != f.Name {
			return fmt.Errorf("column %d: name %q, want %q", i, got, f.Name)
		}
		col := rec.Column(i)
		if !arrow.TypeEqual(col.DataType(), f.Type) {
			return fmt.Errorf("column %q: type %s, want %s", f.Name, col.DataType(), f.Type)
		}
		if !f.Nullable && col.NullN() > 0 {
			return fmt.Errorf("column %q: %d nulls in a column that is not nullable", f.Name, col.NullN())
		}
	}
	return nil
}
