package graph

import (
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opFusedAttention is scaled dot-product attention (Vaswani et al.,
// https://arxiv.org/abs/1706.03762) of q, k, v and an optional additive mask:
//
//	y = softmax(scale·q·kᵀ + mask)·v
//
// for each image and head. q is (B, H, S, D), k (B, G, T, D), v (B, G, T, E) and y
// (B, H, S, E), where H is a multiple of G: each head of k and v serves H/G
// neighbouring ones of q. Or q is (B, S, H·D), k (B, T, G·D), v (B, T, G·E), y
// (B, S, H·E), with the attributes q_num_heads H and kv_num_heads G. The mask
// broadcasts to (B, H, S, T). scale is 1/√D by default. With is_causal, query i
// sees the keys up to i + causal_offset (0). A query that sees no key, by the
// mask's -Inf or by causality, gives zeros.
//
// It is no ONNX operator; Attention and the pass fuse-attention make it.
var opFusedAttention = operator{
	name: "FusedAttention", min: 3, max: 4,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if err := c.Same(0, 1, 2, 3); err != nil {
			return nil, err
		}
		a, err := attentionSizesOf(c.Attrs, c.Shape(0), c.Shape(1), c.Shape(2))
		if err != nil {
			return nil, err
		}
		if c.Has(3) {
			full := []int{a.batch, a.heads, a.s, a.t}
			if s, err := Broadcast(c.Shape(3), full); err != nil || !slices.Equal(s, full) {
				return nil, fmt.Errorf("mask %v, want what broadcasts to %v", c.Shape(3), full)
			}
		}
		return one(c.DType(0), a.result())
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		in := append([]*Value{dy[0]}, n.Inputs...)
		d := b.Ops("FusedAttentionGrad", 3, n.Attrs, in...)
		if len(n.Inputs) == 4 {
			d = append(d, nil)
			if b.needs(n.Inputs[3]) {
				d[3] = b.attentionMaskGrad(n, dy[0])
			}
		}
		return d
	},
	macs: func(n *Node) int64 {
		a, _ := attentionSizesOf(n.Attrs, n.Inputs[0].Type.Shape, n.Inputs[1].Type.Shape, n.Inputs[2].Type.Shape) // checked by the rule
		return int64(a.batch*a.heads) * int64(a.s*a.t) * int64(a.d+a.e)
	},
}

// opFusedAttentionGrad gives the gradients with respect to q, k and v, from dy
// and the inputs of FusedAttention, whose attributes it has.
var opFusedAttentionGrad = operator{
	name: "FusedAttentionGrad", min: 4, max: 5, outs: 3, definition: spellFusedAttentionGrad,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.Same(0, 1, 2, 3, 4); err != nil {
			return nil, err
		}
		a, err := attentionSizesOf(c.Attrs, c.Shape(1), c.Shape(2), c.Shape(3))
		if err != nil {
			return nil, err
		}
		if !slices.Equal(c.Shape(0), a.result()) {
			return nil, fmt.Errorf("gradient %v of a result %v", c.Shape(0), a.result())
		}
		if c.Has(4) {
			full := []int{a.batch, a.heads, a.s, a.t}
			if s, err := Broadcast(c.Shape(4), full); err != nil || !slices.Equal(s, full) {
				return nil, fmt.Errorf("mask %v, want what broadcasts to %v", c.Shape(4), full)
			}
		}
		var types []Type
		for i := 1; i < 4; i++ {
			types = append(types, Type{DType: c.DType(i), Shape: c.Shape(i)})
		}
		return types, nil
	},
	macs: func(n *Node) int64 {
		a, _ := attentionSizesOf(n.Attrs, n.Inputs[1].Type.Shape, n.Inputs[2].Type.Shape, n.Inputs[3].Type.Shape) // checked by the rule
		return int64(a.batch*a.heads) * int64(a.s*a.t) * int64(3*a.d+2*a.e)
	},
}

// attentionSizes are the sizes of an attention: see opFusedAttention.
type attentionSizes struct {
	batch, heads, groups, s, t, d, e int
	flat                             bool // the heads lie side by side in the last dimension
}

