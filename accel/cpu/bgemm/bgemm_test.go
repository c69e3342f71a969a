package bgemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/cast"
	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// problem is a product with its operands in both forms; the 16-bit form is the
// float32 one rounded, as the definition has it.
type problem struct {
	spec Spec
	op   Operands
	a, b []float64 // the rounded elements
}

func random(s Spec, seed uint64) *problem {
	r := rand.New(rand.NewPCG(seed, 11))
	p := &problem{spec: s}
	la, lb := s.stored()
	p.op.A, p.op.B = normals(r, la), normals(r, lb)
	p.op.AH, p.op.BH = s.Type.round(p.op.A), s.Type.round(p.op.B)
	p.a, p.b = s.Type.values(p.op.AH), s.Type.values(p.op.BH)
	p.op.Bias = normals(r, s.N)
	ldc := max(s.N, s.LDC, 1)
	p.op.C, p.op.CH = normals(r, s.M*ldc+1), slices.Repeat([]uint16{guard}, s.M*ldc+1)
	return p
}

const guard = 0x3c5a

// stored is the elements of A and B, each row with its gap.
func (s *Spec) stored() (a, b int) {
	rows, cols := s.M, s.K
	if s.TransA {
		rows, cols = cols, rows
	}
	a = rows * max(cols, s.LDA)
	rows, cols = s.K, s.N
	if s.TransB {
		rows, cols = cols, rows
	}
	return a, rows * max(cols, s.LDB)
}

