package nn

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel/counter"
	"github.com/millrace-go/millrace/model/weights"
)

func filled(t *testing.T, in Initializer, seed uint64, name string, shape ...int) []float32 {
	t.Helper()
	w := weights.New(name, shape...)
	for i := range w.Data() {
		w.Data()[i] = float32(math.NaN()) // an element not written stays NaN
	}
	if err := in.Fill(w, seed); err != nil {
		t.Fatal(err)
	}
	return w.Data()
}

// Mean, deviation and bounds of n draws. The mean of n draws has deviation d/√n,
// and their deviation one of at most d/√n here; 5 of them are a chance of 1e-6.
func TestInitialMoments(t *testing.T) {
	const n = 60000
	inf := math.Inf(1)
	third := 1 / math.Sqrt(3) // the deviation of Uniform(-1, 1)
	for name, tc := range map[string]struct {
		in                     Initializer
		shape                  []int
		mean, deviation, bound float64 // no draw is further than bound from the mean
	}{
		"uniform":         {Uniform(-1, 3), []int{n}, 1, 2 * third, 2},
		"normal":          {Normal(2, 0.5), []int{n}, 2, 0.5, 4}, // none beyond 6.23 deviations
		"truncated":       {TruncatedNormal(1, 2, 2), []int{n}, 1, 2 * 0.8796256610342398, 4},
		"truncated hard":  {TruncatedNormal(0, 1, 0.5), []int{n}, 0, 0.28393, 0.5},
		"xavier uniform":  {XavierUniform(2), []int{200, 100, 3}, 0, 2 * math.Sqrt(2.0/900), 2 * math.Sqrt(6.0/900)},
		"xavier normal":   {XavierNormal(GainTanh), []int{200, 300}, 0, 5.0 / 3 * math.Sqrt(2.0/500), inf},
		"kaiming uniform": {KaimingUniform(FanIn, GainRelu), []int{200, 100, 3}, 0, math.Sqrt(2.0 / 300), math.Sqrt(6.0 / 300)},
		"kaiming out":     {KaimingUniform(FanOut, 1), []int{200, 100, 3}, 0, math.Sqrt(1.0 / 600), math.Sqrt(3.0 / 600)},
		"kaiming normal":  {KaimingNormal(FanOut, GainLeakyRelu(1)), []int{200, 100, 3, 1}, 0, math.Sqrt(1.0 / 600), inf},
	} {
		data := filled(t, tc.in, 7, "w", tc.shape...)
		sum, squares := 0.0, 0.0
		for i, x := range data {
			d := float64(x) - tc.mean
			if !(math.Abs(d) <= tc.bound*(1+0x1p-23)) {
				t.Fatalf("%s: element %d is %v", name, i, x)
			}
			sum += d
			squares += d * d
		}
		tol := 5 * tc.deviation / math.Sqrt(n)
		if mean := sum / n; !(math.Abs(mean) <= tol) {
			t.Errorf("%s: mean %v beside %v, want it within %v", name, mean, tc.mean, tol)
		}
		if d := math.Sqrt(squares / n); !(math.Abs(d-tc.deviation) <= tol) {
			t.Errorf("%s: deviation %v, want %v within %v", name, d, tc.deviation, tol)
		}
	}
	for name, in := range map[string]Initializer{"0": Zeros(), "1": Ones(), "2.5": Constant(2.5)} {
		want := map[string]float32{"0": 0, "1": 1, "2.5": 2.5}[name]
		if got := filled(t, in, 1, "w", 2, 2); !slices.Equal(got, []float32{want, want, want, want}) {
			t.Errorf("constant %s: %v", name, got)
		}
	}
}

// An element is a function of seed, name and its index, not of the tensor's size.
func TestInitialElements(t *testing.T) {
	for name, in := range map[string]Initializer{
		"uniform": Uniform(-1, 1), "normal": Normal(0, 1), "truncated": TruncatedNormal(0, 1, 0.5),
	} {
		long := filled(t, in, 3, "w", 5000)
		for _, n := range []int{0, 1, 7, 1025} {
			if got := filled(t, in, 3, "w", n); !slices.Equal(got, long[:n]) {
				t.Errorf("%s: %d elements are not the first of 5000", name, n)
			}
		}
		if slices.Equal(filled(t, in, 4, "w", 8), long[:8]) || slices.Equal(filled(t, in, 3, "v", 8), long[:8]) {
			t.Errorf("%s: another seed or name gives the same draws", name)
		}
	}
}

