package quantile

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
)

func of(max int, values ...float64) *Sketch {
	s := New(max)
	for _, x := range values {
		s.Add(x)
	}
	return s
}

func marshal(t testing.TB, s *Sketch) []byte {
	t.Helper()
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeyKeepsOrder(t *testing.T) {
	values := []float64{math.Inf(-1), -math.MaxFloat64, -1, -0x1p-1074, 0, 0x1p-1074, 0x1p-1022, 1, 1 + 0x1p-52, math.MaxFloat64, math.Inf(1), math.NaN()}
	for i, x := range values {
		if i > 0 && toKey(values[i-1]) >= toKey(x) {
			t.Errorf("key of %g is not below that of %g", values[i-1], x)
		}
		if got := fromKey(toKey(x)); math.Float64bits(got) != math.Float64bits(x) && x == x {
			t.Errorf("round trip of %g: got %g", x, got)
		}
	}
	if toKey(math.Copysign(0, -1)) != toKey(0) {
		t.Error("-0 and 0 have different keys")
	}
	if toKey(math.Float64frombits(0xfff8_0000_0000_0001)) != toKey(math.NaN()) {
		t.Error("two NaN have different keys")
	}
}

// TestQuantileExact holds quantiles against what numpy.quantile gives; the
// figures follow from type 7: rank (n-1)q, linear in between.
func TestQuantileExact(t *testing.T) {
	cases := []struct {
		name   string
		values []float64
		q      float64
		want   float64
	}{
		{"none", nil, .5, math.NaN()},
		{"one", []float64{7}, .3, 7},
		{"min", []float64{3, 1, 2}, 0, 1},
		{"max", []float64{3, 1, 2}, 1, 3},
		{"median of odd", []float64{3, 1, 2}, .5, 2},
		{"median of even", []float64{4, 1, 3, 2}, .5, 2.5},
		{"quarter", []float64{1, 2, 3, 4}, .25, 1.75}, // rank 0.75
		{"ninety", []float64{1, 2, 3, 4, 10}, .9, 7.6},
		{"repeats", []float64{5, 5, 5, 9}, .5, 5},
		{"outside", []float64{1, 2}, 2, 2},
		{"negative", []float64{-1, -3}, .5, -2},
		{"far ends", []float64{-math.MaxFloat64, math.MaxFloat64}, .5, 0},
		{"an infinity", []float64{1, math.Inf(1)}, .25, math.Inf(1)},
	}
	for _, c := range cases {
		got := of(0, c.values...).View().Quantile(c.q)
		if math.Abs(got-c.want) > 1e-15*math.Abs(c.want) || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("%s: quantile %g of %v: got %v want %v", c.name, c.q, c.values, got, c.want)
		}
	}
}

func TestRankAndCDF(t *testing.T) {
	v := of(0, 1, 2, 2, 5).View()
	cases := []struct {
		x            float64
		below, equal int64
	}{{0, 0, 0}, {1, 0, 1}, {1.5, 1, 0}, {2, 1, 2}, {5, 3, 1}, {6, 4, 0}}
	for _, c := range cases {
		if b, e := v.Rank(c.x); b != c.below || e != c.equal {
			t.Errorf("rank of %g: got %d, %d want %d, %d", c.x, b, e, c.below, c.equal)
		}
		if got, want := v.CDF(c.x), float64(c.below+c.equal)/4; got != want {
			t.Errorf("CDF of %g: got %g want %g", c.x, got, want)
		}
	}
	if x, n := v.MostFrequent(); x != 2 || n != 2 {
		t.Errorf("most frequent: got %g, %d want 2, 2", x, n)
	}
	if x, _ := of(0, 9, 4, 9, 4).View().MostFrequent(); x != 4 {
		t.Errorf("most frequent of a tie: got %g want the smaller, 4", x)
	}
}

// draws are values with repeats, signs and all magnitudes.
func draws(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		switch r.IntN(4) {
		case 0:
			x[i] = float64(r.IntN(20))
		case 1:
			x[i] = r.NormFloat64()
		case 2:
			x[i] = math.Ldexp(r.NormFloat64(), r.IntN(2000)-1000)
		default:
			x[i] = 1 + r.Float64()*1e-3
		}
	}
	return x
}

