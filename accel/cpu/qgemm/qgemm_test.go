package qgemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// problem is a product with all its operands, as the definition takes them.
type problem struct {
	spec Spec
	b    []uint8
	op   Operands
}

func randomBytes(r *rand.Rand, n int) []uint8 {
	b := make([]uint8, n)
	for i := range b {
		switch r.IntN(8) {
		case 0: // the extremes, where narrow sums would saturate
			b[i] = []uint8{0, 0x7f, 0x80, 0xff}[r.IntN(4)]
		default:
			b[i] = uint8(r.Uint32())
		}
	}
	return b
}

// random fills the operands of s; zeros says how many zero points A and B have:
// 0, 1 or 2 for one a row or column.
func random(s Spec, zerosA, zerosB int, seed uint64) *problem {
	r := rand.New(rand.NewPCG(seed, 9))
	p := &problem{spec: s}
	lda, ldb, rows := s.K, s.N, s.K
	if s.TransB {
		ldb, rows = s.K, s.N
	}
	lda, ldb = max(lda, s.LDA), max(ldb, s.LDB)
	p.op.A, p.b = randomBytes(r, s.M*lda), randomBytes(r, rows*ldb)
	p.op.AZero = randomBytes(r, [...]int{0, 1, s.M}[zerosA])
	p.op.BZero = randomBytes(r, [...]int{0, 1, s.N}[zerosB])
	if s.Out == Int32 {
		return p
	}
	p.op.Scale = make([]float32, s.N)
	p.op.Bias, p.op.Offset, p.op.RowScale = make([]int32, s.N), make([]float32, s.N), make([]float32, s.M)
	for j := range s.N {
		p.op.Scale[j] = float32(r.Float64()) / float32(s.K+1) / 100
		p.op.Bias[j], p.op.Offset[j] = int32(r.IntN(20000)-10000), float32(r.NormFloat64())
	}
	for i := range s.M {
		p.op.RowScale[i] = float32(r.Float64() + 0.5)
	}
	return p
}

// element is the integer that byte i of x stands for.
func element(x []uint8, i int, signed bool) int64 {
	if signed {
		return int64(int8(x[i]))
	}
	return int64(x[i])
}

func zeroPoint(z []uint8, i int, signed bool) int64 {
	switch len(z) {
	case 0:
		return 0
	case 1:
		return element(z, 0, signed)
	}
	return element(z, i, signed)
}

// sum is S[i,j] by its definition.
func (p *problem) sum(i, j int) int64 {
	s := &p.spec
	ldb := s.N
	if s.TransB {
		ldb = s.K
	}
	ldb = max(ldb, s.LDB)
	za, zb := zeroPoint(p.op.AZero, i, s.ASigned), zeroPoint(p.op.BZero, j, s.BSigned)
	var sum int64
	for k := range s.K {
		at := k*ldb + j
		if s.TransB {
			at = j*ldb + k
		}
		sum += (element(p.op.A, i*max(s.K, s.LDA)+k, s.ASigned) - za) * (element(p.b, at, s.BSigned) - zb)
	}
	return sum
}

// value is v[i,j]: float64 holds each step exactly before it is rounded.
func (p *problem) value(i, j int) float32 {
	v := float32(p.sum(i, j) + int64(p.op.Bias[j]))
	v = float32(float64(v) * float64(p.op.Scale[j]))
	v = float32(float64(v) * float64(p.op.RowScale[i]))
	return float32(float64(v) + float64(p.op.Offset[j]))
}

// run computes p with an implementation, C full of guards before.
func (p *problem) run(t testing.TB, im *impl, pool *par.Pool) *problem {
	plan, err := newPlan(p.spec, im)
	if err != nil {
		t.Fatal(err)
	}
	plan.small = 0 // share even the least, if there is a pool
	q := *p
	ldc := max(p.spec.N, p.spec.LDC, 1)
	q.op.C, q.op.CF, q.op.CQ = slices.Repeat([]int32{guard}, p.spec.M*ldc+1), slices.Repeat([]float32{guard}, p.spec.M*ldc+1), slices.Repeat([]uint8{guard}, p.spec.M*ldc+1)
	q.op.Packed = slices.Repeat([]int32{0x55555555}, plan.PackedLen())
	q.op.Scratch = slices.Repeat([]int32{0x55555555}, plan.ScratchLen())
	plan.PackB(q.op.Packed, p.b)
	plan.Run(pool, q.op)
	return &q
}

