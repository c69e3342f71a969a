package stats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
)

var nan, inf = math.NaN(), math.Inf(1)

// TestColumns holds each kind of column against figures made by hand.
func TestColumns(t *testing.T) {
	schema := schemaOf(
		arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int64},
		arrow.Field{Name: "s", Type: arrow.BinaryTypes.String},
		arrow.Field{Name: "b", Type: arrow.FixedWidthTypes.Boolean},
		arrow.Field{Name: "day", Type: arrow.FixedWidthTypes.Date32},
		arrow.Field{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int32)},
		arrow.Field{Name: "words", Type: arrow.ListOf(arrow.BinaryTypes.String)},
		arrow.Field{Name: "none", Type: arrow.Null})
	r := rows(t, schema, `[
		{"x": 4, "s": "yes", "b": true, "day": "1970-01-02", "l": [1, 2, null], "words": ["a", "a"]},
		{"x": 0, "s": "no", "b": false, "day": "1970-01-11", "l": [], "words": null},
		{"x": 1, "s": null, "b": null, "day": null, "l": null, "words": ["bcd"]},
		{"x": null, "s": "é", "b": true, "day": "1970-01-02", "l": [2], "words": []},
		{"x": 3, "s": "no", "b": true, "day": "1970-01-02", "l": [0], "words": ["bcd"]}]`)
	got := statisticsOf(t, Options{Buckets: 2, Quantiles: []float64{.25}, Ranks: 1}, r)
	if got.Rows != 5 {
		t.Errorf("got %d rows want 5", got.Rows)
	}
	// x is 0, 1, 3, 4: mean 2, variance (4+1+1+4)/4, quarter at rank 0.75.
	want := []Column{
		{Name: "x", Type: "integer", Present: 4, Missing: 1, Unique: &Unique{Count: 4},
			Numeric: &Numeric{Finite: 4, Zeros: 1, Moments: &Moments{Mean: 2, StdDev: math.Sqrt(2.5), Max: 4, Median: 2, Exact: true,
				Quantiles:         []Quantile{{.25, .75}},
				Histogram:         []Bucket{{0, 2, 2}, {2, 4, 2}},
				QuantileHistogram: []Bucket{{0, 2, 2}, {2, 4, 2}}}},
			Top:   []ValueCount{{Value: "0", Count: 1}, {Value: "1", Count: 1}, {Value: "3", Count: 1}, {Value: "4", Count: 1}},
			Ranks: []RankBucket{{0, 0, 1}, {1, 3, 3}}},
		{Name: "s", Type: "string", Present: 4, Missing: 1, Unique: &Unique{Count: 3},
			Text:  &Text{MinBytes: 2, MaxBytes: 3, MeanBytes: 2.25, TotalBytes: 9}, // é has two bytes
			Top:   []ValueCount{{Value: "no", Count: 2}, {Value: "yes", Count: 1}, {Value: "é", Count: 1}},
			Ranks: []RankBucket{{0, 0, 2}, {1, 2, 2}}},
		{Name: "b", Type: "bool", Present: 4, Missing: 1, Unique: &Unique{Count: 2},
			Numeric: &Numeric{Finite: 4, Zeros: 1, Moments: &Moments{Mean: .75, StdDev: math.Sqrt(.1875), Max: 1, Median: 1, Exact: true,
				Quantiles: []Quantile{{.25, .75}}, Histogram: []Bucket{{0, .5, 1}, {.5, 1, 3}}, QuantileHistogram: []Bucket{{0, 1, 2}, {1, 1, 2}}}},
			Top:   []ValueCount{{Value: "1", Count: 3}, {Value: "0", Count: 1}},
			Ranks: []RankBucket{{0, 0, 3}, {1, 1, 1}}},
		{Name: "day", Type: "date", Unit: "d", Present: 4, Missing: 1, Unique: &Unique{Count: 2},
			Numeric: &Numeric{Finite: 4, Moments: &Moments{Mean: 3.25, StdDev: math.Sqrt(15.1875), Min: 1, Max: 10, Median: 1, Exact: true,
				Quantiles: []Quantile{{.25, 1}}, Histogram: []Bucket{{1, 5.5, 3}, {5.5, 10, 1}}, QuantileHistogram: []Bucket{{1, 1, 2}, {1, 10, 2}}}},
			Top: []ValueCount{{Value: "1", Count: 3}, {Value: "10", Count: 1}}},
		{Name: "l", Type: "integer", Present: 4, Missing: 1, Unique: &Unique{Count: 3},
			List: &Lengths{Min: 0, Max: 3, Mean: 1.25, Values: 4, Nulls: 1, Empty: 1, QuantileHistogram: []Bucket{{0, 1, 2}, {1, 3, 2}}},
			Numeric: &Numeric{Finite: 4, Zeros: 1, Moments: &Moments{Mean: 1.25, StdDev: math.Sqrt(.6875), Max: 2, Median: 1.5, Exact: true,
				Quantiles: []Quantile{{.25, .75}}, Histogram: []Bucket{{0, 1, 1}, {1, 2, 3}}, QuantileHistogram: []Bucket{{0, 1.5, 2}, {1.5, 2, 2}}}},
			Top:   []ValueCount{{Value: "2", Count: 2}, {Value: "0", Count: 1}, {Value: "1", Count: 1}},
			Ranks: []RankBucket{{0, 0, 2}, {1, 2, 2}}},
		{Name: "words", Type: "string", Present: 4, Missing: 1, Unique: &Unique{Count: 2},
			List:  &Lengths{Min: 0, Max: 2, Mean: 1, Values: 4, Empty: 1, QuantileHistogram: []Bucket{{0, 1, 2}, {1, 2, 2}}},
			Text:  &Text{MinBytes: 1, MaxBytes: 3, MeanBytes: 2, TotalBytes: 8},
			Top:   []ValueCount{{Value: "a", Count: 2}, {Value: "bcd", Count: 2}},
			Ranks: []RankBucket{{0, 0, 2}, {1, 1, 2}}},
		{Name: "none", Type: "other", Missing: 5},
	}
	for i, w := range want {
		if !reflect.DeepEqual(got.Columns[i], w) {
			a, _ := json.Marshal(got.Columns[i])
			b, _ := json.Marshal(w)
			t.Errorf("column %s: got\n%s\nwant\n%s", w.Name, a, b)
		}
	}
	again, err := Decode(encode(t, got))
	if err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("statistics.json does not read back: %v", err)
	}
}

