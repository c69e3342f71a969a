package cpu

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/gemm"
)

var productKernels = map[string]builder{
	"MatMul":      {in: 2, out: 1, make: matmul},
	"FusedMatMul": {in: 2, out: 1, make: matmul},
}

// product is what MatMul and FusedMatMul compute, as a few batches of equal
// products: batches in which each operand steps by a constant stride.
type product struct {
	m, n, k        int
	transA, transB bool
	alpha          float64
	batches        []batch
	count          int // products in each batch
	strideA        int
	strideB        int
}

// batch is where the operands of one run of products begin.
type batch struct{ a, b, c int }

// matmul chooses the kernel by type: float32 from package gemm, the others plain
// loops.
func matmul(c *call) (kernel, error) {
	p, err := newProduct(c)
	if err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{c.in[1], c.input(2), c.input(3), c.out[0]}, c.in[0].DType); err != nil {
		return nil, err
	}
	if bias, residual, y := c.input(2), c.input(3), c.out[0]; bias != nil && bias.n != y.Shape[len(y.Shape)-1] || residual != nil && residual.n != y.n {
		return nil, shapeErr(append(slices.Clone(c.in), y)...)
	}
	if c.Has("compute") {
		return p.rounded(c)
	}
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: p.float32, accel.Float64: plainProduct[float64](p),
		accel.Int32: plainProduct[int32](p), accel.Int64: plainProduct[int64](p),
		accel.Uint32: plainProduct[uint32](p), accel.Uint64: plainProduct[uint64](p),
	})
}

func newProduct(c *call) (*product, error) {
	a, b, y := c.in[0].Shape, c.in[1].Shape, c.out[0].Shape
	if len(a) < 2 || len(b) < 2 || len(y) < 2 {
		return nil, shapeErr(c.in[0], c.in[1], c.out[0])
	}
	p := &product{transA: c.Bool("transA", false), transB: c.Bool("transB", false), alpha: c.Float("alpha", 1)}
	var kb int
	p.m, p.k = flip(a, p.transA)
	kb, p.n = flip(b, p.transB)
	lead := y[:len(y)-2]
	sa, ok := broadcastStrides(a[:len(a)-2], lead)
	sb, ok2 := broadcastStrides(b[:len(b)-2], lead)
	if !ok || !ok2 || kb != p.k || y[len(y)-2] != p.m || y[len(y)-1] != p.n {
		return nil, shapeErr(c.in[0], c.in[1], c.out[0])
	}
	l, err := newLoops(lead, sa, sb, contiguous(lead))
	if err != nil {
		return nil, err
	}
	p.count, p.strideA, p.strideB = l.inner, l.step[0]*p.m*p.k, l.step[1]*p.k*p.n
	l.each(0, l.count(), func(at *[maxOperands]int) {
		p.batches = append(p.batches, batch{at[0] * p.m * p.k, at[1] * p.k * p.n, at[2] * p.m * p.n})
	})
	if l.inner == 0 {
		p.batches = nil // no products, of operands that may be empty
	}
	p.joinRows()
	return p, nil
}

// joinRows makes one product of a batch whose right operands are all the same:
// the rows of the left ones follow each other.
func (p *product) joinRows() {
	if len(p.batches) == 1 && p.count > 1 && p.strideB == 0 && !p.transA && p.strideA == p.m*p.k {
		p.m, p.count, p.strideA = p.m*p.count, 1, 0
	}
}

func flip(s []int, t bool) (int, int) {
	rows, cols := s[len(s)-2], s[len(s)-1]
	if t {
		return cols, rows
	}
	return rows, cols
}

// activations are the names of package gemm's activations.
var activations = map[string]gemm.Activation{
	"none": gemm.Identity, "Relu": gemm.Relu, "Gelu": gemm.Gelu, "GeluTanh": gemm.GeluTanh, "Sigmoid": gemm.Sigmoid, "Tanh": gemm.Tanh, "Silu": gemm.Silu,
}

func (p *product) float32(c *call) (kernel, error) {
	a, b, bias, residual, y := c.in[0], c.in[1], c.input(2), c.input(3), c.out[0]
	if p.alpha == 0 {
		return nil, fmt.Errorf("alpha 0: %w", accel.ErrUnsupported)
	}
	s := gemm.Spec{
		M: p.m, N: p.n, K: p.k, TransA: p.transA, TransB: p.transB, Alpha: float32(p.alpha),
		Batch: p.count, StrideA: p.strideA, StrideB: p.strideB, StrideC: p.m * p.n,
	}
	act, ok := activations[c.Str("activation", "none")]
	if !ok {
		return nil, fmt.Errorf("activation %q: %w", c.Str("activation", "none"), accel.ErrUnsupported)
	}
	s.Act, s.Residual = act, residual != nil
	if bias != nil {
		s.Bias = gemm.BiasColumns
	}
	plan, err := gemm.New(s)
	if err != nil {
		return nil, err
	}
	scratch := c.floats(plan.ScratchLen(c.threads))
	packed := packConstant(plan, p, b)
	return func(f *frame) error {
		ya, aa, ba := data[float32](f, y), data[float32](f, a), data[float32](f, b)
		o := gemm.Operands{Packed: packed, Scratch: scratch.f32(f)}
		if bias != nil {
			o.Bias = data[float32](f, bias)
		}
		for _, at := range p.batches {
			o.C, o.A, o.B = ya[at.c:], aa[at.a:], ba[at.b:]
			if residual != nil {
				o.Residual = data[float32](f, residual)[at.c:]
			}
			plan.Run(f.pool, o)
		}
		return nil
	}, nil
}

// packConstant packs a right operand that is known when code is compiled, once.
func packConstant(plan *gemm.Plan, p *product, b *tensor) []float32 {
	if !b.Const() || len(p.batches) != 1 {
		return nil
	}
	packed := accel.View[float32](accel.Aligned(4 * plan.PackedLen()))
	plan.PackB(packed, accel.View[float32](b.Data))
	return packed
}

// plainProduct is the definition, each sum in the order of k. Integers wrap around.
func plainProduct[T accel.Number](p *product) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		if c.Str("activation", "none") != "none" {
			return nil, fmt.Errorf("activation of %s: %w", c.in[0].DType, accel.ErrUnsupported)
		}
		a, b, bias, residual, y := c.in[0], c.in[1], c.input(2), c.input(3), c.out[0]
		return func(f *frame) error {
			ya, aa, ba := data[T](f, y), data[T](f, a), data[T](f, b)
			for _, at := range p.batches {
				for i := range p.count {
					plainMultiply(p, ya[at.c+i*p.m*p.n:], aa[at.a+i*p.strideA:], ba[at.b+i*p.strideB:])
				}
			}
			if bias != nil {
				add := data[T](f, bias)
				for i := range ya {
					ya[i] += add[i%p.n]
				}
			}
			if residual != nil {
				for i, r := range data[T](f, residual) {
					ya[i] += r
				}
			}
			return nil
		}, nil
	}
}

func plainMultiply[T accel.Number](p *product, c, a, b []T) {
	rowA, stepA := p.k, 1
	if p.transA {
		rowA, stepA = 1, p.m
	}
	rowB, stepB := p.n, 1
	if p.transB {
		rowB, stepB = 1, p.k
	}
	alpha, scale := T(p.alpha), p.alpha != 1
	for i := range p.m {
		for j := range p.n {
			var sum T
			for k := range p.k {
				sum += a[i*rowA+k*stepA] * b[k*rowB+j*stepB]
			}
			if scale {
				sum *= alpha
			}
			c[i*p.n+j] = sum
		}
	}
}
