package graph

// opRelu is y = max(x, 0); its slope at 0 is 0.
var opRelu = operator{
	name: "Relu", in: floats(1), required: 1, shapes: like(0),
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.op("ReluGrad", "", nil, dy[0], n.Outputs[0])}
	},
}

// opReluGrad takes dy and y, and gives dx.
var opReluGrad = operator{name: "ReluGrad", in: floats(2), required: 2, shapes: alike}
