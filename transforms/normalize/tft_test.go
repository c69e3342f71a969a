package normalize

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/deadletter"
)

// tftCases names every case of tf.transform's expectations, and where we
// depart from its numbers, why. The checks below hold the departure in place.
var tftCases = map[string]string{
	"scale_to_0_1[0]":                  "",
	"scale_to_0_1[1]":                  "",
	"scale_to_0_1_per_key[0]":          "",
	"scale_to_0_1_per_key[1]":          "per_key takes no lists: each cell is a row of its own here",
	"scale_by_min_max[0]":              "",
	"scale_by_min_max[1]":              "",
	"scale_by_min_max[2]":              "a constant column becomes the range's min, as scikit-learn has it; the sigmoid depends on the unit of the column",
	"scale_by_min_max[3]":              "a column without values cannot be fitted: an error, not a guess",
	"scale_by_min_max[4]":              "",
	"scale_to_z_score[0]":              "",
	"scale_to_z_score[1]":              "",
	"scale_to_z_score[2]":              "",
	"scale_to_z_score[3]":              "",
	"scale_to_z_score[4]":              "NaN is left out of the fit, but its row is a dead letter: no model takes it",
	"scale_to_z_score[5]":              "as before",
	"mean_and_var[0]":                  "",
	"mean_and_var[1]":                  "",
	"quantile_boundaries[0]":           "",
	"quantile_boundaries[1]":           "",
	"quantile_boundaries[2]":           "its sketch is off by a rank; ours is exact",
	"quantile_boundaries[3]":           "",
	"quantile_boundaries[4]":           "",
	"quantile_boundaries[5]":           "",
	"quantile_boundaries[6]":           "",
	"quantile_boundaries[7]":           "",
	"quantile_boundaries[8]":           "",
	"quantile_boundaries[9]":           "",
	"quantile_boundaries[10]":          "",
	"quantile_boundaries[11]":          "",
	"quantile_boundaries[12]":          "equal boundaries are one: no value falls between them",
	"quantile_boundaries[13]":          "as before",
	"quantile_boundaries[14]":          "",
	"quantile_boundaries[15]":          "rows have no weights: those of weight 0 are left out here, as a rule of clean would",
	"bucket_rule":                      "NaN is a dead letter, and has no bucket",
	"tfidf_smooth[0]":                  "", // by term: of terms of equal count, ours come by rising bytes
	"tfidf_smooth[1]":                  "",
	"tfidf_smooth[2]":                  "",
	"mi_rule":                          "vocabularies are by count; none is by mutual information",
	"vocabulary_mutual_information[0]": "as before",
	"vocabulary_mutual_information[1]": "as before",
	"covariance[0]":                    "",
	"covariance[1]":                    "",
	"pca[0]":                           "",
}

// tftCase is a case of any section.
type tftCase struct {
	X           any             `json:"x"`
	Y           []any           `json:"y"`
	Key         []any           `json:"key"`
	Elementwise *bool           `json:"elementwise"`
	Min         *float64        `json:"min"`
	Max         *float64        `json:"max"`
	FitOn       []any           `json:"fit_on"`
	Error       string          `json:"error"`
	Buckets     int             `json:"num_buckets"`
	B           json.RawMessage `json:"b"`
	Docs        []any           `json:"docs"`
	Order       []string        `json:"vocab_order"`
	Index       [][]int         `json:"index"`
	TFIDF       [][]float64     `json:"tf_idf"`
	Cov         [][]float64     `json:"cov"`
	Components  [][]float64     `json:"components"` // one a column
	K           int             `json:"k"`
}

func TestAgainstTFT(t *testing.T) {
	data, err := os.ReadFile(shareddata.Path(t, "conformance/tft/tft_expectations.json"))
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &sections); err != nil {
		t.Fatal(err)
	}
	delete(sections, "source")
	delete(sections, "note")
	seen := map[string]bool{}
	for section, raw := range sections {
		if raw[0] == '"' { // a rule in words
			seen[section] = true
			continue
		}
		var cases []tftCase
		if err := json.Unmarshal(raw, &cases); err != nil {
			t.Fatalf("%s: %v", section, err)
		}
		for i, c := range cases {
			name := fmt.Sprintf("%s[%d]", section, i)
			seen[name] = true
			t.Run(name, func(t *testing.T) { checkTFT(t, section, c, tftCases[name] != "") })
		}
	}
	for name := range seen {
		if _, ok := tftCases[name]; !ok {
			t.Errorf("%s: not accounted for", name)
		}
	}
	for name := range tftCases {
		if !seen[name] {
			t.Errorf("%s: no such case", name)
		}
	}
}

