package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opExpand repeats x so that it broadcasts with the shape that its second input
// gives: numpy's rule both ways.
var opExpand = operator{
	name: "Expand", min: 2, static: []int{1},
	shapes: func(c *Context) ([]Type, error) {
		to, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		if accel.Size(to) < 0 {
			return nil, fmt.Errorf("%v is no shape", to)
		}
		s, err := Broadcast(c.Shape(0), to)
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), s)
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.unbroadcast(dy[0], n.Inputs[0]), nil}
	},
}

// opTile repeats x repeats[d] times along each dimension d.
var opTile = operator{
	name: "Tile", min: 2, static: []int{1},
	shapes: func(c *Context) ([]Type, error) {
		repeats, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		if len(repeats) != c.Rank(0) {
			return nil, fmt.Errorf("%d repeats of %d dimensions", len(repeats), c.Rank(0))
		}
		out := make([]int, len(repeats))
		for d, r := range repeats {
			if r < 0 {
				return nil, fmt.Errorf("repeats %v", repeats)
			}
			out[d] = r * c.Shape(0)[d]
		}
		return one(c.DType(0), out)
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		var split, axes []int
		for d, size := range n.Inputs[0].Type.Shape {
			repeat := 1
			if size > 0 {
				repeat = dy[0].Type.Shape[d] / size
			}
			split = append(split, repeat, size)
			axes = append(axes, 2*d)
		}
		return []*Value{b.ReduceSum(b.Reshape(dy[0], split...), false, axes...), nil}
	},
}
