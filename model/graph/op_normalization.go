package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opLRN divides by the squares of neighbouring channels of x (N, C, d1, …):
//
//	y[c] = x[c] / (bias + alpha/size·Σ x[i]²)^beta
//
// over the size channels i around c, of which ⌊(size-1)/2⌋ lie before it; size
// must be given, alpha is 1e-4, beta 0.75, bias 1 by default.
var opLRN = operator{
	name: "LRN", min: 1,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if c.Rank(0) < 2 || c.Attrs.Int("size", 0) < 1 {
			return nil, fmt.Errorf("x %v and size %d, want (N, C, d1, …) and a positive number", c.Shape(0), c.Attrs.Int("size", 0))
		}
		return like(c)
	},
	expand: func(b *B, n *Node) []*Value {
		x, size := n.Inputs[0], n.Attrs.Int("size", 0)
		s := x.Type.Shape
		at := accel.Attrs{
			accel.Ints("kernel_shape", size, 1), accel.Ints("pads", (size-1)/2, 0, size/2, 0), accel.Int("count_include_pad", 1),
		}
		flat := b.Reshape(b.Mul(x, x), s[0], 1, s[1], accel.Size(s[2:]))
		mean := b.Reshape(b.Op("AveragePool", at, flat), s...)
		base := b.Add(b.Mul(mean, b.Like(x, n.Attrs.Float("alpha", 1e-4))), b.Like(x, n.Attrs.Float("bias", 1)))
		return []*Value{b.Div(x, b.Op("Pow", nil, base, b.Like(x, n.Attrs.Float("beta", 0.75))))}
	},
}

// opLpNormalization divides x by its p-norm along the attribute axis (-1); p is 1
// or 2 (the default). Where the norm is 0, so is y.
var opLpNormalization = operator{
	name: "LpNormalization", min: 1,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if p := c.Attrs.Int("p", 2); p != 1 && p != 2 {
			return nil, fmt.Errorf("p is %d, want 1 or 2", p)
		}
		if _, err := axisOf(c.Attrs.Int("axis", -1), c.Rank(0)); err != nil {
			return nil, err
		}
		return like(c)
	},
	expand: func(b *B, n *Node) []*Value {
		x := n.Inputs[0]
		norm := b.reduce(fmt.Sprintf("ReduceL%d", n.Attrs.Int("p", 2)), x, true, []int{n.Attrs.Int("axis", -1)})
		nothing := b.Op("Equal", nil, norm, b.Like(x, 0))
		return []*Value{b.Div(x, b.Op("Where", nil, nothing, b.Like(x, 1), norm))}
	},
}

// opMeanVarianceNormalization is y = (x-mean)/(√variance + 1e-9), both over the
// attribute axes, by default 0, 2 and 3.
var opMeanVarianceNormalization = operator{
	name: "MeanVarianceNormalization", min: 1,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if _, err := axesOf(mvnAxes(c.Node), c.Rank(0)); err != nil {
			return nil, err
		}
		return like(c)
	},
	expand: func(b *B, n *Node) []*Value {
		x, axes := n.Inputs[0], mvnAxes(n)
		d := b.Sub(x, b.ReduceMean(x, true, axes...))
		deviation := b.Op("Sqrt", nil, b.ReduceMean(b.Mul(d, d), true, axes...))
		return []*Value{b.Div(d, b.Add(deviation, b.Like(x, 1e-9)))}
	},
}

func mvnAxes(n *Node) []int {
	if axes := n.Attrs.Ints("axes"); axes != nil {
		return axes
	}
	return []int{0, 2, 3}
}

// opHardmax is 1 at the first of the largest elements along the attribute axis
// (-1), and 0 elsewhere. Its gradient is zero.
var opHardmax = operator{
	name: "Hardmax", min: 1, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(0, floatTypes...); err != nil {
			return nil, err
		}
		if _, err := axisOf(c.Attrs.Int("axis", -1), c.Rank(0)); err != nil {
			return nil, err
		}
		return like(c)
	},
	expand: func(b *B, n *Node) []*Value {
		x := n.Inputs[0]
		s := x.Type.Shape
		axis, _ := axisOf(n.Attrs.Int("axis", -1), len(s)) // the shape rule has checked it
		if s[axis] == 0 {
			return []*Value{b.Op("Identity", nil, x)}
		}
		place := make([]int, len(s))
		for d := range place {
			place[d] = 1
		}
		place[axis] = s[axis]
		best := b.Op("ArgMax", accel.Attrs{accel.Int("axis", axis), accel.Int("keepdims", 1)}, x)
		return []*Value{b.Cast(b.Op("Equal", nil, best, b.Reshape(b.Const(counts(0, s[axis])), place...)), x.Type.DType)}
	},
}
