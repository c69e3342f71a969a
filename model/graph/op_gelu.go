package graph

import "fmt"

// opGelu is ONNX's Gelu with the attribute approximate=tanh, the only form there is here.
var opGelu = operator{
	name: "Gelu", in: floats(1), required: 1, shapes: geluRule,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.op("GeluGrad", "", n.Attrs, dy[0], n.Inputs[0])}
	},
}

// opGeluGrad takes dy and x, and gives dx.
var opGeluGrad = operator{name: "GeluGrad", in: floats(2), required: 2, shapes: alike}

func geluRule(n *Node) ([]Type, error) {
	if a := n.Attrs.Str("approximate", "none"); a != "tanh" {
		return nil, fmt.Errorf("approximate is %q, only tanh is implemented", a)
	}
	return like(0)(n)
}
