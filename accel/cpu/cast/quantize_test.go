package cast

import (
	"math"
	"math/rand/v2"
	"testing"
)

// quantizeRef is QuantizeLinear as ONNX words it, in float64 but for the
// quotient, which is rounded to float32.
func quantizeRef(x, scale float32, zero int32, r Range) int32 {
	v := math.RoundToEven(float64(float32(float64(x)/float64(scale)))) + float64(zero)
	return int32(math.Max(float64(r.Lo), math.Min(float64(r.Hi), v)))
}

// values32 are normals with ties of the scale 0.5, and the extremes.
func values32(n int, spread float64) []float32 {
	r := rand.New(rand.NewPCG(5, 6))
	x := make([]float32, n)
	for i := range x {
		switch i % 3 {
		case 0:
			x[i] = float32(r.NormFloat64() * spread)
		case 1:
			x[i] = float32(r.IntN(600)-300) * 0.25
		case 2:
			x[i] = []float32{float32(math.Inf(1)), float32(math.Inf(-1)), 0, -3.4e38, 1e-45, 0.24999999}[r.IntN(6)]
		}
	}
	return x
}

func TestQuantize(t *testing.T) {
	for i := range impls {
		m := impls[i]
		for _, n := range lengths {
			x := values32(n, 40)
			for _, c := range []struct {
				scale float32
				zero  int32
				r     Range
			}{{0.5, 128, Uint8}, {0.5, 0, Int8}, {0.0123, -128, Int8}, {0.31, 255, Uint8}, {2, 3, Uint4}, {3, -8, Int4}, {1, 0, Uint2}, {1, 1, Int2}} {
				checkLength(t, m.String()+" quantizeBytes", n, 77, guard, func(dst []uint8) { m.quantizeBytes(dst, x, c.scale, c.zero, c.r) },
					func(i int) uint8 { return uint8(quantizeRef(x[i], c.scale, c.zero, c.r)) })
				scales, zeros := make([]float32, n), make([]int32, n)
				for i := range n {
					scales[i], zeros[i] = c.scale*float32(i%3+1), c.zero
				}
				checkLength(t, "Quantize8Each", n, 77, guard, func(dst []uint8) { Quantize8Each(dst, x, scales, zeros, c.r) },
					func(i int) uint8 { return uint8(quantizeRef(x[i], scales[i], c.zero, c.r)) })
			}
			for _, c := range []struct {
				scale float32
				zero  int32
				r     Range
			}{{0.001, 32768, Uint16}, {0.002, -7, Int16}, {0.5, 65535, Uint16}} {
				checkLength(t, m.String()+" quantizeWords", n, 77, guard, func(dst []uint16) { m.quantizeWords(dst, x, c.scale, c.zero, c.r) },
					func(i int) uint16 { return uint16(quantizeRef(x[i], c.scale, c.zero, c.r)) })
			}
		}
	}
}

func TestQuantizeNaN(t *testing.T) {
	x := make([]float32, 40)
	for i := range x {
		x[i] = float32(math.NaN())
	}
	for i := range impls {
		checkLength(t, impls[i].String(), len(x), 77, guard, func(dst []uint8) { impls[i].quantizeBytes(dst, x, 1, 3, Int8) },
			func(int) uint8 { return 0x80 }) // -128, the least
	}
}

func TestDequantize(t *testing.T) {
	const scale = 0.037
	r := rand.New(rand.NewPCG(7, 8))
	for i := range impls {
		m := impls[i]
		for _, n := range lengths {
			b, w := make([]uint8, n), make([]uint16, n)
			for i := range n {
				b[i], w[i] = uint8(r.Uint32()), uint16(r.Uint32())
			}
			nan := float32(math.NaN())
			want := func(v, zero int32) float32 { return float32(float64(v-zero) * float64(float32(scale))) }
			checkLength(t, m.String()+" widenU8", n, nan, guard, func(dst []float32) { m.widenU8(dst, b, scale, 131) }, func(i int) float32 { return want(int32(b[i]), 131) })
			checkLength(t, m.String()+" widenS8", n, nan, guard, func(dst []float32) { m.widenS8(dst, b, scale, -5) }, func(i int) float32 { return want(int32(int8(b[i])), -5) })
			checkLength(t, m.String()+" widenU16", n, nan, guard, func(dst []float32) { m.widenU16(dst, w, scale, 40000) }, func(i int) float32 { return want(int32(w[i]), 40000) })
			checkLength(t, m.String()+" widenS16", n, nan, guard, func(dst []float32) { m.widenS16(dst, w, scale, -7) }, func(i int) float32 { return want(int32(int16(w[i])), -7) })
		}
	}
}

func TestDynamicRange(t *testing.T) {
	for _, c := range []struct {
		x     []float32
		scale float32
		zero  uint8
	}{ // the cases of ONNX's own tests, then the edges
		{[]float32{0, 2, -3, -2.5, 1.34, 0.5}, 5.0 / 255, 153},
		{[]float32{-1, -2.1, -1.3, -2.5, -3.34, -4}, 4.0 / 255, 255},
		{[]float32{1, 2.1, 1.3, 2.5, 3.34, 4, 1.5, 2.6, 3.9, 4, 3, 2.345}, 4.0 / 255, 0},
		{nil, 1, 0}, {[]float32{0, 0}, 1, 0}, {[]float32{float32(math.NaN()), 255}, 1, 0},
	} {
		for i := range impls {
			if scale, zero := impls[i].dynamicRange(c.x); scale != c.scale || zero != c.zero {
				t.Errorf("%s: %v has scale %g, zero %d, want %g, %d", impls[i], c.x, scale, zero, c.scale, c.zero)
			}
		}
	}
	for _, n := range lengths[1:] { // the extremes at every place
		for at := range n {
			x := make([]float32, n)
			x[at], x[(at+1)%n] = 200, -55
			if n == 1 {
				x[0] = 255
			}
			for i := range impls {
				want := float32(1)
				if scale, _ := impls[i].dynamicRange(x); scale != want {
					t.Fatalf("%s: extremes at %d of %d: scale %g, want 1", impls[i], at, n, scale)
				}
			}
		}
	}
}

func TestDequantizeS32(t *testing.T) {
	got := make([]float32, 2)
	DequantizeS32(got, []int32{1 << 25, -3}, 0.5, -1)
	if got[0] != 1<<24 || got[1] != -1 { // 2²⁵+1 rounds to even
		t.Errorf("got %v, want [2^24 -1]", got)
	}
}
