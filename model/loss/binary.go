package loss

import (
	"fmt"

	"github.com/millrace-go/millrace/model/graph"
)

// Binary are the options of BCEWithLogits. Both weights broadcast to x; nil is 1.
type Binary struct {
	Weights   *graph.Value // of each loss
	PosWeight *graph.Value // of the term of y
	Reduction Reduction
}

// BCEWithLogits is the binary cross-entropy of the sigmoid of x and targets y
// between 0 and 1,
//
//	-(p·y·log σ(x) + (1-y)·log(1-σ(x))), p the PosWeight
//
// computed as (1-y)·x + (1+(p-1)·y)·softplus(-x), which no x makes overflow.
func BCEWithLogits(b *graph.B, x, y *graph.Value, o Binary) *graph.Value {
	if !same(b, "BCEWithLogits", x, y) {
		return nil
	}
	one := b.Like(x, 1)
	l := b.Op("Softplus", nil, neg(b, x))
	if o.PosWeight != nil {
		l = b.Mul(l, b.Add(one, b.Mul(b.Sub(o.PosWeight, one), y)))
	}
	l = b.Add(b.Mul(b.Sub(one, y), x), l)
	if o.Weights != nil {
		l = b.Mul(l, o.Weights)
	}
	return reduce(b, l, o.Reduction)
}

// KLDiv is target·(log target - logq): the Kullback-Leibler divergence of the
// distribution target from that of the log-probabilities logq, of one shape. With
// logTarget, target holds log-probabilities too. 0·log 0 is 0. The divergence of
// a batch of distributions is that of BatchMean.
func KLDiv(b *graph.B, logq, target *graph.Value, logTarget bool, r Reduction) *graph.Value {
	if !same(b, "KLDiv", logq, target) {
		return nil
	}
	p, logp := target, target
	if logTarget {
		p = b.Op("Exp", nil, target)
	} else {
		some := b.Op("Greater", nil, target, b.Like(target, 0))
		logp = b.Op("Log", nil, where(b, some, target, b.Like(target, 1)))
	}
	return reduce(b, b.Mul(p, b.Sub(logp, logq)), r)
}

// Hinge is max(0, margin - y·x) with y of 1 and -1: the loss of a support vector
// machine with margin 1.
func Hinge(b *graph.B, x, y *graph.Value, margin float64, r Reduction) *graph.Value {
	if !same(b, "Hinge", x, y) {
		return nil
	}
	return reduce(b, atLeast0(b, b.Sub(b.Like(x, margin), b.Mul(x, y))), r)
}

// HingeEmbedding is x where y is 1, and max(0, margin - x) where it is -1: x is
// the distance of a pair that belongs together, or does not.
func HingeEmbedding(b *graph.B, x, y *graph.Value, margin float64, r Reduction) *graph.Value {
	if !same(b, "HingeEmbedding", x, y) {
		return nil
	}
	zero := b.Like(x, 0)
	near := where(b, equals(b, y, -1), zero, x)
	far := where(b, equals(b, y, 1), zero, atLeast0(b, b.Sub(b.Like(x, margin), x)))
	return reduce(b, b.Add(near, far), r)
}

// CosineEmbedding is 1 - cos(x1, x2) of rows (N, D) where y (N) is 1, and
// max(0, cos(x1, x2) - margin) where it is -1.
func CosineEmbedding(b *graph.B, x1, x2, y *graph.Value, margin float64, r Reduction) *graph.Value {
	if !same(b, "CosineEmbedding", x1, x2) {
		return nil
	}
	if s := x1.Type.Shape; len(s) != 2 || !y.Type.Shape.Equal(s[:1]) {
		b.Fail(fmt.Errorf("loss.CosineEmbedding: %s and %s, want (N, D) and (N)", x1, y))
		return nil
	}
	dot := func(x, y *graph.Value) *graph.Value { return b.ReduceSum(b.Mul(x, y), false, 1) }
	size := func(x *graph.Value) *graph.Value { return b.Add(dot(x, x), b.Like(x, tiny)) }
	cos := b.Div(dot(x1, x2), b.Op("Sqrt", nil, b.Mul(size(x1), size(x2))))
	if b.Err() != nil {
		return nil
	}
	zero := b.Like(cos, 0)
	together := where(b, equals(b, y, 1), b.Sub(b.Like(cos, 1), cos), zero)
	apart := where(b, equals(b, y, -1), atLeast0(b, b.Sub(cos, b.Like(cos, margin))), zero)
	return reduce(b, b.Add(together, apart), r)
}

// tiny is what PyTorch adds to squared lengths, against division by zero.
const tiny = 1e-12
