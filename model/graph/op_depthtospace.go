package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opDepthToSpace spreads channels over squares of blocksize × blocksize pixels:
// x is (N, C·b·b, H, W), y is (N, C, H·b, W·b). The attribute mode says whether the
// channel is the last part of the depth (DCR, the default) or the first (CRD).
var opDepthToSpace = operator{
	name: "DepthToSpace", min: 1,
	shapes: func(c *Context) ([]Type, error) {
		s, b := c.Shape(0), c.Attrs.Int("blocksize", 0)
		if len(s) != 4 || b < 1 || s[1]%(b*b) != 0 {
			return nil, fmt.Errorf("shape %v with blocks of %d", s, b)
		}
		if m := c.Attrs.Str("mode", "DCR"); m != "DCR" && m != "CRD" {
			return nil, fmt.Errorf("mode %q, want DCR or CRD", m)
		}
		return one(c.DType(0), []int{s[0], s[1] / (b * b), s[2] * b, s[3] * b})
	},
	expand: func(b *B, n *Node) []*Value {
		x, k := n.Inputs[0], n.Attrs.Int("blocksize", 0)
		s := x.Type.Shape
		depth := s[1] / (k * k)
		if n.Attrs.Str("mode", "DCR") == "CRD" {
			x = b.Transpose(b.Reshape(x, s[0], depth, k, k, s[2], s[3]), 0, 1, 4, 2, 5, 3)
		} else {
			x = b.Transpose(b.Reshape(x, s[0], k, k, depth, s[2], s[3]), 0, 3, 4, 1, 5, 2)
		}
		return []*Value{b.Reshape(x, s[0], depth, s[2]*k, s[3]*k)}
	},
}

// opSpaceToDepth is the opposite of DepthToSpace, in the same mode.
var opSpaceToDepth = operator{
	name: "SpaceToDepth", min: 1,
	shapes: func(c *Context) ([]Type, error) {
		s, b := c.Shape(0), c.Attrs.Int("blocksize", 0)
		if len(s) != 4 || b < 1 || s[2]%b != 0 || s[3]%b != 0 {
			return nil, fmt.Errorf("shape %v with blocks of %d", s, b)
		}
		if err := oneOf(c.Node, "mode", "DCR", "CRD"); err != nil {
			return nil, err
		}
		return one(c.DType(0), []int{s[0], s[1] * b * b, s[2] / b, s[3] / b})
	},
	expand: func(b *B, n *Node) []*Value {
		x, k := n.Inputs[0], n.Attrs.Int("blocksize", 0)
		s := x.Type.Shape
		x = b.Reshape(x, s[0], s[1], s[2]/k, k, s[3]/k, k)
		if n.Attrs.Str("mode", "DCR") == "CRD" {
			x = b.Transpose(x, 0, 1, 3, 5, 2, 4)
		} else {
			x = b.Transpose(x, 0, 3, 5, 1, 2, 4)
		}
		return []*Value{b.Reshape(x, s[0], s[1]*k*k, s[2]/k, s[3]/k)}
	},
}

// opCenterCropPad makes the dimensions that the attribute axes (all) names as
// long as the second input says, cutting from or adding zeros to both ends; where
// the difference is odd, one more at the end.
var opCenterCropPad = operator{
	name: "CenterCropPad", min: 2, static: []int{1},
	shapes: func(c *Context) ([]Type, error) {
		out, _, _, err := centered(c.Node, c.Shape(0))
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), out)
	},
	expand: func(b *B, n *Node) []*Value {
		_, before, after, err := centered(n, n.Inputs[0].Type.Shape)
		if err != nil {
			b.Fail(err)
			return nil
		}
		return []*Value{b.Op("Pad", nil, n.Inputs[0], b.Ints(append(before, after...)...))}
	},
}

// centered is the shape that CenterCropPad makes, and the pads that lead there.
func centered(n *Node, shape []int) (out, before, after []int, err error) {
	want, err := (&Context{Node: n}).Ints(1)
	if err != nil {
		return nil, nil, nil, err
	}
	axes := n.Attrs.Ints("axes")
	if axes == nil {
		for d := range shape {
			axes = append(axes, d)
		}
	}
	if axes, err = axesOf(axes, len(shape)); err != nil {
		return nil, nil, nil, err
	}
	if len(want) != len(axes) || accel.Size(want) < 0 {
		return nil, nil, nil, fmt.Errorf("sizes %v of %d axes", want, len(axes))
	}
	out = append([]int{}, shape...)
	before, after = make([]int, len(shape)), make([]int, len(shape))
	for i, d := range axes {
		out[d] = want[i]
		diff := want[i] - shape[d]
		before[d] = diff / 2 // towards zero: the end gets what is odd
		after[d] = diff - before[d]
	}
	return out, before, after, nil
}
