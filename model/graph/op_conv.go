package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opConv convolves images x (N, C, H, W) with filters w (M, C, kh, kw) and adds
// a bias (M). Attributes: strides [1 1], pads [top left bottom right], zero by
// default; group and dilations only 1.
var opConv = operator{
	name: "Conv", in: floats(3), required: 2,
	shapes: func(n *Node) ([]Type, error) {
		x, w := n.shape(0), n.shape(1)
		if len(x) != 4 || len(w) != 4 || x[1] != w[1] {
			return nil, fmt.Errorf("images %s and filters %s, want [N C H W] and [M C kh kw]", x, w)
		}
		if b := n.input(2); b != nil && !b.Type.Shape.Equal(Shape{w[0]}) {
			return nil, fmt.Errorf("bias %s, want [%d]", b.Type.Shape, w[0])
		}
		if n.Attrs.Int("group", 1) != 1 {
			return nil, fmt.Errorf("group %d, only 1 is implemented", n.Attrs.Int("group", 1))
		}
		out, err := windowRule(n, x[2:], w[2:])
		return f32(append(Shape{x[0], w[0]}, out...)), err
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		d := b.apply("ConvGrad", "", n.Attrs, dy[0], n.Inputs[0], n.Inputs[1])
		out := make([]*Value, len(n.Inputs))
		for i, in := range n.Inputs {
			if d != nil && b.needs(in) {
				out[i] = b.ask(d, i)
			}
		}
		return out
	},
	flops: convCost,
}

func convCost(n *Node, batch int) Cost {
	taps := n.shape(1)[1:].Len(batch)
	return Cost{MACs: int64(n.Outputs[0].Type.Shape.Len(batch)) * int64(taps)}
}

// opConvGrad takes dy, x and w and gives those of dx, dw and dbias that are asked for.
var opConvGrad = operator{
	name: "ConvGrad", in: floats(3), required: 3, outs: asked,
	shapes: func(n *Node) ([]Type, error) {
		x, w := n.Inputs[1].Type, n.Inputs[2].Type
		if len(n.shape(0)) != 4 || len(x.Shape) != 4 || len(w.Shape) != 4 {
			return nil, fmt.Errorf("want gradients and images [N C H W], filters [M C kh kw]")
		}
		return []Type{x, w, {accel.Float32, Shape{w.Shape[0]}}}, nil
	},
	flops: func(n *Node, batch int) Cost {
		one := int64(n.shape(0).Len(batch)) * int64(n.shape(2)[1:].Len(batch))
		var c Cost
		for _, out := range n.Outputs[:2] {
			if out != nil {
				c.MACs += one
			}
		}
		return c
	},
}

// windowRule is the shape rule of windows sliding over two spatial dimensions.
func windowRule(n *Node, size, kernel Shape) (Shape, error) {
	strides, pads := n.Attrs.Ints("strides"), n.Attrs.Ints("pads")
	if strides == nil {
		strides = []int{1, 1}
	}
	if pads == nil {
		pads = []int{0, 0, 0, 0}
	}
	if len(kernel) != 2 || len(strides) != 2 || len(pads) != 4 {
		return nil, fmt.Errorf("kernel %v, strides %v, pads %v: want 2, 2 and 4 numbers", kernel, strides, pads)
	}
	for _, d := range n.Attrs.Ints("dilations") {
		if d != 1 {
			return nil, fmt.Errorf("dilations %v, only 1 is implemented", n.Attrs.Ints("dilations"))
		}
	}
	out := make(Shape, 2)
	for d := range out {
		room := size[d] + pads[d] + pads[d+2] - kernel[d]
		if size[d] == N || kernel[d] < 1 || strides[d] < 1 || min(pads[d], pads[d+2]) < 0 || room < 0 {
			return nil, fmt.Errorf("window %v with strides %v and pads %v does not fit into %s", kernel, strides, pads, size)
		}
		out[d] = room/strides[d] + 1
	}
	return out, nil
}
