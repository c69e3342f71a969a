package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// reference is the definition, in float64, as a list of the products of big and
// small elements with their weight: it calls f for each.
func (g *geom) reference(f func(big, small, w int)) {
	var o, k, b [3]int
	T, S, B := g.taps(), product(g.small[:]), product(g.big[:])
	for n := range g.n {
		for gr := range g.groups {
			for m := range g.cs {
				for c := range g.cb {
					for oi := range S {
						o = unravel(oi, g.small)
						for ki := range T {
							k = unravel(ki, g.kern)
							inside := true
							for i := range b {
								b[i] = o[i]*g.stride[i] + k[i]*g.dil[i] - g.pad[i]
								inside = inside && b[i] >= 0 && b[i] < g.big[i]
							}
							if inside {
								bi := (b[0]*g.big[1]+b[1])*g.big[2] + b[2]
								f(((n*g.groups+gr)*g.cb+c)*B+bi, ((n*g.groups+gr)*g.cs+m)*S+oi, ((gr*g.cs+m)*g.cb+c)*T+ki)
							}
						}
					}
				}
			}
		}
	}
}

func unravel(i int, sizes [3]int) [3]int {
	return [3]int{i / sizes[2] / sizes[1], i / sizes[2] % sizes[1], i % sizes[2]}
}

// sum is Σ and Σ|·| of products for each element of a result.
type sum struct{ v, abs []float64 }

func newSum(n int) sum { return sum{make([]float64, n), make([]float64, n)} }

func (s sum) add(i int, a, b float32) {
	s.v[i] += float64(a) * float64(b)
	s.abs[i] += math.Abs(float64(a) * float64(b))
}

// check compares got with s, of chains of at most terms roundings. Squares have
// another bound: see TestSquaresError.
func (s sum) check(t *testing.T, what string, got []float32, terms int, m method) {
	t.Helper()
	if _, ok := m.(*wino); ok {
		return
	}
	for i, want := range s.v {
		tol := float64(terms+4) * 0x1p-24 * s.abs[i]
		if diff := math.Abs(float64(got[i]) - want); !(diff <= tol) {
			t.Fatalf("%s[%d] = %g, want %g within %g", what, i, got[i], want, tol)
		}
	}
}

