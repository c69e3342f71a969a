package graph

// opSigmoid is y = 1/(1+exp(-x)).
var opSigmoid = operator{
	name: "Sigmoid", in: floats(1), required: 1, shapes: like(0),
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.op("SigmoidGrad", "", nil, dy[0], n.Outputs[0])}
	},
}

// opSigmoidGrad takes dy and y, and gives dx.
var opSigmoidGrad = operator{name: "SigmoidGrad", in: floats(2), required: 2, shapes: alike}