// TestStateDependsOnValuesOnly holds the claim of the package comment: every
// order, cut and tree of merges, with encoding in between, gives the bits that
// the definition gives, and the same bytes.
func TestStateDependsOnValuesOnly(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, max := range []int{1, 2, 7, 64, 500, 5000} {
		x := draws(r, 3000)
		want := marshal(t, of(max, x...))
		if got, want := of(max, x...).Bits(), definedBits(x, max); got != want {
			t.Fatalf("max %d: got %d bits want %d", max, got, want)
		}
		for range 12 {
			r.Shuffle(len(x), func(i, j int) { x[i], x[j] = x[j], x[i] })
			parts := make([]*Sketch, 1+r.IntN(8))
			for i := range parts {
				parts[i] = New(max)
			}
			for _, v := range x {
				parts[r.IntN(len(parts))].Add(v)
			}
			for len(parts) > 1 {
				last := New(max)
				if err := last.UnmarshalBinary(marshal(t, parts[len(parts)-1])); err != nil {
					t.Fatal(err)
				}
				parts = parts[:len(parts)-1]
				if err := parts[r.IntN(len(parts))].Merge(last); err != nil {
					t.Fatal(err)
				}
			}
			if got := marshal(t, parts[0]); !bytes.Equal(got, want) {
				t.Fatalf("max %d: another order gives other bytes", max)
			}
		}
	}
}

// definedBits is b(S) by its definition.
func definedBits(x []float64, max int) int {
	for b := 64; ; b-- {
		prefixes := map[uint64]bool{}
		for _, v := range x {
			prefixes[toKey(v)>>(64-uint(b))] = true
		}
		if len(prefixes) <= max {
			return b
		}
	}
}

// TestBoundWhenNotExact holds a coarse sketch's ranks against the sorted
// values: they agree in the kept bits, and so to 2^-(bits-12) of the value.
func TestBoundWhenNotExact(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	x := make([]float64, 20000)
	for i := range x {
		x[i] = math.Exp(2 * r.NormFloat64())
	}
	s := of(1024, x...)
	if s.Exact() || s.Distinct() > 1024 {
		t.Fatalf("got %d bins, exact %v; want at most 1024, not exact", s.Distinct(), s.Exact())
	}
	slices.Sort(x)
	v, bound := s.View(), math.Ldexp(1, -(s.Bits()-12))
	for i := 0; i < len(x); i += 37 {
		if got, want := v.AtRank(int64(i)), x[i]; !(math.Abs(got-want) <= bound*want) {
			t.Fatalf("rank %d: got %g want %g within %g", i, got, want, bound)
		}
	}
	if v.Min() != x[0] || v.Max() != x[len(x)-1] || v.Quantile(0) != x[0] || v.Quantile(1) != x[len(x)-1] {
		t.Errorf("ends: got %g to %g want %g to %g", v.Min(), v.Max(), x[0], x[len(x)-1])
	}
	var total int64
	v.Each(func(_ float64, n int64) { total += n })
	if total != int64(len(x)) || v.Count() != total {
		t.Errorf("count: got %d and %d want %d", total, v.Count(), len(x))
	}
}

func TestDefaultKeepsTwelveBitsOrMore(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	s := New(0)
	for range 200_000 { // values of every exponent and sign
		s.Add(math.Float64frombits(r.Uint64() &^ (1 << 62)))
	}
	if s.Bits() < 12 {
		t.Errorf("got %d bits, want sign and exponent at least", s.Bits())
	}
}

// TestPairs counts by the definition.
func TestPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 30 {
		a, b := make([]float64, r.IntN(40)), make([]float64, r.IntN(40))
		var below, equal int64
		for i := range a {
			a[i] = float64(r.IntN(10))
		}
		for i := range b {
			b[i] = float64(r.IntN(10))
			for _, x := range a {
				if x < b[i] {
					below++
				} else if x == b[i] {
					equal++
				}
			}
		}
		gotBelow, gotEqual := Pairs(of(0, a...).View(), of(0, b...).View())
		if gotBelow.Cmp(big.NewInt(below)) != 0 || gotEqual.Cmp(big.NewInt(equal)) != 0 {
			t.Errorf("pairs of %v and %v: got %v, %v want %d, %d", a, b, gotBelow, gotEqual, below, equal)
		}
	}
}

