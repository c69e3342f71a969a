package graph

// productOps lists the matrix products.
func productOps() []operator {
	return []operator{opMatMul, opGemm, opFusedMatMul}
}
