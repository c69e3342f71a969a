package normalize

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
)

// TestNumericSteps fits one column and applies the Plan to the same rows.
func TestNumericSteps(t *testing.T) {
	ln := math.Log1p
	std := math.Sqrt
	cases := []struct {
		name string
		f    Feature
		x    []any
		want []float64 // one a row; two a row with an indicator
	}{
		{"none", Feature{}, []any{1.5, -2}, []float64{1.5, -2}},
		{"z_score", Feature{Scale: "z_score"}, []any{1, 2, 3, 4}, []float64{-1.5 / std(1.25), -.5 / std(1.25), .5 / std(1.25), 1.5 / std(1.25)}},
		{"z_score of a constant", Feature{Scale: "z_score"}, []any{3, 3}, []float64{0, 0}},
		{"min_max", Feature{Scale: "min_max"}, []any{4, 1, 5, 2}, []float64{.75, 0, 1, .25}},
		{"min_max of a constant", Feature{Scale: "min_max"}, []any{4, 4}, []float64{0, 0}},
		{"log1p", Feature{Log1p: true}, []any{0, 1, -.5}, []float64{0, math.Ln2, ln(-.5)}},
		{"log1p then min_max", Feature{Log1p: true, Scale: "min_max"}, []any{0, 3, 15}, []float64{0, .5, 1}}, // logs 0, 2 and 4 times ln 2
		{"clip", Feature{Clip: &Clip{Lower: .25, Upper: .75}}, []any{0, 1, 2, 3, 100}, []float64{1, 1, 2, 3, 3}},
		{"clip between values", Feature{Clip: &Clip{Upper: .5}}, []any{1, 2, 3, 4}, []float64{1, 2, 2.5, 2.5}},
		{"fill constant", Feature{Fill: &Fill{With: "constant", Value: "-7"}}, []any{nil, 1}, []float64{-7, 1}},
		{"fill mean", Feature{Fill: &Fill{With: "mean"}}, []any{nil, 1, 4}, []float64{2.5, 1, 4}},
		{"fill median", Feature{Fill: &Fill{With: "median"}}, []any{nil, 1, 2, 9}, []float64{2, 1, 2, 9}},
		{"fill most frequent", Feature{Fill: &Fill{With: "most_frequent"}}, []any{nil, 9, 1, 9}, []float64{9, 9, 1, 9}},
		{"fill tie", Feature{Fill: &Fill{With: "most_frequent"}}, []any{nil, 9, 1}, []float64{1, 9, 1}},
		{"indicator", Feature{Fill: &Fill{With: "mean", Indicator: true}}, []any{nil, 1, 3}, []float64{2, 1, 1, 0, 3, 0}},
		// The mean is that of the clipped values 1, 1, 2, 3, 3, not of 0 … 100.
		{"mean after clip", Feature{Clip: &Clip{Lower: .25, Upper: .75}, Fill: &Fill{With: "mean"}}, []any{0, 1, 2, 3, 100, nil}, []float64{1, 1, 2, 3, 3, 2}},
		// Scaling sees the filled value: 0, 4 and 10, not 0 and 4, are the range.
		{"scale after fill", Feature{Fill: &Fill{With: "constant", Value: "10"}, Scale: "min_max"}, []any{0, 4, nil}, []float64{0, .4, 1}},
		{"z_score counts fills", Feature{Fill: &Fill{With: "mean"}, Scale: "z_score"}, []any{-1, 1, nil, nil}, []float64{-std(2), std(2), 0, 0}}, // variance 2/4
		{"fill before log1p", Feature{Fill: &Fill{With: "constant", Value: "1"}, Log1p: true}, []any{nil, 0}, []float64{math.Ln2, 0}},
		{"all null, constant fill", Feature{Fill: &Fill{With: "constant", Value: "5"}, Scale: "z_score"}, []any{nil, nil}, []float64{0, 0}},
		{"all null, all steps", Feature{Clip: &Clip{}, Fill: &Fill{With: "constant", Value: "5"}, Log1p: true}, []any{nil, nil}, []float64{ln(5), ln(5)}},
		{"buckets one-hot", Feature{Bucketize: &Bucketize{Boundaries: []float64{2}}}, []any{1, 2, 3}, []float64{1, 0, 0, 1, 0, 1}},
		{"buckets of filled", Feature{Fill: &Fill{With: "constant", Value: "0"}, Bucketize: &Bucketize{Quantiles: 2}}, []any{nil, nil, 1, 1}, []float64{1, 0, 1, 0, 0, 1, 0, 1}},
	}
	for _, c := range cases {
		c.f.Column = "x"
		spec, y := labelled(c.f, len(c.x))
		b := table(floats("x", c.x...), y)
		out := apply(t, plan(t, spec, b), b, Options{})
		var got []float32
		for _, row := range features(t, out) {
			got = append(got, row...)
		}
		if len(out.Dead) != 0 || len(got) != len(c.want) {
			t.Errorf("%s: got %v, %d dead want %v", c.name, got, len(out.Dead), c.want)
			continue
		}
		for i, w := range c.want { // computed in float64, rounded to float32 once
			if !(math.Abs(float64(got[i])-w) <= 0x1p-23*math.Abs(w)) {
				t.Errorf("%s: value %d: got %v want %v", c.name, i, got[i], w)
			}
		}
	}
}

