package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opMaxUnpool puts the elements of x where a MaxPool of the same kernel_shape,
// strides and pads (attributes) found them, into zeros: the second input is its
// indices, into the pool's whole input. The optional third input is the output's
// shape, which may have more at the ends of its dimensions than what was pooled.
var opMaxUnpool = operator{
	name: "MaxUnpool", min: 2, max: 3, static: []int{2},
	shapes: func(c *Context) ([]Type, error) {
		if err := c.IsA(1, accel.Int64); err != nil {
			return nil, err
		}
		inner, err := unpooled(c.Node, c.Shape(0))
		if err != nil {
			return nil, err
		}
		if !slices.Equal(c.Shape(0), c.Shape(1)) {
			return nil, fmt.Errorf("indices of shape %v for %v", c.Shape(1), c.Shape(0))
		}
		out, err := c.Ints(2)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = inner
		}
		if len(out) != len(inner) || accel.Size(out) < 0 {
			return nil, fmt.Errorf("output shape %v for %v", out, inner)
		}
		return one(c.DType(0), out)
	},
	expand: func(b *B, n *Node) []*Value {
		x, at := n.Inputs[0], n.Inputs[1]
		inner, err := unpooled(n, x.Type.Shape)
		b.Fail(err)
		out, err := (&Context{Node: n}).Ints(2)
		b.Fail(err)
		zeros := b.Zeros(x.Type.DType, accel.Size(inner))
		flat := accel.Size(x.Type.Shape)
		y := b.Reshape(b.Op("ScatterElements", nil, zeros, b.Reshape(at, flat), b.Reshape(x, flat)), inner...)
		if out == nil {
			return []*Value{y}
		}
		pads := make([]int, 2*len(out))
		for d := range out {
			pads[len(out)+d] = out[d] - inner[d]
		}
		return []*Value{b.Op("Pad", nil, y, b.Ints(pads...))}
	},
}

// unpooled is the shape that a MaxPool made x of, if nothing was left over.
func unpooled(n *Node, x []int) ([]int, error) {
	kernel, strides, pads := n.Attrs.Ints("kernel_shape"), n.Attrs.Ints("strides"), n.Attrs.Ints("pads")
	rank := len(x) - 2
	if rank < 1 || len(kernel) != rank || strides != nil && len(strides) != rank || pads != nil && len(pads) != 2*rank {
		return nil, fmt.Errorf("kernel %v, strides %v and pads %v for shape %v", kernel, strides, pads, x)
	}
	out := slices.Clone(x)
	for d := range kernel {
		stride, pad := 1, 0
		if strides != nil {
			stride = strides[d]
		}
		if pads != nil {
			pad = pads[d] + pads[rank+d]
		}
		if out[2+d] = (x[2+d]-1)*stride - pad + kernel[d]; out[2+d] < 0 {
			return nil, fmt.Errorf("kernel %v, strides %v and pads %v for shape %v", kernel, strides, pads, x)
		}
	}
	return out, nil
}
