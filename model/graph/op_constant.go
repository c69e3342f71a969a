package graph

// opConstant is a scalar, the attribute value_float.
var opConstant = operator{
	name: "Constant", flops: free,
	shapes: func(*Node) ([]Type, error) { return f32(Shape{}), nil },
	grad:   func(*backward, *Node, []*Value) []*Value { return nil },
}
