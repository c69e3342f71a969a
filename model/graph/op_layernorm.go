package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opLayerNormalization normalises x over its last dimensions, from the attribute
// axis (-1) on:
//
//	y = (x-mean)·invstd·scale + bias, invstd = 1/√(variance+epsilon)
//
// scale and the optional bias broadcast to those dimensions; epsilon is 1e-5 by
// default. The second and third outputs are mean and invstd, of type stash_type
// (float32), but float64 where x is. Half precision is computed in float32.
var opLayerNormalization = operator{
	name: "LayerNormalization", min: 2, max: 3, inplace: []int{0},
	shapes: rowNormRule(2),
	when:   func(n *Node) bool { return !rowNormSpelled(n, 3) },
	expand: func(b *B, n *Node) []*Value { return spellRowNorm(b, n, 3) },
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		mean, invstd := b.ask(n, 1), b.ask(n, 2)
		d := make([]*Value, 3)
		if dy[0] != nil {
			d = b.Ops("LayerNormGrad", 3, rowNormAttrs(n), dy[0], n.Inputs[0], n.Inputs[1], mean, invstd)
		}
		for i, stat := range dy[1:] {
			if stat == nil {
				continue
			}
			g := b.statisticGrad(n, stat, mean, invstd, i == 1)
			if d[0] != nil {
				g = b.Add(d[0], g)
			}
			d[0] = g
		}
		return d[:len(n.Inputs)]
	},
}

// statisticGrad is the gradient of x from that of the mean, which is 1/n of it for
// each of n elements, or of invstd: -invstd³·(x-mean)/n.
func (b *backward) statisticGrad(n *Node, d, mean, invstd *Value, ofInvstd bool) *Value {
	x := n.Inputs[0]
	if b.err != nil {
		return nil
	}
	count := accel.Size(x.Type.Shape[rowNormAttrs(n).Int("axis", 0):])
	g := b.Div(d, b.Like(d, float64(count)))
	if !ofInvstd {
		return b.Cast(b.Expand(g, x.Type.Shape...), x.Type.DType)
	}
	cube := b.Op("Neg", nil, b.Mul(invstd, b.Mul(invstd, invstd)))
	return b.Cast(b.Mul(b.Mul(g, cube), b.Sub(b.Cast(x, d.Type.DType), mean)), x.Type.DType)
}

// opRMSNormalization is y = x·invrms·scale, invrms = 1/√(mean(x²)+epsilon), over
// the last dimensions as in LayerNormalization. It has a second output of our
// own, invrms.
var opRMSNormalization = operator{
	name: "RMSNormalization", min: 2, inplace: []int{0},
	shapes: rowNormRule(1),
	when:   func(n *Node) bool { return !rowNormSpelled(n, 2) },
	expand: func(b *B, n *Node) []*Value { return spellRowNorm(b, n, 2) },
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		if !b.only(n, dy, 0) {
			return nil
		}
		return b.Ops("RMSNormGrad", 2, rowNormAttrs(n), dy[0], n.Inputs[0], n.Inputs[1], b.ask(n, 1))
	},
}

// opSkipLayerNormalization is the LayerNormalization over the last dimension of
// the sum of x, skip and the optional bias (the last dimension):
//
//	SkipLayerNormalization(x, skip, scale, beta, [bias]) -> y, mean, invstd, sum
//
// It is no ONNX operator. The attribute epsilon is 1e-5 by default.
var opSkipLayerNormalization = operator{
	name: "SkipLayerNormalization", min: 4, max: 5, inplace: []int{0},
	shapes: skipNormRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		d := make([]*Value, 5)
		if !b.only(n, dy, 0, 3) {
			return nil
		}
		if dy[0] != nil {
			mean, invstd, sum := b.ask(n, 1), b.ask(n, 2), b.ask(n, 3)
			g := b.Ops("LayerNormGrad", 3, rowNormAttrs(n), dy[0], sum, n.Inputs[2], mean, invstd)
			d[0], d[2], d[3] = g[0], g[1], g[2]
		}
		if len(dy) > 3 && dy[3] != nil {
			if d[0] == nil {
				d[0] = dy[3]
			} else {
				d[0] = b.Add(d[0], dy[3])
			}
		}
		d[1], d[4] = d[0], b.unbroadcastTo(d[0], n.Input(4))
		return d[:len(n.Inputs)]
	},
}

// opLayerNormGrad gives the gradients with respect to x, scale and bias, from dy,
// x, scale, mean and invstd.
var opLayerNormGrad = operator{
	name: "LayerNormGrad", min: 5, outs: 3, inplace: []int{0}, definition: spellLayerNormGrad,
	shapes: func(c *Context) ([]Type, error) {
		s := Type{DType: c.DType(2), Shape: c.Shape(2)}
		return []Type{{DType: c.DType(1), Shape: c.Shape(1)}, s, s}, nil
	},
}

