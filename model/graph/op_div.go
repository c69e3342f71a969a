package graph

// opDiv is z = x/y, element by element, with numpy's broadcasting:
// dx = dz/y, dy = -dx·z.
var opDiv = operator{
	name: "Div", in: floats(2), required: 2, shapes: broadcastRule,
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		dx := b.op("Div", "", nil, dz[0], n.Inputs[1])
		return b.pair(n,
			func() *Value { return dx },
			func() *Value { return b.op("Neg", "", nil, b.op("Mul", "", nil, dx, n.Outputs[0])) })
	},
}