func normals(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// guarded is n NaN with guards behind; check reports a guard that was touched.
type guarded []float32

func guard(n int) guarded {
	v := make(guarded, n+32)
	for i := range v {
		v[i] = float32(math.NaN())
		if i >= n {
			v[i] = 12345
		}
	}
	return v
}

func (v guarded) body(t *testing.T, what string) []float32 {
	t.Helper()
	n := len(v) - 32
	for i, g := range v[n:] {
		if g != 12345 {
			t.Fatalf("%s: element %d behind the end was written: %g", what, i, g)
		}
	}
	return v[:n]
}

// results are all passes of a plan on one set of inputs.
type results struct{ y, dx, dw []float32 }

type inputs struct{ x, w, dy []float32 }

func newInputs(p *Plan) inputs {
	r := rand.New(rand.NewPCG(7, 7))
	return inputs{normals(r, p.XLen()), normals(r, p.WLen()), normals(r, p.YLen())}
}

func (in inputs) run(t *testing.T, p *Plan, pool *par.Pool) results {
	t.Helper()
	n := pool.Threads()
	y, dx, dw := guard(p.YLen()), guard(p.XLen()), guard(p.WLen())
	s := guard(p.ForwardScratch(n))
	p.Forward(pool, y[:p.YLen()], in.x, in.w, nil, nil, s[:len(s)-32])
	s.body(t, "forward scratch")
	s = guard(p.DataScratch(n))
	p.BackwardData(pool, dx[:p.XLen()], in.dy, in.w, s[:len(s)-32])
	s.body(t, "data scratch")
	s = guard(p.WeightsScratch(n))
	p.BackwardWeights(pool, dw[:p.WLen()], in.dy, in.x, s[:len(s)-32])
	s.body(t, "weights scratch")
	return results{y.body(t, "y"), dx.body(t, "dx"), dw.body(t, "dw")}
}

// specs are shapes around the sizes of segments, tiles, blocks and chunks.
func specs() map[string]Spec {
	m := map[string]Spec{
		"lenet1":        {N: 3, C: 1, M: 20, In: []int{28, 28}, Kernel: []int{5, 5}},
		"lenet2":        {N: 2, C: 20, M: 50, In: []int{12, 12}, Kernel: []int{5, 5}},
		"resnet in":     {N: 5, C: 3, M: 16, In: []int{32, 32}, Kernel: []int{3, 3}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		"resnet stride": {N: 2, C: 16, M: 32, In: []int{32, 32}, Kernel: []int{3, 3}, Strides: []int{2, 2}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		"8x8":           {N: 3, C: 64, M: 64, In: []int{8, 8}, Kernel: []int{3, 3}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		"7x7 strided":   {N: 1, C: 3, M: 8, In: []int{30, 31}, Kernel: []int{7, 7}, Strides: []int{2, 2}, PadsBegin: []int{3, 3}, PadsEnd: []int{3, 3}},
		"asymmetric":    {N: 2, C: 2, M: 3, In: []int{9, 11}, Kernel: []int{2, 4}, Strides: []int{3, 2}, PadsBegin: []int{1, 0}, PadsEnd: []int{0, 3}},
		"dilated":       {N: 2, C: 3, M: 5, In: []int{17, 19}, Kernel: []int{3, 3}, Dilations: []int{2, 3}, PadsBegin: []int{2, 3}, PadsEnd: []int{2, 3}},
		"strided dilated": {N: 1, C: 3, M: 5, In: []int{17, 19}, Kernel: []int{3, 3}, Strides: []int{2, 2}, Dilations: []int{3, 2},
			PadsBegin: []int{2, 3}, PadsEnd: []int{2, 3}},
		"groups":        {N: 2, C: 6, M: 9, In: []int{8, 10}, Kernel: []int{3, 3}, Groups: 3},
		"depthwise":     {N: 2, C: 11, M: 11, In: []int{14, 14}, Kernel: []int{3, 3}, Groups: 11, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		"multiplier":    {N: 1, C: 4, M: 8, In: []int{16, 16}, Kernel: []int{3, 3}, Strides: []int{2, 2}, Groups: 4, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		"1x1":           {N: 2, C: 37, M: 21, In: []int{7, 7}, Kernel: []int{1, 1}},
		"1x1 aligned":   {N: 2, C: 400, M: 21, In: []int{4, 8}, Kernel: []int{1, 1}},
		"1x1 strided":   {N: 2, C: 5, M: 6, In: []int{15, 15}, Kernel: []int{1, 1}, Strides: []int{2, 2}},
		"whole image":   {N: 4, C: 5, M: 6, In: []int{6, 6}, Kernel: []int{6, 6}},
		"1-d":           {N: 2, C: 3, M: 4, In: []int{100}, Kernel: []int{5}, Strides: []int{3}, PadsBegin: []int{4}, PadsEnd: []int{1}},
		"1-d long":      {N: 1, C: 16, M: 4, In: []int{9000}, Kernel: []int{3}, PadsBegin: []int{1}, PadsEnd: []int{1}},
		"1-d pad>k":     {N: 1, C: 2, M: 2, In: []int{5}, Kernel: []int{2}, PadsBegin: []int{20}, PadsEnd: []int{17}},
		"3-d":           {N: 2, C: 3, M: 4, In: []int{5, 6, 9}, Kernel: []int{3, 2, 3}, Strides: []int{2, 1, 2}, PadsBegin: []int{1, 1, 1}, PadsEnd: []int{1, 0, 1}},
		"3-d dilated":   {N: 1, C: 2, M: 3, In: []int{7, 7, 16}, Kernel: []int{3, 3, 1}, Dilations: []int{2, 1, 1}},
		"large":         {N: 1, C: 24, M: 7, In: []int{90, 100}, Kernel: []int{3, 3}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		"long chain":    {N: 1, C: 100, M: 3, In: []int{5, 6}, Kernel: []int{3, 3}},
		"stride > k":    {N: 2, C: 3, M: 2, In: []int{16, 16}, Kernel: []int{2, 2}, Strides: []int{3, 3}},
		"stride 4":      {N: 1, C: 2, M: 4, In: []int{33, 33}, Kernel: []int{5, 5}, Strides: []int{4, 4}},
		"squares":       {N: 7, C: 16, M: 16, In: []int{8, 8}, Kernel: []int{3, 3}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		"squares alone": {N: 1, C: 20, M: 25, In: []int{8, 8}, Kernel: []int{3, 3}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		"odd segments":  {N: 3, C: 2, M: 9, In: []int{5, 10}, Kernel: []int{3, 3}},
	}
	for _, name := range []string{"asymmetric", "dilated", "groups", "multiplier", "1-d", "3-d", "whole image", "8x8", "lenet2", "squares"} {
		s := m[name]
		s.Transposed = true
		m["transposed "+name] = s
	}
	m["transposed extra"] = Spec{N: 2, C: 4, M: 3, In: []int{8, 9}, Kernel: []int{3, 3}, Strides: []int{2, 3}, OutputPadding: []int{1, 4},
		PadsBegin: []int{1, 0}, PadsEnd: []int{1, 0}, Transposed: true}
	return m
}

// levels calls f with the plan of spec by each implementation this CPU has.
func levels(t *testing.T, spec Spec, f func(t *testing.T, level isa.Level, p *Plan)) {
	for _, l := range []isa.Level{isa.Portable, isa.AVX2, isa.AVX512} {
		t.Run(l.String(), func(t *testing.T) {
			if !isa.Has(l) {
				t.Skipf("this process may not use %s", l)
			}
			p, err := plan(spec, byLevel(l))
			if err != nil {
				t.Fatal(err)
			}
			f(t, l, p)
		})
	}
}

func TestAgainstReference(t *testing.T) {
	for name, spec := range specs() {
		t.Run(name, func(t *testing.T) { compare(t, spec, []int{2, 3, 8}) })
	}
}

// compare holds all passes of all implementations to the definition, and their
// bits to each other and to those of pools of threads.
func compare(t *testing.T, spec Spec, threads []int) {
	p, err := New(spec)
	if err != nil {
		t.Fatal(err)
	}
	in := newInputs(p)
	in = inputs{atEdge(t, in.x), atEdge(t, in.w), atEdge(t, in.dy)}
	y, dx, dw := newSum(p.YLen()), newSum(p.XLen()), newSum(p.WLen())
	p.geom.reference(func(b, s, w int) {
		if spec.Transposed {
			b, s = s, b
		}
		x, dy, wt := in.x[b], in.dy[s], in.w[w]
		y.add(s, x, wt)
		dx.add(b, dy, wt)
		dw.add(w, dy, x)
	})
	var vector *results
	levels(t, spec, func(t *testing.T, l isa.Level, p *Plan) {
		r := in.run(t, p, nil)
		taps := product(spec.Kernel)
		y.check(t, "y", r.y, p.spec.C*taps, p.forward())
		dx.check(t, "dx", r.dx, p.spec.M*taps, p.backward())
		dw.check(t, "dw", r.dw, len(in.dy)/p.spec.M, nil)
		for _, n := range threads {
			pool := par.New(n)
			equal(t, fmt.Sprintf("%d threads", n), in.run(t, p, pool), r)
			pool.Close()
		}
		if l == isa.Portable {
			return
		}
		if vector != nil {
			equal(t, "avx2 and "+l.String(), *vector, r)
		}
		vector = &r
	})
}

// FuzzShapes compares small convolutions whose shapes come from the bytes.
func FuzzShapes(f *testing.F) {
	r := rand.New(rand.NewPCG(11, 13))
	for range 60 {
		b := make([]byte, 32)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		next := func(n int) int { // 0 to n-1
			if len(b) == 0 {
				return 0
			}
			v := int(b[0]) % n
			b = b[1:]
			return v
		}
		groups := 1 + next(3)*next(2)
		spec := Spec{N: 1 + next(5), C: groups * (1 + next(18)), M: groups * (1 + next(18)), Groups: groups, Transposed: next(3) == 0}
		for range 1 + next(3) {
			k := 1 + next(4)
			spec.In = append(spec.In, 1+next(20))
			spec.Kernel = append(spec.Kernel, k)
			spec.Strides = append(spec.Strides, 1+next(3)*next(2))
			spec.Dilations = append(spec.Dilations, 1+next(3)*next(2))
			spec.PadsBegin = append(spec.PadsBegin, next(4))
			spec.PadsEnd = append(spec.PadsEnd, next(4))
		}
		p, err := New(spec)
		if err != nil || p.MACs() > 1<<20 {
			t.Skip("no output, or more work than a test should have")
		}
		compare(t, spec, []int{2})
	})
}

// equal fails if the results differ in a bit.
func equal(t *testing.T, what string, a, b results) {
	t.Helper()
	for _, c := range []struct {
		name string
		a, b []float32
	}{{"y", a.y, b.y}, {"dx", a.dx, b.dx}, {"dw", a.dw, b.dw}} {
		for i := range c.a {
			if math.Float32bits(c.a[i]) != math.Float32bits(c.b[i]) {
				t.Fatalf("%s: %s[%d] = %g and %g", what, c.name, i, c.a[i], c.b[i])
			}
		}
	}
}
