package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// problem is a Spec with operands, and C as it was.
type problem struct {
	Spec
	op  Operands
	old []float32
}

const guard = 16 // NaNs after the end of C and Packed, which must stay

func newProblem(t testing.TB, r *rand.Rand, s Spec) *problem {
	t.Helper()
	full := s
	if err := full.normalize(); err != nil {
		t.Fatal(err)
	}
	l := full.lengths()
	p := &problem{Spec: full}
	p.op = Operands{A: normals(r, l.a), B: normals(r, l.b), C: nans(l.c + guard), Bias: normals(r, l.bias)}
	if s.Residual {
		p.op.Residual = normals(r, l.c)
	}
	if s.Accumulate {
		copy(p.op.C, normals(r, l.c))
	}
	p.old = append([]float32(nil), p.op.C...)
	return p
}

// run computes the problem at a level and returns C; gaps and guards included.
func (p *problem) run(t testing.TB, level isa.Level, threads int, packed bool) []float32 {
	t.Helper()
	plan, err := newPlan(p.Spec, level)
	if err != nil {
		t.Fatal(err)
	}
	op := p.op
	op.C = append([]float32(nil), p.old...)
	op.Scratch = nans(plan.ScratchLen(threads))
	if packed {
		op.Packed = nans(plan.PackedLen() + guard)
		plan.PackB(op.Packed, op.B)
		op.B = nil
	}
	pool := par.New(threads)
	defer pool.Close()
	plan.Run(pool, op)
	return op.C
}

// element is one element of C and the sum of its absolute products, in float64.
func (p *problem) element(batch, i, j int) (want, size float64) {
	a, b := p.op.A[batch*p.StrideA:], p.op.B[batch*p.StrideB:]
	for k := range p.K {
		x, y := i*p.LDA+k, k*p.LDB+j
		if p.TransA {
			x = k*p.LDA + i
		}
		if p.TransB {
			y = j*p.LDB + k
		}
		prod := float64(p.Alpha) * float64(a[x]) * float64(b[y])
		want += prod
		size += math.Abs(prod)
	}
	at := batch*p.StrideC + i*p.LDC + j
	add := func(x float32) { want += float64(x); size += math.Abs(float64(x)) }
	if p.Accumulate {
		add(p.old[at])
	}
	switch p.Bias {
	case BiasColumns:
		add(p.op.Bias[j])
	case BiasRows:
		add(p.op.Bias[i])
	}
	if p.Residual {
		add(p.op.Residual[at])
	}
	return activate(&p.Epilogue, want), size
}

// check compares got with the reference, and what is not C with what it was.
func (p *problem) check(t *testing.T, name string, got []float32) {
	t.Helper()
	// A chain of min(K, KC) roundings, twice without FMA, one a block, alpha,
	// C, bias, residual. The activations here have slope at most 1.13.
	tol := float64(2*min(p.K, KC)+p.K/KC+8) * 0x1p-24 * 1.13
	act := 4 * 0x1p-23 // package vec's bound, in ulp of the result
	inC := make([]bool, len(got))
	for batch := range p.Batch {
		for i := range p.M {
			for j := range p.N {
				at := batch*p.StrideC + i*p.LDC + j
				inC[at] = true
				want, size := p.element(batch, i, j)
				bound := tol*size + act*math.Abs(want) + 1e-30
				if diff := math.Abs(float64(got[at]) - want); !(diff <= bound) {
					t.Fatalf("%s: C[%d,%d,%d] = %g, want %g, difference %g > %g", name, batch, i, j, got[at], want, diff, bound)
				}
			}
		}
	}
	for at, in := range inC {
		if !in && math.Float32bits(got[at]) != math.Float32bits(p.old[at]) {
			t.Fatalf("%s: element %d, which is not part of C, was written", name, at)
		}
	}
}

// checkAll runs the problem every way; the assembly's must agree in every bit.
func (p *problem) checkAll(t *testing.T, name string) {
	t.Helper()
	for _, packed := range []bool{false, true} {
		var first []float32
		for _, l := range levels() {
			for _, threads := range []int{1, 3} {
				got := p.run(t, l, threads, packed)
				name := fmt.Sprintf("%s level=%s threads=%d packed=%v", name, l, threads, packed)
				if l == isa.Portable {
					if threads == 1 {
						p.check(t, name, got)
					}
					continue
				}
				if first == nil {
					first = got
					p.check(t, name, got)
				} else if at := sameBits(first, got); at >= 0 {
					t.Fatalf("%s: element %d is %x, want the bits %x", name, at, math.Float32bits(got[at]), math.Float32bits(first[at]))
				}
			}
		}
	}
}

func (s Spec) String() string {
	return fmt.Sprintf("M=%d N=%d K=%d ta=%v tb=%v ld=%d,%d,%d batch=%d stride=%d,%d,%d alpha=%g add=%v bias=%d res=%v act=%d",
		s.M, s.N, s.K, s.TransA, s.TransB, s.LDA, s.LDB, s.LDC, s.Batch, s.StrideA, s.StrideB, s.StrideC, s.Alpha, s.Accumulate, s.Bias, s.Residual, s.Act)
}

func TestSmallSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	sizesM := []int{1, 2, 3, 6, 7, 13, 14, 15, 29, 64}
	sizesN := []int{1, 2, 8, 9, 16, 17, 31, 32, 33, 65}
	for _, m := range sizesM {
		for _, n := range sizesN {
			for _, k := range []int{1, 2, 5, 16, 17} {
				for trans := range 4 {
					s := Spec{M: m, N: n, K: k, TransA: trans&1 != 0, TransB: trans&2 != 0}
					p := newProblem(t, r, s)
					p.checkAll(t, s.String())
				}
			}
		}
	}
}

// TestShapes has blocks of K, several blocks of columns, and rows of A that lie
// 4 KiB apart.
func TestShapes(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, x := range [][3]int{{1, 300, 800}, {5, 70, 769}, {30, 417, 400}, {128, 128, 128}, {29, 100, 1024}, {100, 1, 900}, {67, 8, 500}, {100, 3, 385}, {33, 450, 40}, {3, 1000, 33}} {
		for trans := range 4 {
			s := Spec{M: x[0], N: x[1], K: x[2], TransA: trans&1 != 0, TransB: trans&2 != 0, Accumulate: trans == 1}
			if s.TransA && s.M == 29 {
				s.LDA = 1024
			}
			p := newProblem(t, r, s)
			p.checkAll(t, s.String())
		}
	}
}

// TestRandomSpecs draws sizes, strides and epilogues at random.
func TestRandomSpecs(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	for range 300 {
		s := randomSpec(r)
		p := newProblem(t, r, s)
		p.checkAll(t, s.String())
	}
}

func randomSpec(r *rand.Rand) Spec {
	flip := func() bool { return r.IntN(2) == 0 }
	size := func(n int) int { return 1 + int(float64(n)*math.Pow(r.Float64(), 3)) }
	s := Spec{M: size(90), N: size(140), K: size(500), TransA: flip(), TransB: flip(), Accumulate: flip(), Alpha: 1}
	colsA, colsB := s.K, s.N
	if s.TransA {
		colsA = s.M
	}
	if s.TransB {
		colsB = s.K
	}
	s.LDA, s.LDB, s.LDC = colsA+r.IntN(4), colsB+r.IntN(4), s.N+r.IntN(4)
	if flip() {
		s.Alpha = 0.3
	}
	s.Batch = r.IntN(4)
	if s.Batch > 1 {
		s.StrideC = s.M*s.LDC + r.IntN(3)
		s.StrideA = r.IntN(2) * (max(s.M, s.K)*s.LDA + r.IntN(3))
		s.StrideB = r.IntN(2) * (max(s.N, s.K)*s.LDB + r.IntN(3))
	}
	s.Bias, s.Residual, s.Act = Bias(r.IntN(3)), flip(), Activation(r.IntN(len(functions)))
	if s.Act == Clip {
		s.Lo, s.Hi = -0.5, 0.75
	}
	return s
}

func TestRowsDoNotDependOnM(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 4))
	for _, x := range [][2]int{{40, 800}, {3, 500}, {300, 64}} {
		for _, tb := range []bool{false, true} {
			s := Spec{M: 80, N: x[0], K: x[1], TransB: tb, Epilogue: Epilogue{Bias: BiasColumns, Act: Relu}}
			p := newProblem(t, r, s)
			for _, l := range levels() {
				all := p.run(t, l, 2, false)
				for _, m := range []int{1, 2, 5, 14, 70} {
					few := *p
					few.M = m
					part := few.run(t, l, 1, m == 5)
					if at := sameBits(part[:m*s.N], all[:m*s.N]); at >= 0 {
						t.Errorf("%s level %s: element %d of %d rows: %g, of %d rows: %g", s, l, at, m, part[at], s.M, all[at])
					}
				}
			}
		}
	}
}

// TestFoldedBatch has batches that are one product, and near misses.
func TestFoldedBatch(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 10))
	for _, s := range []Spec{
		{M: 7, N: 40, K: 33, Batch: 5, StrideA: 7 * 33, StrideC: 7 * 40, Epilogue: Epilogue{Bias: BiasColumns, Residual: true, Act: Relu}},
		{M: 7, N: 40, K: 33, Batch: 5, StrideA: 7 * 33, StrideC: 7 * 40, Epilogue: Epilogue{Bias: BiasRows}},
		{M: 7, N: 40, K: 33, Batch: 5, StrideA: 7 * 33, StrideC: 7*40 + 1},
		{M: 7, N: 40, K: 33, Batch: 5, StrideA: 7 * 33, StrideB: 33 * 40, StrideC: 7 * 40},
		{M: 7, N: 40, K: 7, Batch: 5, TransA: true, StrideA: 49, StrideC: 7 * 40},
	} {
		newProblem(t, r, s).checkAll(t, s.String())
	}
}