func attentionSizesOf(at accel.Attrs, q, k, v []int) (attentionSizes, error) {
	var a attentionSizes
	bad := fmt.Errorf("q %v, k %v, v %v with %d and %d heads do not fit together", q, k, v, at.Int("q_num_heads", 0), at.Int("kv_num_heads", 0))
	if len(q) != len(k) || len(q) != len(v) {
		return a, bad
	}
	var kd, vt int
	switch len(q) {
	case 4:
		a = attentionSizes{batch: q[0], heads: q[1], groups: k[1], s: q[2], t: k[2], d: q[3], e: v[3]}
		kd, vt = k[3], v[2]
		if v[1] != k[1] {
			return a, bad
		}
	case 3:
		h, g := at.Int("q_num_heads", 0), at.Int("kv_num_heads", 0)
		if h < 1 || g < 1 || q[2]%h != 0 || k[2]%g != 0 || v[2]%g != 0 {
			return a, bad
		}
		a = attentionSizes{batch: q[0], heads: h, groups: g, s: q[1], t: k[1], d: q[2] / h, e: v[2] / g, flat: true}
		kd, vt = k[2]/g, v[1]
	default:
		return a, bad
	}
	if k[0] != a.batch || v[0] != a.batch || kd != a.d || vt != a.t || a.groups < 1 || a.heads%a.groups != 0 || a.d < 1 {
		return a, bad
	}
	return a, nil
}

// result is the shape of y.
func (a attentionSizes) result() []int {
	if a.flat {
		return []int{a.batch, a.s, a.heads * a.e}
	}
	return []int{a.batch, a.heads, a.s, a.e}
}

// byHead gives x (B, S, H·D) the shape (B, H, S, D), if it is of rank 3.
func (b *B) byHead(x *Value, heads int) *Value {
	if b.err != nil || len(x.Type.Shape) != 3 {
		return x
	}
	s := x.Type.Shape
	return b.Transpose(b.Reshape(x, s[0], s[1], heads, s[2]/heads), 0, 2, 1, 3)
}

// repeatHeads repeats each head of x (B, G, T, D) times, one after the other.
func (b *B) repeatHeads(x *Value, times int) *Value {
	if b.err != nil || times == 1 {
		return x
	}
	s := x.Type.Shape
	wide := b.Expand(b.Reshape(x, s[0], s[1], 1, s[2], s[3]), s[0], s[1], times, s[2], s[3])
	return b.Reshape(wide, s[0], s[1]*times, s[2], s[3])
}

// attentionMaskGrad computes the gradient of the mask by the definition: of the
// scores, summed over what was broadcast.
func (b *backward) attentionMaskGrad(n *Node, dy *Value) *Value {
	a, err := attentionSizesOf(n.Attrs, n.Inputs[0].Type.Shape, n.Inputs[1].Type.Shape, n.Inputs[2].Type.Shape)
	b.Fail(err)
	if b.err != nil {
		return nil
	}
	q, k, v := b.byHead(n.Inputs[0], a.heads), b.byHead(n.Inputs[1], a.groups), b.byHead(n.Inputs[2], a.groups)
	k, v = b.repeatHeads(k, a.heads/a.groups), b.repeatHeads(v, a.heads/a.groups)
	mask := n.Inputs[3]
	if n.Attrs.Bool("is_causal", false) {
		mask = b.Add(mask, b.causalMask(mask.Type.DType, a.s, a.t, n.Attrs.Int("causal_offset", 0)))
	}
	scores := b.Add(b.product(q, k, false, true, n.Attrs.Float("scale", 1/math.Sqrt(float64(a.d)))), mask)
	p := b.maskedSoftmax(scores, mask)
	return b.unbroadcast(b.Op("SoftmaxGrad", nil, b.product(b.byHead(dy, a.heads), v, false, true, 1), p), n.Inputs[3])
}

// causalMask is (s, t): 0 where j <= i + offset, else -Inf.
func (b *B) causalMask(t accel.DType, s, keys, offset int) *Value {
	m := accel.NewArray(accel.Float32, s, keys)
	v := accel.Values[float32](m)
	for i := range s {
		for j := max(0, i+offset+1); j < keys; j++ {
			v[i*keys+j] = float32(math.Inf(-1))
		}
	}
	return b.Cast(b.Const(m), t)
}

// maskedSoftmax is the softmax of scores over the last dimension, and 0 in the
// rows of which the additive mask leaves nothing.
func (b *B) maskedSoftmax(scores, mask *Value) *Value {
	p := b.Op("Softmax", nil, scores)
	if b.err != nil {
		return nil
	}
	empty := b.Op("Equal", nil, b.ReduceMax(mask, true, len(mask.Type.Shape)-1), b.Like(mask, math.Inf(-1)))
	return b.Op("Where", nil, empty, b.Like(p, 0), p)
}
