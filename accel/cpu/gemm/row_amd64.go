package gemm

import "github.com/millrace-go/millrace/accel/cpu/isa"

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

// Flags of rowArgs.
const (
	addBias     = 1
	addRowBias  = 2
	addResidual = 4
	clipRows    = 8
)

// assembly does what portable does.
func (f *finisher) assembly(level isa.Level) {
	e := f.epilogue
	r := rowArgs{c: &f.c[0], ldc: f.ld * 4, ldr: f.ld * 4, rows: f.rows, n: f.cols, lo: e.Lo, hi: e.Hi}
	switch e.Bias {
	case BiasColumns:
		r.bias, r.flags = &f.bias[0], addBias
	case BiasRows:
		r.rowBias, r.flags = &f.bias[0], addRowBias
	}
	if e.Residual {
		r.residual = &f.residual[0]
		r.flags |= addResidual
	}
	if e.clips() {
		r.flags |= clipRows
	}
	if level == isa.AVX512 {
		finishRows512(&r)
	} else {
		finishRows256(&r)
	}
}
