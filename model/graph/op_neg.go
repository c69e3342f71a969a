package graph

// opNeg is y = -x.
var opNeg = operator{
	name: "Neg", in: floats(1), required: 1, shapes: like(0),
	grad: func(b *backward, _ *Node, dy []*Value) []*Value {
		return []*Value{b.op("Neg", "", nil, dy[0])}
	},
}
