package cpu

import (
	"github.com/millrace-go/millrace/accel"
)

var ngramKernels = map[string]builder{"TfIdfVectorizer": {in: 1, out: 1, make: tfidf}}

// gram is a node of a tree of n-grams: a token after those of the nodes above.
type gram struct {
	next   map[int64]*gram
	column int // of the n-gram that ends here, -1 for none
}

func newGram() *gram { return &gram{next: map[int64]*gram{}, column: -1} }

// grams makes the tree of the pool, of which the part from starts[n-1] on has
// n-grams of n tokens.
func grams(pool, starts, columns []int) *gram {
	root, at := newGram(), 0
	for i := range starts {
		end := len(pool)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		for p := starts[i]; p < end; p += i + 1 {
			g := root
			for _, token := range pool[p : p+i+1] {
				if g.next[int64(token)] == nil {
					g.next[int64(token)] = newGram()
				}
				g = g.next[int64(token)]
			}
			g.column = columns[at]
			at++
		}
	}
	return root
}

// tfidf counts n-grams; package graph has checked the attributes.
func tfidf(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Int32:
		return tfidfOf[int32](c)
	case accel.Int64:
		return tfidfOf[int64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

func tfidfOf[T int32 | int64](c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(c.Op, []*tensor{y}, accel.Float32); err != nil {
		return nil, err
	}
	width, length := y.Shape[len(y.Shape)-1], x.Shape[len(x.Shape)-1]
	rows := y.n / width
	if x.n != rows*length {
		return nil, shapeErr(x, y)
	}
	root := grams(c.Ints("pool_int64s"), c.Ints("ngram_counts"), c.Ints("ngram_indexes"))
	shortest, longest, skips := c.Int("min_gram_length", 1), c.Int("max_gram_length", 1), c.Int("max_skip_count", 0)
	weights, mode := c.Floats("weights"), c.Str("mode", "TF")
	return func(f *frame) error {
		tokens, out := data[T](f, x), data[float32](f, y)
		clear(out)
		for r := range rows {
			row, counts := tokens[r*length:(r+1)*length], out[r*width:(r+1)*width]
			for step := 1; step <= skips+1 && step <= max(1, length); step++ {
				from := shortest
				if step > 1 {
					from = max(from, 2) // one token has nothing between
				}
				countGrams(counts, row, root, step, from, longest)
			}
			weigh(counts, weights, mode)
		}
		return nil
	}, nil
}

// countGrams counts the n-grams of every step-th token, of from to to tokens.
func countGrams[T int32 | int64](counts []float32, row []T, root *gram, step, from, to int) {
	for at := range row {
		g := root
		for n := 1; n <= to && at+(n-1)*step < len(row); n++ {
			if g = g.next[int64(row[at+(n-1)*step])]; g == nil {
				break
			}
			if n >= from && g.column >= 0 {
				counts[g.column]++
			}
		}
	}
}

func weigh(counts []float32, weights []float64, mode string) {
	if mode == "TF" {
		return
	}
	for i, n := range counts {
		if n > 0 && mode == "IDF" {
			counts[i] = 1
		}
		if weights != nil {
			counts[i] *= float32(weights[i])
		}
	}
}
