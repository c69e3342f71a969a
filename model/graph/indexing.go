package graph

// indexingOps lists the operators that take or put elements by index.
func indexingOps() []operator {
	return []operator{
		opGather, opGatherGrad, opGatherElements, opGatherElementsGrad, opGatherND, opGatherNDGrad,
		opScatterElements, opScatterND,
	}
}
