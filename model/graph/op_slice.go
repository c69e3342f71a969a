package graph

import (
	"github.com/millrace-go/millrace/accel/extent"
)

// opSlice takes every steps[i]-th element from starts[i] to before ends[i]
// along axes[i], as numpy does. The inputs are x, starts, ends and, optionally,
// axes (the first ones) and steps (1).
var opSlice = operator{
	name: "Slice", min: 3, max: 5, static: []int{1, 2, 3, 4},
	shapes: func(c *Context) ([]Type, error) {
		r, err := sliceOf(c, c.Shape(0), 1)
		if err != nil {
			return nil, err
		}
		out := make([]int, len(r))
		for d := range r {
			out[d] = r[d].N
		}
		return one(c.DType(0), out)
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		in := make([]*Value, 6)
		in[0], in[1] = dy[0], b.Ints(n.Inputs[0].Type.Shape...)
		copy(in[2:], n.Inputs[1:])
		return []*Value{b.Op("SliceGrad", nil, in...), nil, nil, nil, nil}
	},
}

// opSliceGrad puts dy into a tensor of zeros where Slice would take it from. The
// inputs are dy, the tensor's shape, and then those of Slice.
var opSliceGrad = operator{
	name: "SliceGrad", min: 4, max: 6, static: []int{1, 2, 3, 4, 5},
	shapes: func(c *Context) ([]Type, error) {
		shape, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		if _, err := sliceOf(c, shape, 2); err != nil {
			return nil, err
		}
		return one(c.DType(0), shape)
	},
	grad: func(b *backward, n *Node, dx []*Value) []*Value {
		in := append([]*Value{dx[0]}, n.Inputs[2:]...)
		return []*Value{b.Op("Slice", nil, in...), nil, nil, nil, nil, nil}
	},
}

// sliceOf resolves starts, ends, axes and steps, which begin at an input.
func sliceOf(c *Context, shape []int, first int) ([]extent.Range, error) {
	var v [4][]int
	for i := range v {
		var err error
		if v[i], err = c.Ints(first + i); err != nil {
			return nil, err
		}
	}
	return extent.Slice(shape, v[0], v[1], v[2], v[3])
}
