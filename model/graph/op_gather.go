package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opGather replaces one dimension of its first input, the attribute axis (0),
// by those of its second, int32 or int64 indices into it, which may count from
// the end:
//
//	y[i…, j…, k…] = x[i…, indices[j…], k…]
//
// Its gradient adds up rows in the order of the indices.
var opGather = operator{
	name: "Gather", min: 2,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(1, accel.Int64, accel.Int32); err != nil {
			return nil, err
		}
		s := c.Shape(0)
		axis, err := axisOf(c.Attrs.Int("axis", 0), len(s))
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), slices.Concat(s[:axis], c.Shape(1), s[axis+1:]))
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		shape := b.Ints(n.Inputs[0].Type.Shape...)
		return []*Value{b.Op("GatherGrad", n.Attrs, dy[0], n.Inputs[1], shape), nil}
	},
}

// opGatherGrad is the gradient of Gather: dy, added up where it was taken from
// in a tensor of the shape that the third input gives.
var opGatherGrad = operator{
	name: "GatherGrad", min: 3, static: []int{2},
	shapes: func(c *Context) ([]Type, error) {
		shape, err := c.Ints(2)
		if err != nil {
			return nil, err
		}
		axis, err := axisOf(c.Attrs.Int("axis", 0), len(shape))
		if err != nil {
			return nil, err
		}
		if want := slices.Concat(shape[:axis], c.Shape(1), shape[axis+1:]); !slices.Equal(c.Shape(0), want) {
			return nil, fmt.Errorf("the gradient has shape %v, want %v", c.Shape(0), want)
		}
		return one(c.DType(0), shape)
	},
	grad: func(b *backward, n *Node, dx []*Value) []*Value {
		return []*Value{b.Op("Gather", n.Attrs, dx[0], n.Inputs[1]), nil, nil}
	},
}
