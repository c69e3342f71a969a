package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opGatherElements takes one element of x for each of the indices, which have
// the rank of x: along the attribute axis (0) the index says where, in the other
// dimensions it is where the index itself is.
//
//	y[i][j] = x[indices[i][j]][j] for axis 0
var opGatherElements = operator{
	name: "GatherElements", min: 2,
	shapes: func(c *Context) ([]Type, error) {
		if err := elementsRule(c, c.Shape(0), c.Shape(1)); err != nil {
			return nil, err
		}
		return one(c.DType(0), c.Shape(1))
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		shape := b.Ints(n.Inputs[0].Type.Shape...)
		return []*Value{b.Op("GatherElementsGrad", n.Attrs, dy[0], n.Inputs[1], shape), nil}
	},
}

// elementsRule checks the indices of GatherElements and ScatterElements, input 1.
func elementsRule(c *Context, x, indices []int) error {
	if err := c.IsA(1, accel.Int64, accel.Int32); err != nil {
		return err
	}
	axis, err := axisOf(c.Attrs.Int("axis", 0), len(x))
	if err != nil {
		return err
	}
	ok := len(indices) == len(x)
	for d := 0; ok && d < len(x); d++ {
		ok = d == axis || indices[d] <= x[d]
	}
	if !ok {
		return fmt.Errorf("indices of shape %v along axis %d of %v", indices, axis, x)
	}
	return nil
}

// opGatherElementsGrad adds dy up where GatherElements took it from, in a tensor
// of the shape that the third input gives.
var opGatherElementsGrad = operator{
	name: "GatherElementsGrad", min: 3, static: []int{2},
	shapes: func(c *Context) ([]Type, error) {
		shape, err := c.Ints(2)
		if err != nil {
			return nil, err
		}
		if err := elementsRule(c, shape, c.Shape(1)); err != nil {
			return nil, err
		}
		return one(c.DType(0), shape)
	},
	grad: func(b *backward, n *Node, dx []*Value) []*Value {
		return []*Value{b.Op("GatherElements", n.Attrs, dx[0], n.Inputs[1]), nil, nil}
	},
}

// opGatherND takes a part of x for each tuple of indices, which the last
// dimension of the second input holds: a tuple indexes the first dimensions of x
// after the first batch_dims (an attribute, 0), which both inputs share.
var opGatherND = operator{
	name: "GatherND", min: 2,
	shapes: func(c *Context) ([]Type, error) {
		out, err := tupleShape(c, c.Shape(0), c.Shape(1))
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), out)
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		shape := b.Ints(n.Inputs[0].Type.Shape...)
		return []*Value{b.Op("GatherNDGrad", n.Attrs, dy[0], n.Inputs[1], shape), nil}
	},
}

// opGatherNDGrad adds dy up where GatherND took it from, in a tensor of the
// shape that the third input gives.
var opGatherNDGrad = operator{
	name: "GatherNDGrad", min: 3, static: []int{2},
	shapes: func(c *Context) ([]Type, error) {
		shape, err := c.Ints(2)
		if err != nil {
			return nil, err
		}
		if _, err := tupleShape(c, shape, c.Shape(1)); err != nil {
			return nil, err
		}
		return one(c.DType(0), shape)
	},
	grad: func(b *backward, n *Node, dx []*Value) []*Value {
		return []*Value{b.Op("GatherND", n.Attrs, dx[0], n.Inputs[1]), nil, nil}
	},
}

// tupleShape is the shape of what tuples of indices, input 1, take from x.
func tupleShape(c *Context, x, indices []int) ([]int, error) {
	if err := c.IsA(1, accel.Int64, accel.Int32); err != nil {
		return nil, err
	}
	batch, last := c.Attrs.Int("batch_dims", 0), len(indices)-1
	if last < 0 || len(x) == 0 {
		return nil, errors.New("an input is a scalar")
	}
	width := indices[last]
	if batch < 0 || batch > last || width < 1 || batch+width > len(x) || !slices.Equal(indices[:batch], x[:batch]) {
		return nil, fmt.Errorf("indices of shape %v for %v, of which %d dimensions are shared", indices, x, batch)
	}
	return slices.Concat(indices[:last], x[batch+width:]), nil
}
