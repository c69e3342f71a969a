package cast

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// guard is what stands beyond the end of every destination.
const guard = 0x5a

// halfValue is the value of a float16 or bfloat16 by the definition of IEEE 754.
func halfValue(h uint16, expBits, manBits int) float64 {
	bias := 1<<(expBits-1) - 1
	exp, man := int(h>>manBits)&(1<<expBits-1), int(h)&(1<<manBits-1)
	var v float64
	switch {
	case exp == 1<<expBits-1 && man != 0:
		v = math.NaN()
	case exp == 1<<expBits-1:
		v = math.Inf(1)
	case exp == 0:
		v = math.Ldexp(float64(man), 1-bias-manBits)
	default:
		v = math.Ldexp(float64(man+1<<manBits), exp-bias-manBits)
	}
	if h>>15 == 1 {
		v = -v
	}
	return v
}

// same is equality of bits, except that all NaNs of one sign are equal.
func same(a, b float64) bool {
	if a != a || b != b {
		return a != a && b != b && math.Signbit(a) == math.Signbit(b)
	}
	return a == b && math.Signbit(a) == math.Signbit(b)
}

func allCodes() []uint16 {
	codes := make([]uint16, 1<<16)
	for i := range codes {
		codes[i] = uint16(i)
	}
	return codes
}

// half is a 16-bit type with its conversions in one implementation.
type half struct {
	name     string
	exp, man int
	widen    func(m impl, dst []float32, src []uint16)
	round    func(m impl, dst []uint16, src []float32)
	round64  func(dst []uint16, src []float64)
}

var halves = []half{
	{"float16", 5, 10, impl.widenF16, impl.roundF16, F64ToF16},
	{"bfloat16", 8, 7, impl.widenBF16, impl.roundBF16, F64ToBF16},
}

// Every code of both types widens to its value and rounds back to itself; a
// NaN becomes quiet.
func TestAllCodes(t *testing.T) {
	for _, h := range halves {
		for i := range impls {
			m := impls[i]
			codes := allCodes()
			wide, back := make([]float32, len(codes)), make([]uint16, len(codes))
			h.widen(m, wide, codes)
			h.round(m, back, wide)
			wide64, back64 := make([]float64, len(codes)), make([]uint16, len(codes))
			for c, v := range wide {
				wide64[c] = float64(v)
			}
			h.round64(back64, wide64)
			for c, v := range wide {
				want := halfValue(uint16(c), h.exp, h.man)
				if !same(float64(v), want) {
					t.Fatalf("%s %s: code %#04x widens to %g, want %g", h.name, m.String(), c, v, want)
				}
				code := uint16(c)
				if want != want {
					code |= 1 << (h.man - 1)
				}
				if back[c] != code || back64[c] != code {
					t.Fatalf("%s %s: code %#04x comes back as %#04x and %#04x, want %#04x", h.name, m.String(), c, back[c], back64[c], code)
				}
			}
		}
	}
}

// nearest is the code whose value is nearest to x, ties to even, found by
// bisection of the finite codes and compared exactly.
func nearest(h half, x float64) uint16 {
	var sign uint16
	if math.Signbit(x) {
		sign, x = 0x8000, -x
	}
	inf := uint16(1<<h.exp-1) << h.man
	if math.IsInf(x, 1) {
		return sign | inf
	}
	lo, hi := uint16(0), inf // value(lo) <= x < value(hi); infinity stands for the next power of two
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; halfValue(mid, h.exp, h.man) <= x {
			lo = mid
		} else {
			hi = mid
		}
	}
	above := halfValue(hi, h.exp, h.man)
	if hi == inf {
		above = math.Ldexp(1, 1<<(h.exp-1))
	}
	exact := func(v float64) *big.Float { return new(big.Float).SetPrec(3000).SetFloat64(v) }
	twice := exact(x)
	twice.Mul(twice, exact(2))
	sum := exact(above)
	switch twice.Cmp(sum.Add(sum, exact(halfValue(lo, h.exp, h.man)))) {
	case 1:
		return sign | hi
	case 0:
		return sign | lo + lo&1
	}
	return sign | lo
}

// inputs are float64 around every edge of rounding: the codes of the type,
// the midpoints between neighbours, both a little more and less, and random bits.
func inputs(h half) []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	list := []float64{math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, math.MaxFloat32, 0x1p-149, 0x1p-150, 0x1.8p-150}
	for range 3000 {
		c := uint16(r.IntN(1<<16)) &^ 1
		a, b := halfValue(c, h.exp, h.man), halfValue(c+1, h.exp, h.man)
		m := (a + b) / 2
		if m != m || math.IsInf(m, 0) {
			m = math.Ldexp(1-math.Ldexp(1, -h.man-2), 1<<(h.exp-1)) // halfway to infinity
		}
		list = append(list, a, m, math.Nextafter(m, 0), math.Nextafter(m, 1e300),
			float64(math.Nextafter32(float32(m), 0)), float64(math.Nextafter32(float32(m), 3e38)))
		list = append(list, math.Float64frombits(r.Uint64()), float64(math.Float32frombits(r.Uint32())))
	}
	kept := list[:0]
	for _, v := range list {
		if v == v {
			kept = append(kept, v)
		}
	}
	return kept
}

