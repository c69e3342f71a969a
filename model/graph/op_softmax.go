package graph

import "fmt"

// opSoftmax is softmax along the last dimension; the attribute axis may say so (-1, the default).
var opSoftmax = operator{
	name: "Softmax", in: floats(1), required: 1, shapes: softmaxRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.op("SoftmaxGrad", "", n.Attrs, dy[0], n.Outputs[0])}
	},
}

// opSoftmaxGrad takes dy and y, and gives dx.
var opSoftmaxGrad = operator{name: "SoftmaxGrad", in: floats(2), required: 2, shapes: alike}

func softmaxRule(n *Node) ([]Type, error) {
	rank := len(n.shape(0))
	a, err := axisOf(n.Attrs.Int("axis", -1), rank)
	if err != nil {
		return nil, err
	}
	if a != rank-1 {
		return nil, fmt.Errorf("axis %d of %s, only the last is implemented", a, n.shape(0))
	}
	return like(0)(n)
}
