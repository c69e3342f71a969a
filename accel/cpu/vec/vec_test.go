package vec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// levels are those that this process may use, the portable one first.
func levels() []isa.Level {
	l := []isa.Level{isa.Portable}
	for _, x := range []isa.Level{isa.AVX2, isa.AVX512} {
		if isa.Has(x) {
			l = append(l, x)
		}
	}
	return l
}

// lower makes the package use level l until the function returned is called.
func lower(l isa.Level) func() {
	old := level
	level = l
	return func() { level = old }
}

// atLevels runs a test at every level.
func atLevels(t *testing.T, f func(t *testing.T)) {
	for _, l := range levels() {
		t.Run("impl="+l.String(), func(t *testing.T) {
			defer lower(l)()
			f(t)
		})
	}
}

// lengths are around the vectors (8, 16) and the unrolled loops (64).
var lengths = []int{0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 63, 64, 65, 79, 127, 128, 129, 200}

func normals(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 7))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// anything is n numbers of all sizes: specials, normal deviates, random bits.
func anything(n int, seed uint64) []float32 {
	inf := float32(math.Inf(1))
	special := []float32{
		0, float32(math.Copysign(0, -1)), 1, -1, inf, -inf, float32(math.NaN()), math.MaxFloat32, -math.MaxFloat32,
		0x1p-149, -0x1p-149, 0x1p-126, -0x1p-126, 88.7, -88.7, 89, -104, -87.5, 0.5, -0.5, 2.5, -2.5, 1e10, -1e10, 15, -15, 7, -7,
	}
	r := rand.New(rand.NewPCG(seed, 9))
	x := make([]float32, n)
	for i := range x {
		switch r.IntN(4) {
		case 0:
			x[i] = special[r.IntN(len(special))]
		case 1:
			x[i] = math.Float32frombits(r.Uint32())
		default:
			x[i] = 4 * float32(r.NormFloat64())
		}
	}
	return x
}

// guarded is a slice of n NaN within a longer one; check reports the elements
// around it that changed.
func guarded(n int) (x []float32, check func(t *testing.T)) {
	const edge, mark = 40, -1234.5
	all := make([]float32, n+2*edge)
	for i := range all {
		all[i] = mark
	}
	x = all[edge : edge+n : edge+n]
	for i := range x {
		x[i] = float32(math.NaN())
	}
	return x, func(t *testing.T) {
		t.Helper()
		for i, v := range all {
			if (i < edge || i >= edge+n) && v != mark {
				t.Fatalf("n=%d: element %d, outside the slice, became %g", n, i-edge, v)
			}
		}
	}
}

// bitsOf are the bits of x, one pattern for all NaN.
func bitsOf(x float32) uint32 {
	if x != x {
		return 0x7fc00000
	}
	return math.Float32bits(x)
}

// ulp is the unit in the last place of want as a float32.
func ulp(want float64) float64 {
	e := -126
	if a := math.Abs(want); a >= 0x1p-126 {
		e = min(math.Ilogb(a), 127)
	}
	return math.Ldexp(1, e-23)
}

// errorOf is |got-want| in ulp, 0 where both are NaN or got is the rounded want.
func errorOf(got float32, want float64) float64 {
	if g := float64(got); math.IsNaN(g) && math.IsNaN(want) || got == float32(want) {
		return 0
	}
	if math.IsInf(float64(got), 0) && math.Abs(want) < math.MaxFloat64 {
		got = math.MaxFloat32 * float32(math.Copysign(1, float64(got))) // overflowed a little early
		return math.Abs(float64(got)-want)/ulp(want) + 1
	}
	return math.Abs(float64(got)-want) / ulp(want)
}
