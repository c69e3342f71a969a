package graph

import "fmt"

// opDet is the determinant of each matrix of a stack, (…, M, M).
var opDet = operator{
	name: "Det", min: 1,
	shapes: func(c *Context) ([]Type, error) {
		s := c.Shape(0)
		last := len(s) - 1
		if last < 1 || s[last] != s[last-1] || !c.DType(0).IsFloat() {
			return nil, fmt.Errorf("%s%v, want square matrices of real numbers", c.DType(0), s)
		}
		return one(c.DType(0), s[:last-1])
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.Op("DetGrad", nil, dy[0], n.Inputs[0])}
	},
}

// opDetGrad is the gradient of Det: dy times the cofactors of its second input.
var opDetGrad = operator{
	name: "DetGrad", min: 2, definition: spellDetGrad,
	shapes: func(c *Context) ([]Type, error) { return one(c.DType(1), c.Shape(1)) },
}
