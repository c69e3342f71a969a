package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opFlatten makes a matrix of x: the dimensions before the attribute axis (1)
// are its rows, the others its columns. axis may be the rank, or count from the end.
var opFlatten = operator{
	name: "Flatten", min: 1, view: true, grad: reshapeGrad,
	shapes: func(c *Context) ([]Type, error) {
		s, axis := c.Shape(0), c.Attrs.Int("axis", 1)
		at := axis
		if at < 0 {
			at += len(s)
		}
		if at < 0 || at > len(s) {
			return nil, fmt.Errorf("axis %d of a tensor of rank %d", axis, len(s))
		}
		return one(c.DType(0), []int{accel.Size(s[:at]), accel.Size(s[at:])})
	},
}

// reshapeGrad is the gradient of operators that only change the shape of x.
func reshapeGrad(b *backward, n *Node, dy []*Value) []*Value {
	return []*Value{b.Reshape(dy[0], n.Inputs[0].Type.Shape...), nil}
}