func TestSpecialNumbers(t *testing.T) {
	got := statisticsOf(t, Options{}, floatRecord("x", nan, 1, inf, math.Copysign(0, -1), -inf, nan, 0)).Columns[0]
	n := got.Numeric
	if n.NaN != 2 || n.PositiveInf != 1 || n.NegativeInf != 1 || n.Finite != 3 || n.Zeros != 2 || got.Unique.Count != 2 {
		t.Errorf("got %+v, %d unique", n, got.Unique.Count)
	}
	if n.Moments.Mean != 1./3 || n.Moments.Max != 1 || math.Signbit(n.Moments.Min) {
		t.Errorf("got %+v", n.Moments)
	}
	if got := statisticsOf(t, Options{}, floatRecord("x", nan, nan)); got.Columns[0].Numeric.Moments != nil {
		t.Errorf("no finite value: got moments %+v", got.Columns[0].Numeric.Moments)
	}
	// One value: a histogram of one bucket. The largest floats: edges do not overflow.
	one := statisticsOf(t, Options{}, floatRecord("x", 3)).Columns[0].Numeric.Moments
	if want := []Bucket{{3, 3, 1}}; !slices.Equal(one.Histogram, want) {
		t.Errorf("one value: got %v want %v", one.Histogram, want)
	}
	wide := statisticsOf(t, Options{}, floatRecord("x", -math.MaxFloat64, 0, math.MaxFloat64)).Columns[0].Numeric.Moments
	for i, b := range wide.Histogram {
		if want := map[int]float64{0: 1, 5: 1, 9: 1}[i]; b.Count != want || !finite(b.High) {
			t.Errorf("bucket %d of the widest range: got %v want count %g", i, b, want)
		}
	}
}

