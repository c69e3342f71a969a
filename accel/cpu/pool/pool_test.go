package pool

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// specs are shapes around the vectors of 8 and 16 and of every path.
func specs() map[string]Spec {
	m := map[string]Spec{
		"lenet1":      {N: 2, C: 3, In: []int{24, 24}, Kernel: []int{2, 2}, Strides: []int{2, 2}},
		"lenet2":      {N: 2, C: 5, In: []int{8, 8}, Kernel: []int{2, 2}, Strides: []int{2, 2}},
		"pairs odd":   {N: 1, C: 3, In: []int{5, 35}, Kernel: []int{2, 2}, Strides: []int{2, 2}},
		"pairs wide":  {N: 1, C: 3, In: []int{4, 98}, Kernel: []int{2, 2}, Strides: []int{2, 2}},
		"pairs 8":     {N: 3, C: 3, In: []int{5, 16}, Kernel: []int{2, 2}, Strides: []int{2, 2}},
		"pairs 3-d":   {N: 2, C: 2, In: []int{3, 6, 34}, Kernel: []int{1, 2, 2}, Strides: []int{1, 2, 2}},
		"pairs small": {N: 2, C: 2, In: []int{2, 2}, Kernel: []int{2, 2}, Strides: []int{2, 2}},
		"3x3":         {N: 2, C: 3, In: []int{13, 14}, Kernel: []int{3, 3}, Strides: []int{2, 2}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}},
		"include pad": {N: 1, C: 2, In: []int{7, 9}, Kernel: []int{3, 2}, PadsBegin: []int{2, 1}, PadsEnd: []int{0, 1}, CountIncludePad: true},
		"ceil":        {N: 1, C: 2, In: []int{8, 7}, Kernel: []int{3, 3}, Strides: []int{3, 2}, Out: []int{3, 3}},
		"ceil pad":    {N: 1, C: 2, In: []int{4, 4}, Kernel: []int{3, 3}, Strides: []int{2, 2}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}, Out: []int{3, 3}, CountIncludePad: true},
		"dilated":     {N: 1, C: 2, In: []int{15, 16}, Kernel: []int{3, 2}, Dilations: []int{2, 5}, PadsBegin: []int{3, 0}, PadsEnd: []int{0, 4}},
		"all padding": {N: 1, C: 2, In: []int{3}, Kernel: []int{2}, PadsBegin: []int{4}, PadsEnd: []int{5}},
		"wide":        {N: 1, C: 2, In: []int{4, 75}, Kernel: []int{3, 3}, Strides: []int{1, 2}, PadsBegin: []int{0, 1}, PadsEnd: []int{0, 1}},
		"stride 1":    {N: 1, C: 2, In: []int{4, 51}, Kernel: []int{2, 3}, PadsBegin: []int{0, 2}},
		"1-d":         {N: 2, C: 3, In: []int{40}, Kernel: []int{5}, Strides: []int{3}},
		"3-d":         {N: 2, C: 2, In: []int{5, 6, 7}, Kernel: []int{2, 3, 2}, Strides: []int{1, 2, 2}, PadsBegin: []int{1, 0, 1}, PadsEnd: []int{0, 1, 1}, P: 3},
		"norm 1":      {N: 1, C: 2, In: []int{6, 6}, Kernel: []int{2, 3}, P: 1},
	}
	for _, n := range []int{1, 7, 8, 15, 16, 17, 24, 49, 64} {
		m[fmt.Sprint("global ", n)] = Global(2, 3, []int{n})
	}
	return m
}

// taps lists, for each element of y, the places in x's plane of its window, and
// how many taps are in the plane or its padding: the definition.
func (p *Plan) taps(t *testing.T) (places [][]int, padded []int) {
	t.Helper()
	s, rank := p.spec, len(p.spec.In)
	out := p.Out()
	for o := range p.outLen {
		var window []int
		n := 0
		kernel := 1
		for _, k := range s.Kernel {
			kernel *= k
		}
		for k := range kernel {
			at, scale, in, pad := 0, 1, true, true
			or, kr := o, k
			for i := rank - 1; i >= 0; i-- {
				v := or%out[i]*s.Strides[i] + kr%s.Kernel[i]*s.Dilations[i] - s.PadsBegin[i]
				or, kr = or/out[i], kr/s.Kernel[i]
				in = in && v >= 0 && v < s.In[i]
				pad = pad && v < s.In[i]+s.PadsEnd[i]
				at += v * scale
				scale *= s.In[i]
			}
			if in {
				window = append(window, at)
			}
			if pad {
				n++
			}
		}
		places, padded = append(places, window), append(padded, n)
	}
	return places, padded
}

