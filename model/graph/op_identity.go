package graph

// opIdentity is y = x.
var opIdentity = operator{
	name: "Identity", min: 1, shapes: like, view: true,
	grad: func(_ *backward, _ *Node, dy []*Value) []*Value { return dy },
}