func normals(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func (t Type) round(x []float32) []uint16 {
	h := make([]uint16, len(x))
	if t == BFloat16 {
		cast.F32ToBF16(h, x)
	} else {
		cast.F32ToF16(h, x)
	}
	return h
}

func (t Type) values(h []uint16) []float64 {
	f, v := make([]float32, len(h)), make([]float64, len(h))
	if t == BFloat16 {
		cast.BF16ToF32(f, h)
	} else {
		cast.F16ToF32(f, h)
	}
	cast.F32ToF64(v, f)
	return v
}

// want is the sum by its definition in float64, and the sum of the magnitudes.
func (p *problem) want(i, j int) (sum, size float64) {
	s := &p.spec
	lda, ldb := max(s.K, s.LDA), max(s.N, s.LDB)
	if s.TransA {
		lda = max(s.M, s.LDA)
	}
	if s.TransB {
		ldb = max(s.K, s.LDB)
	}
	for k := range s.K {
		at, bt := i*lda+k, k*ldb+j
		if s.TransA {
			at = k*lda + i
		}
		if s.TransB {
			bt = j*ldb + k
		}
		sum += p.a[at] * p.b[bt]
		size += math.Abs(p.a[at] * p.b[bt])
	}
	return sum, size
}

// run returns the results with an implementation, those before in C.
func (p *problem) run(t testing.TB, im *impl, pool *par.Pool) *problem {
	t.Helper()
	plan, err := newPlan(p.spec, im)
	if err != nil {
		t.Fatal(err)
	}
	plan.small = 0 // share even the least, if there is a pool
	q := *p
	q.op.C, q.op.CH = slices.Clone(p.op.C), slices.Clone(p.op.CH)
	q.op.Scratch = slices.Repeat([]float32{float32(math.NaN())}, plan.ScratchLen())
	if p.spec.Prepacked {
		q.op.Packed = slices.Repeat([]uint16{0x7fc0}, plan.PackedLen())
		plan.PackB(q.op.Packed, p.op.B, p.op.BH)
		q.op.B, q.op.BH = nil, nil
	}
	if !p.spec.Accumulate {
		for i := range p.spec.M {
			for j := range p.spec.N {
				q.op.C[i*max(p.spec.N, p.spec.LDC)+j] = float32(math.NaN())
			}
		}
	}
	plan.Run(pool, q.op)
	return &q
}

// check compares the results with the reference, and what lies between and
// behind the rows with what was there before.
func (p *problem) check(t *testing.T, name string, before *problem) {
	t.Helper()
	s, ldc := &p.spec, max(p.spec.N, p.spec.LDC, 1)
	for at := range p.op.C {
		i, j := at/ldc, at%ldc
		if i >= s.M || j >= s.N {
			if p.op.C[at] != before.op.C[at] || p.op.CH[at] != guard {
				t.Fatalf("%s %+v: wrote beyond C at %d", name, *s, at)
			}
			continue
		}
		want, size := p.want(i, j)
		if s.Accumulate {
			want += float64(before.op.C[at])
			size += math.Abs(float64(before.op.C[at]))
		}
		if s.Bias {
			want += float64(p.op.Bias[j])
			size += math.Abs(float64(p.op.Bias[j]))
		}
		tol := float64(s.K+2) * 0x1p-24 * size // a chain of K roundings, and two additions
		if s.Clip {
			want = min(max(want, float64(s.Lo)), float64(s.Hi))
		}
		got := float64(p.op.C[at])
		if !s.C32 {
			got = s.Type.values(p.op.CH[at : at+1])[0]
			tol += math.Abs(want)*map[Type]float64{BFloat16: 0x1p-8, Float16: 0x1p-11}[s.Type] + 0x1p-25
		}
		if diff := math.Abs(got - want); !(diff <= tol) {
			t.Fatalf("%s %+v: C[%d,%d] is %g, want %g within %g", name, *s, i, j, got, want, tol)
		}
	}
}

// sameBits compares the results of two implementations.
func sameBits(t *testing.T, name string, a, b *problem) {
	t.Helper()
	for at := range a.op.C {
		if math.Float32bits(a.op.C[at]) != math.Float32bits(b.op.C[at]) || a.op.CH[at] != b.op.CH[at] {
			t.Fatalf("%s %+v: element %d: %x, %x differ from %x, %x", name, a.spec, at, a.op.C[at], a.op.CH[at], b.op.C[at], b.op.CH[at])
		}
	}
}

// shapes are around the tiles of 14, 6 and 4 rows, the panels of 32 columns, the
// pairs and the loops over four of them.
var shapes = [][3]int{
	{1, 1, 1}, {1, 33, 5}, {2, 32, 16}, {3, 31, 17}, {4, 64, 4}, {5, 65, 33}, {6, 32, 6}, {7, 40, 64}, {8, 96, 20}, {9, 1, 100}, {10, 32, 35},
	{11, 32, 8}, {12, 32, 12}, {13, 32, 28}, {14, 32, 32}, {15, 70, 31}, {29, 64, 48}, {35, 34, 300}, {3, 4, 0}, {0, 4, 3}, {4, 0, 3},
}

// variants are the Specs of one shape: each bit of bits a choice.
func variant(shape [3]int, bits int, gaps bool) Spec {
	bit := func(i int) bool { return bits>>i&1 != 0 }
	s := Spec{M: shape[0], N: shape[1], K: shape[2], TransA: bit(0), TransB: bit(1), A32: bit(2), B32: bit(3), Prepacked: bit(4), C32: bit(5)}
	s.Bias = bit(2) != bit(5)
	s.Accumulate = s.C32 && bit(0) != bit(4)
	if bit(1) && bit(3) {
		s.Clip, s.Lo, s.Hi = true, 0, 3
	}
	if gaps {
		s.LDA, s.LDB, s.LDC = max(s.K, s.M)+3, max(s.K, s.N)+5, s.N+2
	}
	return s
}

// Every variant is right, and the same on all levels, plain Go included.
func TestProducts(t *testing.T) {
	pool := par.New(3)
	defer pool.Close()
	for n, shape := range shapes {
		for bits := range 64 {
			for _, typ := range []Type{BFloat16, Float16} {
				s := variant(shape, bits, n%2 == 1)
				s.Type = typ
				p := random(s, uint64(n))
				first := p.run(t, &impls[0], nil)
				first.check(t, impls[0].name, p)
				for i := range impls[1:] {
					sameBits(t, impls[1+i].name, p.run(t, &impls[1+i], pool), first)
				}
			}
		}
	}
}

// Subnormals are zero in bfloat16, in all assembly alike: the operands are near
// the end of the range, and sums cancel to subnormals.
func TestFlushesSubnormals(t *testing.T) {
	const m, n, k = 14, 32, 64
	r := rand.New(rand.NewPCG(1, 1))
	p := random(Spec{M: m, N: n, K: k, C32: true}, 1)
	for i := range p.op.AH {
		scale := 0x1p-60
		if r.IntN(8) == 0 {
			scale = 0x1p-130 // subnormal itself
		}
		p.op.AH[i] = cast.ToBF16(float32(r.NormFloat64() * scale))
	}
	for i := range p.op.BH {
		p.op.BH[i] = cast.ToBF16(float32(r.NormFloat64() * 0x1p-66))
	}
	var first *problem
	for i := range impls[1:] {
		q := p.run(t, &impls[1+i], nil)
		zeros := 0
		for _, v := range q.op.C[:m*n] {
			if v == 0 {
				zeros++
			} else if math.Abs(float64(v)) < 0x1p-126 {
				t.Fatalf("%s: subnormal result %g", impls[1+i].name, v)
			}
		}
		if zeros == 0 || zeros == m*n {
			t.Errorf("%s: %d of %d results are zero: the test does not reach the edge", impls[1+i].name, zeros, m*n)
		}
		if first == nil {
			first = q
		}
		sameBits(t, impls[1+i].name, q, first)
	}
}

// The AVX2 kernel leaves the rounding modes of the thread as they were.
func TestModesAreRestored(t *testing.T) {
	p := random(Spec{M: 6, N: 32, K: 4, C32: true}, 1)
	for i := range impls {
		p.run(t, &impls[i], nil)
		tiny := float32(0x1p-126)
		for _, half := range p.op.C[:1] {
			if half = half*0 + tiny; half/2 == 0 {
				t.Errorf("%s: subnormals are flushed after a run", impls[i].name)
			}
		}
	}
}

// NaN and infinities pass through, clipped or not.
func TestNonFinite(t *testing.T) {
	for _, clip := range []bool{false, true} {
		p := random(Spec{M: 7, N: 40, K: 10, C32: true, Clip: clip, Lo: -1e30, Hi: 1e30, A32: true}, 3)
		p.op.A[3*10+4] = float32(math.NaN())
		for i := range impls {
			q := p.run(t, &impls[i], nil)
			for at, v := range q.op.C[:7*40] {
				if (v != v) != (at/40 == 3) {
					t.Fatalf("%s, clip %v: element %d is %g", impls[i].name, clip, at, v)
				}
			}
		}
	}
}

// Larger products, cut in blocks, strips and groups, have the same bits for all
// threads and levels.
func TestBlocks(t *testing.T) {
	for _, s := range []Spec{
		{M: 190, N: 400, K: 100, C32: true, A32: true, B32: true}, {M: 30, N: 64, K: 1100, C32: true, Type: Float16}, {M: 30, N: 96, K: 2048, C32: true},
		{M: 20, N: 130, K: 2049, Bias: true}, {M: 20, N: 70, K: 1100, Type: Float16, C32: true, Accumulate: true},
	} {
		p := random(s, 3)
		want := p.run(t, &impls[0], nil)
		for _, threads := range []int{1, 2, 5} {
			pool := par.New(threads)
			for i := range impls[1:] {
				sameBits(t, fmt.Sprintf("%s, %d threads", impls[1+i].name, threads), p.run(t, &impls[1+i], pool), want)
			}
			pool.Close()
		}
	}
}

// A row's results do not depend on the rows beside it.
func TestRowsAreIndependent(t *testing.T) {
	p := random(Spec{M: 40, N: 70, K: 90, C32: true}, 5)
	for i := range impls {
		whole := p.run(t, &impls[i], nil)
		for row := range 40 {
			one := *p
			one.spec.M = 1
			one.op.AH, one.op.C = p.op.AH[row*90:], make([]float32, 70)
			if got := one.run(t, &impls[i], nil).op.C; !slices.Equal(got, whole.op.C[row*70:][:70]) {
				t.Fatalf("%s: row %d alone differs", impls[i].name, row)
			}
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for _, prepacked := range []bool{false, true} {
		p := random(Spec{M: 64, N: 128, K: 600, A32: true, B32: true, Prepacked: prepacked, TransB: true, Bias: true}, 5)
		plan, err := New(p.spec)
		if err != nil {
			t.Fatal(err)
		}
		p.op.Packed, p.op.Scratch = make([]uint16, plan.PackedLen()), make([]float32, plan.ScratchLen())
		plan.PackB(p.op.Packed, p.op.B, p.op.BH)
		if n := testing.AllocsPerRun(20, func() { plan.Run(pool, p.op) }); n != 0 {
			t.Errorf("prepacked %v: Run allocates %g times", prepacked, n)
		}
	}
}

func TestBadSpecs(t *testing.T) {
	for _, s := range []Spec{{M: -1}, {N: 4, LDC: 3}, {K: 4, LDA: 3}, {M: 5, K: 4, LDA: 4, TransA: true}, {N: 4, K: 2, LDB: 3}, {K: 9, LDB: 8, TransB: true}, {Type: 2}, {Accumulate: true}, {Clip: true, Lo: 1}} {
		if _, err := New(s); err == nil {
			t.Errorf("%+v: no error", s)
		}
	}
}

func TestBadOperands(t *testing.T) {
	for name, spoil := range map[string]func(o *Operands){
		"A": func(o *Operands) { o.AH = o.AH[1:] }, "B": func(o *Operands) { o.BH = nil }, "C": func(o *Operands) { o.CH = o.CH[2:] },
		"Bias": func(o *Operands) { o.Bias = nil }, "Scratch": func(o *Operands) { o.Scratch = nil },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("bad %s: no panic", name)
				}
			}()
			p := random(Spec{M: 3, N: 4, K: 5, Bias: true}, 1)
			plan, err := New(p.spec)
			if err != nil {
				t.Fatal(err)
			}
			p.op.Scratch = make([]float32, plan.ScratchLen())
			spoil(&p.op)
			plan.Run(nil, p.op)
		}()
	}
}