// TestSketchAndSumsAgree fits the same columns with and without a sketch (a
// clip at 0 and 1 changes nothing): the Plans must scale alike, bit for bit.
func TestSketchAndSumsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var x []any
	for range 500 {
		x = append(x, r.ExpFloat64()-1.2) // some are at or below -1
	}
	x = append(x, nil, nil)
	for _, f := range []Feature{
		{Scale: "z_score"}, {Scale: "min_max"}, {Log1p: true, Scale: "z_score"}, {Log1p: true, Scale: "min_max"},
		{Log1p: true, Scale: "z_score", Fill: &Fill{With: "mean"}},
	} {
		f.Column = "x"
		spec, y := labelled(f, len(x))
		b := table(floats("x", x...), y)
		direct := plan(t, spec, b).Features[0]
		f.Clip = &Clip{}
		spec.Features[0] = f
		sketched := plan(t, spec, b).Features[0]
		if *direct.Scale != *sketched.Scale {
			t.Errorf("%s log1p=%v: got %v with a sketch, %v without", f.Scale, f.Log1p, *sketched.Scale, *direct.Scale)
		}
	}
}

// TestVocabulary: counts are b 3, a 2, c 2, d 1 and one null.
func TestVocabulary(t *testing.T) {
	x := []any{"b", "c", "a", "b", nil, "a", "c", "b", "d"}
	cases := []struct {
		name string
		v    Vocabulary
		fill *Fill
		want string // tokens and counts
		ids  int
		null int32 // id of the null
	}{
		{"defaults", Vocabulary{}, nil, "[b a c d] [3 2 2 1]", 6, 5},
		{"min_count", Vocabulary{MinCount: 2}, nil, "[b a c] [3 2 2]", 5, 4},
		{"top_k splits a tie by bytes", Vocabulary{TopK: 2}, nil, "[b a] [3 2]", 4, 3},
		{"oov buckets", Vocabulary{TopK: 1, OOVBuckets: 4}, nil, "[b] [3]", 6, 5},
		{"fill with a new token", Vocabulary{}, &Fill{With: "constant", Value: "missing"}, "[b a c d missing] [3 2 2 1 1]", 6, 4},
		{"fill with a known token", Vocabulary{}, &Fill{With: "constant", Value: "c"}, "[b c a d] [3 3 2 1]", 5, 1},
		{"fill with the most frequent", Vocabulary{}, &Fill{With: "most_frequent"}, "[b a c d] [4 2 2 1]", 5, 0},
		{"fill outside the vocabulary", Vocabulary{TopK: 1}, &Fill{With: "constant", Value: "zz"}, "[b] [3]", 2, 1},
	}
	for _, c := range cases {
		spec, y := labelled(Feature{Column: "x", Vocabulary: &c.v, Fill: c.fill, Encode: "embedding"}, len(x))
		b := table(texts("x", x...), y)
		p := plan(t, spec, b)
		v := p.Features[0].Vocabulary
		if got := fmt.Sprint(v.Tokens, v.Counts); got != c.want {
			t.Errorf("%s: got %s want %s", c.name, got, c.want)
		}
		if got := p.Inputs(); len(got) != 1 || got[0].Name != "x" || got[0].Cardinality != c.ids || got[0].DType != "int32" || len(got[0].Shape) != 0 {
			t.Errorf("%s: got inputs %+v want one of %d ids", c.name, got, c.ids)
		}
		ids := int32s(t, apply(t, p, b, Options{}), "x")
		if ids[4] != c.null {
			t.Errorf("%s: null got id %d want %d", c.name, ids[4], c.null)
		}
		for i, token := range x {
			if at := slices.Index(v.Tokens, fmt.Sprint(token)); token != nil && at >= 0 && ids[i] != int32(at) {
				t.Errorf("%s: %v got id %d want %d", c.name, token, ids[i], at)
			} else if token != nil && at < 0 && (int(ids[i]) < len(v.Tokens) || int(ids[i]) >= len(v.Tokens)+v.OOVBuckets) {
				t.Errorf("%s: %v got id %d outside the OOV buckets", c.name, token, ids[i])
			}
		}
	}
}

