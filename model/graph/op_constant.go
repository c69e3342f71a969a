package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opConstantOfShape is a tensor of the shape that its first input gives, filled
// with the one element of the second, or float32 zeros if that is absent. (In ONNX
// files the value is an attribute.)
var opConstantOfShape = operator{
	name: "ConstantOfShape", min: 1, max: 2, static: []int{0},
	grad: func(b *backward, n *Node, dy []*Value) []*Value { // Σ dy
		out := make([]*Value, len(n.Inputs))
		if v := n.Input(1); b.needs(v) {
			out[1] = b.Reshape(b.sumAll(dy[0]), v.Type.Shape...)
		}
		return out
	},
	shapes: func(c *Context) ([]Type, error) {
		shape, err := c.Ints(0)
		if err != nil {
			return nil, err
		}
		if accel.Size(shape) < 0 {
			return nil, fmt.Errorf("%v is no shape", shape)
		}
		if !c.Has(1) {
			return one(accel.Float32, shape)
		}
		if accel.Size(c.Shape(1)) != 1 {
			return nil, fmt.Errorf("the value has shape %v, want one element", c.Shape(1))
		}
		return one(c.DType(1), shape)
	},
}
