package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opTfIdfVectorizer counts n-grams in rows of int32 or int64 tokens, (tokens) or
// (rows, tokens) -> (columns) or (rows, columns) float32. pool_int64s lists
// the n-grams, those of one token first; ngram_counts says where those of each
// length begin, and ngram_indexes in which column of the result each n-gram is
// counted. The n-grams have min_gram_length to max_gram_length tokens, with up to
// max_skip_count tokens left out between each two. By mode, a column is the count
// (TF), its weight if the count is not 0 (IDF), or their product (TFIDF);
// weights are 1 if left out.
var opTfIdfVectorizer = operator{
	name: "TfIdfVectorizer", min: 1, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		a := c.Attrs
		if err := c.IsA(0, accel.Int32, accel.Int64); err != nil {
			return nil, err
		}
		if a.Has("pool_strings") {
			return nil, fmt.Errorf("n-grams of strings: %w", accel.ErrUnsupported)
		}
		if r := c.Rank(0); r != 1 && r != 2 {
			return nil, fmt.Errorf("tokens %v, want one or two dimensions", c.Shape(0))
		}
		columns := a.Ints("ngram_indexes")
		if len(columns) == 0 || slices.Min(columns) < 0 {
			return nil, fmt.Errorf("ngram_indexes are %v", columns)
		}
		width := slices.Max(columns) + 1
		if w := a.Floats("weights"); w != nil && len(w) != width {
			return nil, fmt.Errorf("%d weights for %d columns", len(w), width)
		}
		if m := a.Str("mode", ""); m != "TF" && m != "IDF" && m != "TFIDF" {
			return nil, fmt.Errorf("mode %q", m)
		}
		if lo, hi := a.Int("min_gram_length", 0), a.Int("max_gram_length", 0); lo < 1 || hi < lo || a.Int("max_skip_count", 0) < 0 {
			return nil, fmt.Errorf("n-grams of %d to %d tokens, up to %d skipped", lo, hi, a.Int("max_skip_count", 0))
		}
		if err := checkPool(a.Ints("pool_int64s"), a.Ints("ngram_counts"), columns); err != nil {
			return nil, err
		}
		out := slices.Clone(c.Shape(0))
		out[len(out)-1] = width
		return one(accel.Float32, out)
	},
}

// checkPool checks that the pool divides into as many n-grams as there are columns.
func checkPool(pool, starts, columns []int) error {
	if len(starts) == 0 {
		return errors.New("no ngram_counts")
	}
	grams := 0
	for i, from := range starts {
		to := len(pool)
		if i+1 < len(starts) {
			to = starts[i+1]
		}
		if from < 0 || to < from || to > len(pool) || (to-from)%(i+1) != 0 {
			return fmt.Errorf("n-grams of %d tokens are %d to %d of a pool of %d", i+1, from, to, len(pool))
		}
		grams += (to - from) / (i + 1)
	}
	if starts[0] != 0 || grams != len(columns) {
		return fmt.Errorf("a pool of %d n-grams from %d on, with %d columns", grams, starts[0], len(columns))
	}
	return nil
}
