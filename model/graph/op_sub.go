package graph

// opSub is z = x - y with numpy's broadcasting.
var opSub = operator{
	name: "Sub", in: floats(2), required: 2, shapes: broadcastRule,
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		return b.pair(n,
			func() *Value { return dz[0] },
			func() *Value { return b.op("Neg", "", nil, dz[0]) })
	},
}
