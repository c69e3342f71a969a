package graph

// movementOps lists the operators that move elements or tell of shapes.
func movementOps() []operator {
	return []operator{
		opIdentity, opReshape, opShape, opSize, opFlatten, opSqueeze, opUnsqueeze,
		opTranspose, opConcat, opSplit, opSlice, opSliceGrad, opExpand, opTile, opPad, opPadGrad,
		opConstantOfShape,
	}
}
