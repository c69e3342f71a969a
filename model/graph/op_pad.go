package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// opPad puts elements around x, or takes some away where a pad is negative. The
// inputs are x, pads (all beginnings, then all ends) and, optionally, the value
// (0) and the axes that pads are for (all). The attribute mode says what the
// new elements are: constant (the default), edge, reflect or wrap.
var opPad = operator{
	name: "Pad", min: 2, max: 4, static: []int{1, 3}, grad: padGrad,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.Same(0, 2); err != nil {
			return nil, err
		}
		if c.Has(2) && accel.Size(c.Shape(2)) != 1 {
			return nil, fmt.Errorf("the value to pad with has shape %v, want one element", c.Shape(2))
		}
		out, err := paddedShape(c, c.Shape(0), 1, 3)
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), out)
	},
}

// opPadGrad is the gradient of Pad with respect to x: dy, added up where it came
// from in a tensor of the shape that the second input gives. Pads and axes
// follow, and the attribute mode.
var opPadGrad = operator{
	name: "PadGrad", min: 3, max: 4, static: []int{1, 2, 3},
	shapes: func(c *Context) ([]Type, error) {
		shape, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		out, err := paddedShape(c, shape, 2, 3)
		if err != nil {
			return nil, err
		}
		if !Shape(out).Equal(c.Shape(0)) {
			return nil, fmt.Errorf("the gradient has shape %v, want %v", c.Shape(0), out)
		}
		return one(c.DType(0), shape)
	},
	grad: func(b *backward, n *Node, dx []*Value) []*Value {
		return []*Value{b.Op("Pad", n.Attrs, dx[0], n.Inputs[2], nil, n.Input(3)), nil, nil, nil}
	},
}

// paddedShape is the shape with the pads and axes that two inputs give.
func paddedShape(c *Context, shape []int, pads, axes int) ([]int, error) {
	p, err := c.Ints(pads)
	if err != nil {
		return nil, err
	}
	a, err := c.Ints(axes)
	if err != nil {
		return nil, err
	}
	before, after, err := extent.Pads(len(shape), p, a)
	if err != nil {
		return nil, err
	}
	out := make([]int, len(shape))
	for d, n := range shape {
		if out[d], err = extent.Padded(n, before[d], after[d]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// padGrad adds dy up where it came from; what was padded with a constant is a
// part of dy, which negative pads cut out.
func padGrad(b *backward, n *Node, dy []*Value) []*Value {
	x, value := n.Inputs[0], n.Input(2)
	if n.Attrs.Str("mode", "constant") != "constant" {
		return []*Value{b.Op("PadGrad", n.Attrs, dy[0], b.Ints(x.Type.Shape...), n.Inputs[1], n.Input(3))}
	}
	pads, err := (&Context{Node: n}).Ints(1)
	b.Fail(err)
	back := make([]int, len(pads))
	for i, p := range pads {
		back[i] = -p
	}
	out := make([]*Value, 3)
	out[0] = b.Op("Pad", nil, dy[0], b.Ints(back...), nil, n.Input(3))
	if b.needs(value) {
		kept := b.Op("Pad", nil, out[0], n.Inputs[1], nil, n.Input(3)) // dy, but zero where it is not of x
		out[2] = b.Reshape(b.sumAll(b.Sub(dy[0], kept)), value.Type.Shape...)
	}
	return out
}

// sumAll is the sum of all elements, a scalar.
func (b *backward) sumAll(v *Value) *Value {
	if b.err != nil {
		return nil
	}
	return b.ReduceSum(b.Reshape(v, accel.Size(v.Type.Shape)), false, 0)
}
