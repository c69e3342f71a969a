package exactsum

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// hard are values at the edges of the format.
var hard = []float64{
	0, math.Copysign(0, -1), 1, -1, math.MaxFloat64, -math.MaxFloat64,
	math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64,
	0x1p-1022, -0x1p-1022, 0x1.fffffffffffffp-1023, 0x1p1023, 1e16, -1e16, 1e-16, 0.1, -0.3,
}

// random draws mixes of hard values and of values over all exponents.
func random(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		if r.IntN(4) == 0 {
			x[i] = hard[r.IntN(len(hard))]
			continue
		}
		x[i] = math.Ldexp(r.NormFloat64(), r.IntN(2090)-1074)
		if math.IsInf(x[i], 0) {
			x[i] = 1
		}
	}
	return x
}

// bigSum is the oracle: 4,600 bits hold every sum and product here exactly.
func bigSum(x []float64, square bool) *big.Float {
	sum := new(big.Float).SetPrec(4600)
	for _, v := range x {
		f := new(big.Float).SetPrec(4600).SetFloat64(v)
		if square {
			f.Mul(f, f)
		}
		sum.Add(sum, f)
	}
	return sum
}

func TestAgainstBigFloat(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 3, 10, 100} {
		for range 60 {
			x := random(r, n)
			var sum, sq, prod Sum
			for _, v := range x {
				sum.Add(v)
				sq.AddSquare(v)
				prod.AddProduct(v, 1)
			}
			want, _ := bigSum(x, false).Float64()
			if got := sum.Float64(); math.Float64bits(got) != math.Float64bits(want) && !(got == 0 && want == 0) {
				t.Fatalf("sum of %v: got %g want %g", x, got, want)
			}
			if got := prod.Float64(); got != sum.Float64() {
				t.Fatalf("sum of x*1 of %v: got %g want %g", x, got, sum.Float64())
			}
			if got, want := sq.bigFloat(), bigSum(x, true); got.Cmp(want) != 0 {
				t.Fatalf("squares of %v: got %g want %g", x, got, want)
			}
		}
	}
}

func TestFloat64RoundsOnceToEven(t *testing.T) {
	cases := []struct {
		name string
		x    []float64
		want float64
	}{
		{"empty", nil, 0},
		{"cancellation", []float64{1e308, 1, -1e308}, 1},
		{"past the range and back", []float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64}, math.MaxFloat64},
		{"overflow", []float64{math.MaxFloat64, math.MaxFloat64}, math.Inf(1)},
		{"negative overflow", []float64{-math.MaxFloat64, -math.MaxFloat64}, math.Inf(-1)},
		{"tie to even below", []float64{1, 0x1p-53}, 1},
		{"tie to even above", []float64{1 + 0x1p-52, 0x1p-53}, 1 + 0x1p-51},
		{"just over a tie", []float64{1, 0x1p-53, 0x1p-1074}, 1 + 0x1p-52},
		{"just under a tie", []float64{1 + 0x1p-52, 0x1p-53, -0x1p-1074}, 1 + 0x1p-52},
		{"subnormals", []float64{0x1p-1074, 0x1p-1074, 0x1p-1074}, 0x3p-1074},
		{"negative", []float64{-0.5, -0.25}, -0.75},
		{"tenths", []float64{.1, .1, .1, .1, .1, .1, .1, .1, .1, .1}, 1},
		{"+Inf", []float64{1, math.Inf(1)}, math.Inf(1)},
		{"-Inf", []float64{math.Inf(-1), 1}, math.Inf(-1)},
		{"both infinities", []float64{math.Inf(-1), math.Inf(1)}, math.NaN()},
		{"NaN", []float64{math.NaN(), math.Inf(1)}, math.NaN()},
	}
	for _, c := range cases {
		var s Sum
		for _, v := range c.x {
			s.Add(v)
		}
		if got := s.Float64(); got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%s: got %g want %g", c.name, got, c.want)
		}
	}
}

// TestAnyOrderAnyTree sums a shuffled copy, cut in parts at random, the parts
// merged in random order with encoding in between.
func TestAnyOrderAnyTree(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	x := random(r, 500)
	var want Sum
	for _, v := range x {
		want.Add(v)
		want.AddSquare(v)
	}
	wantBytes, _ := want.MarshalBinary()
	for range 50 {
		r.Shuffle(len(x), func(i, j int) { x[i], x[j] = x[j], x[i] })
		parts := make([]Sum, 1+r.IntN(9))
		for _, v := range x {
			p := &parts[r.IntN(len(parts))]
			p.Add(v)
			p.AddSquare(v)
		}
		for len(parts) > 1 {
			i := r.IntN(len(parts) - 1)
			b, _ := parts[len(parts)-1].MarshalBinary()
			var last Sum
			if err := last.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			parts[i].Merge(&last)
			parts = parts[:len(parts)-1]
		}
		if got, _ := parts[0].MarshalBinary(); !bytes.Equal(got, wantBytes) {
			t.Fatalf("got bytes %x want %x", got, wantBytes)
		}
	}
}

