package graph

import (
	"github.com/millrace-go/millrace/accel"
)

// The gradients of operators that are gradients themselves. Most are linear in
// dy, and their gradient with respect to it is the operator that they belong to.

// softmaxGradGrad: dx = y·(dy - Σ dy·y) is symmetric in dy's place; with s = Σ dy·y,
// the gradient with respect to y is d·(dy - s) - dy·Σ d·y.
func softmaxGradGrad(b *backward, n *Node, d []*Value) []*Value {
	dy, y := n.Inputs[0], n.Inputs[1]
	out := make([]*Value, 2)
	if b.needs(dy) {
		out[0] = b.Op("SoftmaxGrad", nil, d[0], y)
	}
	if b.needs(y) {
		left := b.Mul(d[0], b.Sub(dy, b.lastSum(b.Mul(dy, y))))
		out[1] = b.Sub(left, b.Mul(dy, b.lastSum(b.Mul(d[0], y))))
	}
	return out
}

// logSoftmaxGradGrad: of dx = dy - exp(y)·Σ dy.
func logSoftmaxGradGrad(b *backward, n *Node, d []*Value) []*Value {
	dy, y := n.Inputs[0], n.Inputs[1]
	out, p := make([]*Value, 2), b.Mul(d[0], b.Op("Exp", nil, y))
	if b.needs(dy) {
		out[0] = b.Sub(d[0], b.lastSum(p))
	}
	if b.needs(y) {
		out[1] = b.neg(b.Mul(p, b.lastSum(dy)))
	}
	return out
}

// lastSum is the sum along the last axis, which stays; of a scalar, the scalar.
func (b *backward) lastSum(x *Value) *Value {
	if b.err != nil || len(x.Type.Shape) == 0 {
		return x
	}
	return b.ReduceSum(x, true, len(x.Type.Shape)-1)
}

// convDataGradGrad: dx is bilinear in dy and w.
func convDataGradGrad(b *backward, n *Node, d []*Value) []*Value {
	dy, w := n.Inputs[0], n.Inputs[1]
	out := make([]*Value, 3)
	if b.needs(dy) {
		out[0] = b.convOf(n, d[0], w)
	}
	if b.needs(w) {
		out[1] = b.Op("ConvWeightsGrad", n.Attrs, dy, d[0], b.Ints(w.Type.Shape...))
	}
	return out
}

// convWeightsGradGrad: dw is bilinear in dy and x.
func convWeightsGradGrad(b *backward, n *Node, d []*Value) []*Value {
	dy, x := n.Inputs[0], n.Inputs[1]
	out := make([]*Value, 3)
	if b.needs(dy) {
		out[0] = b.convOf(n, x, d[0])
	}
	if b.needs(x) {
		out[1] = b.Op("ConvDataGrad", n.Attrs, dy, d[0], b.Ints(x.Type.Shape...))
	}
	return out
}

// convOf is the convolution whose gradient n is.
func (b *backward) convOf(n *Node, x, w *Value) *Value {
	if n.Attrs.Bool("transposed", false) {
		return b.Op("ConvTranspose", n.Attrs.Without("transposed"), x, w)
	}
	return b.Op("Conv", n.Attrs, x, w)
}

// convBiasGradGrad spreads each channel's number over the channel.
func convBiasGradGrad(b *backward, n *Node, d []*Value) []*Value {
	dy := n.Inputs[0].Type.Shape
	column := make([]int, len(dy))
	for i := range column {
		column[i] = 1
	}
	column[1] = dy[1]
	return []*Value{b.Expand(b.Reshape(d[0], column...), dy...)}
}

// averagePoolGradGrad is the pool itself.
func averagePoolGradGrad(b *backward, n *Node, d []*Value) []*Value {
	return []*Value{b.Op("AveragePool", n.Attrs, d[0]), nil}
}

// maxPoolGradGrad takes d at the places of the maxima.
func maxPoolGradGrad(b *backward, n *Node, d []*Value) []*Value {
	places := b.Ops("MaxPool", 2, n.Attrs.Without("storage_order"), n.Inputs[1])[1]
	if b.err != nil {
		return nil
	}
	return []*Value{b.Op("Gather", nil, b.Reshape(d[0], accel.Size(d[0].Type.Shape)), places), nil}
}

// lossGradGrad: the gradient of the negative log-likelihood depends on dy and the
// labels alone.
func lossGradGrad(b *backward, n *Node, d []*Value) []*Value {
	in := append([]*Value{d[0]}, n.Inputs[2:]...)
	return []*Value{b.Op("NegativeLogLikelihoodLoss", n.Attrs, in...), nil, nil, nil}[:len(n.Inputs)]
}

// roiAlignGradGrad is RoiAlign itself.
func roiAlignGradGrad(b *backward, n *Node, d []*Value) []*Value {
	return []*Value{b.Op("RoiAlign", n.Attrs, d[0], n.Inputs[2], n.Inputs[3]), nil, nil, nil}
}

// spellMishGrad is MishGrad by its formula.
func spellMishGrad(b *B, n *Node) []*Value {
	dy, x := n.Inputs[0], n.Inputs[1]
	t, s := b.Op("Tanh", nil, b.Op("Softplus", nil, x)), b.Op("Sigmoid", nil, x)
	curve := b.Mul(b.Mul(x, s), b.Sub(b.Like(x, 1), b.Mul(t, t)))
	return []*Value{b.Mul(dy, b.Add(t, curve))}
}

