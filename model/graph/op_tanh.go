package graph

// opTanh is y = tanh(x).
var opTanh = operator{
	name: "Tanh", in: floats(1), required: 1, shapes: like(0),
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.op("TanhGrad", "", nil, dy[0], n.Outputs[0])}
	},
}

// opTanhGrad takes dy and y, and gives dx.
var opTanhGrad = operator{name: "TanhGrad", in: floats(2), required: 2, shapes: alike}
