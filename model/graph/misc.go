package graph

// miscOps lists operators of no other family.
func miscOps() []operator {
	return []operator{
		opRange, opEyeLike, opTrilu, opDepthToSpace, opSpaceToDepth, opCenterCropPad, opOneHot,
		opResize, opResizeGrad, opReverseSequence, opTensorScatter, opNonZero, opCompress, opUnique,
		opHannWindow, opHammingWindow, opBlackmanWindow, opMelWeightMatrix, opDFT, opSTFT,
		opRandomNormal, opRandomNormalLike, opRandomUniform, opRandomUniformLike, opBernoulli, opMultinomial,
		opBinarizer, opLabelEncoder, opTfIdfVectorizer, opAffineGrid, opMaxUnpool, opNonMaxSuppression,
		opGridSample, opRoiAlign, opRoiAlignGrad, opRoiAlignPeaks, opMaxRoiPool, opMaxRoiPoolPeaks, opCol2Im, opIm2Col, opDeformConv, opDeformColumns, opDeformImageGrad, opDeformPlacesGrad, opDet, opDetGrad,
	}
}
