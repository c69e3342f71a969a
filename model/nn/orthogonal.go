package nn

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel/philox"
	"github.com/millrace-go/millrace/model/weights"
)

// Orthogonal draws gain times a matrix with orthonormal rows or, if there are
// more rows than columns, columns; all dimensions but the first are the columns. It
// is the Q of a matrix of normal draws where R has a positive diagonal, which is
// uniform among all such (Saxe et al., https://arxiv.org/abs/1312.6120).
func Orthogonal(gain float64) Initializer {
	return func(t weights.Tensor, s philox.Stream) error {
		shape := t.Shape()
		if len(shape) < 2 {
			return fmt.Errorf("%d dimensions, want two or more", len(shape))
		}
		if !isFinite(gain) {
			return fmt.Errorf("gain %v, want a finite one", gain)
		}
		data := t.Data()
		if len(data) == 0 {
			return nil
		}
		s.Normal(data, 0)
		rows := shape[0]
		cols := len(data) / rows
		vectors := make([][]float64, min(rows, cols))
		for i := range vectors {
			vectors[i] = make([]float64, max(rows, cols))
			for j := range vectors[i] {
				vectors[i][j] = float64(data[entryAt(i, j, rows, cols)])
			}
		}
		orthonormalize(vectors)
		for i, v := range vectors {
			for j, x := range v {
				data[entryAt(i, j, rows, cols)] = float32(gain * x)
			}
		}
		return nil
	}
}

// entryAt is where element j of the i-th row or, if there are more rows than columns,
// column is.
func entryAt(i, j, rows, cols int) int {
	if rows > cols {
		return j*cols + i
	}
	return i*cols + j
}

// orthonormalize is the Gram-Schmidt process. What it takes away it takes away
// twice, which is enough for orthogonality to the last places.
func orthonormalize(vectors [][]float64) {
	for i, v := range vectors {
		for range 2 {
			for _, u := range vectors[:i] {
				p := dotProduct(u, v)
				for j, x := range u {
					v[j] -= float64(p * x)
				}
			}
		}
		norm := math.Sqrt(dotProduct(v, v))
		for j := range v {
			v[j] /= norm
		}
	}
}

// dotProduct rounds every product before it is added, so that no CPU fuses the two.
func dotProduct(a, b []float64) float64 {
	var s [4]float64 // sums that do not wait for each other
	n := len(a) / 4 * 4
	for j := 0; j < n; j += 4 {
		x, y := a[j:j+4:j+4], b[j:j+4:j+4]
		s[0] += float64(x[0] * y[0])
		s[1] += float64(x[1] * y[1])
		s[2] += float64(x[2] * y[2])
		s[3] += float64(x[3] * y[3])
	}
	for j := n; j < len(a); j++ {
		s[0] += float64(a[j] * b[j])
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}
