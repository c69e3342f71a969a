package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// opCol2Im adds the blocks that slide over an image up into it: x is (N, C·B,
// positions) for blocks of B elements, y is (N, C, image). The further inputs
// are the image's and the block's size. The attributes are strides, dilations
// and pads.
var opCol2Im = operator{
	name: "Col2Im", min: 3, static: []int{1, 2},
	shapes: func(c *Context) ([]Type, error) {
		image, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		block, err := c.Ints(2)
		if err != nil {
			return nil, err
		}
		blocks, err := extent.NewBlocks(image, block, c.Attrs)
		if err != nil {
			return nil, err
		}
		s, each := c.Shape(0), accel.Size(block)
		if len(s) != 3 || s[1]%each != 0 || s[2] != accel.Size(blocks.Counts) {
			return nil, fmt.Errorf("columns %v of blocks %v at %v positions", s, block, blocks.Counts)
		}
		return one(c.DType(0), append([]int{s[0], s[1] / each}, image...))
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.Op("Im2Col", n.Attrs, dy[0], n.Inputs[2])}
	},
}

// opIm2Col lists the blocks that slide over an image, the opposite of Col2Im:
// the inputs are the image, (N, C, D…), and the block's size.
var opIm2Col = operator{
	name: "Im2Col", min: 2, static: []int{1},
	shapes: func(c *Context) ([]Type, error) {
		block, err := c.Ints(1)
		if err != nil {
			return nil, err
		}
		s := c.Shape(0)
		if len(s) < 3 {
			return nil, fmt.Errorf("shape %v, want images", s)
		}
		blocks, err := extent.NewBlocks(s[2:], block, c.Attrs)
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), []int{s[0], s[1] * accel.Size(block), accel.Size(blocks.Counts)})
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.Op("Col2Im", n.Attrs, dy[0], b.Ints(n.Inputs[0].Type.Shape[2:]...), n.Inputs[1])}
	},
}

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
}
