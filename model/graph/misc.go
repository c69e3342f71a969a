package graph

// miscOps lists operators of no other family.
func miscOps() []operator {
	return []operator{
		opRange, opEyeLike, opTrilu, opDepthToSpace, opSpaceToDepth, opCenterCropPad, opOneHot,
		opReverseSequence, opTensorScatter, opNonZero, opCompress, opUnique,
	}
}
