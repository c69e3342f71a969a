package graph

// opAdd is z = x + y.
var opAdd = operator{
	name: "Add", min: 2, shapes: binaryRule, inplace: []int{0, 1},
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		return b.pair(n, func() *Value { return dz[0] }, func() *Value { return dz[0] })
	},
}

// opSub is z = x - y.
var opSub = operator{
	name: "Sub", min: 2, shapes: binaryRule, inplace: []int{0, 1},
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		return b.pair(n, func() *Value { return dz[0] }, func() *Value { return b.Op("Neg", nil, dz[0]) })
	},
}

// opMul is z = x · y.
var opMul = operator{
	name: "Mul", min: 2, shapes: binaryRule, inplace: []int{0, 1},
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		return b.pair(n, func() *Value { return b.Mul(dz[0], n.Inputs[1]) }, func() *Value { return b.Mul(dz[0], n.Inputs[0]) })
	},
}
