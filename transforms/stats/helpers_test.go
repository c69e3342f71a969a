package stats

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
)

// schemaOf makes nullable columns.
func schemaOf(fields ...arrow.Field) *arrow.Schema {
	for i := range fields {
		fields[i].Nullable = true
	}
	return arrow.NewSchema(fields, nil)
}

// rows reads a JSON list of rows.
func rows(t testing.TB, schema *arrow.Schema, text string) arrow.Record {
	t.Helper()
	r, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func floatRecord(name string, values ...float64) arrow.Record {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues(values, nil)
	col := b.NewArray()
	return array.NewRecord(schemaOf(arrow.Field{Name: name, Type: col.DataType()}), []arrow.Array{col}, int64(len(values)))
}

func slicerOf(t testing.TB, o Options, recs ...arrow.Record) *Slicer {
	t.Helper()
	s, err := NewSlicer(o, recs[0].Schema())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		if err := s.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func statisticsOf(t testing.TB, o Options, recs ...arrow.Record) *Statistics {
	t.Helper()
	out, err := slicerOf(t, o, recs...).Statistics()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func encode(t testing.TB, s *Statistics) []byte {
	t.Helper()
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// partsOf are all parts under their keys.
func partsOf(t testing.TB, s *Slicer) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	if err := s.EachPart(func(key string, data []byte) error {
		out[key] = data
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// messy has every type, nulls, lists, columns of few values to slice by, and
// numbers with NaN and infinities.
func messy(r *rand.Rand, n int) arrow.Record {
	types := append(slices.Clone(arraystest.Flat), arraystest.Lists...)
	types = append(types, arraystest.Dictionary, arrow.ListOf(arrow.PrimitiveTypes.Float32), arrow.ListOf(arrow.BinaryTypes.String), arrow.PrimitiveTypes.Float64)
	rec := arraystest.Record(r, arraystest.Schema(types...), n)
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	special := []float64{0, math.Copysign(0, -1), 1, 2.5, -7}
	for range n {
		switch x := r.IntN(12); {
		case x == 0:
			b.AppendNull()
		case x == 1:
			b.Append([]float64{nan, inf, -inf}[r.IntN(3)])
		case x < 6:
			b.Append(special[r.IntN(len(special))])
		default:
			b.Append(r.NormFloat64())
		}
	}
	few := array.NewStringBuilder(memory.DefaultAllocator)
	for range n {
		few.Append([]string{"a", "b/1", "", "d"}[r.IntN(4)])
	}
	fields := append(slices.Clone(rec.Schema().Fields()), arrow.Field{Name: "special", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, arrow.Field{Name: "few", Type: arrow.BinaryTypes.String})
	cols := append(slices.Clone(rec.Columns()), b.NewArray(), few.NewArray())
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, int64(n))
}

// sameParts compares by key.
func sameParts(t testing.TB, got, want map[string][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d parts want %d", len(got), len(want))
	}
	for key, w := range want {
		if !bytes.Equal(got[key], w) {
			t.Fatalf("part %q: got %d other bytes than the %d wanted", key, len(got[key]), len(w))
		}
	}
}
