package vec

import (
	"math"
	"math/rand/v2"

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

func normals(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 7))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func nans(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.NaN())
	}
	return x
}
