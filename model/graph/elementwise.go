package graph

// elementwiseOps lists the operators that work element by element.
func elementwiseOps() []operator {
	return []operator{opAdd, opSub, opMul}
}

// binaryRule is the shape rule of operators on two broadcasting inputs of one numeric type.
func binaryRule(c *Context) ([]Type, error) {
	if err := c.Same(0, 1); err != nil {
		return nil, err
	}
	s, err := Broadcast(c.Shape(0), c.Shape(1))
	if err != nil {
		return nil, err
	}
	return one(c.DType(0), s)
}

// like is the shape rule of operators whose output has the type of the first input.
func like(c *Context) ([]Type, error) { return one(c.DType(0), c.Shape(0)) }
