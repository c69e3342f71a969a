package cpu

import (
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// TestNGrams counts 7, 8 and 1,2 and 3,4,5 in two rows, with and without one token
// between: 7 8 in the second row is no n-gram, 1 x 2 is one with a token skipped.
func TestNGrams(t *testing.T) {
	x := accel.ArrayOf(accel.Int64, []int{2, 6}, []int64{1, 2, 7, 1, 3, 2, 3, 4, 5, 7, 8, 7})
	attrs := accel.Attrs{
		accel.Ints("pool_int64s", 7, 8, 1, 2, 3, 4, 5), accel.Ints("ngram_counts", 0, 2, 4), accel.Ints("ngram_indexes", 3, 1, 0, 4),
		accel.Int("min_gram_length", 1), accel.Int("max_gram_length", 3), accel.Int("max_skip_count", 1),
	}
	for _, c := range []struct {
		mode    string
		weights []float64
		want    []float32
	}{
		{"TF", nil, []float32{2, 0, 0, 1, 0, 0, 1, 0, 2, 1}},
		{"TF", []float64{2, 3, 4, 5, 6}, []float32{2, 0, 0, 1, 0, 0, 1, 0, 2, 1}},
		{"IDF", nil, []float32{1, 0, 0, 1, 0, 0, 1, 0, 1, 1}},
		{"IDF", []float64{2, 3, 4, 5, 6}, []float32{2, 0, 0, 5, 0, 0, 3, 0, 5, 6}},
		{"TFIDF", []float64{2, 3, 4, 5, 6}, []float32{4, 0, 0, 5, 0, 0, 3, 0, 10, 6}},
	} {
		a := append(slices.Clone(attrs), accel.String("mode", c.mode))
		if c.weights != nil {
			a = append(a, accel.Floats("weights", c.weights...))
		}
		out := trial{op: "TfIdfVectorizer", attrs: a, in: []*accel.Array{x}, out: []accel.Tensor{typed(accel.Float32, 2, 5)}}.runAll(t)
		if got := accel.Values[float32](out[0]); !slices.Equal(got, c.want) {
			t.Errorf("%s, weights %v: got %v, want %v", c.mode, c.weights, got, c.want)
		}
	}
}