func TestAddNIsRepeatedAdd(t *testing.T) {
	for _, x := range hard {
		for _, n := range []uint64{0, 1, 2, 3, 7, 100} {
			var many, once Sum
			for range n {
				many.Add(x)
				many.AddSquare(x)
			}
			once.AddN(x, n)
			once.AddSquareN(x, n)
			a, _ := many.MarshalBinary()
			b, _ := once.MarshalBinary()
			if !bytes.Equal(a, b) {
				t.Errorf("x=%g n=%d: got %x want %x", x, n, b, a)
			}
		}
	}
	// The largest count of the largest square still fits.
	var s Sum
	s.AddSquareN(math.MaxFloat64, math.MaxInt64)
	want := new(big.Float).SetPrec(4600).SetFloat64(math.MaxFloat64)
	want.Mul(want, want)
	want.Mul(want, new(big.Float).SetPrec(4600).SetInt64(math.MaxInt64))
	if got := s.bigFloat(); got.Cmp(want) != 0 {
		t.Errorf("largest: got %g want %g", got, want)
	}
}

// TestLazyCarry forces carries at every addition's worth of room.
func TestLazyCarry(t *testing.T) {
	var lazy, eager Sum
	r := rand.New(rand.NewPCG(5, 6))
	for _, v := range random(r, 1000) {
		lazy.Add(v)
		eager.pending = maxPending // the next Add carries first
		eager.Add(v)
	}
	a, _ := lazy.MarshalBinary()
	b, _ := eager.MarshalBinary()
	if !bytes.Equal(a, b) {
		t.Errorf("got %x want %x", b, a)
	}
	// A merge of two nearly full sums must carry as well.
	one, two := lazy, lazy
	one.pending, two.pending = maxPending-1, maxPending-1
	one.Merge(&two)
	if one.pending >= maxPending {
		t.Errorf("pending after merge: got %d want below %d", one.pending, maxPending)
	}
	if got, want := one.Float64(), 2*lazy.Float64(); got != want {
		t.Errorf("merge of nearly full sums: got %g want %g", got, want)
	}
}

func TestMeanVarianceStdDev(t *testing.T) {
	cases := []struct {
		name            string
		x               []float64
		mean, vari, std float64
	}{
		{"none", nil, math.NaN(), math.NaN(), math.NaN()},
		{"one", []float64{3}, 3, 0, 0},
		{"one to four", []float64{1, 2, 3, 4}, 2.5, 1.25, math.Sqrt(1.25)},
		// Naive Σx²-n·mean² gives 0 or worse here: 1e9² needs 60 bits.
		{"large offset", []float64{1e9 + 1, 1e9 + 2, 1e9 + 3}, 1e9 + 2, 2. / 3, math.Sqrt(2. / 3)},
		{"variance out of range", []float64{1e200, -1e200}, 0, math.Inf(1), 1e200},
		{"variance underflows", []float64{1e-200, -1e-200}, 0, 0, 1e-200},
		{"not finite", []float64{1, math.Inf(1)}, math.Inf(1), math.NaN(), math.NaN()},
	}
	same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
	for _, c := range cases {
		var s, q Sum
		for _, v := range c.x {
			s.Add(v)
			q.AddSquare(v)
		}
		n := int64(len(c.x))
		if got := Mean(&s, n); !same(got, c.mean) {
			t.Errorf("%s: mean got %g want %g", c.name, got, c.mean)
		}
		if got := Variance(&s, &q, n); !same(got, c.vari) {
			t.Errorf("%s: variance got %g want %g", c.name, got, c.vari)
		}
		if got := StdDev(&s, &q, n); !same(got, c.std) {
			t.Errorf("%s: std got %g want %g", c.name, got, c.std)
		}
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	var s Sum
	s.Add(1.5)
	good, _ := s.MarshalBinary()
	mutate := func(i int, v byte) []byte { b := bytes.Clone(good); b[i] = v; return b }
	cases := map[string][]byte{
		"empty":             nil,
		"short header":      good[:3],
		"truncated":         good[:len(good)-1],
		"trailing":          append(bytes.Clone(good), 0),
		"version":           mutate(0, 9),
		"flags":             mutate(1, 0x40),
		"beyond the limbs":  mutate(2, 255),
		"leading zero":      {1, 0, 3, 2, 0, 0, 0, 0, 1, 0, 0, 0},
		"trailing zero":     {1, 0, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0},
		"negative zero":     {1, wireNegative, 0, 0},
		"offset of nothing": {1, 0, 3, 0},
		"top limb too big":  {1, 0, limbs - 1, 1, 0, 0, 0, 0x80},
	}
	for name, b := range cases {
		if err := new(Sum).UnmarshalBinary(b); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, x := range hard {
		var s Sum
		s.Add(x)
		s.AddSquare(x)
		b, _ := s.MarshalBinary()
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Sum
		if s.UnmarshalBinary(b) != nil {
			return
		}
		if got, _ := s.MarshalBinary(); !bytes.Equal(got, b) {
			t.Fatalf("accepted %x, writes it as %x", b, got)
		}
		s.Float64()
		s.Merge(&s)
	})
}

func BenchmarkAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	x := make([]float64, 4096)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	for _, name := range []string{"Add", "AddSquare"} {
		b.Run(fmt.Sprintf("op=%s", name), func(b *testing.B) {
			var s Sum
			b.SetBytes(8 * int64(len(x)))
			for b.Loop() {
				for _, v := range x {
					if name == "Add" {
						s.Add(v)
					} else {
						s.AddSquare(v)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x)), "ns/value")
		})
	}
}