// Models that were trained before began with bound·(2u-1), and digests of their results
// are pinned: the same bits come of the initializers that layers have now.
func TestInitialBitsOfLayers(t *testing.T) {
	for name, tc := range map[string]struct {
		in    Initializer
		bound float64
		shape []int
	}{
		"dense, ReLU":   {forRelu, math.Sqrt(6.0 / 103), []int{400, 103}},
		"dense, linear": {XavierUniform(GainLinear), math.Sqrt(6.0 / 507), []int{400, 107}},
		"convolution":   {forRelu, math.Sqrt(6.0 / (7 * 9)), []int{640, 7, 3, 3}},
		"embedding":     {Uniform(-embeddingBound, embeddingBound), 0.05, []int{4000, 10}},
	} {
		key := counter.Key(11, "init", "w")
		for i, got := range filled(t, tc.in, 11, "w", tc.shape...) {
			if want := float32(tc.bound * (float64(2*counter.Float64(key, uint64(i))) - 1)); got != want {
				t.Fatalf("%s: element %d is %v, want %v", name, i, got, want)
			}
		}
	}
}

func TestOrthogonal(t *testing.T) {
	for _, shape := range [][]int{{1, 1}, {5, 5}, {4, 9}, {9, 4}, {3, 2, 2, 2}, {17, 2, 3}, {64, 64}} {
		data := filled(t, Orthogonal(2), 5, "w", shape...)
		rows := shape[0]
		cols := len(data) / rows
		k, n := min(rows, cols), max(rows, cols)
		for a := range k {
			for b := range k {
				sum := 0.0
				for j := range n {
					sum += float64(data[entryAt(a, j, rows, cols)]) * float64(data[entryAt(b, j, rows, cols)])
				}
				want := 0.0
				if a == b {
					want = 4 // gain²
				}
				// n products of numbers rounded to float32, whose squares add up to 4.
				if !(math.Abs(sum-want) <= 8*0x1p-23) {
					t.Errorf("shape %v: product of vectors %d and %d is %v, want %v", shape, a, b, sum, want)
				}
			}
		}
	}
	// R has a positive diagonal: the first vector is the first row of draws, to its length.
	z, q := filled(t, Normal(0, 1), 5, "w", 4, 9), filled(t, Orthogonal(1), 5, "w", 4, 9)
	for j := range 9 {
		if z[j]*q[j] <= 0 {
			t.Errorf("element %d: %v from %v", j, q[j], z[j])
		}
	}
}

func TestInitialRejects(t *testing.T) {
	nan := math.NaN()
	for name, tc := range map[string]struct {
		in    Initializer
		shape []int
	}{
		"constant":             {Constant(nan), []int{2}},
		"uniform, order":       {Uniform(1, 0), []int{2}},
		"uniform, infinite":    {Uniform(0, math.Inf(1)), []int{2}},
		"normal, negative":     {Normal(0, -1), []int{2}},
		"normal, NaN":          {Normal(nan, 1), []int{2}},
		"truncated, limit":     {TruncatedNormal(0, 1, 0.1), []int{2}},
		"truncated, negative":  {TruncatedNormal(0, -1, 2), []int{2}},
		"xavier, a vector":     {XavierUniform(1), []int{2}},
		"kaiming, a vector":    {KaimingNormal(FanIn, 1), []int{2}},
		"kaiming, gain":        {KaimingUniform(FanIn, nan), []int{2, 2}},
		"orthogonal, a vector": {Orthogonal(1), []int{2}},
		"orthogonal, gain":     {Orthogonal(nan), []int{2, 2}},
	} {
		err := tc.in.Fill(weights.New("some.name", tc.shape...), 1)
		if err == nil || !strings.Contains(err.Error(), `"some.name"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, in := range map[string]Initializer{"xavier": XavierNormal(1), "orthogonal": Orthogonal(1)} {
		if got := filled(t, in, 1, "w", 0, 3); len(got) != 0 {
			t.Errorf("%s of no elements: %v", name, got)
		}
	}
}
