package graph

import "github.com/millrace-go/millrace/accel"

// opIdentity is y = x, of any element type.
var opIdentity = operator{
	name: "Identity", in: make([]accel.DType, 1), required: 1, shapes: like(0), view: true,
	grad: func(_ *backward, _ *Node, dy []*Value) []*Value { return dy },
}