// spellFusedConv is FusedConv by the operators that it was made of.
func spellFusedConv(b *B, n *Node) []*Value {
	y := b.Op("Conv", n.Attrs.Without("activation"), n.Inputs[0], n.Inputs[1], n.Input(2))
	if n.Input(3) != nil {
		y = b.Add(y, n.Inputs[3])
	}
	if n.Attrs.Str("activation", "none") == "Relu" {
		y = b.Op("Relu", nil, y)
	}
	return []*Value{y}
}

// spellLayerNormGrad is LayerNormGrad by its formula,
//
//	dx = invstd·(g - mean(g) - h·mean(g·h)), g = dy·scale, h = (x-mean)·invstd
//
// with the statistics computed from x, so that gradients flow through them. It is
// for floats that are not half precision.
func spellLayerNormGrad(b *B, n *Node) []*Value {
	dy, x, scale := n.Inputs[0], n.Inputs[1], n.Inputs[2]
	lead, axes := rowNormAxes(n)
	centered := b.Sub(x, b.ReduceMean(x, true, axes...))
	invstd := b.inverseRoot(b.ReduceMean(b.Mul(centered, centered), true, axes...), n)
	h, g := b.Mul(centered, invstd), b.Mul(dy, scale)
	inner := b.Sub(b.Sub(g, b.ReduceMean(g, true, axes...)), b.Mul(h, b.ReduceMean(b.Mul(g, h), true, axes...)))
	return []*Value{b.Mul(invstd, inner), b.ReduceSum(b.Mul(dy, h), false, lead...), b.ReduceSum(dy, false, lead...)}
}

// spellRMSNormGrad is the same without the mean.
func spellRMSNormGrad(b *B, n *Node) []*Value {
	dy, x, scale := n.Inputs[0], n.Inputs[1], n.Inputs[2]
	lead, axes := rowNormAxes(n)
	invrms := b.inverseRoot(b.ReduceMean(b.Mul(x, x), true, axes...), n)
	h, g := b.Mul(x, invrms), b.Mul(dy, scale)
	inner := b.Sub(g, b.Mul(h, b.ReduceMean(b.Mul(g, h), true, axes...)))
	return []*Value{b.Mul(invrms, inner), b.ReduceSum(b.Mul(dy, h), false, lead...)}
}

// rowNormAxes are the axes of x before those that scale has, and these.
func rowNormAxes(n *Node) (lead, axes []int) {
	rank, own := len(n.Inputs[1].Type.Shape), len(n.Inputs[2].Type.Shape)
	for i := range rank {
		if i < rank-own {
			lead = append(lead, i)
		} else {
			axes = append(axes, i)
		}
	}
	return lead, axes
}

// inverseRoot is 1/√(v+epsilon).
func (b *B) inverseRoot(v *Value, n *Node) *Value {
	if b.err != nil {
		return nil
	}
	return b.Op("Reciprocal", nil, b.Op("Sqrt", nil, b.Add(v, b.Like(v, n.Attrs.Float("epsilon", 1e-5)))))
}

// spellChannelNormGrad is BatchNormGrad or GroupNormGrad by the formula of
// spellLayerNormGrad, over what was normalised together. The variance is computed
// from x, so that gradients flow through it; what invstd says beside it is epsilon.
func spellChannelNormGrad(b *B, n *Node) []*Value {
	s := n.Inputs[1].Type.Shape
	groups, over := s[1], []int{0, 3}
	if n.Op == "GroupNormGrad" {
		groups, over = n.Attrs.Int("num_groups", 1), []int{2, 3}
	}
	wide := []int{s[0], groups, s[1] / max(1, groups), accel.Size(s[2:])}
	dy, x := b.Reshape(n.Inputs[0], wide...), b.Reshape(n.Inputs[1], wide...)
	t := n.Inputs[1].Type.DType
	scale := b.Reshape(b.Cast(n.Inputs[2], t), 1, wide[1], wide[2], 1)
	mean := func(v *Value) *Value { return b.ReduceMean(v, true, over...) }
	centered := b.Sub(x, mean(x))
	variance := mean(b.Mul(centered, centered))
	if b.err != nil {
		return nil
	}
	given := b.Reshape(b.Cast(n.Inputs[4], t), variance.Type.Shape...)
	epsilon := b.Op("StopGradient", nil, b.Sub(b.Op("Reciprocal", nil, b.Mul(given, given)), variance))
	invstd := b.Op("Reciprocal", nil, b.Op("Sqrt", nil, b.Add(variance, epsilon)))
	h, g := b.Mul(centered, invstd), b.Mul(dy, scale)
	dx := b.Mul(invstd, b.Sub(b.Sub(g, mean(g)), b.Mul(h, mean(b.Mul(g, h)))))
	channel := func(v *Value) *Value {
		return b.Cast(b.Reshape(b.ReduceSum(v, true, 0, 3), s[1]), n.Inputs[2].Type.DType)
	}
	return []*Value{b.Reshape(dx, s...), channel(b.Mul(dy, h)), channel(dy)}
}
