// Package bgemm multiplies matrices of 16-bit floats with float32 sums:
//
//	C = clip(op(A) * op(B) + bias)              or, to accumulate,
//	C = clip((C + op(A) * op(B)) + bias)
//
// op(A) is M x K, op(B) is K x N, C is M x N, all row-major; op is the matrix or
// its transpose. Operands are bfloat16 or float16, given by their bits, or
// float32, rounded to that type on the way in (ties to even). C is float32, or
// rounded to the type at the end. A Plan is made once for the shapes; its Run
// allocates nothing after the first calls and may be called by several
// goroutines at once.
//
// # The result, bit by bit
//
// A float16 sum is one chain of fused multiply-adds in the order of k. The
// products have 22 bits, so plain float32 arithmetic gives the same.
//
// A bfloat16 sum is what VDPBF16PS defines: a chain of fused multiply-adds
// that takes the second element of every pair (2p, 2p+1) first, rounding to
// nearest even, with subnormal inputs taken for zero and subnormal results
// flushed to zero. Where the CPU lacks the instruction the same chain is made
// of float32 FMAs with those modes set. So a chain never depends on the tile,
// the threads or the CPU. Plain Go gives the same bits unless a product of two
// elements is outside of float32's normal range.
//
// The additions that follow are rounded by themselves. The error of a sum is at
// most K * 2^-24 * sum of |a*b| to first order, beside that of rounding the operands.
package bgemm

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// Type is the type that A and B have, or are rounded to.
type Type uint8

// The 16-bit types.
const (
	BFloat16 Type = iota
	Float16
)

// Spec says what to multiply. Distances between stored rows are in elements; 0
// means that the rows lie without gaps.
type Spec struct {
	M, N, K        int
	TransA, TransB bool // A is stored K x M, B is stored N x K
	LDA, LDB, LDC  int

	Type Type
	// A32, B32 and C32 say that the operand is float32 in memory.
	A32, B32, C32 bool
	// Prepacked says that B comes from PackB. Else Run packs it in its scratch.
	Prepacked bool
	// Accumulate adds to C, which must be float32.
	Accumulate bool
	Bias       bool // add Operands.Bias, one value a column
	Clip       bool // bound the result to [Lo, Hi]; relu is [0, +Inf]
	Lo, Hi     float32
}

// Operands are the memory of one Run; which fields are used follows from the
// Spec. C may not overlap an input.
type Operands struct {
	A, B, C    []float32
	AH, BH, CH []uint16
	Packed     []uint16 // what PackB wrote
	Bias       []float32
	Scratch    []float32 // at least ScratchLen, of any value
}

// nr is the columns of a panel of B; maxRows is the most rows a tile has.
const (
	nr      = 32
	maxRows = 14
)

// Plan computes products of one Spec.
type Plan struct {
	spec   Spec
	im     *impl
	core   *core
	steps  int // of the tile kernel over k: pairs, or single k
	panels int
	stride int // bytes of a copied row of A
	small  int // the multiplications below which a product is not shared
	idle   par.Idle[call]
}

// impl is one implementation.
type impl struct {
	name    string
	cores   [2]core // by Type
	finish  func(f *finishArgs)
	narrow  [2]func(f *finishArgs) // finish to the Type
	addTo   func(f *finishArgs)    // finish, adding to C
	pairs32 func(dst []uint16, r0, r1 []float32)
	pairs16 func(dst, r0, r1 []uint16)
	turn    turn
}

// turn has the transpositions of bfloat16 operands, nil where there are none:
// n times 16 elements of 8 columns of B or rows of A that lie ld bytes apart,
// or that are stored across and go to rows that lie to bytes apart.
type turn struct {
	columns32 func(dst *uint16, src *float32, ld, n, _ int)
	columns16 func(dst, src *uint16, ld, n, _ int)
	rows32    func(dst *uint16, src *float32, ld, n, to int)
	rows16    func(dst, src *uint16, ld, n, to int)
}

// core is the inner product of a type.
type core struct {
	rows int  // the most rows of a tile
	wide bool // A is copied to float32
	tile func(rows int, t *tileArgs)
}

// impls lists the implementations this process may use, the portable first;
// the last is the best.
var impls = available()

// New checks s and makes its plan.
func New(s Spec) (*Plan, error) {
	p, err := newPlan(s, &impls[len(impls)-1])
	if err != nil {
		return nil, fmt.Errorf("bgemm.New: %w", err)
	}
	return p, nil
}

func newPlan(s Spec, im *impl) (*Plan, error) {
	if s.M < 0 || s.N < 0 || s.K < 0 {
		return nil, fmt.Errorf("negative size: M %d, N %d, K %d", s.M, s.N, s.K)
	}
	if s.Type > Float16 {
		return nil, fmt.Errorf("unknown type %d", s.Type)
	}
	if s.Accumulate && !s.C32 {
		return nil, fmt.Errorf("accumulating in 16 bits; want float32")
	}
	if s.Clip && !(s.Lo <= s.Hi) {
		return nil, fmt.Errorf("clip to [%g, %g]", s.Lo, s.Hi)
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
			return nil, fmt.Errorf("%s %d is less than the %d elements of a row", x.name, *x.ld, x.cols)
		}
	}
	p := &Plan{spec: s, small: smallProduct, im: im, core: &im.cores[s.Type], panels: (s.N + nr - 1) / nr}
	p.steps = (s.K + s.Type.group() - 1) / s.Type.group()
	p.stride = rowStride(p.rowLen() * p.size())
	return p, nil
}

// group is the k that one step of a tile takes.
func (t Type) group() int {
	if t == BFloat16 {
		return 2
	}
	return 1
}

// rowLen is the elements of a copied row of A, size the bytes of one.
func (p *Plan) rowLen() int { return p.steps * p.spec.Type.group() }

func (p *Plan) size() int {
	if p.core.wide {
		return 4
	}
	return 2
}

// rowStride is an odd number of cache lines that holds n bytes, so that the
// rows of a tile do not compete for one set of the cache.
func rowStride(n int) int { return (n+63)/64*64 | 64 }

// span is the number of elements from the first to the last of a matrix.
func span(rows, cols, ld int) int {
	if rows == 0 || cols == 0 {
		return 0
	}
	return (rows-1)*ld + cols
}

// spans are the elements of A and B.
func (s *Spec) spans() (a, b int) {
	a, b = span(s.M, s.K, s.LDA), span(s.K, s.N, s.LDB)
	if s.TransA {
		a = span(s.K, s.M, s.LDA)
	}
	if s.TransB {
		b = span(s.N, s.K, s.LDB)
	}
	return a, b
}
