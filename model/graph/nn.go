package graph

// nnOps lists the operators of neural networks.
func nnOps() []operator {
	return []operator{
		opConv, opFusedConv, opConvTranspose, opConvDataGrad, opConvWeightsGrad, opConvBiasGrad,
		opMaxPool, opMaxPoolGrad, opAveragePool, opAveragePoolGrad, opLpPool, opLpPoolGrad,
		opGlobalAveragePool, opGlobalMaxPool, opGlobalLpPool,
		opSoftmax, opLogSoftmax, opSoftmaxGrad, opLogSoftmaxGrad,
		opNegativeLogLikelihoodLoss, opNegativeLogLikelihoodLossGrad, opSoftmaxCrossEntropyLoss, opMaskedDropout, opDropout,
		opLayerNormalization, opRMSNormalization, opSkipLayerNormalization, opLayerNormGrad, opRMSNormGrad,
		opBatchNormalization, opGroupNormalization, opInstanceNormalization, opBatchNormGrad, opGroupNormGrad,
		opFusedAttention, opFusedAttentionGrad, opAttention, opFlexAttention, opLinearAttention,
		opLRN, opLpNormalization, opMeanVarianceNormalization, opHardmax,
		opEinsum, opRNN, opGRU, opLSTM, opAdagrad, opAdam, opMomentum,
		opQuantizeLinear, opDequantizeLinear, opDynamicQuantizeLinear, opMatMulInteger, opQLinearMatMul, opConvInteger, opQLinearConv,
		opRotaryEmbedding, opCausalConvWithState, opSwiGLU,
	}
}
