package clean

import (
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
)

// null is the text of a null in test tables.
const null = "<null>"

// named is one column of a test batch.
type named struct {
	name  string
	array arrow.Array
}

// col is a utf8 column.
func col(name string, cells ...string) named {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for _, c := range cells {
		if c == null {
			b.AppendNull()
		} else {
			b.Append(c)
		}
	}
	return named{name, b.NewArray()}
}

// typed is a column of a type, from the text forms of Arrow.
func typed(t testing.TB, name string, dt arrow.DataType, cells ...string) named {
	t.Helper()
	b := array.NewBuilder(memory.DefaultAllocator, dt)
	for _, c := range cells {
		if c == null {
			b.AppendNull()
		} else if err := b.AppendValueFromString(c); err != nil {
			t.Fatalf("column %q: %q as %v: %v", name, c, dt, err)
		}
	}
	return named{name, b.NewArray()}
}

// table is a batch of columns whose rows are the first of the file "t".
func table(columns ...named) *batch.Batch {
	n := 0
	fields := make([]arrow.Field, len(columns))
	arrays := make([]arrow.Array, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: c.array.DataType(), Nullable: true}
		arrays[i] = c.array
		n = c.array.Len()
	}
	rows := make([]int64, n)
	for i := range rows {
		rows[i] = int64(i + 1)
	}
	return &batch.Batch{Record: array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(n)), File: "t", Rows: rows}
}

// shown writes a column as text, cells joined by blanks, nulls as null.
func shown(t testing.TB, b *batch.Batch, name string) string {
	t.Helper()
	a, err := batch.Column(b, name)
	if err != nil {
		t.Fatal(err)
	}
	c, misfits, err := load(a)
	if err != nil || len(misfits) > 0 {
		t.Fatalf("column %q: misfits %v, error %v", name, misfits, err)
	}
	cells := make([]string, c.n)
	for i := range cells {
		if cells[i] = null; !c.isNull(i) {
			cells[i] = c.text(i)
		}
	}
	return strings.Join(cells, " ")
}

// cleaned runs spec over b and checks the conservation of rows.
func cleaned(t testing.TB, spec Spec, b *batch.Batch, o Options) *Result {
	t.Helper()
	c, err := New(spec, b.Record.Schema(), o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Clean(b)
	if err != nil {
		t.Fatal(err)
	}
	checkConserved(t, b, r)
	if got := r.Kept.Record.Schema(); !got.Equal(c.Schema()) {
		t.Fatalf("schema of the kept rows: got %v, want %v", got, c.Schema())
	}
	return r
}

func checkConserved(t testing.TB, b *batch.Batch, r *Result) {
	t.Helper()
	var dropped int64
	for _, n := range r.Dropped {
		dropped += n
	}
	kept, dead, read := int64(r.Kept.NumRows()), int64(len(r.Dead)), int64(b.NumRows())
	if kept+dead+dropped != read || r.Kept.Record.NumRows() != kept {
		t.Fatalf("%d rows read, %d kept (record %d), %d dead, %d dropped", read, kept, r.Kept.Record.NumRows(), dead, dropped)
	}
}

func ptr[T any](v T) *T { return &v }
