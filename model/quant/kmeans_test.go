package quant

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func normals(n int, seed uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return out
}

// bruteForce tries every way to cut sorted values into k runs.
func bruteForce(sorted []float32, k int) float64 {
	if k == 1 || len(sorted) <= 1 {
		mean := 0.0
		for _, x := range sorted {
			mean += float64(x) / float64(len(sorted))
		}
		cost := 0.0
		for _, x := range sorted {
			cost += (float64(x) - mean) * (float64(x) - mean)
		}
		return cost
	}
	best := math.Inf(1)
	for cut := 1; cut < len(sorted); cut++ {
		best = min(best, bruteForce(sorted[:cut], 1)+bruteForce(sorted[cut:], k-1))
	}
	return best
}

func TestKMeans1DIsOptimal(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for trial := range 300 {
		n, k := 1+rng.IntN(11), 1+rng.IntN(5)
		values := normals(n, uint64(trial))
		switch trial % 4 {
		case 1: // many ties
			for i := range values {
				values[i] = float32(math.Round(float64(values[i])))
			}
		case 2: // far from zero, so that naive sums of squares cancel: float32 has 2^-4 steps here
			for i := range values {
				values[i] += 1 << 20
			}
		case 3: // a wide range
			for i := range values {
				values[i] *= float32(math.Exp2(float64(rng.IntN(20))))
			}
		}
		sorted := slices.Clone(values)
		slices.Sort(sorted)
		want := bruteForce(sorted, k)
		book, cost, err := KMeans1D(values, k)
		if err != nil {
			t.Fatal(err)
		}
		// The codebook is rounded to float32, which shifts a mean m by up to m*2^-24.
		largest := max(math.Abs(float64(sorted[0])), math.Abs(float64(sorted[n-1])))
		tol := float64(n)*math.Pow(largest*0x1p-23, 2) + want*1e-9
		if !(math.Abs(cost-want) <= tol) {
			t.Errorf("trial %d: %v into %d: cost %g (%v), want %g", trial, values, k, cost, book, want)
		}
		if got := Cost(values, book); !(math.Abs(got-cost) <= tol) {
			t.Errorf("trial %d: the codebook's cost is %g, reported %g", trial, got, cost)
		}
	}
}
