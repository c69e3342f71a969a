package graph

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opAttention is ONNX's scaled dot-product attention. It takes q, k and v in the
// shapes of FusedAttention, a mask, keys and values of the past (B, G, P, D) that
// go before the others, and how many keys of each image count (B):
//
//	Attention(q, k, v, [attn_mask], [past_key], [past_value], [nonpad_kv_seqlen])
//	  -> y, present_key, present_value, qk_matmul_output
//
// The mask is added, or of bools: false hides. It may have fewer keys than there
// are; the others are hidden. is_causal hides what lies behind the query's own
// place, which is behind the past, or with nonpad_kv_seqlen at the end of what
// counts; left_window_size and right_window_size (-1: none) bound the distance
// from there. Scores are scaled by scale (1/√D), bounded to ±softcap by
// softcap·tanh(score/softcap) if that is not 0, masked, and normalised in the
// type softmax_precision. The last output is the scores as qk_matmul_output_mode
// says: raw, bounded, masked, or the probabilities.
//
// Where the scores are not asked for it becomes FusedAttention.
var opAttention = operator{
	name: "Attention", min: 3, max: 7, shapes: attentionRule,
	expand: func(b *B, n *Node) []*Value {
		a := &attentionBuilder{B: b, n: n}
		return a.build()
	},
}