const guard = 0x5a

// check compares all results, and the guards between and behind the rows.
func (p *problem) check(t *testing.T, name string) {
	t.Helper()
	s, ldc := &p.spec, max(p.spec.N, p.spec.LDC, 1)
	for at := range p.op.C {
		i, j := at/ldc, at%ldc
		got, want := p.result(at), float64(guard)
		if i < s.M && j < s.N {
			want = p.want(i, j)
		}
		if got != want {
			t.Fatalf("%s %+v zeros %d, %d: C[%d,%d] is %v, want %v", name, *s, len(p.op.AZero), len(p.op.BZero), i, j, got, want)
		}
	}
}

func (p *problem) result(at int) float64 {
	switch p.spec.Out {
	case Float32:
		return float64(p.op.CF[at])
	case Uint8:
		return float64(p.op.CQ[at])
	case Int8:
		if p.op.CQ[at] == guard {
			return guard
		}
		return float64(int8(p.op.CQ[at]))
	}
	return float64(p.op.C[at])
}

func (p *problem) want(i, j int) float64 {
	s := &p.spec
	switch s.Out {
	case Int32:
		return float64(p.sum(i, j))
	case Float32:
		v := p.value(i, j)
		if s.Clip {
			v = max(s.Lo, min(s.Hi, v))
		}
		return float64(v)
	}
	lo, hi := s.Out.bounds()
	v := math.RoundToEven(float64(p.value(i, j))) + float64(p.op.Zero)
	return math.Max(float64(lo), math.Min(float64(hi), v))
}

// shapes are around the tiles of 14, 6 and 4 rows, the panels of 32 columns, the
// quads and the loops over four of them, and the 32 bytes of a copy.
var shapes = [][3]int{
	{1, 1, 1}, {1, 33, 5}, {2, 32, 16}, {3, 31, 17}, {4, 64, 4}, {5, 65, 33}, {6, 32, 63}, {7, 40, 64}, {8, 96, 20}, {9, 1, 100}, {10, 32, 35},
	{11, 32, 8}, {12, 32, 12}, {13, 32, 28}, {14, 32, 32}, {15, 70, 31}, {29, 64, 48}, {43, 35, 129}, {3, 4, 0}, {0, 4, 3}, {4, 0, 3},
}

func TestSums(t *testing.T) {
	pool := par.New(3)
	defer pool.Close()
	for n, shape := range shapes {
		for bits := range 8 {
			for zeros := range 9 {
				s := Spec{M: shape[0], N: shape[1], K: shape[2], ASigned: bits&1 != 0, BSigned: bits&2 != 0, TransB: bits&4 != 0}
				if n%2 == 1 {
					s.LDA, s.LDB, s.LDC = s.K+3, max(s.K, s.N)+5, s.N+2
				}
				p := random(s, zeros/3, zeros%3, uint64(n))
				for i := range impls {
					p.run(t, &impls[i], pool).check(t, impls[i].name)
				}
			}
		}
	}
}

func TestResults(t *testing.T) {
	for n, shape := range shapes {
		for _, out := range []Out{Float32, Uint8, Int8} {
			for bits := range 4 {
				s := Spec{M: shape[0], N: shape[1], K: shape[2], BSigned: bits&1 != 0, Out: out}
				if out == Float32 && bits&2 != 0 {
					s.Clip, s.Lo, s.Hi = true, 0, float32(math.Inf(1))
				}
				p := random(s, 1, 1, uint64(n))
				p.op.Zero = map[Out]int32{Uint8: 100, Int8: -3}[out]
				for i := range impls {
					p.run(t, &impls[i], nil).check(t, impls[i].name)
				}
			}
		}
	}
}

