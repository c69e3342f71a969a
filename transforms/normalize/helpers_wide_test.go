package normalize

import (
	"bytes"
	"image"
	"image/png"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/io/batch"
)

// suite is a job and rows for it.
type suite struct {
	name string
	spec Spec
	rows func(r *rand.Rand, n int) *batch.Batch
}

// suites between them use all that a Spec can say: the first what Plans of
// version 1 hold, the second the rest.
var suites = []suite{{"dirty", dirtySpec, dirty}, {"wide", wideSpec, wide}}

var wideSpec = Spec{
	Features: []Feature{
		{Column: "speed", Fill: &Fill{With: "median"}, Scale: "robust"},
		{Column: "height", Fill: &Fill{With: "mean"}, Scale: "max_abs"},
		{Column: "height", Fill: &Fill{With: "mean"}, Scale: "min_max", Range: &Range{Min: -1, Max: 1}},
		{Column: "x0", Fill: &Fill{With: "mean"}, Scale: "quantile", Quantile: &QuantileMap{Quantiles: 20, To: "normal"}},
		{Column: "cost", Scale: "power"},
		{Column: "speed", Fill: &Fill{With: "median", Indicator: true}, Log1p: true, Scale: "z_score", PerKey: &PerKey{Column: "month"}},
		{Column: "height", Fill: &Fill{With: "median"}, Bucketize: &Bucketize{Quantiles: 3}, PerKey: &PerKey{Column: "phase"}},
		{Column: "kind", Hash: &Hash{Buckets: 7}},
		{Column: "month", Hash: &Hash{Buckets: 5}, Fill: &Fill{With: "constant", Value: "6", Indicator: true}, Encode: "embedding"},
		{Column: "kind", Cross: &Cross{With: []string{"phase", "night"}, Buckets: 11}},
		{Column: "month", Cross: &Cross{With: []string{"kind"}, Buckets: 1000}, Encode: "embedding"},
		{Column: "kind", Target: &Target{Folds: 3}},
		{Column: "month", Target: &Target{Smoothing: 1, Key: []string{"x0"}}},
		{Column: "notes", Text: &Text{Lower: true, Ngrams: &Ngrams{Min: 1, Max: 2}, TopK: 20}},
		{Column: "notes", Text: &Text{Split: "characters", Ngrams: &Ngrams{Min: 3, Max: 3}, Weight: "count", TopK: 10, MinCount: 2}},
		{Column: "legs", Fill: &Fill{With: "mean"}, Scale: "z_score", Sequence: &Sequence{Length: 4, Pad: -9, Side: "start"}},
		{Column: "legs", Fill: &Fill{With: "median"}, Clip: &Clip{Upper: .9}, Bucketize: &Bucketize{Quantiles: 3}, Sequence: &Sequence{Length: 2}, Encode: "embedding"},
		{Column: "notes", Vocabulary: &Vocabulary{TopK: 5}, Sequence: &Sequence{Length: 3, Separator: " ", Keep: "last"}, Encode: "embedding"},
		{Column: "notes", Hash: &Hash{Buckets: 3}, Sequence: &Sequence{Length: 2, Separator: " "}},
		{Column: "x{0..1}", PCA: &PCA{With: []string{"height"}, Components: 2, Standardize: true, Whiten: true}, Fill: &Fill{With: "mean"}},
		{Column: "picture", Image: &Image{Height: 2, Width: 2, Channels: 1}},
	},
	Label: Label{Column: "damage"},
}

// wide draws what dirty does, and more columns.
func wide(r *rand.Rand, n int) *batch.Batch {
	notes := texts("notes")
	words := []string{"Left", "engine", "hit", "no", "damage", "été", "42"}
	for range n {
		text := ""
		for range r.IntN(6) {
			text += words[int(r.ExpFloat64()*2)%len(words)] + []string{" ", ", ", "-"}[r.IntN(3)]
		}
		notes.values = append(notes.values, text)
		if r.IntN(8) == 0 {
			notes.values[len(notes.values)-1] = nil
		}
	}
	legs := lists("legs")
	pictures := files("picture")
	for range n {
		leg := []any{}
		for range r.IntN(6) {
			leg = append(leg, []any{r.NormFloat64(), float64(r.IntN(4)), nil}[int(r.ExpFloat64())%3])
		}
		legs.values = append(legs.values, leg)
		p := image.NewGray(image.Rect(0, 0, 1+r.IntN(3), 2))
		p.Pix[0] = uint8(r.IntN(256))
		var file bytes.Buffer
		if err := png.Encode(&file, p); err != nil {
			panic(err)
		}
		pictures.values = append(pictures.values, file.Bytes()[:file.Len()-r.IntN(10)/9]) // some are cut off
	}
	return with(dirty(r, n), notes, legs, pictures)
}

// with is b with more columns.
func with(b *batch.Batch, more ...column) *batch.Batch {
	fields := b.Record.Schema().Fields()
	arrays := b.Record.Columns()
	for _, c := range more {
		fields = append(fields, arrow.Field{Name: c.name, Type: c.typ, Nullable: true})
		arrays = append(arrays, c.array())
	}
	out := *b
	out.Record = array.NewRecord(arrow.NewSchema(fields, nil), arrays, b.Record.NumRows())
	return &out
}

// faultAt fails unless a job of the feature is refused for what is at path
// within it. It has columns x and z of floats, i of int64, k and s of strings,
// b of bool, and the label y.
func faultAt(t *testing.T, f Feature, path string) {
	t.Helper()
	schema := table(floats("x"), floats("z"), ints("i"), texts("k"), texts("s"), bools("b"), texts("y")).Record.Schema()
	_, err := NewAnalyzer(Spec{Features: []Feature{f}, Label: Label{Column: "y"}}, schema)
	if all := fielderr.All(err); !slices.ContainsFunc(all, func(e fielderr.FieldError) bool { return e.Path == "features[0]."+path }) {
		t.Errorf("%+v: got %v want a fault at %s", f, err, path)
	}
}
