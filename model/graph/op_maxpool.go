package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opMaxPool takes the maximum of windows of the attribute kernel_shape over
// images (N, C, H, W); strides and pads as for Conv, each pad smaller than the
// window. The second output, on request, is where each maximum was, as int32.
var opMaxPool = operator{
	name: "MaxPool", in: floats(1), required: 1,
	shapes: func(n *Node) ([]Type, error) {
		x, k := n.shape(0), Shape(n.Attrs.Ints("kernel_shape"))
		if len(x) != 4 || len(k) != 2 {
			return nil, fmt.Errorf("images %s and window %v, want [N C H W] and two numbers", x, k)
		}
		for i, p := range n.Attrs.Ints("pads") {
			if p >= k[i%2] {
				return nil, fmt.Errorf("pads %v are not smaller than the window %v", n.Attrs.Ints("pads"), k)
			}
		}
		out, err := windowRule(n, x[2:], k)
		if err != nil {
			return nil, err
		}
		y := append(Shape{x[0], x[1]}, out...)
		return []Type{{accel.Float32, y}, {accel.Int32, y}}, nil
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		shape := accel.Attrs{accel.Ints("shape", n.shape(0)...)}
		return []*Value{b.op("MaxPoolGrad", "", shape, dy[0], b.ask(n, 1))}
	},
}

// opMaxPoolGrad takes dy and the places of the maxima and gives dx, of the
// attribute shape, in which -1 is N.
var opMaxPoolGrad = operator{
	name: "MaxPoolGrad", in: []accel.DType{accel.Float32, accel.Int32}, required: 2, flops: perInput,
	shapes: func(n *Node) ([]Type, error) { return f32(n.Attrs.Ints("shape")), nil },
}