// TestCorrelations: x and y = 7 - 2x are correlated by -1, x and z by hand
// (over the three rows that have both: x 1, 2, 3 and z 1, 3, 2 give 1/2).
func TestCorrelations(t *testing.T) {
	f := arrow.PrimitiveTypes.Float64
	schema := schemaOf(arrow.Field{Name: "x", Type: f}, arrow.Field{Name: "y", Type: f}, arrow.Field{Name: "z", Type: f}, arrow.Field{Name: "c", Type: f}, arrow.Field{Name: "s", Type: arrow.BinaryTypes.String})
	r := rows(t, schema, `[{"x":1,"y":5,"z":1,"c":4},{"x":2,"y":3,"z":3,"c":4},{"x":3,"y":1,"z":2,"c":4},{"x":9,"y":-11,"c":4}]`)
	got := statisticsOf(t, Options{Correlations: true}, r).Correlations
	if len(got) != 6 {
		t.Fatalf("got %d pairs want 6", len(got))
	}
	for _, c := range got {
		switch c.A + c.B {
		case "xy":
			if c.Pearson == nil || *c.Pearson != -1 || c.Rows != 4 {
				t.Errorf("x, y: got %v over %d rows want -1 over 4", c.Pearson, c.Rows)
			}
		case "xz":
			if c.Pearson == nil || *c.Pearson != .5 || c.Rows != 3 {
				t.Errorf("x, z: got %v over %d rows want 0.5 over 3", *c.Pearson, c.Rows)
			}
		case "xc", "yc", "zc":
			if c.Pearson != nil {
				t.Errorf("%s, a constant: got %v want none", c.A, *c.Pearson)
			}
		}
	}
}

var messyOptions = []Options{
	{SliceBy: []string{"few", "00 bool?"}, Correlations: true, Columns: []string{"special", "few", "01 int8?", "04 int64", "10 float64?"}},
	{MaxDistinct: 16, SliceBy: []string{"few"}},
	{MaxDistinct: 300, SliceBy: []string{"few", "01 int8"}, MaxSlices: 3},
}

// TestSameBytes: any cut, order and tree of merging, with encoding in between
// or without, gives the same parts and the same statistics.json.
func TestSameBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	whole := messy(r, 900)
	for i, o := range messyOptions {
		s := slicerOf(t, o, whole)
		want, wantJSON := partsOf(t, s), encode(t, statisticsOf(t, o, whole))
		if i == 2 && len(statisticsOf(t, o, whole).Unsliced) != 2 {
			t.Fatal("want too many slices")
		}
		for trial := range 5 {
			workers := make([]*Slicer, 1+r.IntN(6))
			for i := range workers {
				workers[i] = slicerOf(t, o, whole.NewSlice(0, 0))
			}
			var cuts [][2]int64
			for from := int64(0); from < whole.NumRows(); {
				to := min(whole.NumRows(), from+r.Int64N(250))
				cuts = append(cuts, [2]int64{from, to})
				from = to
			}
			r.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
			for _, c := range cuts {
				if err := workers[r.IntN(len(workers))].Add(whole.NewSlice(c[0], c[1])); err != nil {
					t.Fatal(err)
				}
			}
			got := merged(t, r, o, whole.Schema(), workers, trial%2 == 0)
			stats, err := got.Statistics()
			if err != nil {
				t.Fatal(err)
			}
			if data := encode(t, stats); !bytes.Equal(data, wantJSON) {
				t.Fatalf("options %d, trial %d: other statistics", i, trial)
			}
			sameParts(t, partsOf(t, got), want)
		}
	}
}

// merged merges Slicers in random order, as such or by their parts.
func merged(t *testing.T, r *rand.Rand, o Options, schema *arrow.Schema, workers []*Slicer, direct bool) *Slicer {
	t.Helper()
	r.Shuffle(len(workers), func(i, j int) { workers[i], workers[j] = workers[j], workers[i] })
	if direct {
		for len(workers) > 1 {
			last := workers[len(workers)-1]
			workers = workers[:len(workers)-1]
			if err := workers[r.IntN(len(workers))].Merge(last); err != nil {
				t.Fatal(err)
			}
		}
		return workers[0]
	}
	all := map[string][]byte{}
	for _, w := range workers {
		for key, data := range partsOf(t, w) {
			if all[key] != nil {
				if r.IntN(2) == 0 {
					all[key], data = data, all[key]
				}
				var err error
				if data, err = MergeParts(all[key], data); err != nil {
					t.Fatal(err)
				}
			}
			all[key] = data
		}
	}
	s, err := SlicerOf(o, schema, all)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSlices: each slice has the statistics of its rows alone.
func TestSlices(t *testing.T) {
	schema := schemaOf(arrow.Field{Name: "k", Type: arrow.PrimitiveTypes.Int32}, arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Float64})
	r := rows(t, schema, `[{"k":2,"x":1},{"k":1,"x":5},{"k":2,"x":3},{"k":null,"x":100},{"k":10}]`)
	got := statisticsOf(t, Options{SliceBy: []string{"k"}, Columns: []string{"x"}}, r)
	var lines []string
	for _, s := range got.Slices {
		mean := nan
		if m := s.Columns[0].Numeric.Moments; m != nil {
			mean = m.Mean
		}
		lines = append(lines, fmt.Sprintf("%s=%s rows %d mean %g", s.Column, s.Value, s.Rows, mean))
	}
	if want := []string{"k=1 rows 1 mean 5", "k=10 rows 1 mean NaN", "k=2 rows 2 mean 2"}; !slices.Equal(lines, want) {
		t.Errorf("got %q want %q", lines, want)
	}
	few := statisticsOf(t, Options{SliceBy: []string{"k"}, MaxSlices: 2}, r)
	if len(few.Slices) != 0 || !slices.Equal(few.Unsliced, []string{"k"}) {
		t.Errorf("three slices of at most two: got %d, unsliced %v", len(few.Slices), few.Unsliced)
	}
}