// opRMSNormGrad gives the gradients with respect to x and scale, from dy, x,
// scale and invrms.
var opRMSNormGrad = operator{
	name: "RMSNormGrad", min: 4, outs: 2, inplace: []int{0}, definition: spellRMSNormGrad,
	shapes: func(c *Context) ([]Type, error) {
		return []Type{{DType: c.DType(1), Shape: c.Shape(1)}, {DType: c.DType(2), Shape: c.Shape(2)}}, nil
	},
}

// ask is output i of a node, which may have been left out until now.
func (b *backward) ask(n *Node, i int) *Value {
	v, err := b.G.Ask(n, i)
	b.Fail(err)
	return v
}

// only fails unless the loss depends on these outputs of a node alone.
func (b *backward) only(n *Node, dy []*Value, outputs ...int) bool {
	for i, d := range dy {
		if d != nil && !slices.Contains(outputs, i) {
			b.Fail(fmt.Errorf("the gradient of output %d: %w", i, accel.ErrUnsupported))
		}
	}
	return b.err == nil
}

// statType is the type in which statistics of elements of type t are given:
// float32 for half precision.
func statType(t accel.DType) accel.DType {
	if t == accel.Float64 {
		return t
	}
	return accel.Float32
}

// rowNormRule is the rule of normalisations of the last dimensions, with a number
// of statistics as outputs.
func rowNormRule(stats int) func(*Context) ([]Type, error) {
	return func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if err := c.Same(0, 1, 2); err != nil {
			return nil, err
		}
		x := c.Shape(0)
		axis, err := axisOf(c.Attrs.Int("axis", -1), len(x))
		if err != nil {
			return nil, err
		}
		for i := 1; i < len(c.Inputs); i++ {
			if !c.Has(i) {
				continue
			}
			if s, err := Broadcast(c.Shape(i), x[axis:]); err != nil || !slices.Equal(s, x[axis:]) {
				return nil, fmt.Errorf("input %d is %v, want what broadcasts to %v", i, c.Shape(i), x[axis:])
			}
		}
		stash, err := accel.ParseDType(c.Attrs.Str("stash_type", "float32"))
		if err != nil {
			return nil, err
		}
		if c.DType(0) == accel.Float64 {
			stash = accel.Float64
		}
		kept := slices.Clone(x)
		for d := axis; d < len(x); d++ {
			kept[d] = 1
		}
		types := []Type{{DType: c.DType(0), Shape: x}}
		for range stats {
			types = append(types, Type{DType: stash, Shape: kept})
		}
		return types, nil
	}
}

func skipNormRule(c *Context) ([]Type, error) {
	if err := c.IsA(0, floatTypes...); err != nil {
		return nil, err
	}
	if err := c.Same(0, 1, 2, 3, 4); err != nil {
		return nil, err
	}
	x := c.Shape(0)
	if len(x) == 0 || !slices.Equal(c.Shape(1), x) {
		return nil, fmt.Errorf("x %v and skip %v, want the same", x, c.Shape(1))
	}
	for i := 2; i < len(c.Inputs); i++ {
		if c.Has(i) && !slices.Equal(c.Shape(i), x[len(x)-1:]) {
			return nil, fmt.Errorf("input %d is %v, want %v", i, c.Shape(i), x[len(x)-1:])
		}
	}
	stat := Type{DType: statType(c.DType(0)), Shape: append(slices.Clone(x[:len(x)-1]), 1)}
	whole := Type{DType: c.DType(0), Shape: x}
	return []Type{whole, stat, stat, whole}, nil
}

// rowNormAttrs are the attributes with the axis counted from the beginning.
func rowNormAttrs(n *Node) accel.Attrs {
	axis, _ := axisOf(n.Attrs.Int("axis", -1), len(n.Inputs[0].Type.Shape)) // the shape rule has checked it
	return n.Attrs.With(accel.Int("axis", axis))
}

// rowNormSpelled reports whether all of the inputs are there, in full size.
func rowNormSpelled(n *Node, inputs int) bool {
	axis := rowNormAttrs(n).Int("axis", 0)
	for i := 1; i < inputs; i++ {
		if v := n.Input(i); v == nil || !v.Type.Shape.Equal(n.Inputs[0].Type.Shape[axis:]) {
			return false
		}
	}
	return true
}

func spellRowNorm(b *B, n *Node, inputs int) []*Value {
	at := rowNormAttrs(n)
	x := n.Inputs[0]
	full := x.Type.Shape[at.Int("axis", 0):]
	in := []*Value{x}
	for i := 1; i < inputs; i++ {
		if v := n.Input(i); v != nil {
			in = append(in, b.Expand(v, full...))
		} else {
			in = append(in, b.Zeros(x.Type.DType, full...))
		}
	}
	return b.Ops(n.Op, len(n.Outputs), at, in...)
}