func TestVocabularyOfIntsAndBools(t *testing.T) {
	b := table(ints("m", 7, -3, 7, 12), bools("n", true, nil, true, false), texts("y", "a", "b", "a", "b"))
	p := plan(t, Spec{
		Features: []Feature{{Column: "m", Vocabulary: &Vocabulary{}}, {Column: "n", Vocabulary: &Vocabulary{}}, {Column: "n", Fill: &Fill{With: "mean"}}},
		Label:    Label{Column: "y"},
	}, b)
	if got, want := fmt.Sprint(p.Features[0].Vocabulary.Tokens, p.Features[1].Vocabulary.Tokens), "[7 -3 12] [true false]"; got != want {
		t.Errorf("tokens: got %s want %s", got, want)
	}
	want := "m = 7, m = -3, m = 12, m = (other 0), m is null, n = true, n = false, n = (other 0), n is null, n"
	if got := strings.Join(p.FeatureNames(), ", "); got != want {
		t.Errorf("names: got %s want %s", got, want)
	}
	if got, want := fmt.Sprint(features(t, apply(t, p, b, Options{}))[1]), "[0 1 0 0 0 0 0 0 1 0.6666667]"; got != want {
		t.Errorf("second row: got %s want %s", got, want)
	}
	if got, want := fmt.Sprint(p.Columns()), "[m n]"; got != want {
		t.Errorf("columns: got %s want %s", got, want)
	}
}

func TestLabelClasses(t *testing.T) {
	cases := []struct {
		name   string
		label  column
		fixed  []string
		want   string // classes and counts
		others int64
	}{
		{"integers by number", ints("y", 10, 9, -2, -10, 9), nil, "[-10 -2 9 10] [1 1 2 1]", 0},
		{"bools", bools("y", true, false, true), nil, "[false true] [1 2]", 0},
		{"text by bytes", texts("y", "b", "B", "a"), nil, "[B a b] [1 1 1]", 0},
		{"fixed order", texts("y", "b", "a", "c"), []string{"c", "b", "z"}, "[c b z] [1 1 0]", 1},
	}
	for _, c := range cases {
		x := floats("x")
		for i := range c.label.values {
			x.values = append(x.values, i)
		}
		p := plan(t, Spec{Features: []Feature{{Column: "x"}}, Label: Label{Column: "y", Classes: c.fixed}}, table(x, c.label))
		if got := fmt.Sprint(p.Classes(), p.ClassCounts()); got != c.want || p.Label.Others != c.others {
			t.Errorf("%s: got %s, %d others want %s, %d", c.name, got, p.Label.Others, c.want, c.others)
		}
	}
}

