package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// opResize makes x larger or smaller by interpolation. The inputs are x and,
// optionally, roi, scales and sizes, of which one of the last two is there. The
// attributes are ONNX's: mode (nearest, linear, cubic),
// coordinate_transformation_mode (half_pixel), nearest_mode, cubic_coeff_a,
// antialias, axes, exclude_outside, extrapolation_value and
// keep_aspect_ratio_policy.
var opResize = operator{
	name: "Resize", min: 1, max: 4, static: []int{1, 2, 3},
	shapes: func(c *Context) ([]Type, error) {
		r, err := resizeOf(c, c.Shape(0), 1)
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), r.Shape())
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		in := make([]*Value, 5)
		in[0], in[1] = dy[0], b.Ints(n.Inputs[0].Type.Shape...)
		copy(in[2:], n.Inputs[1:])
		return []*Value{b.Op("ResizeGrad", n.Attrs, in...)}
	},
}

// opResizeGrad is the gradient of Resize: its transposed weights, applied to dy.
// The inputs are dy, the shape of x, and then those of Resize.
var opResizeGrad = operator{
	name: "ResizeGrad", min: 2, max: 5, static: []int{1, 2, 3, 4},
	shapes: func(c *Context) ([]Type, error) {
		shape, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		r, err := resizeOf(c, shape, 2)
		if err != nil {
			return nil, err
		}
		if !Shape(r.Shape()).Equal(c.Shape(0)) {
			return nil, fmt.Errorf("the gradient has shape %v, want %v", c.Shape(0), r.Shape())
		}
		return one(c.DType(0), shape)
	},
	grad: func(b *backward, n *Node, dx []*Value) []*Value {
		attrs := n.Attrs.Without("extrapolation_value")
		in := append([]*Value{dx[0]}, n.Inputs[2:]...)
		return []*Value{b.Op("Resize", attrs, in...)}
	},
}

// resizeOf resolves roi, scales and sizes, which begin at an input.
func resizeOf(c *Context, shape []int, first int) (*extent.Resize, error) {
	var in [3]*accel.Array
	for i := range in {
		var err error
		if in[i], err = c.Value(first + i); err != nil {
			return nil, err
		}
	}
	return extent.NewResize(shape, c.Attrs, in[0], in[1], in[2])
}