func checkTFT(t *testing.T, section string, c tftCase, departs bool) {
	switch section {
	case "scale_to_0_1", "scale_to_0_1_per_key", "scale_by_min_max":
		f := Feature{Scale: scaleMinMax}
		if c.Min != nil {
			f.Range = &Range{*c.Min, *c.Max}
		}
		checkTFTScale(t, f, c, departs)
	case "scale_to_z_score":
		checkTFTScale(t, Feature{Scale: scaleZ}, c, departs)
	case "mean_and_var":
		checkTFTMoments(t, c)
	case "quantile_boundaries":
		checkTFTQuantiles(t, c, departs)
	case "tfidf_smooth":
		checkTFIDF(t, c)
	case "covariance", "pca":
		checkTFTComponents(t, c)
	case "vocabulary_mutual_information":
		if !departs {
			t.Error("there is no vocabulary by mutual information")
		}
	default:
		t.Errorf("no check for section %s", section)
	}
}

// cellsOf are the cells of x row by row: one row if it is no matrix.
func cellsOf(x []any) (rows [][]any) {
	for _, v := range x {
		if list, ok := v.([]any); ok {
			rows = append(rows, list)
		} else {
			rows = append(rows, []any{v})
		}
	}
	return rows
}

func orNaN(v any) any {
	if v == "NaN" {
		return math.NaN()
	}
	return v
}

func checkTFTScale(t *testing.T, f Feature, c tftCase, departs bool) {
	switch {
	case c.Error != "":
		f.Column = "x"
		faultAt(t, f, "range")
		return
	case c.FitOn != nil:
		spec, y := labelled(Feature{Column: "x", Scale: f.Scale}, 2)
		if _, err := analyze(t, spec, table(floats("x", nil, nil), y)).Plan(); err == nil {
			t.Error("no values to fit on: got no error")
		}
		return
	}
	x, y := cellsOf(c.X.([]any)), cellsOf(c.Y)
	if c.Elementwise != nil && !*c.Elementwise && c.Key == nil {
		checkTFTList(t, f, x, y)
		return
	}
	for col := range x[0] {
		var in, want, key []any
		for i := range x {
			cells := []int{col}
			if c.Elementwise != nil && !*c.Elementwise { // all cells are one column
				if col > 0 {
					return
				}
				cells = []int{0, 1}
			}
			for _, j := range cells {
				in, want = append(in, orNaN(x[i][j])), append(want, orNaN(y[i][j]))
				if c.Key != nil {
					key = append(key, c.Key[i])
				}
			}
		}
		checkTFTColumn(t, f, in, want, key, departs)
	}
}

// checkTFTColumn: where we depart, a NaN dies and a constant becomes Range.Min.
func checkTFTColumn(t *testing.T, f Feature, x, want, key []any, departs bool) {
	t.Helper()
	f.Column = "x"
	cols := []column{floats("x", x...)}
	if key != nil {
		f.PerKey = &PerKey{Column: "key"}
		cols = append(cols, texts("key", key...))
	}
	spec, y := labelled(f, len(x))
	b := table(append(cols, y)...)
	out := apply(t, plan(t, spec, b), b, Options{})
	rows := features(t, out)
	at := 0
	for i, w := range want {
		w := toFloat(w)
		if math.IsNaN(w) {
			if !departs || !slices.ContainsFunc(out.Dead, func(l deadletter.Letter) bool { return l.Row == int64(i+1) }) {
				t.Errorf("value %d: NaN got no dead letter", i)
			}
			continue
		}
		if departs && f.Range != nil {
			w = f.Range.Min
		}
		near(t, fmt.Sprintf("%s of %v: value %d", f.Scale, x, i), rows[at], []float64{w}, 1e-7)
		at++
	}
	if at != len(rows) {
		t.Errorf("got %d rows want %d", len(rows), at)
	}
}

