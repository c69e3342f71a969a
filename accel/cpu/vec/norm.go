package vec

// LayerNormRows normalises each row: dst = (x-μ)·σ⁻¹·gamma + beta with the row's
// mean μ and σ⁻¹ = 1/√(variance+eps), the variance over cols elements, in two
// passes; see Ba et al., https://arxiv.org/abs/1607.06450. gamma and beta have
// cols elements; mean and invstd, rows elements each, receive μ and σ⁻¹.
func LayerNormRows(dst, mean, invstd, x, gamma, beta []float32, eps float32, rows, cols int) {
	matrix(dst, rows, cols)
	matrix(x, rows, cols)
	vector(gamma, cols)
	vector(beta, cols)
	vector(mean, rows)
	vector(invstd, rows)
	layerNormRows(dst, mean, invstd, x, gamma, beta, rows, cols, eps)
}

// LayerNormGradRows is the gradient of LayerNormRows. With h = (x-mean)·invstd
// and g = dy·gamma, each row's
//
//	dx = invstd·(g - Σg/cols - h·Σ(g·h)/cols)
//
// and it adds dy·h to dgamma and dy to dbeta, cols elements each, row by row.
// dx may be dy or x. To use threads, cut the rows into fixed blocks, give each
// block a dgamma and dbeta, and add those in order.
func LayerNormGradRows(dx, dgamma, dbeta, dy, x, gamma, mean, invstd []float32, rows, cols int) {
	matrix(dx, rows, cols)
	same3(dx, dy, x)
	vector(gamma, cols)
	vector(dgamma, cols)
	vector(dbeta, cols)
	vector(mean, rows)
	vector(invstd, rows)
	layerNormGradRows(dx, dgamma, dbeta, dy, x, gamma, mean, invstd, rows, cols)
}

// RMSNormRows divides each row by its root mean square: dst = x·r·gamma with
// r = 1/√(mean(x²)+eps); see Zhang & Sennrich, https://arxiv.org/abs/1910.07467.
// invrms, rows elements, receives r.
func RMSNormRows(dst, invrms, x, gamma []float32, eps float32, rows, cols int) {
	matrix(dst, rows, cols)
	matrix(x, rows, cols)
	vector(gamma, cols)
	vector(invrms, rows)
	rmsNormRows(dst, invrms, x, gamma, rows, cols, eps)
}

// RMSNormGradRows is the gradient of RMSNormRows. With h = x·invrms and
// g = dy·gamma, each row's dx = invrms·(g - h·Σ(g·h)/cols), and it adds dy·h to
// dgamma, cols elements. dx may be dy or x.
func RMSNormGradRows(dx, dgamma, dy, x, gamma, invrms []float32, rows, cols int) {
	matrix(dx, rows, cols)
	same3(dx, dy, x)
	vector(gamma, cols)
	vector(dgamma, cols)
	vector(invrms, rows)
	rmsNormGradRows(dx, dgamma, dy, x, gamma, invrms, rows, cols)
}