// inputs are normals with repeated values, NaN and infinities among them.
func inputs(n int, special bool) []float32 {
	r := rand.New(rand.NewPCG(3, 5))
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
		switch k := r.IntN(40); {
		case special && k == 0:
			v[i] = float32(math.NaN())
		case special && k == 1:
			v[i] = float32(math.Inf(-1))
		case special && k < 15:
			v[i] = float32(k % 3)
		}
	}
	return v
}

const guards = 16

// guarded is n NaN and guards behind them; body checks these.
func guarded(n int) []float32 {
	v := make([]float32, n+guards)
	for i := range v {
		v[i] = float32(math.NaN())
		if i >= n {
			v[i] = -77
		}
	}
	return v
}

func checkGuards(t *testing.T, what string, v []float32) {
	t.Helper()
	for i, g := range v[len(v)-guards:] {
		if g != -77 {
			t.Fatalf("%s: element %d behind the end was written: %g", what, i, g)
		}
	}
}

// each runs f for every shape and implementation.
func each(t *testing.T, f func(t *testing.T, p *Plan)) {
	for name, spec := range specs() {
		for _, l := range []isa.Level{isa.Portable, isa.AVX2, isa.AVX512} {
			t.Run(name+"/"+l.String(), func(t *testing.T) {
				if !isa.Has(l) {
					t.Skipf("this process may not use %s", l)
				}
				p, err := plan(spec, byLevel(l))
				if err != nil {
					t.Fatal(err)
				}
				f(t, p)
			})
		}
	}
}

func TestMax(t *testing.T) {
	workers := par.New(3)
	defer workers.Close()
	each(t, func(t *testing.T, p *Plan) {
		x, dy := atEdge(t, inputs(p.XLen(), true)), atEdge(t, inputs(p.YLen(), false))
		y, dx, idx := guarded(p.YLen()), guarded(p.XLen()), make([]int32, p.YLen()+guards)
		p.Max(workers, y[:p.YLen()], idx[:p.YLen()], x)
		p.MaxGrad(workers, dx[:p.XLen()], dy, idx[:p.YLen()])
		checkGuards(t, "y", y)
		checkGuards(t, "dx", dx)
		for i, v := range idx[p.YLen():] {
			if v != 0 {
				t.Fatalf("idx: element %d behind the end was written: %d", i, v)
			}
		}
		plain := guarded(p.YLen())
		p.Max(nil, plain[:p.YLen()], nil, x)
		want := make([]float64, p.XLen())
		places, _ := p.taps(t)
		for o := range p.YLen() {
			plane := x[o/p.outLen*p.inLen:][:p.inLen]
			best, at := math.Inf(-1), -1
			for i, place := range places[o%p.outLen] {
				if v := float64(plane[place]); i == 0 || v > best || v != v {
					best, at = v, place
				}
			}
			if math.Float32bits(y[o]) != math.Float32bits(float32(best)) && !(best != best && y[o] != y[o]) || int(idx[o]) != at {
				t.Fatalf("y[%d] = %g at %d, want %g at %d", o, y[o], idx[o], best, at)
			}
			if math.Float32bits(y[o]) != math.Float32bits(plain[o]) {
				t.Fatalf("y[%d] = %g, without indices %g", o, y[o], plain[o])
			}
			if at >= 0 {
				want[o/p.outLen*p.inLen+at] += float64(dy[o])
			}
		}
		near(t, "dx", dx, want, func(i int) float64 { return 8 * 0x1p-24 * (math.Abs(want[i]) + 4) })
	})
}

// near compares got, with its guards, to want.
func near(t *testing.T, what string, got []float32, want []float64, tol func(i int) float64) {
	t.Helper()
	for i, w := range want {
		if diff := math.Abs(float64(got[i]) - w); !(diff <= tol(i)) {
			t.Fatalf("%s[%d] = %g, want %g", what, i, got[i], w)
		}
	}
}