// TestPairsOfUnequalBits counts a coarse sketch against an exact one: every
// pair is counted once, and below + equal/2 is within equal/2 of the truth.
func TestPairsOfUnequalBits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	a, b := make([]float64, 2000), make([]float64, 30)
	for i := range a {
		a[i] = r.Float64()
	}
	for i := range b {
		b[i] = r.Float64()
	}
	below, equal := Pairs(of(64, a...).View(), of(64, b...).View())
	above, equal2 := Pairs(of(64, b...).View(), of(64, a...).View())
	if n := below.Int64() + equal.Int64() + above.Int64(); n != 60000 || equal.Cmp(equal2) != 0 {
		t.Errorf("got %v below, %v equal, %v above: %d pairs, want 60000", below, equal, above, n)
	}
	sort.Float64s(a)
	var truth int64
	for _, x := range b {
		truth += int64(sort.SearchFloat64s(a, x))
	}
	if off := math.Abs(float64(below.Int64()) + float64(equal.Int64())/2 - float64(truth)); off > float64(equal.Int64())/2 {
		t.Errorf("off by %g, want at most half of %v ties", off, equal)
	}
}

func TestMergeRefusesAnotherMax(t *testing.T) {
	if err := of(5, 1).Merge(of(6, 1)); err == nil {
		t.Error("got no error")
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	good := marshal(t, of(100, 1, 2, 2, 3))
	cases := map[string][]byte{
		"empty":     nil,
		"version":   append([]byte{9}, good[1:]...),
		"truncated": good[:len(good)-1],
		"trailing":  append(slices.Clone(good), 0),
		"max 0":     {1, 0, 64, 0, 0},
		"bits 65":   {1, 1, 65, 0, 0},
		"overlong":  {1, 0x81, 0, 64, 0, 0},
		"huge used": {1, 0xff, 0xff, 3, 64, 0x80, 0x80, 1, 0xff, 0xff, 1, 0, 0},
	}
	for i := range good {
		for bit := range 8 { // no flip may give a second encoding of the same sketch
			b := slices.Clone(good)
			b[i] ^= 1 << bit
			s := New(0)
			if s.UnmarshalBinary(b) == nil && bytes.Equal(marshal(t, s), good) {
				t.Errorf("byte %d bit %d flipped: reads as the same sketch", i, bit)
			}
		}
	}
	for name, b := range cases {
		if err := New(0).UnmarshalBinary(b); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	r := rand.New(rand.NewPCG(6, 6))
	f.Add(marshal(f, New(0)))
	f.Add(marshal(f, of(3, 1, 2, math.NaN(), math.Inf(-1))))
	f.Add(marshal(f, of(1, draws(r, 5)...)))
	f.Add(marshal(f, of(50, draws(r, 300)...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := New(0)
		if s.UnmarshalBinary(b) != nil {
			return
		}
		if got := marshal(t, s); !bytes.Equal(got, b) {
			t.Fatalf("accepted %x, writes it as %x", b, got)
		}
		v := s.View()
		if q := v.Quantile(.5); v.Count() > 0 && !math.IsNaN(v.Max()) && !math.IsInf(v.Max(), 0) && !math.IsInf(v.Min(), 0) && !(q >= v.Min() && q <= v.Max()) {
			t.Fatalf("median %g outside %g to %g", q, v.Min(), v.Max())
		}
		s.Add(1)
	})
}

func BenchmarkAdd(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 7))
	for _, distinct := range []int{20, 4096, 60_000, 500_000} {
		x := make([]float64, 1<<19)
		for i := range x {
			x[i] = float64(r.IntN(distinct)) / 8
		}
		b.Run(fmt.Sprintf("distinct=%d", distinct), func(b *testing.B) {
			s, i := New(0), 0
			for b.Loop() {
				s.Add(x[i&(len(x)-1)])
				i++
			}
		})
	}
}
