package graph

// opMul is z = x·y, element by element, with numpy's broadcasting.
var opMul = operator{
	name: "Mul", in: floats(2), required: 2, shapes: broadcastRule,
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		x, y := n.Inputs[0], n.Inputs[1]
		return b.pair(n,
			func() *Value { return b.op("Mul", "", nil, dz[0], y) },
			func() *Value { return b.op("Mul", "", nil, dz[0], x) })
	},
}
