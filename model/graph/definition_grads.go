package graph

import (
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// Gradients that have kernels, by operators that have gradients of their own: for
// gradients of higher order. They take more memory than the kernels.

// spellCumProdGrad is dx[i] = Σ dy[j]·Π x[k], where j runs over the results that x[i]
// is in and k over the other factors of y[j]: these are running products of a matrix
// whose row i is x with 1 in the place i.
func spellCumProdGrad(b *B, n *Node) []*Value {
	dy, x := n.Inputs[0], n.Inputs[1]
	shape, t := x.Type.Shape, x.Type.DType
	axis := cumulativeAxis(b, n)
	if b.err != nil || len(shape) == 0 {
		return nil
	}
	size, last := shape[axis], len(shape)
	perm := make([]int, 0, last)
	for d := range shape {
		if d != axis {
			perm = append(perm, d)
		}
	}
	perm = append(perm, axis)
	inverse := make([]int, last)
	for i, d := range perm {
		inverse[d] = i
	}
	rows := accel.Size(shape) / max(1, size)
	row := func(v *Value) *Value { return b.Reshape(b.Transpose(v, perm...), rows, 1, size) }
	itself, counts := accel.NewArray(accel.Bool, size, size), accel.NewArray(accel.Bool, size, size)
	exclusive, reverse := n.Attrs.Bool("exclusive", false), n.Attrs.Bool("reverse", false)
	for i := range size {
		accel.Values[bool](itself)[i*size+i] = true
		for j := range size {
			accel.Values[bool](counts)[i*size+j] = i == j && !exclusive || i != j && (i < j) != reverse
		}
	}
	others := b.Op("CumProd", n.Attrs, b.Op("Where", nil, b.Const(itself), b.Like(x, 1), row(x)), b.Ints(2))
	terms := b.Mul(b.Op("Where", nil, b.Const(counts), others, b.Scalar(t, 0)), row(dy))
	moved := make([]int, last)
	for i, d := range perm {
		moved[i] = shape[d]
	}
	return []*Value{b.Transpose(b.Reshape(b.ReduceSum(terms, false, 2), moved...), inverse...)}
}

// cumulativeAxis is the axis of a CumProdGrad.
func cumulativeAxis(b *B, n *Node) int {
	axes, err := (&Context{Node: n, g: b.G}).Ints(2)
	b.Fail(err)
	if b.err != nil {
		return 0
	}
	axis, err := axisOf(axes[0], len(n.Inputs[1].Type.Shape))
	b.Fail(err)
	return axis
}

// spellDetGrad is dy times the cofactors: determinants of minors, with signs.
func spellDetGrad(b *B, n *Node) []*Value {
	dy, x := n.Inputs[0], n.Inputs[1]
	shape := x.Type.Shape
	stack, m := shape[:len(shape)-2], shape[len(shape)-1]
	wide := slices.Concat(stack, []int{1, 1})
	if m < 2 { // the determinant of no rows is 1
		return []*Value{b.Expand(b.Reshape(dy, wide...), shape...)}
	}
	minors, signs := make([]int, 0, m*m*(m-1)*(m-1)), accel.NewArray(accel.Float64, m, m)
	for k := range m * m {
		accel.Values[float64](signs)[k] = 1 - 2*float64((k/m+k%m)%2)
		for e := range m * m {
			if e/m != k/m && e%m != k%m {
				minors = append(minors, e)
			}
		}
	}
	flat := b.Reshape(x, slices.Concat(stack, []int{m * m})...)
	at := b.Reshape(b.Ints(minors...), m, m, m-1, m-1)
	parts := b.Op("Gather", accel.Attrs{accel.Int("axis", len(stack))}, flat, at)
	cofactors := b.Mul(b.Op("Det", nil, parts), b.Cast(b.Const(signs), x.Type.DType))
	return []*Value{b.Mul(b.Reshape(dy, wide...), cofactors)}
}

// spellLpPoolGrad is, for each window that x is in, dy·sign(x)·|x|ᵖ⁻¹/yᵖ⁻¹, and 0
// where y is. The windows are added up by the gradient of a mean over as many
// elements as the window has inside of the image.
func spellLpPoolGrad(b *B, n *Node) []*Value {
	dy, x := n.Inputs[0], n.Inputs[1]
	p := n.Attrs.Float("p", float64(n.Attrs.Int("p", 2)))
	power := func(v *Value, e float64) *Value { return b.Op("Pow", nil, v, b.Like(v, e)) }
	if b.err != nil {
		return nil
	}
	y := b.Op("LpPool", n.Attrs, x)
	zero := b.Op("Equal", nil, y, b.Like(dy, 0))
	each := b.Mul(dy, power(b.Op("Where", nil, zero, b.Like(dy, 1), y), 1-p))
	each = b.Op("Where", nil, zero, b.Like(dy, 0), each)
	count := b.Op("LpPool", n.Attrs.With(accel.Int("p", 1)), b.Expand(b.Like(x, 1), x.Type.Shape...))
	mean := n.Attrs.Without("p").With(accel.Int("count_include_pad", 0))
	sums := b.Op("AveragePoolGrad", mean, b.Mul(each, count), x)
	slope := b.Op("Sign", nil, x)
	if p != 1 {
		slope = b.Mul(slope, power(b.Op("Abs", nil, x), p-1))
	}
	return []*Value{b.Mul(slope, sums)}
}

// spellFusedAttentionGrad is the gradient of FusedAttention by the matrix of its
// weights: with w = softmax(scale·q·kᵀ + mask) and dw = dy·vᵀ,
//
//	ds = w·(dw - Σ dw·w), dq = scale·ds·k, dk = scale·dsᵀ·q, dv = wᵀ·dy
func spellFusedAttentionGrad(b *B, n *Node) []*Value {
	in := n.Inputs
	a, err := attentionSizesOf(n.Attrs, in[1].Type.Shape, in[2].Type.Shape, in[3].Type.Shape)
	b.Fail(err)
	if b.err != nil {
		return nil
	}
	times := a.heads / a.groups
	dy, q := b.byHead(in[0], a.heads), b.byHead(in[1], a.heads)
	k, v := b.repeatHeads(b.byHead(in[2], a.groups), times), b.repeatHeads(b.byHead(in[3], a.groups), times)
	mask, scale := n.Input(4), n.Attrs.Float("scale", 1/math.Sqrt(float64(a.d)))
	if n.Attrs.Bool("is_causal", false) {
		causal := b.causalMask(q.Type.DType, a.s, a.t, n.Attrs.Int("causal_offset", 0))
		if mask != nil {
			causal = b.Add(mask, causal)
		}
		mask = causal
	}
	product := func(x, y *Value, tx, ty bool, alpha float64) *Value {
		return b.Op("FusedMatMul", productAttrs(tx, ty, alpha), x, y)
	}
	scores := product(q, k, false, true, scale)
	var w *Value
	if mask == nil {
		w = b.Op("Softmax", nil, scores)
	} else {
		w = b.maskedSoftmax(b.Add(scores, mask), mask)
	}
	ds := b.Op("SoftmaxGrad", nil, product(dy, v, false, true, 1), w)
	return []*Value{
		b.besides(product(ds, k, false, false, scale), a.heads, a.flat),
		b.besides(product(ds, q, true, false, scale), a.groups, a.flat),
		b.besides(product(w, dy, true, false, 1), a.groups, a.flat),
	}
}

// besides adds the heads of x (B, H, S, D) up that share one of groups and, if flat,
// puts them side by side: (B, S, groups·D).
func (b *B) besides(x *Value, groups int, flat bool) *Value {
	if b.err != nil {
		return nil
	}
	s := x.Type.Shape
	if s[1] != groups {
		x = b.ReduceSum(b.Reshape(x, s[0], groups, s[1]/groups, s[2], s[3]), false, 2)
	}
	if flat {
		x = b.Reshape(b.Transpose(x, 0, 2, 1, 3), s[0], s[2], groups*s[3])
	}
	return x
}
