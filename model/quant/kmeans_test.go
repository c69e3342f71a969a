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

func TestKMeans1DOrderAndEdges(t *testing.T) {
	values := normals(500, 1)
	book, cost, err := KMeans1D(values, 16)
	if err != nil {
		t.Fatal(err)
	}
	if len(book) != 16 || !slices.IsSorted(book) {
		t.Errorf("codebook %v, want 16 ascending values", book)
	}
	slices.Reverse(values)
	again, cost2, err := KMeans1D(values, 16)
	if err != nil || !slices.Equal(again, book) || cost != cost2 {
		t.Errorf("reversed: %v, %v; want %v, %v", again, cost2, book, cost)
	}
	few := []float32{2, 1, 2, float32(math.Copysign(0, -1)), 0}
	if book, cost, _ := KMeans1D(few, 3); !slices.Equal(book, []float32{0, 1, 2}) || cost != 0 || math.Signbit(float64(book[0])) {
		t.Errorf("three distinct values: %v, %v", book, cost)
	}
	if book, _, err := KMeans1D(nil, 3); err != nil || len(book) != 0 {
		t.Errorf("no values: %v, %v", book, err)
	}
	if book, cost, _ := KMeans1D([]float32{-math.MaxFloat32, math.MaxFloat32, math.MaxFloat32}, 1); math.IsInf(float64(book[0]), 0) || math.IsNaN(cost) {
		t.Errorf("largest values: %v, %v", book, cost)
	}
	if book, _, _ := KMeans1D([]float32{1e-45, 3e-45, 1e-39}, 2); !slices.Equal(book, []float32{3e-45, 1e-39}) && !slices.Equal(book, []float32{1e-45, 1e-39}) {
		t.Errorf("smallest values: %v", book)
	}
	for _, bad := range []struct {
		values []float32
		k      int
	}{{few, 0}, {[]float32{float32(math.NaN())}, 2}, {[]float32{1, float32(math.Inf(1))}, 2}} {
		if _, _, err := KMeans1D(bad.values, bad.k); err == nil {
			t.Errorf("%v into %d: no error", bad.values, bad.k)
		}
	}
}

// 200,000 distinct values exceed maxGroups. The optimum for a normal density
// into 32 is known: its squared error is 0.002505 of the variance (Max 1960,
// table for N = 32: 0.002499); a sample of 200,000 is within 1 % of it.
func TestKMeans1DGroups(t *testing.T) {
	values := normals(200_000, 7)
	book, cost, err := KMeans1D(values, 32)
	if err != nil {
		t.Fatal(err)
	}
	if got := cost / 200_000; len(book) != 32 || math.Abs(got/0.0025-1) > 0.015 {
		t.Errorf("mean squared error %v with %d values, want 0.0025", got, len(book))
	}
	if got := Cost(values, book); math.Abs(got/cost-1) > 1e-3 {
		t.Errorf("the codebook's cost is %v, reported %v", got, cost)
	}
}

func TestNearest(t *testing.T) {
	book := []float32{-1, 0, 4}
	for _, tc := range []struct {
		x    float32
		want int
	}{{-9, 0}, {-1, 0}, {-0.5, 0}, {-0.49, 1}, {0, 1}, {2, 1}, {2.0001, 2}, {99, 2}} {
		if got := Nearest(book, tc.x); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.x, got, tc.want)
		}
	}
	values := []float32{0, 1, -3, 3, float32(math.Copysign(0, -1))}
	Apply(values, []float32{-2, 2})
	if !slices.Equal(values, []float32{0, 2, -2, 2, 0}) {
		t.Errorf("applied %v: zeros must stay", values)
	}
}

func TestRound(t *testing.T) {
	// The largest, 0.75, is 12/16 as a number of 4 bits; 0.001 would round to 0.
	values := []float32{0.75, -0.3, 0.001, 0, -0.001, 0.09375}
	Round(values, 4)
	if want := []float32{0.75, -0.3125, 0.0625, 0, -0.0625, 0.125}; !slices.Equal(values, want) {
		t.Errorf("%v, want %v", values, want)
	}
	if got := OnGrid([]float32{0.5, 0.51, 0.75}, 4); !slices.Equal(got, []float32{0.5, 0.75}) {
		t.Errorf("%v, want [0.5 0.75]", got)
	}
	tiny := []float32{math.SmallestNonzeroFloat32, 3 * math.SmallestNonzeroFloat32}
	if got := OnGrid(tiny, 8); !slices.Equal(got, tiny) {
		t.Errorf("%v, want %v", got, tiny)
	}
	if got := OnGrid(nil, 8); len(got) != 0 {
		t.Errorf("no codebook: %v", got)
	}
}

func TestCoarsest(t *testing.T) {
	values := normals(3000, 9)
	book, _, err := KMeans1D(values, 32)
	if err != nil {
		t.Fatal(err)
	}
	coarse := Coarsest(values, book, 1e-3)
	if exact, got := Cost(values, book), Cost(values, coarse); !(got <= exact*1.001) {
		t.Errorf("cost %v, want at most 0.1 %% above %v", got, exact)
	}
	if slices.Equal(coarse, book) {
		t.Error("nothing was rounded")
	}
}

func BenchmarkKMeans1D(b *testing.B) {
	for _, tc := range []struct {
		name string
		n    int
	}{{"n=38k", 38_000}, {"n=2.3M", 2_300_000}} {
		values := normals(tc.n, 1)
		b.Run(tc.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := KMeans1D(values, 32); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
