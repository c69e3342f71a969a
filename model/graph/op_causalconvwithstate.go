package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opCausalConvWithState convolves each channel of x (B, C, L) with its own filter
// w (C, 1, k), so that a result depends on the last k elements:
//
//	CausalConvWithState(x, w, [bias], [past_state]) -> y, present_state
//
// Before x lie the k-1 elements of the state (B, C, k-1), zeros by default; the
// new state is the last k-1 elements. The attribute activation is none (the
// default), silu or swish, which are the same.
var opCausalConvWithState = operator{
	name: "CausalConvWithState", min: 2, max: 4,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if err := c.Same(0, 1, 2, 3); err != nil {
			return nil, err
		}
		x, w := c.Shape(0), c.Shape(1)
		if len(x) != 3 || len(w) != 3 || w[0] != x[1] || w[1] != 1 || w[2] < 1 {
			return nil, fmt.Errorf("x %v and filters %v, want (B, C, L) and (C, 1, k)", x, w)
		}
		state := []int{x[0], x[1], w[2] - 1}
		if c.Has(2) && !slices.Equal(c.Shape(2), x[1:2]) || c.Has(3) && !slices.Equal(c.Shape(3), state) {
			return nil, fmt.Errorf("bias or state do not fit x %v and filters %v", x, w)
		}
		if err := oneOf(c.Node, "activation", "none", "silu", "swish"); err != nil {
			return nil, err
		}
		return []Type{{DType: c.DType(0), Shape: x}, {DType: c.DType(0), Shape: state}}, nil
	},
	expand: func(b *B, n *Node) []*Value {
		x, w := n.Inputs[0], n.Inputs[1]
		s, keep := x.Type.Shape, w.Type.Shape[2]-1
		state := n.Input(3)
		if keep > 0 {
			if state == nil {
				state = b.Zeros(x.Type.DType, s[0], s[1], keep)
			}
			x = b.Concat(2, state, x)
		}
		y := b.Op("Conv", accel.Attrs{accel.Int("group", s[1])}, x, w, n.Input(2))
		if n.Attrs.Str("activation", "none") != "none" {
			y = b.Op("Swish", nil, y)
		}
		return []*Value{y, b.Slice(x, 2, s[2], s[2]+keep)}
	},
}

// opSwiGLU is y = Swish(a)·b, Swish(a) = a·sigmoid(alpha·a), with alpha 1 by
// default; see Shazeer, https://arxiv.org/abs/2002.05202.
var opSwiGLU = operator{
	name: "SwiGLU", min: 2,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if err := c.Same(0, 1); err != nil {
			return nil, err
		}
		if !slices.Equal(c.Shape(0), c.Shape(1)) {
			return nil, fmt.Errorf("shapes %v and %v differ", c.Shape(0), c.Shape(1))
		}
		return like(c)
	},
	expand: func(b *B, n *Node) []*Value {
		return []*Value{b.Mul(b.Op("Swish", n.Attrs, n.Inputs[0]), n.Inputs[1])}
	},
}
