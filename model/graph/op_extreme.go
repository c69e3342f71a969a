package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opMax is the largest of any number of broadcasting inputs, NaN if one is NaN.
// Where two are equal, each gets half of the gradient, as in PyTorch.
var opMax = extreme("Max", "Greater")

// opMin is the smallest of any number of broadcasting inputs, as Max.
var opMin = extreme("Min", "Less")

func extreme(name, wins string) operator {
	return operator{
		name: name, min: 1, max: variadic, inplace: []int{0, 1}, shapes: variadicRule,
		when:   func(n *Node) bool { return len(n.Inputs) != 2 },
		expand: func(b *B, n *Node) []*Value { return []*Value{b.chained(name, n.Inputs)} },
		grad: func(b *backward, n *Node, dz []*Value) []*Value {
			x, y := n.Inputs[0], n.Inputs[1]
			same, half := b.Op("Equal", nil, x, y), b.scale(dz[0], 0.5)
			part := func(x, y *Value) *Value {
				return b.Op("Where", nil, same, half, b.zeroUnless(b.Op(wins, nil, x, y), dz[0]))
			}
			return b.pair(n, func() *Value { return part(x, y) }, func() *Value { return part(y, x) })
		},
	}
}

// opSum is the sum of any number of broadcasting inputs, from the first to the last.
var opSum = operator{
	name: "Sum", min: 1, max: variadic, shapes: variadicRule,
	expand: func(b *B, n *Node) []*Value { return []*Value{b.chained("Add", n.Inputs)} },
}

// opMean is Sum divided by the number of inputs.
var opMean = operator{
	name: "Mean", min: 1, max: variadic, shapes: variadicRule,
	expand: func(b *B, n *Node) []*Value {
		return []*Value{b.Div(b.chained("Add", n.Inputs), b.Like(n.Inputs[0], float64(len(n.Inputs))))}
	},
}

// chained applies a binary operator from the first input to the last.
func (b *B) chained(op string, in []*Value) *Value {
	if len(in) == 1 {
		return b.Op("Identity", nil, in[0])
	}
	out := in[0]
	for _, x := range in[1:] {
		out = b.Op(op, nil, out, x)
	}
	return out
}

func variadicRule(c *Context) ([]Type, error) {
	all, shapes := make([]int, len(c.Inputs)), make([][]int, 0, len(c.Inputs))
	for i := range c.Inputs {
		if !c.Has(i) {
			return nil, fmt.Errorf("input %d is absent", i)
		}
		all[i] = i
		shapes = append(shapes, c.Shape(i))
	}
	if err := c.Same(all...); err != nil {
		return nil, err
	}
	if err := numberSet.check(c, 0); err != nil {
		return nil, err
	}
	s, err := Broadcast(shapes...)
	if err != nil {
		return nil, err
	}
	return one(c.DType(0), s)
}

// opClip is min(max(x, lo), hi) of numbers; lo and hi are optional scalars. The
// gradient passes where lo ≤ x ≤ hi; the rest of it is that of lo and of hi.
var opClip = operator{
	name: "Clip", min: 1, max: 3, inplace: []int{0},
	shapes: func(c *Context) ([]Type, error) {
		for i := 1; i < len(c.Inputs); i++ {
			if c.Has(i) && (c.Rank(i) > 1 || accel.Size(c.Shape(i)) != 1) {
				return nil, fmt.Errorf("input %d has shape %v, want a scalar", i, c.Shape(i))
			}
		}
		if err := c.Same(0, 1, 2); err != nil {
			return nil, err
		}
		return unaryRule(numberSet)(c)
	},
	grad: clipGrad,
}

func clipGrad(b *backward, n *Node, dy []*Value) []*Value {
	x, lo, hi := n.Inputs[0], n.Input(1), n.Input(2)
	out := make([]*Value, len(n.Inputs))
	inside := dy[0]
	if lo != nil {
		inside = b.zeroUnless(b.Op("GreaterOrEqual", nil, x, lo), inside)
	}
	if hi != nil {
		inside = b.zeroUnless(b.Op("LessOrEqual", nil, x, hi), inside)
	}
	out[0] = inside
	if b.needs(lo) {
		d := b.zeroUnless(b.Op("Less", nil, x, lo), dy[0])
		if hi != nil {
			d = b.zeroUnless(b.Op("LessOrEqual", nil, lo, hi), d)
		}
		out[1] = b.sumLike(d, lo)
	}
	if b.needs(hi) {
		over := b.Op("Greater", nil, x, hi)
		if lo != nil {
			over = b.Op("Or", nil, over, b.Op("Greater", nil, lo, hi))
		}
		out[2] = b.sumLike(b.zeroUnless(over, dy[0]), hi)
	}
	return out
}

// sumLike is the sum of all elements of d, in the shape of v, which has one element.
func (b *backward) sumLike(d, v *Value) *Value {
	if b.err != nil {
		return nil
	}
	return b.Reshape(b.Op("ReduceSum", nil, d), v.Type.Shape...)
}