func TestEmptySums(t *testing.T) {
	for _, l := range levels() {
		p := newProblem(t, rand.New(rand.NewPCG(2, 5)), Spec{M: 3, N: 40, Epilogue: Epilogue{Bias: BiasRows}})
		p.check(t, l.String()+" K=0", p.run(t, l, 1, false))
		p.check(t, l.String()+" K=0 packed", p.run(t, l, 1, true))
	}
	for _, s := range []Spec{{M: 0, N: 3, K: 2}, {M: 3, N: 0, K: 2}} {
		p := newProblem(t, rand.New(rand.NewPCG(2, 5)), s)
		p.check(t, s.String(), p.run(t, isa.Best(), 2, false))
	}
}

// TestNonFinite: an Inf or a NaN reaches its row or column only, and zero times
// Inf is NaN: nothing is skipped, and padding takes no part.
func TestNonFinite(t *testing.T) {
	for _, l := range levels() {
		s := Spec{M: 20, N: 37, K: 50}
		p := newProblem(t, rand.New(rand.NewPCG(2, 6)), s)
		p.op.A[3*s.K+7] = float32(math.Inf(1))
		p.op.B[7*s.N+36] = 0
		p.op.B[9*s.N+11] = nan32
		got := p.run(t, l, 1, false)
		for i := range s.M {
			for j := range s.N {
				x := float64(got[i*s.N+j])
				wantNaN := j == 11 || i == 3 && j == 36
				wantInf := i == 3 && !wantNaN
				if math.IsNaN(x) != wantNaN || math.IsInf(x, 0) != wantInf {
					t.Fatalf("%s: C[%d,%d] = %g, want NaN %v, Inf %v", l, i, j, x, wantNaN, wantInf)
				}
			}
		}
	}
}

func TestConcurrentRuns(t *testing.T) {
	s := Spec{M: 150, N: 200, K: 300}
	p := newProblem(t, rand.New(rand.NewPCG(2, 7)), s)
	want := p.run(t, isa.Best(), 1, false)
	plan, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	pool := par.New(2)
	defer pool.Close()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			op := p.op
			op.C, op.Scratch = nans(len(want)), make([]float32, plan.ScratchLen(2))
			for range 10 {
				plan.Run(pool, op)
				if at := sameBits(op.C, want); at >= 0 {
					t.Errorf("element %d: got %g, want %g", at, op.C[at], want[at])
				}
			}
		})
	}
	wg.Wait()
}

func TestRunAllocatesNothing(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for _, s := range []Spec{{M: 200, N: 200, K: 400}, {M: 1, N: 300, K: 300, TransB: true}, {M: 300, N: 1, K: 40},
		{M: 60, N: 60, K: 64, Batch: 3, StrideA: 3840, StrideB: 3840, StrideC: 3600, TransB: true, Epilogue: Epilogue{Bias: BiasColumns, Act: Relu}}} {
		p := newProblem(t, rand.New(rand.NewPCG(2, 8)), s)
		plan, err := New(s)
		if err != nil {
			t.Fatal(err)
		}
		p.op.Scratch = make([]float32, plan.ScratchLen(2))
		if n := testing.AllocsPerRun(20, func() { plan.Run(pool, p.op) }); n != 0 {
			t.Errorf("%s: %g allocations a run, want 0", s, n)
		}
	}
}

func TestWrongSpecs(t *testing.T) {
	for _, s := range []Spec{
		{M: -1, N: 1, K: 1},
		{M: 2, N: 2, K: 2, LDA: 1},
		{M: 2, N: 2, K: 3, TransB: true, LDB: 2},
		{M: 2, N: 2, K: 2, LDC: 1},
		{M: 2, N: 2, K: 2, Batch: 2, StrideC: 3},
		{M: 2, N: 2, K: 2, Batch: 2, StrideC: 4, StrideA: -4},
		{M: 2, N: 2, K: 2, Epilogue: Epilogue{Bias: 3}},
		{M: 2, N: 2, K: 2, Epilogue: Epilogue{Act: 200}},
		{M: 2, N: 2, K: 2, Epilogue: Epilogue{Act: Clip, Lo: 1}},
	} {
		if _, err := New(s); err == nil {
			t.Errorf("New(%s): no error", s)
		}
	}
}

func TestShortOperandsPanic(t *testing.T) {
	s := Spec{M: 4, N: 5, K: 6, Epilogue: Epilogue{Bias: BiasRows, Residual: true}}
	plan, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	for name, cut := range map[string]func(*Operands){
		"A": func(o *Operands) { o.A = o.A[1:] }, "B": func(o *Operands) { o.B = o.B[1:] },
		"C":      func(o *Operands) { o.C = o.C[:19] },
		"Packed": func(o *Operands) { o.Packed = make([]float32, 191) },
		"Bias":   func(o *Operands) { o.Bias = o.Bias[1:] }, "Residual": func(o *Operands) { o.Residual = nil },
		"Scratch": func(o *Operands) { o.Scratch = o.Scratch[1:] },
	} {
		p := newProblem(t, rand.New(rand.NewPCG(2, 9)), s)
		p.op.Scratch = make([]float32, plan.ScratchLen(1))
		cut(&p.op)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("short %s: no panic", name)
				}
			}()
			plan.Run(nil, p.op)
		}()
	}
}
