package graph

// opAdd is z = x + y with numpy's broadcasting.
var opAdd = operator{
	name: "Add", in: floats(2), required: 2, shapes: broadcastRule,
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		return b.pair(n, func() *Value { return dz[0] }, func() *Value { return dz[0] })
	},
}

func broadcastRule(n *Node) ([]Type, error) {
	s, err := broadcast(n.shape(0), n.shape(1))
	return f32(s), err
}

// pair is the gradient of a broadcasting operator: of each input that needs it,
// summed back to the input's shape.
func (b *backward) pair(n *Node, dx, dy func() *Value) []*Value {
	out := make([]*Value, 2)
	for i, f := range []func() *Value{dx, dy} {
		if b.needs(n.Inputs[i]) {
			out[i] = b.unbroadcast(f(), n.Inputs[i])
		}
	}
	return out
}
