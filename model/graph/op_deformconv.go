package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// opDeformConv is a two-dimensional convolution that reads each element of its
// window at an offset of its own, interpolated. The inputs are x (N, C, H, W), the
// weights (M, C/group, kh, kw), offsets (N, offset_group·kh·kw·2, OH, OW), of which
// the pairs are y, x, and, optionally, a bias (M) and factors (N, offset_group·kh·kw,
// OH, OW). The attributes are those of Conv and offset_group (1). See Zhu et al.,
// "Deformable ConvNets v2", https://arxiv.org/abs/1811.11168.
var opDeformConv = operator{
	name: "DeformConv", min: 3, max: 5,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.Same(0, 1, 2, 3, 4); err != nil {
			return nil, err
		}
		x, w, offset := c.Shape(0), c.Shape(1), c.Shape(2)
		group, parts := c.Attrs.Int("group", 1), c.Attrs.Int("offset_group", 1)
		if len(x) != 4 || len(w) != 4 || group < 1 || parts < 1 || x[1] != w[1]*group || w[0]%group != 0 || x[1]%parts != 0 {
			return nil, fmt.Errorf("weights %v for %v in %d groups, offsets in %d", w, x, group, parts)
		}
		blocks, err := extent.NewBlocks(x[2:], w[2:], c.Attrs)
		if err != nil {
			return nil, err
		}
		taps := parts * w[2] * w[3]
		if !slices.Equal(offset, append([]int{x[0], 2 * taps}, blocks.Counts...)) {
			return nil, fmt.Errorf("offsets %v for weights %v at %v positions", offset, w, blocks.Counts)
		}
		if c.Has(3) && !slices.Equal(c.Shape(3), w[:1]) || c.Has(4) && !slices.Equal(c.Shape(4), append([]int{x[0], taps}, blocks.Counts...)) {
			return nil, fmt.Errorf("a bias or factors for weights %v at %v positions do not fit", w, blocks.Counts)
		}
		return one(c.DType(0), append([]int{x[0], w[0]}, blocks.Counts...))
	},
	expand: func(b *B, n *Node) []*Value {
		x, w, offset := n.Inputs[0], n.Inputs[1], n.Inputs[2]
		xs, ws, os := x.Type.Shape, w.Type.Shape, offset.Type.Shape
		group := n.Attrs.Int("group", 1)
		attrs := n.Attrs.With(accel.Ints("kernel_shape", ws[2], ws[3]))
		columns := b.Op("DeformColumns", attrs, x, offset, n.Input(4))
		columns = b.Reshape(columns, xs[0], group, ws[1]*ws[2]*ws[3], os[2]*os[3])
		y := b.MatMul(b.Reshape(w, 1, group, ws[0]/group, ws[1]*ws[2]*ws[3]), columns)
		y = b.Reshape(y, xs[0], ws[0], os[2], os[3])
		if bias := n.Input(3); bias != nil {
			y = b.Add(y, b.Reshape(bias, 1, ws[0], 1, 1))
		}
		return []*Value{y}
	},
}

// opDeformColumns is the part of DeformConv before the product with the weights:
// x, offsets and factors give columns (N, C·kh·kw, OH·OW).
var opDeformColumns = operator{
	name: "DeformColumns", min: 2, max: 3,
	shapes: func(c *Context) ([]Type, error) {
		x, offset := c.Shape(0), c.Shape(1)
		taps := accel.Size(c.Attrs.Ints("kernel_shape"))
		if len(x) != 4 || len(offset) != 4 {
			return nil, fmt.Errorf("offsets %v for %v", offset, x)
		}
		return one(c.DType(0), []int{x[0], x[1] * taps, offset[2] * offset[3]})
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		x, offset, mask := n.Inputs[0], n.Inputs[1], n.Input(2)
		dx := make([]*Value, len(n.Inputs))
		if b.needs(x) {
			dx[0] = b.Op("DeformImageGrad", n.Attrs, dy[0], b.Ints(x.Type.Shape...), offset, mask)
		}
		b.deformPlaces(n, dx[1:], dy[0], x, offset, mask)
		return dx
	},
}

// opDeformImageGrad is the gradient of DeformColumns with respect to x, whose shape
// is the second input; the others are dy, the offsets and, optionally, the factors.
var opDeformImageGrad = operator{
	name: "DeformImageGrad", min: 3, max: 4, static: []int{1},
	shapes: func(c *Context) ([]Type, error) {
		shape, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), shape)
	},
	grad: func(b *backward, n *Node, d []*Value) []*Value { // dx is linear in dy, and in the weights
		dy, offset, mask := n.Inputs[0], n.Inputs[2], n.Input(3)
		out := make([]*Value, len(n.Inputs))
		if b.needs(dy) {
			out[0] = b.Op("DeformColumns", n.Attrs, d[0], offset, mask)
		}
		b.deformPlaces(n, out[2:], dy, d[0], offset, mask)
		return out
	},
}

// deformPlaces puts the gradients of the offsets and of the factors, where needed,
// into out.
func (b *backward) deformPlaces(n *Node, out []*Value, dy, x, offset, mask *Value) {
	if b.needs(offset) || b.needs(mask) {
		d := b.Ops("DeformPlacesGrad", 2, n.Attrs, dy, x, offset, mask)
		copy(out, d)
	}
}

// opDeformPlacesGrad is the gradient of DeformColumns with respect to the offsets
// and to the factors, or to ones in their place; the inputs are dy, x, the offsets
// and, optionally, the factors.
var opDeformPlacesGrad = operator{
	name: "DeformPlacesGrad", min: 3, max: 4, outs: 2,
	shapes: func(c *Context) ([]Type, error) {
		s := slices.Clone(c.Shape(2))
		if len(s) != 4 {
			return nil, fmt.Errorf("offsets %v", s)
		}
		factors := slices.Clone(s)
		factors[1] /= 2
		return []Type{{DType: c.DType(0), Shape: s}, {DType: c.DType(0), Shape: factors}}, nil
	},
}
