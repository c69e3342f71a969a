package vec

// The functions on rows take matrices of rows·cols elements, row-major. The
// row sums are float32 sums over 16 lanes, and a row's result depends on that
// row alone.

// SoftmaxRows is exp(x-m)/Σ exp(x-m) along each row, m the largest element. A row
// with a NaN or +Inf, or of -Inf alone, becomes NaN. The relative error of an
// element is below (8 + cols/16)·2⁻²⁴.
func SoftmaxRows(dst, x []float32, rows, cols int) {
	matrix(dst, rows, cols)
	matrix(x, rows, cols)
	softmaxRows(dst, x, rows, cols)
}

// SoftmaxRow is SoftmaxRows of one row.
func SoftmaxRow(dst, x []float32) { SoftmaxRows(dst, x, 1, len(x)) }

// LogSoftmaxRows is x-m-log Σ exp(x-m) along each row, m the largest element.
func LogSoftmaxRows(dst, x []float32, rows, cols int) {
	matrix(dst, rows, cols)
	matrix(x, rows, cols)
	logSoftmaxRows(dst, x, rows, cols)
}

// SoftmaxGradRows takes the gradient dy and the result y of SoftmaxRows:
// dx = y·(dy - Σ dy·y). dx may be dy or y.
func SoftmaxGradRows(dx, dy, y []float32, rows, cols int) {
	matrix(dx, rows, cols)
	same3(dx, dy, y)
	softmaxGradRows(dx, dy, y, rows, cols)
}

// LogSoftmaxGradRows takes the gradient dy and the result y of LogSoftmaxRows:
// dx = dy - exp(y)·Σ dy. dx may be dy or y.
func LogSoftmaxGradRows(dx, dy, y []float32, rows, cols int) {
	matrix(dx, rows, cols)
	same3(dx, dy, y)
	logSoftmaxGradRows(dx, dy, y, rows, cols)
}
