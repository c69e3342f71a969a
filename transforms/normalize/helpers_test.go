package normalize

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
)

// column is a test's column; a nil value is null.
type column struct {
	name   string
	typ    arrow.DataType
	values []any
}

func floats(name string, v ...any) column {
	return column{name, arrow.PrimitiveTypes.Float64, v}
}
func ints(name string, v ...any) column  { return column{name, arrow.PrimitiveTypes.Int64, v} }
func texts(name string, v ...any) column { return column{name, arrow.BinaryTypes.String, v} }
func bools(name string, v ...any) column { return column{name, arrow.FixedWidthTypes.Boolean, v} }

// table is a batch of rows 1 to n of a file t.csv.
func table(columns ...column) *batch.Batch {
	b := &batch.Batch{File: "t.csv"}
	var fields []arrow.Field
	var arrays []arrow.Array
	for _, c := range columns {
		fields = append(fields, arrow.Field{Name: c.name, Type: c.typ, Nullable: true})
		arrays = append(arrays, c.array())
		b.Rows = b.Rows[:0]
		for i := range c.values {
			b.Rows = append(b.Rows, int64(i+1))
		}
	}
	b.Record = array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(len(b.Rows)))
	return b
}

func (c column) array() arrow.Array {
	build := array.NewBuilder(memory.DefaultAllocator, c.typ)
	for _, v := range c.values {
		appendValue(build, v)
	}
	return build.NewArray()
}

func appendValue(build array.Builder, v any) {
	if v == nil {
		build.AppendNull()
		return
	}
	switch b := build.(type) {
	case *array.Float64Builder:
		b.Append(toFloat(v))
	case *array.Int64Builder:
		b.Append(int64(v.(int)))
	case *array.StringBuilder:
		b.Append(v.(string))
	case *array.BooleanBuilder:
		b.Append(v.(bool))
	case *array.BinaryBuilder:
		b.Append(v.([]byte))
	case *array.ListBuilder:
		b.Append(true)
		for _, item := range v.([]any) {
			appendValue(b.ValueBuilder(), item)
		}
	}
}

func toFloat(v any) float64 {
	if i, ok := v.(int); ok {
		return float64(i)
	}
	return v.(float64)
}

// slice is rows [i, j) of b.
func slice(b *batch.Batch, i, j int) *batch.Batch {
	return &batch.Batch{Record: b.Record.NewSlice(int64(i), int64(j)), File: b.File, Rows: b.Rows[i:j]}
}

// analyze takes in all of b at once.
func analyze(t testing.TB, s Spec, b *batch.Batch) *Analyzer {
	t.Helper()
	a, err := NewAnalyzer(s, b.Record.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Add(b); err != nil {
		t.Fatal(err)
	}
	return a
}

func plan(t testing.TB, s Spec, b *batch.Batch) *Plan {
	t.Helper()
	p, err := analyze(t, s, b).Plan()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func apply(t testing.TB, p *Plan, b *batch.Batch, o Options) *Prepared {
	t.Helper()
	a, err := p.Bind(b.Record.Schema(), o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := a.Apply(b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// features are the rows of the features column.
func features(t testing.TB, p *Prepared) [][]float32 {
	t.Helper()
	list := p.Batch.Record.Column(0).(*array.FixedSizeList)
	width := int(list.DataType().(*arrow.FixedSizeListType).Len())
	values := list.ListValues().(*array.Float32).Float32Values()
	var out [][]float32
	for i := range list.Len() {
		out = append(out, values[i*width:(i+1)*width])
	}
	return out
}

// int32s is an int32 column by name.
func int32s(t testing.TB, p *Prepared, name string) []int32 {
	t.Helper()
	col, err := batch.Column(p.Batch, name)
	if err != nil {
		t.Fatal(err)
	}
	return col.(*array.Int32).Int32Values()
}

// labelled is a Spec of one feature, and a label y of two classes for n rows.
func labelled(f Feature, n int) (Spec, column) {
	y := column{"y", arrow.BinaryTypes.String, nil}
	for i := range n {
		y.values = append(y.values, []any{"no", "yes"}[i%2])
	}
	return Spec{Features: []Feature{f}, Label: Label{Column: "y"}}, y
}

// dirtySpec uses every step at once; dirty draws n rows for it.
var dirtySpec = Spec{
	Features: []Feature{
		{Column: "speed", Clip: &Clip{Lower: .05, Upper: .95}, Fill: &Fill{With: "mean", Indicator: true}, Log1p: true, Scale: "z_score"},
		{Column: "height", Fill: &Fill{With: "median"}, Scale: "min_max"},
		{Column: "height", Fill: &Fill{With: "constant", Value: "1.5"}, Bucketize: &Bucketize{Quantiles: 4}, Encode: "embedding"},
		{Column: "x{0..1}", Scale: "z_score", Fill: &Fill{With: "mean"}},
		{Column: "cost", Log1p: true, Scale: "min_max"},
		{Column: "month", Fill: &Fill{With: "most_frequent"}, Bucketize: &Bucketize{Boundaries: []float64{3, 6, 9}}},
		{Column: "phase"},
		{Column: "kind", Vocabulary: &Vocabulary{MinCount: 2, TopK: 5, OOVBuckets: 3}, Encode: "embedding", Dim: 4},
		{Column: "night", Vocabulary: &Vocabulary{}, Fill: &Fill{With: "most_frequent", Indicator: true}},
	},
	Label: Label{Column: "damage"},
}

func dirty(r *rand.Rand, n int) *batch.Batch {
	cols := []column{floats("speed"), floats("height"), floats("x0"), floats("x1"), floats("cost"), ints("month"), texts("phase"), texts("kind"), bools("night"), bools("damage")}
	maybe := func(v any) any {
		if r.IntN(5) == 0 {
			return nil
		}
		return v
	}
	for range n {
		for i, v := range []any{
			maybe(100 * r.Float64()), maybe(float64(r.IntN(30)) / 4), maybe(r.NormFloat64()), maybe(1e12 + r.NormFloat64()),
			float64(r.IntN(300)) - 2, maybe(1 + r.IntN(12)), maybe(fmt.Sprint("phase ", r.IntN(4))),
			maybe(fmt.Sprint("kind ", int(r.ExpFloat64()*6))), maybe(r.IntN(3) == 0), r.IntN(9) == 0,
		} {
			cols[i].values = append(cols[i].values, v)
		}
	}
	return table(cols...)
}
