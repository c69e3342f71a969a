package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opReduceSum sums over the attribute axes, all if there are none. The
// attribute keepdims (1, as in ONNX) leaves them with size 1.
var opReduceSum = operator{
	name: "ReduceSum", in: floats(1), required: 1, shapes: reduceRule, flops: perInput,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.unreduce(n, dy[0])}
	},
}

// opReduceMean is ReduceSum divided by the number of elements summed.
var opReduceMean = operator{
	name: "ReduceMean", in: floats(1), required: 1, shapes: reduceRule, flops: perInput,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		// The number of elements may depend on N, so it is computed, as a sum of ones.
		one := b.op("Constant", "", accel.Attrs{accel.Float("value_float", 1)})
		axes := accel.Attrs{accel.Ints("axes", n.axes()...), accel.Int("keepdims", 1)}
		count := b.op("ReduceSum", "", axes, b.expand(one, n.shape(0)))
		return []*Value{b.op("Div", "", nil, b.unreduce(n, dy[0]), count)}
	},
}

// axes are the summed dimensions, in order. The shape rule has checked them.
func (n *Node) axes() []int {
	var out []int
	list := n.Attrs.Ints("axes")
	for d := range n.shape(0) {
		if len(list) == 0 || slices.Contains(list, d) || slices.Contains(list, d-len(n.shape(0))) {
			out = append(out, d)
		}
	}
	return out
}

func reduceRule(n *Node) ([]Type, error) {
	for _, a := range n.Attrs.Ints("axes") {
		if _, err := axisOf(a, len(n.shape(0))); err != nil {
			return nil, err
		}
	}
	return f32(n.reduced(n.Attrs.Int("keepdims", 1) != 0)), nil
}

// reduced is the shape after the sum.
func (n *Node) reduced(keep bool) Shape {
	axes, out := n.axes(), Shape{}
	for d, size := range n.shape(0) {
		switch {
		case !slices.Contains(axes, d):
			out = append(out, size)
		case keep:
			out = append(out, 1)
		}
	}
	return out
}

// unreduce spreads the gradient of a sum over what was summed.
func (b *backward) unreduce(n *Node, dy *Value) *Value {
	if kept := n.reduced(true); !dy.Type.Shape.Equal(kept) {
		dy = b.reshape(dy, kept)
	}
	if b.err != nil {
		return nil
	}
	return b.expand(dy, n.shape(0))
}
