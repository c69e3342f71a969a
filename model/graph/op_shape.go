package graph

import (
	"github.com/millrace-go/millrace/accel"
)

// opShape is the shape of x as an int64 vector, from dimension start to before
// end. Bind makes a constant of it.
var opShape = operator{
	name: "Shape", min: 1, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		from, to := shapeRange(c.Node, c.Rank(0))
		return one(accel.Int64, []int{to - from})
	},
}

// opSize is the number of elements of x. Bind makes a constant of it.
var opSize = operator{
	name: "Size", min: 1, flat: true,
	shapes: func(*Context) ([]Type, error) { return one(accel.Int64, nil) },
}