// checkTFTList scales all cells of a list column together.
func checkTFTList(t *testing.T, f Feature, x, y [][]any) {
	f.Column, f.Sequence = "x", &Sequence{Length: len(x[0])}
	col := lists("x")
	for _, row := range x {
		col.values = append(col.values, row)
	}
	spec, label := labelled(f, len(x))
	b := table(col, label)
	for i, row := range features(t, apply(t, plan(t, spec, b), b, Options{})) {
		var want []float64
		for _, v := range y[i] {
			want = append(want, toFloat(v))
		}
		near(t, fmt.Sprint("row ", i), row, want, 1e-7)
	}
}

// checkTFTMoments takes the moments from a z_score's offset and divisor.
func checkTFTMoments(t *testing.T, c tftCase) {
	var x, key []any
	for i := 1; i <= 100; i++ {
		x, key = append(x, i), append(key, []any{"b", "a"}[min(1, 50/(i+1))])
	}
	for range 20 {
		x, key = append(x, math.NaN()), append(key, "a")
	}
	perKey := strings.Contains(c.X.(string), "key")
	f := Feature{Column: "x", Scale: scaleZ}
	if perKey {
		f.PerKey = &PerKey{Column: "key"}
	}
	spec, y := labelled(f, len(x))
	got := plan(t, spec, table(floats("x", x...), texts("key", key...), y)).Features[0]
	if !perKey {
		if s := got.Scale; s.Offset != 50.5 || s.Divisor != math.Sqrt(833.25) {
			t.Errorf("got %+v want mean 50.5, variance 833.25", s)
		}
		return
	}
	for i, want := range []struct {
		key            string
		mean, variance float64 // rounded to 2 places
	}{{"a", 25, 200}, {"b", 75, 216.67}} {
		k := got.PerKey.Keys[i]
		if k.Key != want.key || k.Scale.Offset != want.mean || !(math.Abs(k.Scale.Divisor*k.Scale.Divisor-want.variance) <= .005) {
			t.Errorf("got %+v, %+v want %+v", k, k.Scale, want)
		}
	}
}

// checkTFTQuantiles: in words, x is "1..9", "1,3,..,99", "1..99 key a if x<50
// else b" or that with weights.
func checkTFTQuantiles(t *testing.T, c tftCase, departs bool) {
	f := Feature{Column: "x", Bucketize: &Bucketize{Quantiles: c.Buckets}}
	text, _ := c.X.(string)
	if strings.Contains(text, "key") || strings.Contains(text, "weight") {
		var x, key []any
		for i := 1; i <= 99; i++ {
			if strings.Contains(text, "weight") && i >= 25 && i < 75 {
				continue
			}
			x, key = append(x, i), append(key, "b")
			if i < 50 {
				key[len(key)-1] = "a"
			}
		}
		f.PerKey = &PerKey{Column: "key"}
		spec, y := labelled(f, len(x))
		p := plan(t, spec, table(floats("x", x...), texts("key", key...), y))
		want := map[string][]float64{}
		if err := json.Unmarshal(c.B, &want); err != nil {
			t.Fatal(err)
		}
		for _, k := range p.Features[0].PerKey.Keys {
			if !slices.Equal(k.Bucketize.Boundaries, want[k.Key]) {
				t.Errorf("key %s: got %v want %v", k.Key, k.Bucketize.Boundaries, want[k.Key])
			}
		}
		return
	}
	var want []float64
	if err := json.Unmarshal(c.B, &want); err != nil {
		t.Fatal(err)
	}
	if departs {
		if want = slices.Compact(want); text != "" {
			want = []float64{25, 51, 75} // of 1, 3, … 99 those with 12, 25 and 37 values before
		}
	}
	x := expand(c.X)
	spec, y := labelled(f, len(x))
	if got := plan(t, spec, table(floats("x", x...), y)).Features[0].Bucketize.Boundaries; !slices.Equal(got, want) {
		t.Errorf("%v in %d: got %v want %v", c.X, c.Buckets, got, want)
	}
}