// TestPlanIsTheSameBytes: whatever the cut into batches, the order and the
// tree of merging, and encoding in between.
func TestPlanIsTheSameBytes(t *testing.T) {
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) { testPlanIsTheSameBytes(t, s) })
	}
}

func testPlanIsTheSameBytes(t *testing.T, s suite) {
	r := rand.New(rand.NewPCG(2, 2))
	b := s.rows(r, 1200)
	schema := b.Record.Schema()
	want, err := plan(t, s.spec, b).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for trial := range 12 {
		parts := make([]*Analyzer, 1+r.IntN(7))
		for i := range parts {
			if parts[i], err = NewAnalyzer(s.spec, schema); err != nil {
				t.Fatal(err)
			}
		}
		for from := 0; from < b.NumRows(); {
			to := min(b.NumRows(), from+r.IntN(200))
			if err := parts[r.IntN(len(parts))].Add(slice(b, from, to)); err != nil {
				t.Fatal(err)
			}
			from = to
		}
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		var a *Analyzer
		if trial%2 == 0 {
			a = mergeWhole(t, s.spec, r, parts, schema)
		} else {
			a = mergeByColumn(t, s.spec, r, parts, schema)
		}
		p, err := a.Plan()
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := p.Encode(); !bytes.Equal(got, want) {
			t.Fatalf("trial %d: another cut gives another plan:\n%s\nwant\n%s", trial, got, want)
		}
	}
}

func mergeWhole(t *testing.T, spec Spec, r *rand.Rand, parts []*Analyzer, schema *arrow.Schema) *Analyzer {
	t.Helper()
	for len(parts) > 1 {
		last := parts[len(parts)-1]
		data, err := last.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if last, err = UnmarshalAnalyzer(spec, schema, data); err != nil {
			t.Fatal(err)
		}
		parts = parts[:len(parts)-1]
		if err := parts[r.IntN(len(parts))].Merge(last); err != nil {
			t.Fatal(err)
		}
	}
	return parts[0]
}