func attentionRule(c *Context) ([]Type, error) {
	for i, set := range [][]accel.DType{floatTypes, floatTypes, floatTypes, append([]accel.DType{accel.Bool}, floatTypes...), floatTypes, floatTypes, {accel.Int64}} {
		if err := c.IsA(i, set...); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(c.Same(0, 1, 4), c.Same(2, 5)); err != nil {
		return nil, err
	}
	a, err := attentionSizesOf(c.Attrs, c.Shape(0), c.Shape(1), c.Shape(2))
	if err != nil {
		return nil, err
	}
	if c.Has(4) != c.Has(5) || c.Has(4) && c.Has(6) {
		return nil, errors.New("past_key and past_value belong together, and exclude nonpad_kv_seqlen")
	}
	total := a.t
	if c.Has(4) {
		past := c.Shape(4)
		if len(past) != 4 || !slices.Equal(past, []int{a.batch, a.groups, past[2], a.d}) || !slices.Equal(c.Shape(5), []int{a.batch, a.groups, past[2], a.e}) {
			return nil, fmt.Errorf("past_key %v and past_value %v for k %v and v %v", past, c.Shape(5), c.Shape(1), c.Shape(2))
		}
		total += past[2]
	}
	if c.Has(6) && !slices.Equal(c.Shape(6), []int{a.batch}) {
		return nil, fmt.Errorf("nonpad_kv_seqlen %v, want [%d]", c.Shape(6), a.batch)
	}
	if err := attentionMaskFits(c, a, total); err != nil {
		return nil, err
	}
	if m := c.Attrs.Int("qk_matmul_output_mode", 0); m < 0 || m > 3 {
		return nil, fmt.Errorf("qk_matmul_output_mode %d", m)
	}
	t, tv := c.DType(0), c.DType(2)
	return []Type{
		{DType: t, Shape: a.result()}, {DType: t, Shape: Shape{a.batch, a.groups, total, a.d}},
		{DType: tv, Shape: Shape{a.batch, a.groups, total, a.e}}, {DType: t, Shape: Shape{a.batch, a.heads, a.s, total}},
	}, nil
}

func attentionMaskFits(c *Context, a attentionSizes, total int) error {
	if !c.Has(3) {
		return nil
	}
	m := slices.Clone(c.Shape(3))
	if len(m) == 0 || m[len(m)-1] > total {
		return fmt.Errorf("mask %v for %d keys", m, total)
	}
	m[len(m)-1] = total
	full := []int{a.batch, a.heads, a.s, total}
	if s, err := Broadcast(m, full); err != nil || !slices.Equal(s, full) {
		return fmt.Errorf("mask %v, want what broadcasts to %v", c.Shape(3), full)
	}
	return nil
}

// attentionBuilder writes one Attention as other operators.
type attentionBuilder struct {
	*B
	n       *Node
	sizes   attentionSizes
	past, t int // keys of the past, and all
	q, k, v *Value
}

func (a *attentionBuilder) build() []*Value {
	in := a.n.Inputs
	sizes, err := attentionSizesOf(a.n.Attrs, in[0].Type.Shape, in[1].Type.Shape, in[2].Type.Shape)
	a.Fail(err)
	a.sizes, a.t = sizes, sizes.t
	a.q, a.k, a.v = in[0], in[1], in[2]
	out := make([]*Value, 4)
	if past := a.n.Input(4); past != nil || a.n.Output(1) != nil || a.n.Output(2) != nil || a.defined() {
		a.q, a.k, a.v = a.byHead(a.q, sizes.heads), a.byHead(a.k, sizes.groups), a.byHead(a.v, sizes.groups)
		if past != nil {
			a.past = past.Type.Shape[2]
			a.t += a.past
			a.k, a.v = a.Concat(2, past, a.k), a.Concat(2, a.n.Inputs[5], a.v)
		}
		out[1], out[2] = a.k, a.v
	}
	if a.err != nil {
		return out
	}
	a.v = a.Cast(a.v, a.q.Type.DType)
	if a.defined() {
		out[0], out[3] = a.definition()
	} else {
		out[0] = a.fused()
	}
	if a.err == nil && sizes.flat && len(out[0].Type.Shape) == 4 {
		out[0] = a.Reshape(a.Transpose(out[0], 0, 2, 1, 3), sizes.batch, sizes.s, sizes.heads*sizes.e)
	}
	return out
}

// defined reports whether the scores themselves are needed: because they are
// asked for, bounded, or wanted in another precision than FusedAttention's, which
// is float32 for half precision.
func (a *attentionBuilder) defined() bool {
	t := a.n.Inputs[0].Type.DType
	precision := a.n.Attrs.Str("softmax_precision", statType(t).String())
	return a.n.Output(3) != nil || a.n.Attrs.Float("softcap", 0) != 0 || precision != statType(t).String()
}

func (a *attentionBuilder) scale() float64 {
	return a.n.Attrs.Float("scale", 1/math.Sqrt(float64(a.sizes.d)))
}

func (a *attentionBuilder) fused() *Value {
	at := accel.Attrs{accel.Float("scale", a.scale())}
	if len(a.q.Type.Shape) == 3 {
		at = append(at, accel.Int("q_num_heads", a.sizes.heads), accel.Int("kv_num_heads", a.sizes.groups))
	}
	if a.n.Attrs.Bool("is_causal", false) && a.n.Input(6) == nil {
		at = append(at, accel.Int("is_causal", 1), accel.Int("causal_offset", a.past))
	}
	in := []*Value{a.q, a.k, a.v}
	if mask := a.mask(false); mask != nil {
		in = append(in, mask)
	}
	return a.Op("FusedAttention", at, in...)
}

// definition computes the scores; the second result is what of them is asked for.
func (a *attentionBuilder) definition() (y, shown *Value) {
	repeat := a.sizes.heads / a.sizes.groups
	k, v := a.repeatHeads(a.k, repeat), a.repeatHeads(a.v, repeat)
	t := a.q.Type.DType
	stages := make([]*Value, 4)
	stages[0] = a.Op("FusedMatMul", accel.Attrs{accel.Int("transB", 1), accel.Float("alpha", a.scale())}, a.q, k)
	scores := stages[0]
	if limit := a.n.Attrs.Float("softcap", 0); limit > 0 {
		scores = a.Mul(a.Op("Tanh", nil, a.Div(scores, a.Scalar(t, limit))), a.Scalar(t, limit))
	}
	stages[1] = scores
	mask := a.mask(true)
	if mask != nil {
		scores = a.Add(scores, mask)
	}
	stages[2] = scores
	precision, err := accel.ParseDType(a.n.Attrs.Str("softmax_precision", statType(t).String()))
	a.Fail(err)
	p := a.Op("Softmax", nil, a.Cast(scores, precision))
	if mask != nil {
		p = a.maskedSoftmax(a.Cast(scores, precision), mask)
	}
	stages[3] = a.Cast(p, t)
	return a.MatMul(stages[3], v), stages[a.n.Attrs.Int("qk_matmul_output_mode", 0)]
}

// mask is all that is added to the scores, nil for nothing; causality is left
// out where FusedAttention sees to it.
func (a *attentionBuilder) mask(all bool) *Value {
	mask := a.given()
	and := func(m *Value) {
		if mask == nil {
			mask = m
		} else if m != nil {
			mask = a.Add(mask, m)
		}
	}
	t, s := a.q.Type.DType, a.sizes.s
	causal := a.n.Attrs.Bool("is_causal", false)
	left, right := a.n.Attrs.Int("left_window_size", -1), a.n.Attrs.Int("right_window_size", -1)
	lengths := a.n.Input(6)
	if lengths == nil {
		if causal && all {
			and(a.causalMask(t, s, a.t, a.past))
		}
		if left >= 0 || right >= 0 {
			and(a.windowMask(left, right))
		}
		return mask
	}
	lengths = a.Reshape(lengths, a.sizes.batch, 1, 1, 1)
	key := a.Const(counts(0, a.t))
	and(a.hideUnless(a.Op("Less", nil, key, lengths)))
	query := a.Add(a.Sub(lengths, a.Ints(s)), a.Reshape(a.Const(counts(0, s)), s, 1)) // where a query is among the keys
	if causal {
		and(a.hideUnless(a.Op("LessOrEqual", nil, key, query)))
	}
	if left >= 0 {
		and(a.hideUnless(a.Op("GreaterOrEqual", nil, key, a.Sub(query, a.Ints(left)))))
	}
	if right >= 0 {
		and(a.hideUnless(a.Op("LessOrEqual", nil, key, a.Add(query, a.Ints(right)))))
	}
	return mask
}

// given is the mask of the node as it is added, for all keys.
func (a *attentionBuilder) given() *Value {
	mask := a.n.Input(3)
	if mask == nil {
		return nil
	}
	if mask.Type.DType == accel.Bool {
		mask = a.hideUnless(mask)
	}
	mask = a.Cast(mask, a.q.Type.DType)
	if a.err != nil {
		return nil
	}
	s := mask.Type.Shape
	if missing := a.t - s[len(s)-1]; missing > 0 {
		pad := slices.Clone([]int(s))
		pad[len(s)-1] = missing
		mask = a.Concat(len(s)-1, mask, a.Expand(a.Scalar(mask.Type.DType, math.Inf(-1)), pad...))
	}
	return mask
}

// hideUnless is 0 where the condition holds, else -Inf.
func (a *attentionBuilder) hideUnless(cond *Value) *Value {
	t := a.q.Type.DType
	return a.Op("Where", nil, cond, a.Scalar(t, 0), a.Scalar(t, math.Inf(-1)))
}

// windowMask hides the keys further than left before and right behind the query's
// own place, which is behind the past; -1 is no bound.
func (a *attentionBuilder) windowMask(left, right int) *Value {
	m := accel.NewArray(accel.Float32, a.sizes.s, a.t)
	for i := range a.sizes.s {
		for j := range a.t {
			at := i + a.past
			if left >= 0 && j < at-left || right >= 0 && j > at+right {
				accel.Values[float32](m)[i*a.t+j] = float32(math.Inf(-1))
			}
		}
	}
	return a.Cast(a.Const(m), a.q.Type.DType)
}

// counts is the vector from, from+1, … of n numbers.
func counts(from, n int) *accel.Array {
	v := make([]int, n)
	for i := range v {
		v[i] = from + i
	}
	return accel.Ints64(v...)
}
