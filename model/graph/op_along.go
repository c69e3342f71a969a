package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opArgMax is the place of the largest element along axis, 0 by default, as
// int64: the first of equal ones, or the last if select_last_index is 1 (the
// default is 0). A NaN counts as the largest. keepdims, 1 by default, keeps the
// axis with size 1.
var opArgMax = argExtreme("ArgMax")

// opArgMin is the place of the smallest element, as ArgMax; a NaN counts as the smallest.
var opArgMin = argExtreme("ArgMin")

func argExtreme(name string) operator {
	return operator{name: name, min: 1, flat: true, shapes: func(c *Context) ([]Type, error) {
		if err := numberSet.check(c, 0); err != nil {
			return nil, err
		}
		axis, err := axisOf(c.Attrs.Int("axis", 0), c.Rank(0))
		if err != nil {
			return nil, err
		}
		shape := reducedShape(c.Shape(0), []int{axis}, c.Attrs.Bool("keepdims", true))
		if c.Shape(0)[axis] == 0 && accel.Size(shape) > 0 {
			return nil, fmt.Errorf("axis %d of shape %v has no elements", axis, c.Shape(0))
		}
		return one(accel.Int64, shape)
	}}
}

// opTopK gives the k largest elements along axis, -1 by default, or the
// smallest if largest is 0 (the default is 1), from the best on, and their places
// as int64. k, the second input, is a constant of one element. Of equal
// elements the lower place comes first; NaN is greater than every number. sorted
// changes nothing. The gradient goes to the elements that were taken.
var opTopK = operator{
	name: "TopK", min: 2, outs: 2, static: []int{1},
	shapes: func(c *Context) ([]Type, error) {
		if err := numberSet.check(c, 0); err != nil {
			return nil, err
		}
		axis, err := axisOf(c.Attrs.Int("axis", -1), c.Rank(0))
		if err != nil {
			return nil, err
		}
		k, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		shape := slices.Clone(c.Shape(0))
		if len(k) != 1 || k[0] < 0 || k[0] > shape[axis] {
			return nil, fmt.Errorf("k is %v for axis %d of shape %v", k, axis, shape)
		}
		shape[axis] = k[0]
		return []Type{{DType: c.DType(0), Shape: shape}, {DType: accel.Int64, Shape: shape}}, nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		x := n.Inputs[0]
		axis := accel.Attrs{accel.Int("axis", n.Attrs.Int("axis", -1))}
		return []*Value{b.Op("ScatterElements", axis, b.Zeros(x.Type.DType, x.Type.Shape...), n.Outputs[1], dy[0]), nil}
	},
}

// opCumSum is the running sum along an axis, the second input, a constant of one
// element. With exclusive=1 (the default is 0) an element itself does not count;
// with reverse=1 (the default is 0) it runs from the end. The gradient is the
// running sum of dy in the other direction.
var opCumSum = operator{
	name: "CumSum", min: 2, static: []int{1}, inplace: []int{0}, shapes: cumulativeRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		back := accel.Int("reverse", 1-n.Attrs.Int("reverse", 0))
		return []*Value{b.Op("CumSum", n.Attrs.With(back), dy[0], n.Inputs[1]), nil}
	},
}

// opCumProd is the running product, as CumSum.
var opCumProd = operator{
	name: "CumProd", min: 2, static: []int{1}, inplace: []int{0}, shapes: cumulativeRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.Op("CumProdGrad", n.Attrs, dy[0], n.Inputs[0], n.Inputs[1]), nil}
	},
}

// opCumProdGrad takes dy, x and the axis, and gives dx.
var opCumProdGrad = operator{name: "CumProdGrad", min: 3, static: []int{2}, shapes: like, definition: spellCumProdGrad}

func cumulativeRule(c *Context) ([]Type, error) {
	t := c.DType(0)
	if !t.IsFloat() && t != accel.Int32 && t != accel.Int64 && t != accel.Uint32 && t != accel.Uint64 {
		return nil, fmt.Errorf("input 0 is %s, want a float or an integer of 32 or 64 bits: %w", t, accel.ErrUnsupported)
	}
	axes, err := c.Ints(1)
	if err != nil {
		return nil, err
	}
	if len(axes) != 1 {
		return nil, fmt.Errorf("%d axes, want one", len(axes))
	}
	if _, err := axisOf(axes[0], c.Rank(0)); err != nil {
		return nil, err
	}
	return like(c)
}