func mergeByColumn(t *testing.T, spec Spec, r *rand.Rand, parts []*Analyzer, schema *arrow.Schema) *Analyzer {
	t.Helper()
	columns := make([][]byte, len(parts[0].Columns()))
	for i := range columns {
		for _, p := range parts {
			data, err := p.MarshalColumn(i)
			if err != nil {
				t.Fatal(err)
			}
			if columns[i] == nil {
				columns[i] = data
				continue
			}
			if r.IntN(2) == 0 {
				columns[i], data = data, columns[i]
			}
			if columns[i], err = MergeColumns(columns[i], data); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, err := FromColumns(spec, schema, columns)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFromColumnsMissesRows(t *testing.T) {
	b := dirty(rand.New(rand.NewPCG(3, 3)), 10)
	a := analyze(t, dirtySpec, b)
	columns := make([][]byte, len(a.Columns())) // all but one are lost
	columns[0], _ = a.MarshalColumn(0)
	if _, err := FromColumns(dirtySpec, b.Record.Schema(), columns); err == nil || !strings.Contains(err.Error(), "10 rows") {
		t.Errorf("got %v want an error that counts the rows", err)
	}
}

// TestPlanErrors: each names the column and the remedy.
func TestPlanErrors(t *testing.T) {
	null3, y := []any{nil, nil, nil}, texts("y", "a", "b", "a")
	var wide []any
	many := texts("y")
	for i := range MaxWidth + 1 {
		wide = append(wide, i)
		many.values = append(many.values, []any{"a", "b"}[i%2])
	}
	cases := []struct {
		name string
		f    Feature
		x, y column
		want []string
	}{
		{"no rows", Feature{}, floats("x"), texts("y"), []string{"no rows", "split"}},
		{"label all null", Feature{}, floats("x", 1, 2, 3), texts("y", null3...), []string{`"y"`, "null"}},
		{"one class", Feature{}, floats("x", 1, 2, 3), texts("y", "a", "a", nil), []string{`"y"`, "at least two"}},
		{"all null", Feature{}, floats("x", null3...), y, []string{`"x"`, "constant"}},
		{"all null, mean", Feature{Fill: &Fill{With: "mean"}}, floats("x", null3...), y, []string{`"x"`, "constant"}},
		{"all null, median", Feature{Fill: &Fill{With: "median"}}, floats("x", null3...), y, []string{`"x"`, "constant"}},
		{"all null text", Feature{}, texts("x", null3...), y, []string{`"x"`, "constant"}},
		{"all NaN", Feature{Scale: "z_score"}, floats("x", math.NaN(), math.Inf(1), nil), y, []string{`"x"`}},
		{"too many tokens", Feature{Vocabulary: &Vocabulary{MaxDistinct: 2}}, texts("x", "p", "q", "r"), y, []string{`"x"`, "more than 2", "max_distinct"}},
		{"log1p of nothing", Feature{Log1p: true, Scale: "z_score"}, floats("x", -1, -2, -3), y, []string{`"x"`, "above -1"}},
		{"log1p of the fill", Feature{Log1p: true, Fill: &Fill{With: "mean"}}, floats("x", -1, -2, nil), y, []string{`"x"`, "-1.5"}},
		{"range overflows", Feature{Scale: "min_max"}, floats("x", -math.MaxFloat64, math.MaxFloat64, 0), y, []string{`"x"`, "clip"}},
		{"too wide", Feature{Vocabulary: &Vocabulary{}}, ints("x", wide...), many, []string{`"x"`, "embedding"}},
	}
	for _, c := range cases {
		c.f.Column = "x"
		_, err := analyze(t, Spec{Features: []Feature{c.f}, Label: Label{Column: "y"}}, table(c.x, c.y)).Plan()
		for _, w := range c.want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: got error %v, want one with %q", c.name, err, w)
			}
		}
	}
}

func TestMostFrequentOfTooMany(t *testing.T) {
	var x []any
	for i := range 1<<16 + 1 {
		x = append(x, i)
	}
	spec, y := labelled(Feature{Column: "x", Fill: &Fill{With: "most_frequent"}}, len(x))
	if _, err := analyze(t, spec, table(floats("x", x...), y)).Plan(); err == nil || !strings.Contains(err.Error(), "median") {
		t.Errorf("got %v want an error with the remedy", err)
	}
}

func TestValidate(t *testing.T) {
	cases := []struct {
		name string
		f    Feature
		path string // of the fault
	}{
		{"no column", Feature{}, "features[0].column"},
		{"label as feature", Feature{Column: "y"}, "features[0].column"},
		{"scale", Feature{Column: "x", Scale: "zscore"}, "features[0].scale"},
		{"encode", Feature{Column: "s", Encode: "onehot"}, "features[0].encode"},
		{"encode of a number", Feature{Column: "x", Encode: "one_hot"}, "features[0].encode"},
		{"dim without embedding", Feature{Column: "s", Dim: 3}, "features[0].dim"},
		{"clip", Feature{Column: "x", Clip: &Clip{Lower: .9, Upper: .1}}, "features[0].clip"},
		{"clip NaN", Feature{Column: "x", Clip: &Clip{Lower: math.NaN(), Upper: 1}}, "features[0].clip"},
		{"fill", Feature{Column: "x", Fill: &Fill{With: "avg"}}, "features[0].fill.with"},
		{"fill without value", Feature{Column: "x", Fill: &Fill{With: "constant"}}, "features[0].fill.value"},
		{"fill value unused", Feature{Column: "x", Fill: &Fill{With: "mean", Value: "3"}}, "features[0].fill.value"},
		{"fill not a number", Feature{Column: "x", Fill: &Fill{With: "constant", Value: "abc"}}, "features[0].fill.value"},
		{"fill of text by mean", Feature{Column: "s", Fill: &Fill{With: "mean"}}, "features[0].fill.with"},
		{"fill not as written", Feature{Column: "i", Vocabulary: &Vocabulary{}, Fill: &Fill{With: "constant", Value: "07"}}, "features[0].fill.value"},
		{"both buckets", Feature{Column: "x", Bucketize: &Bucketize{Quantiles: 3, Boundaries: []float64{1}}}, "features[0].bucketize"},
		{"one bucket", Feature{Column: "x", Bucketize: &Bucketize{Quantiles: 1}}, "features[0].bucketize.quantiles"},
		{"falling boundaries", Feature{Column: "x", Bucketize: &Bucketize{Boundaries: []float64{2, 1}}}, "features[0].bucketize.boundaries"},
		{"bucketize and scale", Feature{Column: "x", Scale: "z_score", Bucketize: &Bucketize{Quantiles: 3}}, "features[0].scale"},
		{"vocabulary of floats", Feature{Column: "x", Vocabulary: &Vocabulary{}}, "features[0].vocabulary"},
		{"vocabulary and scale", Feature{Column: "i", Scale: "z_score", Vocabulary: &Vocabulary{}}, "features[0].scale"},
		{"min_count", Feature{Column: "s", Vocabulary: &Vocabulary{MinCount: -1}}, "features[0].vocabulary.min_count"},
		{"scale of text", Feature{Column: "s", Scale: "z_score"}, "features[0].scale"},
		{"a date", Feature{Column: "d"}, "features[0].column"},
		{"missing", Feature{Column: "speeed"}, "features[0].column"},
		{"embedding called label", Feature{Column: "label", Encode: "embedding"}, "features[0].column"},
	}
	date := column{"d", arrow.FixedWidthTypes.Date32, nil}
	schema := table(floats("x"), ints("i"), texts("s"), texts("label"), floats("speed"), date, texts("y")).Record.Schema()
	for _, c := range cases {
		_, err := NewAnalyzer(Spec{Features: []Feature{c.f}, Label: Label{Column: "y"}}, schema)
		all := fielderr.All(err)
		if !slices.ContainsFunc(all, func(e fielderr.FieldError) bool { return e.Path == c.path }) {
			t.Errorf("%s: got %v want a fault at %s", c.name, err, c.path)
		}
		if c.name == "missing" && !strings.Contains(err.Error(), `did you mean "speed"?`) {
			t.Errorf("missing: got %v want the nearest name", err)
		}
	}
	_, err := NewAnalyzer(Spec{Features: []Feature{{Column: "x"}}, Label: Label{Column: "x2", Classes: []string{"a", "a"}}}, schema)
	if all := fielderr.All(err); len(all) != 1 || all[0].Path != "label.classes[1]" {
		t.Errorf("class twice: got %v", err)
	}
	for label, path := range map[string]string{"x": "label.column", "nope": "label.column"} {
		_, err := NewAnalyzer(Spec{Features: []Feature{{Column: "i"}}, Label: Label{Column: label}}, schema)
		if all := fielderr.All(err); len(all) != 1 || all[0].Path != path {
			t.Errorf("label %s: got %v want a fault at %s", label, err, path)
		}
	}
	if err := (Spec{Label: Label{Column: "y"}}).Validate(); err == nil {
		t.Error("no features: got no error")
	}
}

func TestSummary(t *testing.T) {
	var x []any
	for i := 1; i <= 100; i++ {
		x = append(x, i)
	}
	for range 10 { // tf.transform's mean_and_var: 1..100 then 10 NaN
		x = append(x, math.NaN())
	}
	x = append(x, nil)
	spec, y := labelled(Feature{Column: "x", Clip: &Clip{}}, len(x))
	s := plan(t, spec, table(floats("x", x...), y)).Features[0].Stats
	if s.Count != 100 || s.NonFinite != 10 || s.Nulls != 1 {
		t.Errorf("counts: got %+v want 100, 10, 1", s)
	}
	n := s.Numbers
	if n.Mean != 50.5 || n.Std != math.Sqrt(833.25) || n.Min != 1 || n.Max != 100 || !n.Exact {
		t.Errorf("got %+v want mean 50.5, variance 833.25, 1 to 100, exact", n)
	}
	if q := n.Quantiles[3]; q.Q != .5 || q.Value != 50.5 {
		t.Errorf("median: got %+v want 50.5", q)
	}
}
