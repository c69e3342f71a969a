package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opConvInteger convolves (x - xzero) with (w - wzero), as int32. Inputs: x (N, C,
// d1, …), w (M, C/group, k1, …), and the optional xzero (one value) and wzero (one,
// or one a filter). Attributes: those of Conv. The padding is xzero.
var opConvInteger = operator{
	name: "ConvInteger", min: 2, max: 4, flat: true, macs: convMACs,
	shapes: func(c *Context) ([]Type, error) {
		err := first(c.isA(byteTypes, 0, 1), c.Same(0, 2), c.Same(1, 3), c.oneValue(2))
		if err != nil {
			return nil, err
		}
		s, err := convShape(c.Attrs, c.Shape(0), c.Shape(1))
		if err == nil {
			err = c.oneOrEach(s[1], 3)
		}
		return []Type{{DType: accel.Int32, Shape: s}}, err
	},
	when:   func(n *Node) bool { return !spelled(n) },
	expand: func(b *B, n *Node) []*Value { return spellFilters(b, n, 1) },
}

// opQLinearConv convolves quantized x with quantized w and quantizes the result.
// Inputs: x, its scale and zero point, w, the same (one value, or one a filter), scale
// and zero point of the result, and the optional int32 bias, whose scale is the
// product of x's and w's. Attributes: those of Conv.
var opQLinearConv = operator{
	name: "QLinearConv", min: 8, max: 9, flat: true, macs: func(n *Node) int64 { return filterMACs(n, 3) },
	shapes: func(c *Context) ([]Type, error) {
		err := first(c.isA(byteTypes, 0, 3, 7), c.IsA(8, accel.Int32), c.Same(0, 2), c.Same(3, 5), c.oneValue(1, 2, 6, 7))
		if err != nil {
			return nil, err
		}
		s, err := convShape(c.Attrs, c.Shape(0), c.Shape(3))
		if err == nil {
			err = c.oneOrEach(s[1], 4, 5)
		}
		if err == nil && c.Has(8) && !slices.Equal(c.Shape(8), s[1:2]) {
			err = fmt.Errorf("bias %v, want %v", c.Shape(8), s[1:2])
		}
		return []Type{{DType: c.DType(7), Shape: s}}, err
	},
	when:   func(n *Node) bool { return !spelled(n) },
	expand: func(b *B, n *Node) []*Value { return spellFilters(b, n, 3) },
}

// opQuantConv is QuantMatMul's inputs and result for a convolution, channels last:
// x is (N, d1, …, C), y is (N, e1, …, M), w is (M, C/group, k1, …). Its attributes
// are those of Conv, all spelled out, and activation.
var opQuantConv = operator{
	name: "QuantConv", min: 5, max: 9, flat: true, macs: func(n *Node) int64 { return filterMACs(n, 3) },
	shapes: func(c *Context) ([]Type, error) {
		s, err := convShape(c.Attrs, channelsFirst(c.Shape(0)), c.Shape(3))
		if err != nil {
			return nil, err
		}
		t, err := c.fusedRule(s[1])
		return []Type{{DType: t, Shape: channelsLast(s)}}, err
	},
}

// convShape is the shape of a convolution's result.
func convShape(a accel.Attrs, x, w []int) ([]int, error) {
	group := a.Int("group", 1)
	if len(x) < 3 || len(w) != len(x) || group < 1 || x[1] != w[1]*group || w[0]%group != 0 {
		return nil, fmt.Errorf("images %v and filters %v in %d groups, want (N, C, d1, …) and (M, C/group, k1, …)", x, w, group)
	}
	win, err := windowOf(a, x[2:], w[2:])
	return append([]int{x[0], w[0]}, win.out...), err
}

// channelsFirst and channelsLast turn (N, d1, …, C) into (N, C, d1, …) and back.
func channelsFirst(s []int) []int {
	if len(s) < 3 {
		return s
	}
	return slices.Concat(s[:1], s[len(s)-1:], s[1:len(s)-1])
}

func channelsLast(s []int) []int { return slices.Concat(s[:1], s[2:], s[1:2]) }

// spellFilters writes a convolution with its attributes in full; w is the input
// that the filters are.
func spellFilters(b *B, n *Node, w int) []*Value {
	win, err := windowOf(n.Attrs, n.Inputs[0].Type.Shape[2:], n.Inputs[w].Type.Shape[2:])
	b.Fail(err)
	return []*Value{b.Op(n.Op, win.attrs(n.Attrs), n.Inputs...)}
}

// filterMACs counts the multiply-adds of a convolution with filters w.
func filterMACs(n *Node, w int) int64 {
	return int64(accel.Size(n.Outputs[0].Type.Shape)) * int64(accel.Size(n.Inputs[w].Type.Shape[1:]))
}
