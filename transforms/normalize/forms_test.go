package normalize

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cespare/xxhash/v2"
)

func TestHash(t *testing.T) {
	b := table(texts("x", "a", "b", nil, "a", "zz"), ints("i", 7, nil, 8, 7, 9), texts("y", "n", "y", "n", "y", "n"))
	p := plan(t, Spec{
		Features: []Feature{
			{Column: "x", Hash: &Hash{Buckets: 5}, Encode: "embedding"},
			{Column: "i", Hash: &Hash{Buckets: 3}, Fill: &Fill{With: "constant", Value: "9"}, Encode: "embedding"},
		},
		Label: Label{Column: "y"},
	}, b)
	bucket := func(s string, n uint64) int32 { return int32(xxhash.Sum64String(s) % n) }
	out := apply(t, p, b, Options{})
	if got, want := int32s(t, out, "x"), []int32{bucket("a", 5), bucket("b", 5), 5, bucket("a", 5), bucket("zz", 5)}; !slices.Equal(got, want) {
		t.Errorf("texts: got %v want %v", got, want)
	}
	if got, want := int32s(t, out, "i"), []int32{bucket("7", 3), bucket("9", 3), bucket("8", 3), bucket("7", 3), bucket("9", 3)}; !slices.Equal(got, want) {
		t.Errorf("integers: got %v want %v", got, want)
	}
	if in := p.Inputs(); in[0].Cardinality != 6 || in[1].Cardinality != 3 {
		t.Errorf("got inputs %+v want 6 ids, with null, and 3", in)
	}
}

// TestCross: the key keeps ("ab", "c") and ("a", "bc") apart, and null and "".
func TestCross(t *testing.T) {
	b := table(texts("a", "ab", "a", "", nil, "ab"), texts("b", "c", "bc", nil, "", "c"), texts("y", "n", "y", "n", "y", "n"))
	const buckets = 1 << 20
	p := plan(t, Spec{
		Features: []Feature{{Column: "a", Cross: &Cross{With: []string{"b"}, Buckets: buckets}, Encode: "embedding"}},
		Label:    Label{Column: "y"},
	}, b)
	got := int32s(t, apply(t, p, b, Options{}), "a_x_b")
	for i, key := range []string{"\x01\x02ab\x01\x01c", "\x01\x01a\x01\x02bc", "\x01\x00\x00", "\x00\x01\x00", "\x01\x02ab\x01\x01c"} {
		if want := int32(xxhash.Sum64String(key) % buckets); got[i] != want {
			t.Errorf("row %d: got bucket %d want %d", i, got[i], want)
		}
	}
	if cols := p.Columns(); !slices.Equal(cols, []string{"a", "b"}) {
		t.Errorf("got columns %q want a and b", cols)
	}
}

// TestTargetAsScikitLearn: figures of scikit-learn 1.9.1's
// TargetEncoder(smooth=2), its fit on all rows.
func TestTargetAsScikitLearn(t *testing.T) {
	x := []any{"a", "a", "a", "b", "b", "c", nil, nil}
	y := []any{"y", "n", "y", "n", "n", "y", "y", "n"}
	z := []any{"p", "q", "r", "q", "q", "r", "p", "p"}
	rows := table(texts("x", x...), texts("y", y...))
	spec := Spec{Features: []Feature{{Column: "x", Target: &Target{Smoothing: 2}}}, Label: Label{Column: "y"}}
	p := plan(t, spec, rows)
	score := table(texts("x", "a", "b", "c", nil, "new"))
	var got []float32
	for _, row := range features(t, apply(t, p, score, Options{})) {
		got = append(got, row...)
	}
	near(t, "two classes", got, []float64{.6, .25, 2. / 3, .5, .5}, 0)

	p = plan(t, spec, table(texts("x", x...), texts("y", z...)))
	want := [][]float64{ // of p, q and r: overall 3/8, 3/8, 2/8
		{(1 + .75) / 5, (1 + .75) / 5, (1 + .5) / 5}, {.75 / 4, 2.75 / 4, .5 / 4}, {.75 / 3, .75 / 3, 1.5 / 3}, {2.75 / 4, .75 / 4, .5 / 4}, {.375, .375, .25},
	}
	for i, row := range features(t, apply(t, p, score, Options{})) {
		near(t, "three classes", row, want[i], 0)
	}
}

