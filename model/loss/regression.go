package loss

import (
	"fmt"

	"github.com/millrace-go/millrace/model/graph"
)

// MSE is (x-y)².
func MSE(b *graph.B, x, y *graph.Value, r Reduction) *graph.Value {
	if !same(b, "MSE", x, y) {
		return nil
	}
	d := b.Sub(x, y)
	return reduce(b, b.Mul(d, d), r)
}

// L1 is |x-y|; its gradient where they are equal is 0.
func L1(b *graph.B, x, y *graph.Value, r Reduction) *graph.Value {
	if !same(b, "L1", x, y) {
		return nil
	}
	return reduce(b, b.Op("Abs", nil, b.Sub(x, y)), r)
}

// Huber is ½(x-y)² where |x-y| ≤ delta, else delta·(|x-y| - ½delta); delta > 0.
func Huber(b *graph.B, x, y *graph.Value, delta float64, r Reduction) *graph.Value {
	if !(delta > 0) {
		b.Fail(fmt.Errorf("loss.Huber: delta %g, want > 0", delta))
	}
	if !same(b, "Huber", x, y) {
		return nil
	}
	return reduce(b, bent(b, b.Sub(x, y), delta), r)
}

// SmoothL1 is ½(x-y)²/beta where |x-y| < beta, else |x-y| - ½beta; beta ≥ 0, and
// L1 for 0.
func SmoothL1(b *graph.B, x, y *graph.Value, beta float64, r Reduction) *graph.Value {
	if !(beta >= 0) {
		b.Fail(fmt.Errorf("loss.SmoothL1: beta %g, want >= 0", beta))
	}
	if beta == 0 {
		return L1(b, x, y, r)
	}
	if !same(b, "SmoothL1", x, y) {
		return nil
	}
	return reduce(b, scaled(b, bent(b, b.Sub(x, y), beta), 1/beta), r)
}

// bent is ½d² up to |d| = at, and goes on straight.
func bent(b *graph.B, d *graph.Value, at float64) *graph.Value {
	size := b.Op("Abs", nil, d)
	if b.Err() != nil {
		return nil
	}
	square := scaled(b, b.Mul(d, d), 0.5)
	line := scaled(b, b.Sub(size, b.Like(d, at/2)), at)
	return where(b, b.Op("Less", nil, size, b.Like(d, at)), square, line)
}
