package cpu

import "maps"

// kernels is the table of operators. An operator's inputs, outputs and
// attributes are documented where its shape rule is, in model/graph.
var kernels = map[string]builder{}

// families lists the tables of kernels, one a file or a few.
func families() []map[string]builder {
	return []map[string]builder{copyKernels, gatherKernels, scatterKernels, sequenceKernels, resizeKernels, randomKernels, labelKernels, ngramKernels, dftKernels, sampleKernels, columnKernels, detKernels, padKernels, productKernels, softmaxKernels, convKernels, poolKernels, lossKernels, dropoutKernels,
		rowNormKernels, channelNormKernels, attentionKernels, recurrentKernels, quantizeKernels, quantizedKernels, quantKernels, arithmeticKernels,
		floatKernels, signKernels, activationKernels, slopeKernels, compareKernels, logicKernels, whereKernels, clipKernels, castKernels, reduceKernels, argKernels, topKKernels, cumulativeKernels}
}

func init() {
	for _, f := range families() {
		maps.Copy(kernels, f)
	}
}
