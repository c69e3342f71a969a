package gemm

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// Sizes that callers of Block and PackRows build on; they are the same at every
// level of isa.
const (
	NR = 32  // columns of a panel of B
	KC = 384 // most values of k in a block; results depend on it
)

// Block is the innermost product, on operands that the caller has laid out:
//
//	C[i,j] = alpha * sum over k of A[i,k] * B[k,j]      (Add: C[i,j] += …)
//
//	A[i,k] is A[i*RowA+k*StepA]
//	B[k,j] is B[j/NR*PanelB+k*StepB+j%NR]
//	C[i,j] is C[i*LDC+j]
//
// So A may be a matrix, its transpose, or a packed panel (k after k, RowA = 1).
// B is made of panels of NR columns; each row of each panel must hold NR floats,
// those beyond N of any value (a NaN there is harmless): PanelB = K*NR and StepB
// = NR for packed panels, PanelB = NR and StepB = the leading dimension for a
// row-major matrix whose width is a multiple of NR.
//
// The sum is one chain of fused multiply-adds from zero, in the order of k. A
// caller who has more than KC values of k makes one Block of every KC of them,
// in order, Add set for all but the first. K may be 0; then the sum is zero.
//
// Speed: A is best within 24 KiB for each 14 rows and not at a distance of rows
// near a multiple of 4 KiB; B is read once for each 14 rows, so K*N floats
// should fit half of the second-level cache.
type Block struct {
	A, B, C       []float32
	RowA, StepA   int // distances in A, in floats
	StepB, PanelB int // distances in B
	LDC           int
	M, N, K       int
	Alpha         float32 // 1 for a plain product; 0 means 0
	Add           bool

	next strip // rows of A that will be needed next
}

// strip is rows of A, as it is stored.
type strip struct {
	a               []float32
	row, step, rows int
}

// Run computes the block with the kernels of isa.Best. It panics if a slice is
// too short.
func (b *Block) Run() {
	b.check()
	if b.M == 0 || b.N == 0 {
		return
	}
	b.run(isa.Best())
}

func (b *Block) check() {
	if b.M < 0 || b.N < 0 || b.K < 0 {
		panic(fmt.Sprintf("gemm.Block: negative size %dx%dx%d", b.M, b.K, b.N))
	}
	if b.M == 0 || b.N == 0 {
		return
	}
	panels := (b.N + NR - 1) / NR
	needC := (b.M-1)*b.LDC + b.N
	needA, needB := 0, 0
	if b.K > 0 {
		needA = (b.M-1)*b.RowA + (b.K-1)*b.StepA + 1
		needB = (panels-1)*b.PanelB + (b.K-1)*b.StepB + NR
	}
	if len(b.A) < needA || len(b.B) < needB || len(b.C) < needC {
		panic(fmt.Sprintf("gemm.Block: %dx%dx%d: lengths %d, %d, %d of A, B, C; want at least %d, %d, %d",
			b.M, b.K, b.N, len(b.A), len(b.B), len(b.C), needA, needB, needC))
	}
}

// PackedPanels is the number of floats that PackRows and PackColumns write.
func PackedPanels(k, n int) int { return (n + NR - 1) / NR * NR * k }

// PackRows writes the row-major k x n matrix b, with leading dimension ldb, as
// packed panels of NR columns, the last padded with zeros.
func PackRows(dst, b []float32, ldb, k, n int) {
	checkPack("PackRows", dst, b, ldb, k, n, k, n)
	packRows(isa.Best(), dst, b, ldb, k, n)
}

// PackColumns is PackRows for a matrix stored transposed: b is n x k, row-major.
func PackColumns(dst, b []float32, ldb, k, n int) {
	checkPack("PackColumns", dst, b, ldb, k, n, n, k)
	packColumns(isa.Best(), dst, b, ldb, k, n)
}

func checkPack(what string, dst, b []float32, ldb, k, n, rows, cols int) {
	if k <= 0 || n <= 0 {
		return
	}
	if need := (rows-1)*ldb + cols; len(b) < need || len(dst) < PackedPanels(k, n) || ldb < cols {
		panic(fmt.Sprintf("gemm.%s: k=%d n=%d ldb=%d: lengths %d of dst, %d of b; want at least %d and %d",
			what, k, n, ldb, len(dst), len(b), PackedPanels(k, n), need))
	}
}
