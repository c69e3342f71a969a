package graph

// movementOps lists the operators that move elements or tell of shapes.
func movementOps() []operator {
	return []operator{opIdentity, opReshape, opShape, opSize}
}