// A scale that is NaN gives NaN, clipped or not, and the least 8-bit code.
func TestNaN(t *testing.T) {
	for _, s := range []Spec{{Out: Float32}, {Out: Float32, Clip: true, Hi: 1}, {Out: Int8}} {
		s.M, s.N, s.K = 5, 40, 8
		p := random(s, 1, 1, 2)
		p.op.Scale = []float32{float32(math.NaN())}
		for i := range impls {
			op := p.run(t, &impls[i], nil).op
			for at := range s.M * s.N {
				if s.Out == Float32 && op.CF[at] == op.CF[at] || s.Out == Int8 && op.CQ[at] != 0x80 {
					t.Fatalf("%s %+v: element %d is %g or %#x", impls[i].name, s, at, op.CF[at], op.CQ[at])
				}
			}
		}
	}
}

// What is absent is 0 or 1, and one scale is one for all.
func TestDefaults(t *testing.T) {
	for _, n := range []int{32, 70} {
		s := Spec{M: 17, N: n, K: 40, Out: Float32, BSigned: true}
		p := random(s, 1, 0, 7)
		op := p.op
		op.Scale, op.Bias, op.Offset, op.RowScale = []float32{0.25}, nil, nil, nil
		for j := range n {
			p.op.Scale[j], p.op.Bias[j], p.op.Offset[j] = 0.25, 0, 0
		}
		for i := range p.op.RowScale {
			p.op.RowScale[i] = 1
		}
		for i := range impls {
			want := p.run(t, &impls[i], nil).op.CF
			if got := (&problem{s, p.b, op}).run(t, &impls[i], nil).op.CF; !slices.Equal(got, want) {
				t.Fatalf("%s, %d columns: absent operands are not neutral", impls[i].name, n)
			}
		}
	}
}

// All extremes of one sign: where 16-bit sums would saturate.
func TestNoSaturation(t *testing.T) {
	for _, a := range []uint8{0, 0x7f, 0x80, 0xff} {
		for _, b := range []uint8{0, 0x7f, 0x80, 0xff} {
			for bits := range 4 {
				s := Spec{M: 15, N: 33, K: 1000, ASigned: bits&1 != 0, BSigned: bits&2 != 0}
				p := &problem{spec: s, b: slices.Repeat([]uint8{b}, s.N*s.K)}
				p.op.A = slices.Repeat([]uint8{a}, s.M*s.K)
				want := int32(element(p.op.A, 0, s.ASigned) * element(p.b, 0, s.BSigned) * int64(s.K))
				for i := range impls {
					for at, got := range p.run(t, &impls[i], nil).op.C[:s.M*s.N] {
						if got != want {
							t.Fatalf("%s: %#x by %#x: element %d is %d, want %d", impls[i].name, a, b, at, got, want)
						}
					}
				}
			}
		}
	}
}

// Larger products, cut in blocks and groups, equal the portable one.
func TestBlocks(t *testing.T) {
	for _, s := range []Spec{{M: 130, N: 200, K: 4096, BSigned: true}, {M: 500, N: 96, K: 1000, ASigned: true}} {
		p := random(s, 1, 1, 3)
		want := p.run(t, &impls[0], nil).op.C
		for _, threads := range []int{1, 2, 5} {
			pool := par.New(threads)
			for i := range impls[1:] {
				if got := p.run(t, &impls[1+i], pool).op.C; !slices.Equal(got, want) {
					t.Errorf("%s: %d threads: differs from plain Go", impls[1+i].name, threads)
				}
			}
			pool.Close()
		}
	}
}

