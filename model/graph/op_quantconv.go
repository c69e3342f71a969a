package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opQuantConv is QuantMatMul's inputs and result for a convolution, channels last:
// x is (N, d1, …, C), y is (N, e1, …, M), w is (M, C/group, k1, …). Its attributes
// are those of Conv, all spelled out, and activation.
var opQuantConv = operator{
	name: "QuantConv", min: 5, max: 9, flat: true, macs: func(n *Node) int64 { return filterMACs(n, 3) },
	shapes: func(c *Context) ([]Type, error) {
		s, err := convShape(c.Attrs, channelsFirst(c.Shape(0)), c.Shape(3), c.Attrs.Int("group", 1))
		if err != nil {
			return nil, err
		}
		t, err := c.fusedRule(s[1])
		return []Type{{DType: t, Shape: channelsLast(s)}}, err
	},
}

// channelsFirst and channelsLast turn (N, d1, …, C) into (N, C, d1, …) and back.
func channelsFirst(s []int) []int {
	if len(s) < 3 {
		return s
	}
	return slices.Concat(s[:1], s[len(s)-1:], s[1:len(s)-1])
}

func channelsLast(s []int) []int { return slices.Concat(s[:1], s[2:], s[1:2]) }

// filterMACs counts the multiply-adds of a convolution with filters w.
func filterMACs(n *Node, w int) int64 {
	return int64(accel.Size(n.Outputs[0].Type.Shape)) * int64(accel.Size(n.Inputs[w].Type.Shape[1:]))
}
