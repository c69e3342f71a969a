package vec

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

var exhaustive = flag.String("exhaustive", "", "test these smooth functions, such as Exp,Tanh,Erf, on every float32 (a minute each)")

// allowed is the tolerance of f for these inputs.
func (f *function) allowed(want float64, v []float64) float64 {
	size := 0x1p-126
	for _, x := range v {
		if !math.IsInf(x, 0) {
			size = math.Max(size, math.Abs(x))
		}
	}
	ulps := f.ulps
	if f.bound != nil {
		ulps = f.bound(v[0])
	}
	return ulps*ulp(want)*(1+1e-6) + f.floor*size
}

func TestElementwise(t *testing.T) {
	atLevels(t, func(t *testing.T) {
		for _, f := range elementwise() {
			for _, n := range lengths {
				checkElements(t, &f, n)
			}
		}
	})
}

func checkElements(t *testing.T, f *function, n int) {
	in := make([][]float32, f.inputs)
	for i := range in {
		in[i] = normals(n, uint64(n+i))
		for j := range in[i] {
			in[i][j] *= 3
		}
	}
	got, check := guarded(n)
	f.call(got, in)
	check(t)
	v := make([]float64, f.inputs)
	for i, g := range got {
		for j := range in {
			v[j] = float64(in[j][i])
		}
		want := f.want(v)
		if tol := f.allowed(want, v); errorOf(g, want) != 0 && !(math.Abs(float64(g)-want) <= tol) {
			t.Fatalf("%s n=%d element %d of %g: got %g, want %g within %g", f.name, n, i, v, g, want, tol)
		}
	}
}

// TestSameBits compares the two vector levels, the same elements at other
// places, and a result that overwrites an input.
func TestSameBits(t *testing.T) {
	const n = 5000
	for _, f := range elementwise() {
		in := make([][]float32, f.inputs)
		for i := range in {
			in[i] = anything(n, uint64(i))
		}
		for _, l := range levels() {
			restore := lower(l)
			whole := make([]float32, n)
			f.call(whole, in)
			if l == isa.AVX512 {
				level = isa.AVX2
				other := make([]float32, n)
				f.call(other, in)
				sameBits(t, f.name+", AVX2 and AVX-512", other, whole, in)
				level = l
			}
			checkPlaces(t, &f, in, whole)
			restore()
		}
	}
}

// checkPlaces calls f on a part of the inputs, and on a copy of the first that
// the result overwrites.
func checkPlaces(t *testing.T, f *function, in [][]float32, whole []float32) {
	for _, at := range []int{1, 3, 8, 13} {
		part := make([][]float32, len(in))
		for i := range in {
			part[i] = in[i][at : at+100]
		}
		got := make([]float32, 100)
		f.call(got, part)
		sameBits(t, f.name+", elsewhere", got, whole[at:at+100], part)
	}
	if f.name == "Axpy" || f.name == "Axpby" { // their tests write to dst first
		return
	}
	for i := range in {
		aliased := slices.Clone(in)
		aliased[i] = slices.Clone(in[i])
		f.call(aliased[i], aliased)
		sameBits(t, f.name+", in place", aliased[i], whole, in)
	}
}

func sameBits(t *testing.T, what string, got, want []float32, in [][]float32) {
	t.Helper()
	for i := range want {
		if bitsOf(got[i]) != bitsOf(want[i]) {
			t.Fatalf("%s: element %d is %g, want %g (first input %g)", what, i, got[i], want[i], in[0][i])
		}
	}
}

// The portable functions of one operation give the same bits as the others.
func TestPortableBits(t *testing.T) {
	const n = 20000
	for _, f := range exact {
		in := make([][]float32, f.inputs)
		for i := range in {
			in[i] = anything(n, uint64(i))
		}
		got, want := make([]float32, n), make([]float32, n)
		f.call(got, in)
		restore := lower(isa.Portable)
		f.call(want, in)
		restore()
		sameBits(t, f.name, got, want, in)
	}
}

