// Package gemm multiplies float32 matrices:
//
//	C = act(alpha * op(A) * op(B) + bias + residual)         or, to accumulate,
//	C = act(C + alpha * op(A) * op(B) + bias + residual)
//
// op(A) is M x K, op(B) is K x N, C and the residual are M x N, all row-major;
// op is the matrix or its transpose. A Plan is made once for the shapes; its Run
// allocates nothing and may be called by several goroutines at once.
//
// # The result, bit by bit
//
// K is cut into blocks of KC = 384. The sum of a block is one chain of fused
// multiply-adds in the order of k, from zero; it is multiplied by alpha (one
// rounding), and the blocks are added in order, to C if accumulating:
//
//	s0 = fma(a[i,0], b[0,j], 0), fma(a[i,1], b[1,j], s0), …
//	c  = ((alpha*s0 + alpha*s1) + alpha*s2) + …
//	c  = (((c + alpha*s0) + alpha*s1) + …                    accumulating
//
// Then the bias is added, then the residual, then the activation applied, each
// rounded by itself. So an element depends on its row of op(A), its column of
// op(B) and alpha alone: not on M, N, the batch, the strides, whether B was
// packed, the number of threads, or the CPU: AVX2 and AVX-512 give the same
// bits. Plain Go, which has no float32 FMA, rounds every product as well.
//
// The error of a sum is at most (KC + K/KC + 2) * 2^-24 * sum of |a*b| to first
// order.
//
// The blocking follows Goto and van de Geijn, "Anatomy of high-performance matrix
// multiplication" (2008): a tile of C stays in registers (14 x 32 for AVX-512,
// 6 x 16 for AVX2), a strip of A in the first-level cache, a block of B in the
// second. A is read where it lies unless its rows would evict each other.
package gemm

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// Spec says what to multiply. The zero value of every field but the sizes is a
// plain product.
type Spec struct {
	M, N, K int
	// TransA says that A is stored transposed, K x M; TransB that B is stored
	// N x K (as the weights of a linear layer often are).
	TransA, TransB bool
	// LDA, LDB and LDC are the distances between stored rows, in elements; 0
	// means that the rows lie without gaps.
	LDA, LDB, LDC int

	// Batch is the number of products, 0 meaning 1; StrideA, StrideB and
	// StrideC are the distances between their matrices, in elements. A stride
	// of 0 means one matrix for all; StrideC must be set if Batch > 1.
	Batch                     int
	StrideA, StrideB, StrideC int

	// Alpha multiplies the product; 0 means 1. (To scale by zero, clear C.)
	Alpha float32
	// Accumulate adds to C instead of replacing it.
	Accumulate bool

	Epilogue
}

// Operands are the memory of one Run. C may not overlap another operand. B is
// not read if Packed is given. Scratch holds ScratchLen floats for the pool's
// threads, of any value, and belongs to this call until it returns.
type Operands struct {
	C, A, B  []float32
	Packed   []float32 // what PackB wrote, or nil
	Bias     []float32 // M or N floats, see Epilogue
	Residual []float32 // laid out as C
	Scratch  []float32
}

// Plan computes products of one Spec.
type Plan struct {
	spec  Spec
	level isa.Level
	core  product
	lens  lengths
	idle  par.Idle[call]
}

// lengths are the least lengths of the operands.
type lengths struct{ a, b, c, packed, bias int }

// New checks s and makes its plan.
func New(s Spec) (*Plan, error) { return newPlan(s, isa.Best()) }

func newPlan(s Spec, level isa.Level) (*Plan, error) {
	if err := s.normalize(); err != nil {
		return nil, fmt.Errorf("gemm.New: %w", err)
	}
	s.fold()
	p := &Plan{spec: s, level: level}
	p.lens = s.lengths()
	p.core = newProduct(&s, level)
	return p, nil
}

