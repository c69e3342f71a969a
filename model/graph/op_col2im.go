package graph

import (
	"fmt"

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