func TestRoundsToNearest(t *testing.T) {
	for _, h := range halves {
		x := inputs(h)
		got := make([]uint16, len(x))
		h.round64(got, x)
		for i, v := range x {
			if want := nearest(h, v); got[i] != want {
				t.Fatalf("%s: float64 %g (%#x) gives %#04x, want %#04x", h.name, v, math.Float64bits(v), got[i], want)
			}
		}
		narrow := make([]float32, len(x))
		F64ToF32(narrow, x)
		for i := range impls {
			h.round(impls[i], got, narrow)
			for j, v := range narrow {
				if want := nearest(h, float64(v)); got[j] != want {
					t.Fatalf("%s %s: float32 %g gives %#04x, want %#04x", h.name, impls[i], v, got[j], want)
				}
			}
		}
	}
}

func TestNaNsStayNaN(t *testing.T) {
	for _, bits := range []uint32{0x7fc00000, 0x7f800001, 0xff800001, 0x7fffffff, 0xffc12345, 0x7fbfffff} {
		x := make([]float32, 33)
		for i := range x {
			x[i] = math.Float32frombits(bits)
		}
		sign := uint16(bits >> 31 << 15)
		f16, bf16 := sign|0x7e00|uint16(bits>>13&0x3ff), uint16(bits>>16)|0x40
		for i := range impls {
			m, got := impls[i], make([]uint16, len(x))
			m.roundF16(got, x)
			for j := range got {
				if got[j] != f16 {
					t.Fatalf("%s: NaN %#08x element %d gives float16 %#04x, want %#04x", m.String(), bits, j, got[j], f16)
				}
			}
			m.roundBF16(got, x)
			for j := range got {
				if got[j] != bf16 {
					t.Fatalf("%s: NaN %#08x element %d gives bfloat16 %#04x, want %#04x", m.String(), bits, j, got[j], bf16)
				}
			}
		}
	}
}

// lengths are around the blocks of 16 and 64 elements.
var lengths = []int{0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 79, 80, 81, 127, 128, 145, 1000}

// guarded makes n elements of v and one more, the guard.
func guarded[T any](n int, v, last T) (all, part []T) {
	all = make([]T, n+1)
	for i := range all {
		all[i] = v
	}
	all[n] = last
	return all, all[:n:n]
}

// Each length converts each element and none beyond, the same on all levels.
func TestLengths(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range lengths {
		f, d, h := make([]float32, n), make([]float64, n), make([]uint16, n)
		for i := range n {
			f[i], d[i], h[i] = float32(r.NormFloat64()), r.NormFloat64(), uint16(r.IntN(0x7c00))
		}
		for i := range impls {
			m := impls[i]
			checkLength(t, m.String()+" widenF16", n, float32(math.NaN()), guard, func(dst []float32) { m.widenF16(dst, h) }, func(i int) float32 { return FromF16(h[i]) })
			checkLength(t, m.String()+" widenBF16", n, float32(math.NaN()), guard, func(dst []float32) { m.widenBF16(dst, h) }, func(i int) float32 { return FromBF16(h[i]) })
			checkLength(t, m.String()+" roundF16", n, 0x7e00, guard, func(dst []uint16) { m.roundF16(dst, f) }, func(i int) uint16 { return ToF16(f[i]) })
			checkLength(t, m.String()+" roundBF16", n, 0x7e00, guard, func(dst []uint16) { m.roundBF16(dst, f) }, func(i int) uint16 { return ToBF16(f[i]) })
			checkLength(t, m.String()+" roundF32", n, float32(math.NaN()), guard, func(dst []float32) { m.roundF32(dst, d) }, func(i int) float32 { return float32(d[i]) })
			checkLength(t, m.String()+" widenF32", n, math.NaN(), guard, func(dst []float64) { m.widenF32(dst, f) }, func(i int) float64 { return float64(f[i]) })
		}
	}
}

func checkLength[T comparable](t *testing.T, name string, n int, fill, last T, run func(dst []T), want func(i int) T) {
	t.Helper()
	all, dst := guarded(n, fill, last)
	run(dst)
	for i := range dst {
		if dst[i] != want(i) {
			t.Fatalf("%s: element %d of %d is %v, want %v", name, i, n, dst[i], want(i))
		}
	}
	if all[n] != last {
		t.Fatalf("%s: wrote beyond %d elements", name, n)
	}
}

func TestWrongLengthPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("dst shorter than src: no panic")
		}
	}()
	F32ToF16(make([]uint16, 3), make([]float32, 4))
}
