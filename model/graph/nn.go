package graph

// nnOps lists the operators of neural networks.
func nnOps() []operator {
	return []operator{
		opSoftmax, opLogSoftmax, opSoftmaxGrad, opLogSoftmaxGrad,
		opNegativeLogLikelihoodLoss, opNegativeLogLikelihoodLossGrad, opSoftmaxCrossEntropyLoss, opMaskedDropout,
	}
}