func TestConcurrentRuns(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	p := random(Spec{M: 60, N: 96, K: 1000}, 1, 1, 5)
	plan, err := New(p.spec)
	if err != nil {
		t.Fatal(err)
	}
	want := p.run(t, &impls[0], nil).op.C[:60*96]
	packed := make([]int32, plan.PackedLen())
	plan.PackB(packed, p.b)
	failed := make(chan bool)
	for range 4 {
		go func() {
			op := p.op
			op.Packed, op.C, op.Scratch = packed, make([]int32, 60*96), make([]int32, plan.ScratchLen())
			bad := false
			for range 50 {
				plan.Run(pool, op)
				bad = bad || !slices.Equal(op.C, want)
			}
			failed <- bad
		}()
	}
	for range 4 {
		if <-failed {
			t.Error("a run beside others gave another result")
		}
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	p := random(Spec{M: 64, N: 128, K: 600, Out: Uint8}, 1, 1, 5)
	plan, err := New(p.spec)
	if err != nil {
		t.Fatal(err)
	}
	p.op.Packed, p.op.CQ, p.op.Scratch = make([]int32, plan.PackedLen()), make([]uint8, 64*128), make([]int32, plan.ScratchLen())
	plan.PackB(p.op.Packed, p.b)
	if n := testing.AllocsPerRun(20, func() { plan.Run(pool, p.op) }); n != 0 {
		t.Errorf("Run allocates %g times", n)
	}
}

func TestBadSpecs(t *testing.T) {
	for _, s := range []Spec{{M: -1}, {N: 4, LDC: 3}, {K: 4, LDA: 3}, {N: 4, K: 2, LDB: 3}, {N: 4, K: 9, LDB: 8, TransB: true}, {Out: 9}, {Clip: true}, {Clip: true, Out: Float32, Lo: 1}} {
		if _, err := New(s); err == nil {
			t.Errorf("%+v: no error", s)
		}
	}
}

func TestBadOperands(t *testing.T) {
	p := random(Spec{M: 3, N: 4, K: 5, Out: Uint8}, 1, 1, 5)
	plan, err := New(p.spec)
	if err != nil {
		t.Fatal(err)
	}
	p.op.Packed, p.op.CQ, p.op.Scratch = make([]int32, plan.PackedLen()), make([]uint8, 12), make([]int32, plan.ScratchLen())
	for name, spoil := range map[string]func(o *Operands){
		"A": func(o *Operands) { o.A = o.A[1:] }, "C": func(o *Operands) { o.CQ = o.CQ[1:] }, "AZero": func(o *Operands) { o.AZero = make([]uint8, 2) },
		"Scale": func(o *Operands) { o.Scale = nil }, "Bias": func(o *Operands) { o.Bias = o.Bias[1:] }, "Zero": func(o *Operands) { o.Zero = 256 },
		"Scratch": func(o *Operands) { o.Scratch = nil }, "Packed": func(o *Operands) { o.Packed = nil },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("bad %s: no panic", name)
				}
			}()
			op := p.op
			spoil(&op)
			plan.Run(nil, op)
		}()
	}
}

func BenchmarkGemm(b *testing.B) {
	for _, shape := range [][3]int{{128, 128, 128}, {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {128, 768, 768}, {128, 3072, 768}, {512, 1536, 384}, {512, 384, 1536}, {1, 768, 768}} {
		for _, threads := range []int{1, 2} {
			for _, im := range impls[1:] {
				for _, signed := range []bool{false, true} {
					b.Run(fmt.Sprintf("shape=%dx%dx%d/impl=%s/threads=%d/signed=%v", shape[0], shape[2], shape[1], im.name, threads, signed), func(b *testing.B) {
						pool := par.New(threads)
						defer pool.Close()
						p := random(Spec{M: shape[0], N: shape[1], K: shape[2], ASigned: signed, BSigned: true}, 1, 0, 1)
						plan, err := newPlan(p.spec, &im)
						if err != nil {
							b.Fatal(err)
						}
						p.op.C = make([]int32, shape[0]*shape[1])
						p.op.Packed, p.op.Scratch = make([]int32, plan.PackedLen()), make([]int32, plan.ScratchLen())
						plan.PackB(p.op.Packed, p.b)
						for b.Loop() {
							plan.Run(pool, p.op)
						}
						b.ReportMetric(2*float64(shape[0]*shape[1]*shape[2])*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "GOP/s")
					})
				}
			}
		}
	}
}

func BenchmarkPackB(b *testing.B) {
	const n = 1024
	for _, trans := range []bool{false, true} {
		for i := range impls {
			b.Run(fmt.Sprintf("trans=%v/impl=%s", trans, impls[i].name), func(b *testing.B) {
				plan, err := newPlan(Spec{M: 1, N: n, K: n, TransB: trans}, &impls[i])
				if err != nil {
					b.Fatal(err)
				}
				dst, src := make([]int32, plan.PackedLen()), make([]uint8, n*n)
				b.SetBytes(n * n)
				for b.Loop() {
					plan.PackB(dst, src)
				}
			})
		}
	}
}
