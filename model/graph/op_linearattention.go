package graph

import (
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opLinearAttention is attention with a state S (d_k, d_v) for each head of keys
// instead of all keys. At each step t, with decay g and rate β where update_rule
// has them (linear: none; gated: g; delta: β; gated_delta, the default: both),
//
//	S ← exp(g)·S, w = v or β·(v - Sᵀk), S ← S + k·wᵀ, y = scale·Sᵀq
//
//	LinearAttention(query, key, value, [past_state], [decay], [beta]) -> y, present_state
//
// query is (B, T, Hq·d_k), key (B, T, Hk·d_k), value (B, T, Hk·d_v), states (B, Hk,
// d_k, d_v), decay (B, T, Hk) or (B, T, Hk·d_k), beta (B, T, Hk) or (B, T, 1). The
// attributes q_num_heads and kv_num_heads must be there; scale 0, the default, is
// 1/√d_k; chunk_size changes nothing. Half precision is computed in float32.
// See Yang et al., https://arxiv.org/abs/2412.06464.
var opLinearAttention = operator{
	name: "LinearAttention", min: 3, max: 6, shapes: linearAttentionRule, expand: expandLinearAttention,
}

// linearSizes are the sizes of a LinearAttention.
type linearSizes struct{ batch, steps, heads, groups, dk, dv int }

func linearSizesOf(at accel.Attrs, q, k, v []int) (linearSizes, error) {
	l := linearSizes{heads: at.Int("q_num_heads", 0), groups: at.Int("kv_num_heads", 0)}
	if len(q) != 3 || len(k) != 3 || len(v) != 3 || l.groups < 1 || l.heads < 1 || l.heads%l.groups != 0 {
		return l, fmt.Errorf("query %v, key %v, value %v with %d and %d heads do not fit together", q, k, v, l.heads, l.groups)
	}
	l.batch, l.steps, l.dk, l.dv = q[0], q[1], q[2]/l.heads, v[2]/l.groups
	lead := []int{l.batch, l.steps}
	if !slices.Equal(q, append(lead, l.heads*l.dk)) || !slices.Equal(k, append(lead, l.groups*l.dk)) || !slices.Equal(v, append(lead, l.groups*l.dv)) {
		return l, fmt.Errorf("query %v, key %v, value %v with %d and %d heads do not fit together", q, k, v, l.heads, l.groups)
	}
	return l, nil
}

func (l linearSizes) state() []int { return []int{l.batch, l.groups, l.dk, l.dv} }

// linearRule says if the node's update rule has a decay and a rate.
func linearRule(n *Node) (decay, rate bool, err error) {
	switch rule := n.Attrs.Str("update_rule", "gated_delta"); rule {
	case "linear":
	case "gated":
		decay = true
	case "delta":
		rate = true
	case "gated_delta":
		decay, rate = true, true
	default:
		return false, false, fmt.Errorf("update_rule %q, want linear, gated, delta or gated_delta", rule)
	}
	if decay != (n.Input(4) != nil) || rate != (n.Input(5) != nil) {
		return false, false, fmt.Errorf("update_rule %q: decay and beta are there where it has them, and else not", n.Attrs.Str("update_rule", "gated_delta"))
	}
	return decay, rate, nil
}

func linearAttentionRule(c *Context) ([]Type, error) {
	for _, i := range []int{0, 3} {
		if err := c.IsA(i, floatTypes...); err != nil {
			return nil, err
		}
	}
	if err := c.Same(0, 1, 2, 4, 5); err != nil {
		return nil, err
	}
	l, err := linearSizesOf(c.Attrs, c.Shape(0), c.Shape(1), c.Shape(2))
	if err != nil {
		return nil, err
	}
	decay, rate, err := linearRule(c.Node)
	if err != nil {
		return nil, err
	}
	state := c.DType(0)
	if c.Has(3) {
		if state = c.DType(3); !slices.Equal(c.Shape(3), l.state()) {
			return nil, fmt.Errorf("past_state %v, want %v", c.Shape(3), l.state())
		}
	}
	lead := []int{l.batch, l.steps}
	if decay && !slices.Equal(c.Shape(4), append(lead, l.groups)) && !slices.Equal(c.Shape(4), append(lead, l.groups*l.dk)) {
		return nil, fmt.Errorf("decay %v, want one for each of %d heads or their %d elements", c.Shape(4), l.groups, l.dk)
	}
	if rate && !slices.Equal(c.Shape(5), append(lead, l.groups)) && !slices.Equal(c.Shape(5), append(lead, 1)) {
		return nil, fmt.Errorf("beta %v, want one for each of %d heads, or one", c.Shape(5), l.groups)
	}
	return []Type{{DType: c.DType(0), Shape: Shape{l.batch, l.steps, l.heads * l.dv}}, {DType: state, Shape: l.state()}}, nil
}

func expandLinearAttention(b *B, n *Node) []*Value {
	l, err := linearSizesOf(n.Attrs, n.Inputs[0].Type.Shape, n.Inputs[1].Type.Shape, n.Inputs[2].Type.Shape)
	b.Fail(err)
	from := n.Inputs[0].Type.DType
	wide := statType(from)
	steps := func(i, heads int) []*Value { // (B, heads, width, 1) for each step
		v := n.Input(i)
		if v == nil {
			return make([]*Value, l.steps)
		}
		width := v.Type.Shape[2] / heads
		v = b.Reshape(b.Cast(v, wide), l.batch, l.steps, heads, width, 1)
		return b.unstack(v, 1)
	}
	rates := l.groups
	if v := n.Input(5); v != nil {
		rates = v.Type.Shape[2]
	}
	q, k, v, g, beta := steps(0, l.heads), steps(1, l.groups), steps(2, l.groups), steps(4, l.groups), steps(5, rates)
	state := b.Zeros(wide, l.state()...)
	stateType := from
	if past := n.Input(3); past != nil {
		stateType = past.Type.DType
		state = b.Cast(past, wide)
	}
	scale := n.Attrs.Float("scale", 0)
	if scale == 0 {
		scale = 1 / math.Sqrt(float64(l.dk))
	}
	transposed := accel.Attrs{accel.Int("transA", 1)}
	var out []*Value
	for t := range l.steps {
		if g[t] != nil {
			state = b.Mul(state, b.Op("Exp", nil, g[t]))
		}
		w := v[t]
		if beta[t] != nil {
			w = b.Mul(beta[t], b.Sub(w, b.Op("FusedMatMul", transposed, state, k[t])))
		}
		state = b.Add(state, b.Op("FusedMatMul", accel.Attrs{accel.Int("transB", 1)}, k[t], w))
		read := b.repeatHeads(state, l.heads/l.groups)
		y := b.Op("FusedMatMul", transposed.With(accel.Float("alpha", scale)), read, q[t])
		out = append(out, b.Reshape(y, l.batch, 1, l.heads*l.dv))
	}
	y := b.Zeros(from, l.batch, 0, l.heads*l.dv)
	if len(out) > 0 {
		y = b.Cast(b.Concat(1, out...), from)
	}
	return []*Value{y, b.Cast(state, stateType)}
}

// unstack cuts x along an axis into parts of one, without that axis.
func (b *B) unstack(x *Value, axis int) []*Value {
	if b.err != nil {
		return nil
	}
	s := x.Type.Shape
	n := s[axis]
	rest := slices.Delete(slices.Clone([]int(s)), axis, axis+1)
	parts := []*Value{x}
	if n != 1 {
		parts = b.Split(x, axis, slices.Repeat([]int{1}, n)...)
	}
	for i, p := range parts {
		parts[i] = b.Reshape(p, rest...)
	}
	return parts
}