// TestAccuracy walks over the float32 numbers in steps, or over all of them.
func TestAccuracy(t *testing.T) {
	atLevels(t, func(t *testing.T) {
		for _, f := range smooth {
			step := uint64(4099)
			switch {
			case level == isa.Best() && slices.Contains(strings.Split(*exhaustive, ","), f.name):
				step = 1
			case level == isa.Portable:
				step = 65537
			}
			worst, at := worstError(&f, step)
			t.Logf("%s: %.3f of the error allowed, at %g", f.name, worst, at)
			if !(worst <= 1) {
				t.Errorf("%s: %.3f times the error allowed, at %g", f.name, worst, at)
			}
		}
	})
}

// worstError is the largest error of a unary function, as a part of what is
// allowed, over every step-th float32.
func worstError(f *function, step uint64) (worst float64, at float32) {
	const block = 1 << 14
	var mu sync.Mutex
	var wg sync.WaitGroup
	for half := range uint64(2) {
		wg.Go(func() {
			x, y := make([]float32, block), make([]float32, block)
			for b := half << 31; b < (half+1)<<31; b += block * step {
				for i := range x {
					x[i] = math.Float32frombits(uint32(min(b+uint64(i)*step, (half+1)<<31-1)))
				}
				f.call(y, [][]float32{x})
				e, v := blockError(f, x, y)
				mu.Lock()
				if !(e <= worst) {
					worst, at = e, v
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return worst, at
}

func blockError(f *function, x, y []float32) (worst float64, at float32) {
	v := make([]float64, 1)
	for i := range x {
		v[0] = float64(x[i])
		if math.IsInf(v[0], 0) { // infinities have a table of their own
			continue
		}
		want := f.want(v)
		e := errorOf(y[i], want)
		if e > 0 {
			e *= ulp(want) / f.allowed(want, v)
		}
		if !(e <= worst) {
			worst, at = e, x[i]
		}
	}
	return worst, at
}

func TestSpecialValues(t *testing.T) {
	inf, nan, zero := float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1))
	cases := []struct {
		name string
		f    func(dst, x []float32)
		x    []float32
		want []float32
	}{
		{"Exp", Exp, []float32{inf, -inf, nan, 0, zero, 89, -104}, []float32{inf, 0, nan, 1, 1, inf, 0}},
		{"Expm1", Expm1, []float32{inf, -inf, nan, 0, zero, 0x1p-149}, []float32{inf, -1, nan, 0, zero, 0x1p-149}},
		{"Log", Log, []float32{inf, -inf, nan, 0, zero, -1, 1}, []float32{inf, nan, nan, -inf, -inf, nan, 0}},
		{"Log1p", Log1p, []float32{inf, -inf, nan, 0, zero, -1, -1.5}, []float32{inf, nan, nan, 0, zero, -inf, nan}},
		{"Erf", Erf, []float32{inf, -inf, nan, 0, zero}, []float32{1, -1, nan, 0, zero}},
		{"Tanh", Tanh, []float32{inf, -inf, nan, 0, zero}, []float32{1, -1, nan, 0, zero}},
		{"Sigmoid", Sigmoid, []float32{inf, -inf, nan, 0, zero}, []float32{1, 0, nan, 0.5, 0.5}},
		{"Silu", Silu, []float32{inf, -inf, nan, 0, zero, -200}, []float32{inf, nan, nan, 0, zero, zero}},
		{"Gelu", Gelu, []float32{inf, -inf, nan, 0, zero, -200, 200, math.MaxFloat32}, []float32{inf, nan, nan, 0, zero, 0, 200, math.MaxFloat32}},
		{"GeluTanh", GeluTanh, []float32{inf, -inf, nan, 0, zero, -200, 200}, []float32{inf, nan, nan, 0, zero, zero, 200}},
		{"Mish", Mish, []float32{inf, -inf, nan, 0, zero, -200}, []float32{inf, nan, nan, 0, zero, zero}},
		{"Softplus", Softplus, []float32{inf, -inf, nan, -200}, []float32{inf, 0, nan, 0}},
		{"Relu", Relu, []float32{inf, -inf, nan, 0, zero}, []float32{inf, 0, nan, 0, zero}},
		{"Sqrt", Sqrt, []float32{inf, -inf, nan, 0, zero, -1}, []float32{inf, nan, nan, 0, zero, nan}},
		{"Reciprocal", Reciprocal, []float32{inf, nan, 0, zero}, []float32{0, nan, inf, -inf}},
		{"RoundEven", RoundEven, []float32{0.5, 1.5, -0.5, inf, nan}, []float32{0, 2, zero, inf, nan}},
		{"Clip", func(d, x []float32) { Clip(d, x, -1, 1) }, []float32{inf, -inf, nan}, []float32{1, -1, nan}},
		{"Sin", Sin, []float32{inf, -inf, nan, 0, zero}, []float32{nan, nan, nan, 0, zero}},
		{"Cos", Cos, []float32{inf, -inf, nan, 0}, []float32{nan, nan, nan, 1}},
		{"Elu", func(d, x []float32) { Elu(d, x, 2) }, []float32{inf, -inf, nan, 0}, []float32{inf, -2, nan, 0}},
	}
	atLevels(t, func(t *testing.T) {
		for _, c := range cases {
			got := make([]float32, len(c.x))
			c.f(got, c.x)
			for i, w := range c.want {
				if bitsOf(got[i]) != bitsOf(w) {
					t.Errorf("%s(%g): got %g, want %g", c.name, c.x[i], got[i], w)
				}
			}
		}
	})
}

func TestMinimumAndMaximum(t *testing.T) {
	nan, zero := float32(math.NaN()), float32(math.Copysign(0, -1))
	a := []float32{1, nan, 2, 0, zero, 0}
	b := []float32{2, 1, nan, zero, 0, 0}
	atLevels(t, func(t *testing.T) {
		got := make([]float32, len(a))
		for _, c := range []struct {
			name string
			f    func(dst, a, b []float32)
			want []float32
		}{
			{"Minimum", Minimum, []float32{1, nan, nan, zero, zero, 0}},
			{"Maximum", Maximum, []float32{2, nan, nan, 0, 0, 0}},
		} {
			c.f(got, a, b)
			for i, w := range c.want {
				if bitsOf(got[i]) != bitsOf(w) {
					t.Errorf("%s(%g, %g): got %g, want %g", c.name, a[i], b[i], got[i], w)
				}
			}
		}
	})
}

func TestWrongLengthsPanic(t *testing.T) {
	x, y := make([]float32, 5), make([]float32, 6)
	for name, f := range map[string]func(){
		"unary":  func() { Gelu(x, y) },
		"binary": func() { Add(x, x, y) },
		"rows":   func() { SoftmaxRows(x, x, 2, 3) },
		"norm":   func() { RMSNormRows(y, x[:2], y, x[:2], 0, 2, 3) },
		"optim":  func() { AdamW(x, x, x, y, &AdamWConfig{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestNoAllocation(t *testing.T) {
	x, y := normals(100, 1), make([]float32, 100)
	c := &AdamWConfig{Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Correction1: 0.1, Correction2: 0.001}
	r := rand.New(rand.NewPCG(1, 1))
	atLevels(t, func(t *testing.T) {
		if n := testing.AllocsPerRun(20, func() {
			var small [20]float32 // may stay on the stack
			small[0] = float32(r.Float64())
			Gelu(small[:], small[:])
			Gelu(y, x)
			SoftmaxRows(y, x, 10, 10)
			AdamW(y, x, y, y, c)
			if !(Sum(small[:]) >= 0) {
				t.Error("the sum of a GELU of a positive number is negative")
			}
		}); n != 0 {
			t.Errorf("%g allocations a call, want 0", n)
		}
	})
}
