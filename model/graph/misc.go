package graph

// miscOps lists operators of no other family.
func miscOps() []operator {
	return []operator{
		opRange, opEyeLike, opTrilu, opDepthToSpace, opSpaceToDepth, opCenterCropPad, opOneHot,
		opResize, opResizeGrad, opReverseSequence, opTensorScatter, opNonZero, opCompress, opUnique,
	}
}
