package cpu

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel/counter"
)

// TestTransformers compares the transforms with the sum that defines them. A float
// sum of n terms by passes of a few terms each errs by about log2 n roundings of
// the largest result, which is below Σ|x|.
func TestTransformers(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 20, 24, 25, 27, 30, 32, 60, 64, 75, 100, 120, 128, 7, 11, 13, 14, 35, 77, 97} {
		var fft transformer[float64] = newBluestein(n)
		if r := radicesOf(n); r != nil {
			testTransformer(t, newMixed[float32](n, r), n, 0x1p-24)
			fft = newMixed[float64](n, r)
		}
		testTransformer(t, fft, n, 0x1p-52)
	}
	testTransformer(t, newBluestein(16), 16, 0x1p-52)
}

func testTransformer[W float32 | float64](t *testing.T, fft transformer[W], n int, eps float64) {
	t.Helper()
	x := make([]cplx[W], n)
	sum := 0.0
	for i := range x {
		x[i] = cplx[W]{W(counter.Float64(1, uint64(2*i)) - 0.5), W(counter.Float64(1, uint64(2*i+1)) - 0.5)}
		sum += math.Hypot(float64(x[i].re), float64(x[i].im))
	}
	z, work := append([]cplx[W]{}, x...), make([]cplx[W], fft.room())
	for i := range work {
		work[i].re = W(math.NaN())
	}
	fft.transform(z, work)
	tol := eps * sum * (4 + 2*math.Log2(float64(n)))
	for k := range n {
		re, im := 0.0, 0.0
		for i, v := range x {
			s, c := math.Sincos(-2 * math.Pi * float64(i*k%n) / float64(n))
			re += float64(v.re)*c - float64(v.im)*s
			im += float64(v.re)*s + float64(v.im)*c
		}
		if d := math.Hypot(float64(z[k].re)-re, float64(z[k].im)-im); !(d <= tol) {
			t.Errorf("n=%d: element %d: got %v, want %g %+gi: off by %g, tolerance %g", n, k, z[k], re, im, d, tol)
			return
		}
	}
}