func TestAverage(t *testing.T) {
	workers := par.New(3)
	defer workers.Close()
	each(t, func(t *testing.T, p *Plan) {
		x, dy := atEdge(t, inputs(p.XLen(), false)), atEdge(t, inputs(p.YLen(), false))
		y, dx := guarded(p.YLen()), guarded(p.XLen())
		p.Average(workers, y[:p.YLen()], x)
		p.AverageGrad(workers, dx[:p.XLen()], dy)
		checkGuards(t, "y", y)
		checkGuards(t, "dx", dx)
		want, grad := make([]float64, p.YLen()), make([]float64, p.XLen())
		size, gradSize := make([]float64, p.YLen()), make([]float64, p.XLen())
		places, padded := p.taps(t)
		for o := range p.YLen() {
			list := places[o%p.outLen]
			n := float64(len(list))
			if p.spec.CountIncludePad {
				n = float64(padded[o%p.outLen])
			}
			for _, at := range list {
				at += o / p.outLen * p.inLen
				want[o] += float64(x[at]) / n
				size[o] += math.Abs(float64(x[at])) / n
				grad[at] += float64(dy[o]) / n
				gradSize[at] += math.Abs(float64(dy[o])) / n
			}
		}
		// a float32 sum of as many terms as a window has, and a division
		near(t, "y", y, want, func(i int) float64 { return float64(len(places[i%p.outLen])+2) * 0x1p-24 * size[i] })
		near(t, "dx", dx, grad, func(i int) float64 { return float64(p.outLen+2) * 0x1p-24 * gradSize[i] })
	})
}

func TestLp(t *testing.T) {
	each(t, func(t *testing.T, p *Plan) {
		x, dy := inputs(p.XLen(), false), inputs(p.YLen(), false)
		y, dx := guarded(p.YLen()), guarded(p.XLen())
		p.Lp(nil, y[:p.YLen()], x)
		p.LpGrad(nil, dx[:p.XLen()], dy, x, y[:p.YLen()])
		checkGuards(t, "y", y)
		checkGuards(t, "dx", dx)
		places, _ := p.taps(t)
		power := float64(p.spec.P)
		want, grad, size := make([]float64, p.YLen()), make([]float64, p.XLen()), make([]float64, p.XLen())
		for o := range p.YLen() {
			base := o / p.outLen * p.inLen
			sum := 0.0
			for _, at := range places[o%p.outLen] {
				sum += math.Pow(math.Abs(float64(x[base+at])), power)
			}
			want[o] = math.Pow(sum, 1/power)
			for _, at := range places[o%p.outLen] {
				v := float64(x[base+at])
				g := float64(dy[o]) * math.Copysign(math.Pow(math.Abs(v)/want[o], power-1), v)
				grad[base+at] += g
				size[base+at] += math.Abs(g)
			}
		}
		near(t, "y", y, want, func(i int) float64 { return 2 * 0x1p-24 * want[i] })
		near(t, "dx", dx, grad, func(i int) float64 { return float64(p.outLen+4*p.spec.P) * 0x1p-24 * size[i] })
	})
}

func TestSameBits(t *testing.T) {
	if !isa.Has(isa.AVX512) {
		t.Skip("this process may not use avx512")
	}
	for name, spec := range specs() {
		a, errA := plan(spec, byLevel(isa.AVX2))
		b, errB := plan(spec, byLevel(isa.AVX512))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		x := inputs(a.XLen(), false)
		ya, yb := make([]float32, a.YLen()), make([]float32, a.YLen())
		a.Average(nil, ya, x)
		b.Average(nil, yb, x)
		for i := range ya {
			if math.Float32bits(ya[i]) != math.Float32bits(yb[i]) {
				t.Fatalf("%s: average %d: %g and %g", name, i, ya[i], yb[i])
			}
		}
	}
}

