package vec

import (
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// reductions as the tests see them; size bounds the sum of the absolute terms.
var reductions = []struct {
	name string
	f    func(x, y []float32) float64
	term func(x, y float64) float64
}{
	{"Sum", func(x, _ []float32) float64 { return Sum(x) }, func(x, _ float64) float64 { return x }},
	{"SumAbs", func(x, _ []float32) float64 { return SumAbs(x) }, func(x, _ float64) float64 { return math.Abs(x) }},
	{"SumSquares", func(x, _ []float32) float64 { return SumSquares(x) }, func(x, _ float64) float64 { return x * x }},
	{"Dot", Dot, func(x, y float64) float64 { return x * y }},
	{"SumDiffSquares", func(x, _ []float32) float64 { return SumDiffSquares(x, 0.3) }, func(x, _ float64) float64 { return (x - 0.3) * (x - 0.3) }},
}

func TestSums(t *testing.T) {
	atLevels(t, func(t *testing.T) {
		for _, r := range reductions {
			for _, n := range append(lengths, 5000) {
				x, y := normals(n, 1), normals(n, 2)
				want, size := 0.0, 0.0
				for i := range x {
					v := r.term(float64(x[i]), float64(y[i]))
					want += v
					size += math.Abs(v)
				}
				// Both sums round at most n times, each by 2⁻⁵³ of the terms so far.
				if got := r.f(x, y); !(math.Abs(got-want) <= float64(n+2)*0x1p-52*size) {
					t.Errorf("%s n=%d: got %v, want %v", r.name, n, got, want)
				}
			}
		}
	})
}

// All levels add in the same order.
func TestSumsHaveTheSameBits(t *testing.T) {
	for _, r := range reductions {
		for _, n := range append(lengths, 5000) {
			x, y := normals(n, 3), normals(n, 4)
			restore := lower(isa.Portable)
			want := r.f(x, y)
			for _, l := range levels() {
				level = l
				if got := r.f(x, y); math.Float64bits(got) != math.Float64bits(want) {
					t.Errorf("%s n=%d: %s gives %v, portable %v", r.name, n, l, got, want)
				}
			}
			restore()
		}
	}
}

func TestMaxAndMin(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	atLevels(t, func(t *testing.T) {
		for _, n := range lengths {
			x := normals(n, 5)
			hi, lo := -inf, inf
			for _, v := range x {
				hi, lo = max(hi, v), min(lo, v)
			}
			if got := Max(x); got != hi {
				t.Errorf("Max n=%d: got %g, want %g", n, got, hi)
			}
			if got := Min(x); got != lo {
				t.Errorf("Min n=%d: got %g, want %g", n, got, lo)
			}
			for i := 0; i < n; i += 3 {
				old := x[i]
				x[i] = inf
				if Max(x) != inf || Min(x) > lo && n > 1 && old != lo {
					t.Errorf("n=%d, element %d infinite: Max %g, Min %g, want +Inf and %g", n, i, Max(x), Min(x), lo)
				}
				x[i] = nan
				if a, b := Max(x), Min(x); a == a || b == b {
					t.Errorf("n=%d, element %d NaN: Max %g, Min %g, want NaN", n, i, a, b)
				}
				x[i] = old
			}
		}
		if x := []float32{nan, inf, -inf}; Max(x) == Max(x) || Min(x) == Min(x) {
			t.Errorf("NaN and infinities: Max %g, Min %g, want NaN", Max(x), Min(x))
		}
	})
}