// normalize checks the fields and replaces defaults by what they stand for.
func (s *Spec) normalize() error {
	if s.M < 0 || s.N < 0 || s.K < 0 || s.Batch < 0 {
		return fmt.Errorf("negative size: M %d, N %d, K %d, batch %d", s.M, s.N, s.K, s.Batch)
	}
	s.Batch = max(s.Batch, 1)
	if s.Alpha == 0 {
		s.Alpha = 1
	}
	colsA, colsB := s.K, s.N
	if s.TransA {
		colsA = s.M
	}
	if s.TransB {
		colsB = s.K
	}
	for _, x := range []struct {
		name string
		ld   *int
		cols int
	}{{"LDA", &s.LDA, colsA}, {"LDB", &s.LDB, colsB}, {"LDC", &s.LDC, s.N}} {
		if *x.ld == 0 {
			*x.ld = x.cols
		}
		if *x.ld < x.cols {
			return fmt.Errorf("%s %d is less than the %d elements of a row", x.name, *x.ld, x.cols)
		}
	}
	if err := s.checkStrides(); err != nil {
		return err
	}
	return s.Epilogue.check()
}

func (s *Spec) checkStrides() error {
	if s.Batch == 1 {
		s.StrideA, s.StrideB, s.StrideC = 0, 0, 0
		return nil
	}
	if s.StrideA < 0 || s.StrideB < 0 {
		return fmt.Errorf("negative stride: A %d, B %d", s.StrideA, s.StrideB)
	}
	if need := span(s.M, s.N, s.LDC); s.StrideC < need {
		return fmt.Errorf("StrideC %d: matrices of %d elements would overlap", s.StrideC, need)
	}
	return nil
}

// fold makes one product of a batch whose matrices of A and C follow each other
// and share B.
func (s *Spec) fold() {
	if s.Batch > 1 && s.StrideB == 0 && !s.TransA && s.Bias != BiasRows && s.StrideA == s.M*s.LDA && s.StrideC == s.M*s.LDC {
		s.M *= s.Batch
		s.Batch, s.StrideA, s.StrideC = 1, 0, 0
	}
}

// span is the number of elements from the first to the last of a matrix.
func span(rows, cols, ld int) int {
	if rows == 0 || cols == 0 {
		return 0
	}
	return (rows-1)*ld + cols
}

func (s *Spec) lengths() lengths {
	rowsA, colsA, rowsB, colsB := s.M, s.K, s.K, s.N
	if s.TransA {
		rowsA, colsA = colsA, rowsA
	}
	if s.TransB {
		rowsB, colsB = colsB, rowsB
	}
	last := s.Batch - 1
	l := lengths{
		a: last*s.StrideA + span(rowsA, colsA, s.LDA),
		b: last*s.StrideB + span(rowsB, colsB, s.LDB),
		c: last*s.StrideC + span(s.M, s.N, s.LDC),
	}
	l.packed = PackedPanels(s.K, s.N)
	if s.StrideB != 0 {
		l.packed *= s.Batch
	}
	switch s.Bias {
	case BiasColumns:
		l.bias = s.N
	case BiasRows:
		l.bias = s.M
	}
	return l
}

// PackedLen is the number of floats that PackB writes.
func (p *Plan) PackedLen() int { return p.lens.packed }

// PackB lays B out for Run, once for many products. The layout is that of
// PackRows for each KC rows in turn, the same at every level of isa; it does
// not depend on M or on how A is stored.
func (p *Plan) PackB(dst, b []float32) {
	s := &p.spec
	if len(dst) < p.lens.packed || len(b) < p.lens.b {
		panic(fmt.Sprintf("gemm.PackB: lengths %d of dst, %d of b; want at least %d and %d", len(dst), len(b), p.lens.packed, p.lens.b))
	}
	if s.N == 0 || s.K == 0 {
		return
	}
	for at := 0; at < p.lens.packed; at += PackedPanels(s.K, s.N) {
		for k := 0; k < s.K; k += KC {
			kc := min(KC, s.K-k)
			block := dst[at+PackedPanels(k, s.N):][:PackedPanels(kc, s.N)]
			if s.TransB {
				packColumns(p.level, block, b[k:], s.LDB, kc, s.N)
			} else {
				packRows(p.level, block, b[k*s.LDB:], s.LDB, kc, s.N)
			}
		}
		b = b[min(s.StrideB, len(b)):]
	}
}

// ScratchLen is the number of floats of scratch that Run needs with a pool of
// that many threads.
func (p *Plan) ScratchLen(threads int) int { return max(threads, 1) * p.core.scratch }