func TestTensorIndices(t *testing.T) {
	p, err := New(Spec{N: 1, C: 2, In: []int{2, 3}, Kernel: []int{2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	got := make([]int64, 2)
	for _, c := range []struct {
		column bool
		want   [2]int64
	}{{false, [2]int64{-1, 6 + 5}}, {true, [2]int64{-1, 6 + 2*2 + 1}}} {
		p.TensorIndices(got, []int32{-1, 5}, c.column)
		if [2]int64(got) != c.want {
			t.Errorf("column major %v: %v, want %v", c.column, got, c.want)
		}
	}
}

func TestBadSpecs(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{N: 1, C: 1}, "0 spatial dimensions"},
		{Spec{C: 1, In: []int{2}, Kernel: []int{1}}, "N=0"},
		{Spec{N: 1, C: 1, In: []int{2}}, "Kernel has 0 sizes"},
		{Spec{N: 1, C: 1, In: []int{2, 2}, Kernel: []int{1}}, "Kernel has 1 sizes"},
		{Spec{N: 1, C: 1, In: []int{2}, Kernel: []int{3}}, "0 outputs for input 2"},
		{Spec{N: 1, C: 1, In: []int{5}, Kernel: []int{2}, Out: []int{5}}, "5 outputs for input 5"},
		{Spec{N: 1, C: 1, In: []int{5}, Kernel: []int{2}, Out: []int{4, 1}}, "Out has 2 sizes"},
		{Spec{N: 1, C: 1, In: []int{5}, Kernel: []int{2}, Strides: []int{0}}, "Strides=[0]"},
		{Spec{N: 1 << 20, C: 1 << 20, In: []int{5}, Kernel: []int{2}}, "more than"},
	} {
		if _, err := New(c.spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: error %v, want …%s…", c.spec, err, c.want)
		}
	}
}

func TestNothingAllocated(t *testing.T) {
	p, err := New(specs()["lenet1"])
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(specs()["3x3"])
	if err != nil {
		t.Fatal(err)
	}
	workers := par.New(2)
	defer workers.Close()
	for _, p := range []*Plan{p, g} {
		x, y, idx := make([]float32, p.XLen()), make([]float32, p.YLen()), make([]int32, p.YLen())
		if n := testing.AllocsPerRun(50, func() {
			p.Max(workers, y, idx, x)
			p.MaxGrad(workers, x, y, idx)
			p.Average(workers, y, x)
			p.AverageGrad(workers, x, y)
		}); n != 0 {
			t.Errorf("%g allocations, want 0", n)
		}
	}
}

func BenchmarkMax(b *testing.B) {
	for _, c := range []struct {
		name string
		spec Spec
	}{
		{"lenet1", Spec{N: 128, C: 20, In: []int{24, 24}, Kernel: []int{2, 2}, Strides: []int{2, 2}}},
		{"lenet2", Spec{N: 128, C: 50, In: []int{8, 8}, Kernel: []int{2, 2}, Strides: []int{2, 2}}},
		{"3x3", Spec{N: 8, C: 64, In: []int{56, 56}, Kernel: []int{3, 3}, Strides: []int{2, 2}, PadsBegin: []int{1, 1}, PadsEnd: []int{1, 1}}},
	} {
		for _, l := range []isa.Level{isa.AVX2, isa.AVX512} {
			if !isa.Has(l) {
				continue
			}
			p, err := plan(c.spec, byLevel(l))
			if err != nil {
				b.Fatal(err)
			}
			x, y, idx := inputs(p.XLen(), false), make([]float32, p.YLen()), make([]int32, p.YLen())
			bytes := int64(4 * (p.XLen() + 2*p.YLen()))
			b.Run(fmt.Sprintf("impl=%s/layer=%s/pass=forward", l, c.name), func(b *testing.B) {
				b.SetBytes(bytes)
				for b.Loop() {
					p.Max(nil, y, idx, x)
				}
			})
			b.Run(fmt.Sprintf("impl=%s/layer=%s/pass=backward", l, c.name), func(b *testing.B) {
				b.SetBytes(bytes)
				for b.Loop() {
					p.MaxGrad(nil, x, y, idx)
				}
			})
		}
	}
}

func BenchmarkGlobalAverage(b *testing.B) {
	p, err := New(Global(64, 64, []int{8, 8}))
	if err != nil {
		b.Fatal(err)
	}
	x, y := inputs(p.XLen(), false), make([]float32, p.YLen())
	b.SetBytes(int64(4 * (p.XLen() + p.YLen())))
	b.Run("pass=forward", func(b *testing.B) {
		for b.Loop() {
			p.Average(nil, y, x)
		}
	})
	b.Run("pass=backward", func(b *testing.B) {
		for b.Loop() {
			p.AverageGrad(nil, x, y)
		}
	})
}
