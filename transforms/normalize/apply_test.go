package normalize

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// TestDeadLetters: each faulty row has one letter, for its first fault, and
// the others keep their order and provenance.
func TestDeadLetters(t *testing.T) {
	train := table(floats("a", 1, 2, 3), floats("b", 1, 2, 3), texts("y", "no", "yes", "no"))
	p := plan(t, Spec{
		Features: []Feature{{Column: "a", Log1p: true}, {Column: "b", Scale: "z_score"}},
		Label:    Label{Column: "y"},
	}, train)
	b := table(
		floats("a", 0, nil, -1, 1, 1, math.NaN(), 1, 3),
		floats("b", 1, nil, 2, 1e300, 1, 1, 1, 3),
		texts("y", "yes", "no", nil, "no", nil, "no", "maybe", "no"))
	b.Rows = []int64{3, 5, 6, 7, 10, 11, 12, 20}
	b.Span = 4
	out := apply(t, p, b, Options{Label: true})
	var got []string
	for _, l := range out.Dead {
		if l.File != "t.csv" || l.Reason == "" {
			t.Errorf("letter without file or reason: %+v", l)
		}
		got = append(got, fmt.Sprintf("%d %s %s %q", l.Row, l.Rule, l.Column, l.Value))
	}
	want := []string{
		`5 a.null a ""`, `6 a.log1p a "-1"`, `7 b.finite b "1e+300"`, `10 label.missing y ""`,
		`11 a.finite a "NaN"`, `12 label.unseen y "maybe"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got := fmt.Sprintln(out.Batch.Rows, out.Batch.File, out.Batch.Span, int32s(t, out, "label")); got != "[3 20] t.csv 4 [1 0]\n" {
		t.Errorf("prepared: got %s want [3 20] t.csv 4 [1 0]", got)
	}
	if got := features(t, out)[1][0]; math.Abs(float64(got)-2*math.Ln2) > 1e-7 {
		t.Errorf("second row: got %v want 2 ln 2", got)
	}
	// Without the label its faults do not matter.
	if out := apply(t, p, b, Options{}); len(out.Dead) != 4 || out.Batch.NumRows() != 4 {
		t.Errorf("scoring: got %d dead, %d prepared want 4, 4", len(out.Dead), out.Batch.NumRows())
	}
}

func TestAllRowsDeadAndNoRows(t *testing.T) {
	train := table(floats("x", 1, 2), texts("y", "a", "b"))
	p := plan(t, Spec{Features: []Feature{{Column: "x"}}, Label: Label{Column: "y"}}, train)
	for _, x := range [][]any{nil, {nil, nil}} {
		y := texts("y")
		for range x {
			y.values = append(y.values, "a")
		}
		out := apply(t, p, table(floats("x", x...), y), Options{Label: true})
		if out.Batch.NumRows() != 0 || out.Batch.Record.NumRows() != 0 || len(out.Dead) != len(x) {
			t.Errorf("%v: got %d rows, %d dead", x, out.Batch.NumRows(), len(out.Dead))
		}
	}
}

// TestApplyAnyCut: a row's features do not depend on its batch.
func TestApplyAnyCut(t *testing.T) {
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) { testApplyAnyCut(t, s) })
	}
}

func testApplyAnyCut(t *testing.T, s suite) {
	r := rand.New(rand.NewPCG(4, 4))
	b := s.rows(r, 600)
	p := plan(t, s.spec, b)
	whole := apply(t, p, b, Options{Label: true})
	if n := whole.Batch.NumRows() + len(whole.Dead); n != 600 || len(whole.Dead) == 0 {
		t.Fatalf("%d prepared and %d dead of 600 rows", whole.Batch.NumRows(), len(whole.Dead))
	}
	at, dead := 0, 0
	for from := 0; from < 600; {
		to := min(600, from+1+r.IntN(90))
		part := apply(t, p, slice(b, from, to), Options{Label: true})
		n := part.Batch.NumRows()
		if want := whole.Batch.Record.NewSlice(int64(at), int64(at+n)); !array.RecordEqual(part.Batch.Record, want) {
			t.Fatalf("rows %d to %d: got %v want %v", from, to, part.Batch.Record, want)
		}
		if !slices.Equal(part.Dead, whole.Dead[dead:dead+len(part.Dead)]) {
			t.Fatalf("rows %d to %d: other dead letters", from, to)
		}
		at, dead, from = at+n, dead+len(part.Dead), to
	}
}

// TestLayout holds the schema, the inputs and the widths of the dirty plan together.
func TestLayout(t *testing.T) {
	b := dirty(rand.New(rand.NewPCG(5, 5)), 300)
	p := plan(t, dirtySpec, b)
	out := apply(t, p, b, Options{Label: true})
	var names []string
	for _, f := range out.Batch.Record.Schema().Fields() {
		names = append(names, f.Name)
	}
	if got, want := strings.Join(names, " "), "features height kind label"; got != want {
		t.Errorf("columns: got %s want %s", got, want)
	}
	for i, in := range p.Inputs() {
		if in.Name != names[i] {
			t.Errorf("input %d: got %q want %q", i, in.Name, names[i])
		}
		if in.DType != "int32" {
			continue
		}
		for _, id := range int32s(t, out, in.Name) {
			if id < 0 || int(id) >= in.Cardinality {
				t.Fatalf("%s: id %d of %d", in.Name, id, in.Cardinality)
			}
		}
	}
	// speed and its indicator, height, x0, x1, cost, 4 buckets of month, 4
	// phases with OOV and null, night false, true, OOV and its indicator.
	if got, want := p.Width(), 2+1+2+1+4+6+4; got != want || len(p.FeatureNames()) != want || p.Inputs()[0].Shape[0] != want {
		t.Errorf("width: got %d, %d names, input %v want %d", got, len(p.FeatureNames()), p.Inputs()[0].Shape, want)
	}
	if p.Inputs()[2].Dim != 4 {
		t.Errorf("dim: got %d want 4", p.Inputs()[2].Dim)
	}
	for _, row := range features(t, out) { // one of each one-hot group is set
		for _, group := range [][2]int{{6, 10}, {10, 16}, {16, 19}} {
			sum := float32(0)
			for _, v := range row[group[0]:group[1]] {
				sum += v
			}
			if sum != 1 {
				t.Fatalf("one-hot %v: sum %g want 1", group, sum)
			}
		}
	}
}

func TestEmbeddingsOnly(t *testing.T) {
	spec, y := labelled(Feature{Column: "x", Encode: "embedding"}, 2)
	b := table(texts("x", "p", "q"), y)
	p := plan(t, spec, b)
	if p.Width() != 0 || len(p.Inputs()) != 1 {
		t.Errorf("got width %d, inputs %v want 0, one", p.Width(), p.Inputs())
	}
	if got := apply(t, p, b, Options{}).Batch.Record.NumCols(); got != 1 {
		t.Errorf("got %d columns want 1", got)
	}
}

func TestBindRefuses(t *testing.T) {
	train := table(floats("num", 1, 2), texts("tok", "a", "b"), ints("y", 0, 1))
	p := plan(t, Spec{Features: []Feature{{Column: "num"}, {Column: "tok"}}, Label: Label{Column: "y"}}, train)
	cases := []struct {
		name  string
		cols  []column
		label bool
		want  string
	}{
		{"missing", []column{floats("nun"), texts("tok")}, false, `did you mean "nun"`},
		{"text for a number", []column{texts("num"), texts("tok")}, false, `column "num": type utf8, want float`},
		{"integer for text", []column{floats("num"), ints("tok")}, false, `column "tok": type int64, want string`},
		{"no label", []column{floats("num"), texts("tok")}, true, `"y"`},
		{"text label", []column{floats("num"), texts("tok"), texts("y")}, true, "want integer"},
		{"twice", []column{floats("num"), floats("num"), texts("tok")}, false, "2 times"},
		{"a wider number", []column{ints("num"), texts("tok")}, false, ""},
	}
	for _, c := range cases {
		_, err := p.Bind(table(c.cols...).Record.Schema(), Options{Label: c.label})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v want %q", c.name, err, c.want)
		}
	}
	a, err := p.Bind(train.Record.Schema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Apply(table(floats("num", 1))); err == nil {
		t.Error("rows of another schema: got no error")
	}
}

// TestWidths reads every width of integer and float as the number it is.
func TestWidths(t *testing.T) {
	p := arrow.PrimitiveTypes
	for _, typ := range []arrow.DataType{p.Float32, p.Float64, p.Int8, p.Int16, p.Int32, p.Int64, p.Uint8, p.Uint16, p.Uint32, p.Uint64} {
		b := table(floats("x", 3, 7), texts("y", "a", "b"))
		bld := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ}, {Name: "y", Type: arrow.BinaryTypes.String}}, nil))
		if err := bld.UnmarshalJSON([]byte(`{"x": 3, "y": "a"}`)); err != nil {
			t.Fatal(err)
		}
		if err := bld.UnmarshalJSON([]byte(`{"x": 7, "y": "b"}`)); err != nil {
			t.Fatal(err)
		}
		b.Record = bld.NewRecord()
		spec := Spec{Features: []Feature{{Column: "x"}}, Label: Label{Column: "y"}}
		if kindOf(typ) == kindInteger {
			spec.Features = append(spec.Features, Feature{Column: "x", Vocabulary: &Vocabulary{}})
		}
		pl := plan(t, spec, b)
		if got := features(t, apply(t, pl, b, Options{})); got[0][0] != 3 || got[1][0] != 7 {
			t.Errorf("%s: got %v want 3, 7", typ, got)
		}
		if len(pl.Features) == 2 {
			if got := fmt.Sprint(pl.Features[1].Vocabulary.Tokens); got != "[3 7]" {
				t.Errorf("%s: got tokens %s want [3 7]", typ, got)
			}
		}
	}
}

// TestApplyLeavesTheBatch: a batch may have other consumers.
func TestApplyLeavesTheBatch(t *testing.T) {
	for _, s := range suites {
		b := s.rows(rand.New(rand.NewPCG(6, 6)), 100)
		before := fmt.Sprint(b.Record, b.Rows)
		apply(t, plan(t, s.spec, b), b, Options{Label: true})
		if after := fmt.Sprint(b.Record, b.Rows); after != before {
			t.Errorf("%s: the batch was written to", s.name)
		}
	}
}

// benchSpec is three numeric features and a vocabulary.
var benchSpec = Spec{
	Features: []Feature{
		{Column: "speed", Fill: &Fill{With: "mean"}, Scale: "z_score"},
		{Column: "x0", Fill: &Fill{With: "mean"}, Scale: "z_score"},
		{Column: "height", Fill: &Fill{With: "mean"}, Scale: "min_max"},
		{Column: "kind", Encode: "embedding"},
	},
	Label: Label{Column: "damage"},
}

func BenchmarkApply(b *testing.B) {
	rows := dirty(rand.New(rand.NewPCG(7, 7)), 4096)
	a, err := plan(b, benchSpec, rows).Bind(rows.Record.Schema(), Options{Label: true})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := a.Apply(rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*4096/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkAdd(b *testing.B) {
	rows := dirty(rand.New(rand.NewPCG(8, 8)), 4096)
	for _, c := range []struct {
		name string
		spec Spec
	}{{"sums", benchSpec}, {"every step", dirtySpec}} {
		b.Run("spec="+c.name, func(b *testing.B) {
			a, err := NewAnalyzer(c.spec, rows.Record.Schema())
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := a.Add(rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*4096/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

// TestApplyConcurrently: one Applier serves several goroutines.
func TestApplyConcurrently(t *testing.T) {
	b := dirty(rand.New(rand.NewPCG(9, 9)), 200)
	a, err := plan(t, dirtySpec, b).Bind(b.Record.Schema(), Options{Label: true})
	if err != nil {
		t.Fatal(err)
	}
	want, err := a.Apply(b)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range 4 {
		go func() {
			got, err := a.Apply(b)
			if err == nil && !array.RecordEqual(got.Batch.Record, want.Batch.Record) {
				err = fmt.Errorf("got another batch")
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
