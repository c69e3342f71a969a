package split

import (
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/io/batch"
)

// dated is a batch of one column of a type, from Arrow's texts; "" is null.
func dated(t testing.TB, dt arrow.DataType, cells ...string) *batch.Batch {
	t.Helper()
	b := array.NewBuilder(memory.DefaultAllocator, dt)
	rows := make([]int64, len(cells))
	for i, c := range cells {
		if rows[i] = int64(i + 1); c == "" {
			b.AppendNull()
		} else if err := b.AppendValueFromString(c); err != nil {
			t.Fatal(err)
		}
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "at", Type: dt, Nullable: true}}, nil)
	return &batch.Batch{Record: array.NewRecord(schema, []arrow.Array{b.NewArray()}, int64(len(cells))), File: "t", Rows: rows}
}

func TestByTime(t *testing.T) {
	spec := Spec{Time: &Time{Column: "at", Validation: "2024-02-29", Test: "2024-03-01T12:00:00+01:00"}}
	plain := newSplitter(t, Spec{}, 4)
	for _, c := range []struct {
		batch *batch.Batch
		want  string
	}{
		{dated(t, arrow.FixedWidthTypes.Date32, "1969-12-31", "2024-02-28", "", "2024-02-29", "2024-03-01", "2024-03-02"), "tttvvT"},
		{dated(t, arrow.FixedWidthTypes.Timestamp_us, "2024-02-28 23:59:59.999999", "2024-02-29 00:00:00", "2024-03-01 10:59:59.999999", "2024-03-01 11:00:00", ""), "tvvTt"},
	} {
		places, err := newSplitter(t, spec, 4).Places(c.batch, []string{"at"})
		if err != nil {
			t.Fatal(err)
		}
		byHash, err := plain.Places(c.batch, []string{"at"})
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for i, p := range places {
			if got = append(got, "tvT"[p.Part]); p.Shard != byHash[i].Shard {
				t.Errorf("row %d: shard %d, want %d as without a time", i, p.Shard, byHash[i].Shard)
			}
		}
		if string(got) != c.want {
			t.Errorf("%v: got %s, want %s", c.batch.Record.Schema(), got, c.want)
		}
		if err := spec.CheckTime(c.batch.Record.Schema()); err != nil {
			t.Error(err)
		}
	}
	if _, err := newSplitter(t, spec, 1).Places(dated(t, arrow.PrimitiveTypes.Int64, "1"), nil); err == nil {
		t.Error("a column of numbers: no error")
	}
}

func TestTimeErrors(t *testing.T) {
	for want, time := range map[string]Time{
		"time.column":     {Validation: "2024-01-01", Test: "2024-01-01"},
		"time.validation": {Column: "at", Validation: "soon", Test: "2024-01-01"},
		"time.test":       {Column: "at", Validation: "2024-01-02", Test: "2024-01-01"},
	} {
		err := Spec{Time: &time}.Validate()
		if all := fielderr.All(err); len(all) != 1 || all[0].Path != want {
			t.Errorf("%+v: got %v, want one error at %s", time, err, want)
		}
	}
	ok := &Time{Column: "at", Validation: "2024-01-01", Test: "2024-01-02"}
	for _, schema := range []*arrow.Schema{dated(t, arrow.PrimitiveTypes.Int64).Record.Schema(), arrow.NewSchema(nil, nil)} {
		if all := fielderr.All(Spec{Time: ok}.CheckTime(schema)); len(all) != 1 || all[0].Path != "time.column" {
			t.Errorf("%v: got %v, want one error at time.column", schema, all)
		}
	}
}
