package gemm

// rowArgs is what the assembly of an epilogue is given.
type rowArgs struct {
	c        *float32
	bias     *float32 // one for each column
	rowBias  *float32 // one for each row
	residual *float32
	ldc, ldr int // bytes
	rows, n  int
	flags    uint32
	lo, hi   float32
}
