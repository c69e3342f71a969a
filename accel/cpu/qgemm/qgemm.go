// Package qgemm multiplies 8-bit integer matrices with exact 32-bit sums:
//
//	S[i,j] = Σ_k (A[i,k] - za[i]) * (B[k,j] - zb[j])
//
// A is M x K, B is K x N, row-major; each is uint8 or int8, given by its bytes.
// za is one zero point or one a row, zb one or one a column; absent ones are 0.
// The sums wrap around as int32 does, so they are exact wherever the true sum
// fits, which K ≤ 33,000 ensures.
//
// C is M x N: S itself, or a function of it (see Spec.Out),
//
//	v = ((float32(S[i,j] + bias[j]) * scale[j]) * rowScale[i]) + offset[j]
//
// with each step rounded by itself: v clipped to [Lo, Hi] as float32, where NaN
// stays, or saturate(round(v) + zero) as uint8 or int8, ties to even, where NaN
// gives the least code. Every implementation gives the same bits, portable Go included.
//
// A Plan is made once for the shapes; its Run allocates nothing after the first
// calls and may be called by several goroutines at once.
//
// # How
//
// Inside, A is uint8 and B int8: the other sign is flipped by adding or
// subtracting 128, which zero points absorb. With a' and b' for the shifted
// values and za', zb' for the shifted zero points,
//
//	S = Σ a'b' - za' Σ b' - zb' (Σ a' - K za')
//
// Σ b' is known when B is packed and starts the accumulators, scaled by -za';
// the last term is needed only where zb' is not 0. Products are made four
// at a time by VPDPBUSD where the CPU has it; else as 16-bit integers by
// VPMADDWD, whose sums cannot saturate. K is not split: exact sums have no order.
package qgemm

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// Out is what C holds.
type Out uint8

// The results.
const (
	Int32   Out = iota // S; no bias, scales, offset or clipping
	Float32            // v
	Uint8              // v rounded, plus the zero point, saturated
	Int8
)

// Spec says what to multiply. Distances between rows are in elements; 0 means
// that the rows lie without gaps.
type Spec struct {
	M, N, K          int
	ASigned, BSigned bool // int8 instead of uint8
	TransB           bool // B is stored N x K
	LDA, LDB, LDC    int

	Out Out
	// Lo and Hi clip v if Out is Float32 and Clip is set: relu is [0, +Inf]. (For
	// 8-bit results clip by the choice of zero point and scale, as ONNX has it.)
	Clip   bool
	Lo, Hi float32
}

// Operands are the memory of one Run. Results may not overlap inputs. Of C the
// field of the Spec's Out is used.
type Operands struct {
	A      []uint8
	Packed []int32 // what PackB wrote
	AZero  []uint8 // nil, one, or M zero points, of A's type
	BZero  []uint8 // nil, one, or N zero points, of B's type

	C  []int32
	CF []float32
	CQ []uint8 // uint8 or int8 bytes

	Bias     []int32   // nil or N
	Scale    []float32 // one or N
	RowScale []float32 // nil or M
	Offset   []float32 // nil or N
	Zero     int32     // of an 8-bit result

	Scratch []int32 // at least ScratchLen, of any value
}

// Plan computes products of one Spec.
type Plan struct {
	spec   Spec
	im     *impl
	quads  int // ceil(K/4)
	panels int // ceil(N/nr)
	stride int // bytes of a copied row of A
	small  int // the multiplications below which a product is not shared
	idle   par.Idle[call]
}

// nr is the columns of a panel of B; maxRows is the most rows a tile has.
const (
	nr      = 32
	maxRows = 14
)

// impl is one implementation.
type impl struct {
	name string
	rows int  // the most rows of a tile, at most maxRows
	wide bool // A is copied to int16, each four as elements 0, 2, 1, 3
	tile func(rows int, t *tileArgs)
	// rank1 and finish work on a tile of 32-bit sums.
	rank1    func(f *finishArgs)
	finishF  func(f *finishArgs)
	finish8  func(f *finishArgs)
	copyRow  func(dst, src []uint8, flip uint8) (sum int32)
	widenRow func(dst []int16, src []uint8, flip uint8) (sum int32)
	packQuad func(dst []int32, r0, r1, r2, r3 []uint8, flip uint8, sums []int32)
}

// impls lists the implementations this process may use, the portable first;
// the last is the best.
var impls = available()

// New checks s and makes its plan.
func New(s Spec) (*Plan, error) {
	p, err := newPlan(s, &impls[len(impls)-1])
	if err != nil {
		return nil, fmt.Errorf("qgemm.New: %w", err)
	}
	return p, nil
}

func newPlan(s Spec, im *impl) (*Plan, error) {
	if s.M < 0 || s.N < 0 || s.K < 0 {
		return nil, fmt.Errorf("negative size: M %d, N %d, K %d", s.M, s.N, s.K)
	}
	if s.Out > Int8 {
		return nil, fmt.Errorf("unknown result %d", s.Out)
	}
	if s.Clip && (s.Out != Float32 || !(s.Lo <= s.Hi)) {
		return nil, fmt.Errorf("clip to [%g, %g] of result %d: want an interval, and float32", s.Lo, s.Hi, s.Out)
	}
	colsB := s.N
	if s.TransB {
		colsB = s.K
	}
	for _, x := range []struct {
		name string
		ld   *int
		cols int
	}{{"LDA", &s.LDA, s.K}, {"LDB", &s.LDB, colsB}, {"LDC", &s.LDC, s.N}} {
		if *x.ld == 0 {
			*x.ld = x.cols
		}
		if *x.ld < x.cols {
			return nil, fmt.Errorf("%s %d is less than the %d elements of a row", x.name, *x.ld, x.cols)
		}
	}
	p := &Plan{spec: s, small: smallProduct, im: im, quads: (s.K + 3) / 4, panels: (s.N + nr - 1) / nr}
	p.stride = rowStride(p.quads * 4)
	if im.wide {
		p.stride = rowStride(p.quads * 8)
	}
	return p, nil
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