// expand turns "1..9", "19..1", "1,3,..,99" or a list into values.
func expand(x any) (out []any) {
	if list, ok := x.([]any); ok {
		return list
	}
	var a, b int
	step := 1
	if s := x.(string); s == "1,3,..,99" {
		a, b, step = 1, 99, 2
	} else if n, _ := fmt.Sscanf(s, "%d..%d", &a, &b); n != 2 {
		return nil
	}
	if b < a {
		step = -1
	}
	for ; a != b+step; a += step {
		out = append(out, a)
	}
	return out
}

func TestBucketOfBoundaryAndNaN(t *testing.T) {
	spec, y := labelled(Feature{Column: "x", Bucketize: &Bucketize{Boundaries: []float64{2}}, Encode: "embedding"}, 4)
	b := table(floats("x", 1, 2, math.NaN(), 3), y)
	out := apply(t, plan(t, spec, b), b, Options{})
	if got := int32s(t, out, "x"); !slices.Equal(got, []int32{0, 1, 1}) || len(out.Dead) != 1 || out.Dead[0].Row != 3 {
		t.Errorf("got buckets %v and letters %+v want 0, 1, 1 and one for NaN", got, out.Dead)
	}
}

// tftTerms is the order of terms that the indices of all cases are of.
var tftTerms = []string{"hello", "pie", "world", "like", "goodbye", "I"}

func checkTFIDF(t *testing.T, c tftCase) {
	if c.Order != nil && !slices.Equal(c.Order, tftTerms) {
		t.Fatalf("terms %q want %q", c.Order, tftTerms)
	}
	docs := c.Docs
	if len(docs) == 1 {
		docs = append(docs, "") // a label needs two rows
	}
	spec, y := labelled(Feature{Column: "x", Text: &Text{Split: "spaces"}}, len(docs))
	spec.Features = append(spec.Features, Feature{Column: "n"})
	n := floats("n")
	for range docs {
		n.values = append(n.values, 1)
	}
	b := table(texts("x", docs...), n, y)
	p := plan(t, spec, b)
	terms := p.Features[0].Text.Terms
	for i, row := range features(t, apply(t, p, b, Options{}))[:len(c.Docs)] {
		want := make([]float64, len(terms))
		for k, at := range c.Index[i] {
			j := slices.Index(terms, tftTerms[at])
			if j < 0 {
				t.Fatalf("no term %q in %q", tftTerms[at], terms)
			}
			want[j] = c.TFIDF[i][k]
		}
		near(t, fmt.Sprintf("%q", docs[i]), row[:len(terms)], want, 1e-12)
	}
}

// checkTFTComponents makes the covariance again of all components, or
// compares the first, whose sign may differ.
func checkTFTComponents(t *testing.T, c tftCase) {
	rows := cellsOf(c.X.([]any))
	f := Feature{Column: "x0", PCA: &PCA{Components: c.K}}
	var cols []column
	for j := range rows[0] {
		cols = append(cols, floats(fmt.Sprint("x", j)))
		for _, row := range rows {
			cols[j].values = append(cols[j].values, row[j])
		}
		if j > 0 {
			f.PCA.With = append(f.PCA.With, cols[j].name)
		}
	}
	spec, y := labelled(f, len(rows))
	got := plan(t, spec, table(append(cols, y)...)).Features[0].PCA
	for i, row := range c.Cov {
		for j, want := range row {
			sum := 0.0
			for k, v := range got.Components {
				sum += v[i] * got.Variances[k] * v[j]
			}
			if !(math.Abs(sum-want) <= 1e-14) {
				t.Errorf("covariance of %d and %d: got %v want %v", i, j, sum, want)
			}
		}
	}
	for j, entries := range c.Components {
		for k, want := range entries {
			if v := got.Components[k][j]; !(math.Abs(math.Abs(v)-math.Abs(want)) <= 1e-14) {
				t.Errorf("component %d, column %d: got %v want %v up to sign", k, j, v, want)
			}
		}
	}
}
