package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opTrilu keeps a triangle of each matrix of x, its last two dimensions, and
// makes the rest zero: with the attribute upper (1) the elements with column ≥ row
// + k, else those with column ≤ row + k. The optional second input is k, an int64
// scalar (0).
var opTrilu = operator{
	name: "Trilu", min: 1, max: 2, inplace: []int{0},
	shapes: func(c *Context) ([]Type, error) {
		if c.Rank(0) < 2 {
			return nil, fmt.Errorf("shape %v, want a matrix or a stack of them", c.Shape(0))
		}
		if err := c.IsA(1, accel.Int64); err != nil {
			return nil, err
		}
		if c.Has(1) && accel.Size(c.Shape(1)) != 1 {
			return nil, fmt.Errorf("k has shape %v, want one element", c.Shape(1))
		}
		return like(c)
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.Op("Trilu", n.Attrs, dy[0], n.Input(1)), nil}
	},
}