// TestTargetOutOfFold takes the shares of each training row from scratch,
// from the rows of the other folds.
func TestTargetOutOfFold(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	const n, folds, smoothing = 300, 4, 3.0
	x, y, id := texts("x"), texts("y"), ints("id")
	for i := range n {
		x.values = append(x.values, string(rune('a'+r.IntN(5))))
		y.values = append(y.values, []any{"n", "y", nil}[int(r.ExpFloat64()*1.2)%3])
		id.values = append(id.values, i/2) // pairs of rows share a fold
	}
	b := table(x, y, id)
	spec := Spec{Features: []Feature{{Column: "x", Target: &Target{Folds: folds, Smoothing: smoothing, Key: []string{"id"}}}}, Label: Label{Column: "y"}}
	a, err := plan(t, spec, b).Bind(b.Record.Schema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	src := source{b: b}
	fold, err := src.folds([]string{"id"}, folds)
	if err != nil {
		t.Fatal(err)
	}
	share := func(token any, without uint8) float64 {
		var rows, yes, all, allYes float64
		for i := range n {
			if fold[i] == without || y.values[i] == nil {
				continue
			}
			hit := 0.0
			if y.values[i] == "y" {
				hit = 1
			}
			all, allYes = all+1, allYes+hit
			if x.values[i] == token {
				rows, yes = rows+1, yes+hit
			}
		}
		return (yes + smoothing*allYes/all) / (rows + smoothing)
	}
	train := make([]bool, n)
	for i := range train {
		train[i] = i%5 != 0
	}
	out, err := a.ApplyTrain(b, train)
	if err != nil {
		t.Fatal(err)
	}
	counts := [folds]int{}
	for i, row := range features(t, out) {
		without := uint8(255)
		if counts[fold[i]]++; train[i] {
			without = fold[i]
		}
		near(t, fmt.Sprint("row ", i), row, []float64{share(x.values[i], without)}, 0)
		if fold[i] != fold[i/2*2] {
			t.Errorf("row %d: fold %d, its pair %d", i, fold[i], fold[i/2*2])
		}
	}
	for f, n := range counts { // 75 on average; pairs double the variance of a binomial
		if n < 30 || n > 120 {
			t.Errorf("fold %d has %d rows of 300, want about 75", f, n)
		}
	}
}

func TestTerms(t *testing.T) {
	for _, c := range []struct {
		s    splitter
		text string
		want string // terms with | between them
	}{
		{splitter{split: "words", min: 1, max: 1}, "It's 3-fold, naïve!", "It|s|3|fold|naïve"},
		{splitter{split: "words", lower: true, min: 1, max: 1}, "ÉTÉ Élan", "été|élan"},
		{splitter{split: "words", min: 1, max: 1}, "cafe\u0301 x", "cafe\u0301|x"}, // a mark belongs to its letter
		{splitter{split: "spaces", min: 1, max: 1}, " It's\t3-fold,\u00a0naïve! ", "It's|3-fold,|naïve!"},
		{splitter{split: "words", min: 1, max: 2}, "a, b c", "a|a b|b|b c|c"},
		{splitter{split: "words", min: 2, max: 3}, "a b c", "a b|a b c|b c"},
		{splitter{split: "characters", min: 2, max: 2}, "aé b", "aé|é | b"},
		{splitter{split: "characters", min: 1, max: 1}, "a\xffb", "a|\ufffd|b"},
		{splitter{split: "words", min: 2, max: 2}, "one", ""},
		{splitter{split: "words", min: 1, max: 1}, "", ""},
	} {
		var got []string
		c.s.each(c.text, func(term string) { got = append(got, term) })
		if s := strings.Join(got, "|"); s != c.want {
			t.Errorf("%+v of %q: got %q want %q", c.s, c.text, s, c.want)
		}
	}
}

// TestTextWeights: of the texts "a a b", "b c", null and "", a is in one, b in two.
func TestTextWeights(t *testing.T) {
	b := table(texts("x", "a a b", "b c", nil, ""), texts("y", "n", "y", "n", "y"))
	idf := func(texts float64) float64 { return 1 + math.Log(5/(texts+1)) }
	for _, c := range []struct {
		text Text
		want [][]float64 // of a, b
	}{
		{Text{Weight: "count"}, [][]float64{{2, 1}, {0, 1}, {0, 0}, {0, 0}}},
		{Text{Weight: "binary"}, [][]float64{{1, 1}, {0, 1}, {0, 0}, {0, 0}}},
		{Text{Weight: "tf"}, [][]float64{{2. / 3, 1. / 3}, {0, .5}, {0, 0}, {0, 0}}},
		{Text{}, [][]float64{{2. / 3 * idf(1), idf(2) / 3}, {0, idf(2) / 2}, {0, 0}, {0, 0}}},
		{Text{Unsmoothed: true}, [][]float64{{2. / 3 * (1 + math.Log(4)), (1 + math.Log(2)) / 3}, {0, (1 + math.Log(2)) / 2}, {0, 0}, {0, 0}}},
	} {
		c.text.MinCount = 2 // c is out
		p := plan(t, Spec{Features: []Feature{{Column: "x", Text: &c.text}}, Label: Label{Column: "y"}}, b)
		if got := strings.Join(p.FeatureNames(), ", "); got != `"a" in x, "b" in x` {
			t.Errorf("names: got %s", got)
		}
		for i, row := range features(t, apply(t, p, b, Options{})) {
			near(t, fmt.Sprintf("%+v, row %d", c.text, i), row, c.want[i], 0)
		}
	}
	for _, over := range []Feature{{Text: &Text{MaxDistinct: 2}}, {Target: &Target{MaxDistinct: 1}}} {
		over.Column = "x"
		_, err := analyze(t, Spec{Features: []Feature{over}, Label: Label{Column: "y"}}, b).Plan()
		if err == nil || !strings.Contains(err.Error(), "max_distinct") {
			t.Errorf("too many terms or tokens: got %v want an error with the remedy", err)
		}
	}
}

func TestValidateForms(t *testing.T) {
	for _, c := range []struct {
		f    Feature
		path string
	}{
		{Feature{Hash: &Hash{}}, "hash.buckets"},
		{Feature{Hash: &Hash{Buckets: 3}, Vocabulary: &Vocabulary{}}, "hash"},
		{Feature{Hash: &Hash{Buckets: 3}, Fill: &Fill{With: "most_frequent"}}, "fill.with"},
		{Feature{Hash: &Hash{Buckets: 3}, Scale: "z_score"}, "scale"},
		{Feature{Cross: &Cross{Buckets: 3}}, "cross.with"},
		{Feature{Cross: &Cross{Buckets: 3, With: []string{"k"}}}, "cross.with"},
		{Feature{Cross: &Cross{Buckets: 3, With: []string{"x"}}}, "cross.with[0]"},
		{Feature{Cross: &Cross{Buckets: 3, With: []string{"s"}}, Fill: &Fill{With: "most_frequent"}}, "fill"},
		{Feature{Target: &Target{Folds: 1}}, "target.folds"},
		{Feature{Target: &Target{Smoothing: -1}}, "target.smoothing"},
		{Feature{Target: &Target{Key: []string{"nope"}}}, "target.key[0]"},
		{Feature{Target: &Target{MaxDistinct: -1}}, "target.max_distinct"},
		{Feature{Target: &Target{}, Encode: "one_hot"}, "encode"},
		{Feature{Text: &Text{Split: "letters"}}, "text.split"},
		{Feature{Text: &Text{Weight: "bm25"}}, "text.weight"},
		{Feature{Text: &Text{Ngrams: &Ngrams{Min: 3, Max: 2}}}, "text.ngrams"},
		{Feature{Text: &Text{Weight: "tf", Unsmoothed: true}}, "text.unsmoothed"},
		{Feature{Text: &Text{TopK: MaxWidth + 1}}, "text.top_k"},
	} {
		c.f.Column = "k"
		faultAt(t, c.f, c.path)
	}
	faultAt(t, Feature{Column: "i", Text: &Text{}}, "text")
	faultAt(t, Feature{Column: "x", Hash: &Hash{Buckets: 3}}, "column")
}