// TestBeyondTheLimit: estimates are near, and a second pass is exact.
func TestBeyondTheLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x := make([]float64, 40_000)
	for i := range x {
		x[i] = math.Exp(r.NormFloat64())
	}
	rec := floatRecord("x", x...)
	o := Options{MaxDistinct: 256, Quantiles: []float64{.1, .9}}
	a, err := NewAnalyzer(o, rec.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Add(rec); err != nil {
		t.Fatal(err)
	}
	coarse, err := a.Statistics()
	if err != nil {
		t.Fatal(err)
	}
	exact := statisticsOf(t, Options{Quantiles: o.Quantiles}, rec).Columns[0].Numeric.Moments
	m, u := coarse.Columns[0].Numeric.Moments, coarse.Columns[0].Unique
	if m.Exact || !(m.RelativeError > 0 && m.RelativeError < .1) || !u.Estimate || math.Abs(float64(u.Count)-40_000) > 5*.0082*40_000 {
		t.Fatalf("got exact %v, relative error %g, %d unique", m.Exact, m.RelativeError, u.Count)
	}
	if m.Mean != exact.Mean || m.StdDev != exact.StdDev || m.Max != exact.Max {
		t.Errorf("moments must be exact: got %+v want %+v", m, exact)
	}
	if d := math.Abs(m.Median - exact.Median); !(d <= m.RelativeError*exact.Median) {
		t.Errorf("median: got %v want %v within %g", m.Median, exact.Median, m.RelativeError)
	}
	for pass := 0; ; pass++ {
		again := a.Refinement()
		if !again.Needed() {
			break
		}
		if pass == 4 {
			t.Fatal("not exact after 4 passes")
		}
		for _, cut := range [][2]int64{{0, 11_111}, {11_111, 40_000}} {
			part, err := RefinementOf(again.Questions())
			if err != nil {
				t.Fatal(err)
			}
			if err := part.Add(rec.NewSlice(cut[0], cut[1])); err != nil {
				t.Fatal(err)
			}
			for i := range part.Parts() {
				data, err := part.MarshalPart(i)
				if err == nil {
					err = again.MergePart(i, data)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := a.Refine(again); err != nil {
			t.Fatal(err)
		}
	}
	fine, err := a.Statistics()
	if err != nil {
		t.Fatal(err)
	}
	if got := fine.Columns[0].Numeric.Moments; !reflect.DeepEqual(got, exact) {
		t.Errorf("after a second pass: got %+v want %+v", got, exact)
	}
}

// TestTextsBeyondTheLimit: the number and the bytes of values are both bounded.
func TestTextsBeyondTheLimit(t *testing.T) {
	schema := schemaOf(arrow.Field{Name: "s", Type: arrow.BinaryTypes.String})
	for name, c := range map[string]struct {
		values   int
		text     string
		estimate bool
	}{"at the limit": {64, "", false}, "beyond": {65, "", true}, "bytes": {60, strings.Repeat("x", 70), true}} {
		var list []string
		for i := range c.values {
			list = append(list, fmt.Sprintf(`{"s":"%s%d"}`, c.text, i))
		}
		got := statisticsOf(t, Options{MaxDistinct: 64}, rows(t, schema, "["+strings.Join(list, ",")+"]")).Columns[0]
		if got.Unique.Estimate != c.estimate || math.Abs(float64(got.Unique.Count)-float64(c.values)) > 2 || (len(got.Top) == 0) != c.estimate {
			t.Errorf("%s: got %+v with %d top values, want about %d, estimate %v", name, got.Unique, len(got.Top), c.values, c.estimate)
		}
	}
}

func TestOptionErrors(t *testing.T) {
	schema := schemaOf(arrow.Field{Name: "speed", Type: arrow.PrimitiveTypes.Float64}, arrow.Field{Name: "kind", Type: arrow.BinaryTypes.String})
	for path, o := range map[string]Options{
		"columns[1]":   {Columns: []string{"kind", "sped"}},
		"columns[0]":   {Columns: []string{"x"}},
		"slice_by[0]":  {SliceBy: []string{"knd"}},
		"slice_by":     {SliceBy: []string{"speed"}},
		"quantiles[1]": {Quantiles: []float64{0, 1.1}},
		"max_distinct": {MaxDistinct: -1},
		"buckets":      {Buckets: 1e6},
	} {
		all := fielderr.All(o.Validate(schema))
		if len(all) != 1 || all[0].Path != path {
			t.Errorf("got %v want one error at %s", all, path)
		}
	}
	twice := arrow.NewSchema(append(schema.Fields(), schema.Field(0)), nil)
	if _, err := NewAnalyzer(Options{}, twice); err == nil {
		t.Error("a column twice in the table: got no error")
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		column Column
		x      float64
		want   string
	}{
		{Column{Type: TypeDate, Unit: "d"}, 11323, "2001-01-01"},
		{Column{Type: TypeDate, Unit: "d"}, 1e9, "1e+09"},
		{Column{Type: TypeTimestamp, Unit: "us"}, 978307260e6, "2001-01-01T00:01:00Z"},
		{Column{Type: TypeTimestamp, Unit: "ms"}, -1500, "1969-12-31T23:59:58.5Z"},
		{Column{Type: TypeInteger}, 17031010100, "17031010100"},
		{Column{Type: TypeFloat}, .1, "0.1"},
	} {
		if got := c.column.Format(c.x); got != c.want {
			t.Errorf("%v of %s: got %s want %s", c.x, c.column.Type, got, c.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{"", "{}", `{"version":2}`, `{"version":1,"row":3}`, `{"version":1} {}`} {
		if _, err := Decode([]byte(text)); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}

func TestPartsThatDoNotFit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	rec := messy(r, 30)
	parts := partsOf(t, slicerOf(t, Options{}, rec))
	less := maps.Clone(parts)
	less["whole/3"] = partsOf(t, slicerOf(t, Options{}, rec.NewSlice(0, 20)))["whole/3"]
	other := maps.Clone(parts)
	other["whole/3"] = parts["whole/20"]
	unknown := maps.Clone(parts)
	unknown["slice/0/a/1"] = parts["whole/1"]
	for name, p := range map[string]map[string][]byte{"rows were lost": less, "of another column": other, "unknown key": unknown, "no key": {"": nil}, "overflow": {"overflow/x": nil}} {
		if _, err := SlicerOf(Options{}, rec.Schema(), p); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// FuzzMergeParts: what is accepted has one binary form.
func FuzzMergeParts(f *testing.F) {
	r := rand.New(rand.NewPCG(4, 4))
	for i, o := range messyOptions {
		for _, data := range partsOf(f, slicerOf(f, o, messy(r, 10*i))) {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := decodePart(data)
		if err != nil {
			return
		}
		again, err := p.append(nil)
		if err != nil || !bytes.Equal(again, data) {
			t.Fatalf("accepted %x, writes it as %x, %v", data, again, err)
		}
		if _, err := MergeParts(data, data); err != nil && len(data) < 100 {
			t.Skip()
		}
	})
}

func TestFormatValue(t *testing.T) {
	day := Column{Type: TypeDate, Unit: "d"}
	for _, c := range []struct {
		column Column
		value  ValueCount
		want   string
	}{
		{day, ValueCount{Value: "10883"}, "1999-10-19"},
		{day, ValueCount{Value: "soon"}, "soon"},
		{Column{Type: TypeInteger}, ValueCount{Value: "10883"}, "10883"},
		{Column{Type: TypeBinary}, ValueCount{Base64: []byte("\xff")}, "\xff"},
	} {
		if got := c.column.FormatValue(c.value); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.value, got, c.want)
		}
	}
}