func BenchmarkGemm(b *testing.B) {
	for _, shape := range [][3]int{{128, 128, 128}, {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {128, 768, 768}, {128, 3072, 768}, {512, 1536, 384}, {512, 384, 1536}, {1, 768, 768}} {
		for _, threads := range []int{1, 2} {
			for _, c := range []struct {
				name string
				spec Spec
			}{
				{"bf16", Spec{Prepacked: true}}, {"bf16-f32", Spec{Prepacked: true, C32: true}}, {"bf16-unpacked", Spec{}},
				{"f32-unpacked", Spec{A32: true, B32: true, C32: true}}, {"f32-transposed", Spec{A32: true, B32: true, C32: true, TransA: true}},
				{"f16", Spec{Prepacked: true, Type: Float16}},
			} {
				for _, im := range impls[1:] {
					b.Run(fmt.Sprintf("shape=%dx%dx%d/types=%s/impl=%s/threads=%d", shape[0], shape[2], shape[1], c.name, im.name, threads), func(b *testing.B) {
						benchmark(b, shape, c.spec, &im, threads)
					})
				}
			}
		}
	}
}

func benchmark(b *testing.B, shape [3]int, s Spec, im *impl, threads int) {
	pool := par.New(threads)
	defer pool.Close()
	s.M, s.N, s.K = shape[0], shape[1], shape[2]
	p := random(s, 1)
	plan, err := newPlan(s, im)
	if err != nil {
		b.Fatal(err)
	}
	p.op.Packed, p.op.Scratch = make([]uint16, plan.PackedLen()), make([]float32, plan.ScratchLen())
	plan.PackB(p.op.Packed, p.op.B, p.op.BH)
	for b.Loop() {
		plan.Run(pool, p.op)
	}
	b.ReportMetric(2*float64(s.M*s.N*s.K)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
}

// The instruction is the best that a CPU with it uses.
func TestChoosesDotProducts(t *testing.T) {
	best := impls[len(impls)-1]
	if got := !best.cores[BFloat16].wide; got != isa.BF16 {
		t.Errorf("%s: uses VDPBF16PS: %v, CPU has it: %v", best.name, got, isa.BF16)
	}
}
