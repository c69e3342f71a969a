package quantile

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRefineIsExact: after a second pass the quantiles and ranks that were
// asked for are those of the sorted values.
func TestRefineIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	quantiles := []float64{0, .001, .25, .5, .99, 1}
	for name, draw := range map[string]func() float64{
		"normal": r.NormFloat64,
		"skewed": func() float64 { return math.Exp(4 * r.NormFloat64()) },
		"clumps": func() float64 { return float64(r.IntN(3)) + r.Float64()*1e-9 },
		"few":    func() float64 { return float64(r.IntN(40)) },
	} {
		x := make([]float64, 30_001)
		for i := range x {
			x[i] = draw()
		}
		points := []float64{-1, 0, .5, 1, x[3], x[4]}
		v := of(300, x...).View()
		for pass := 0; ; pass++ {
			whole := v.Refine(quantiles, points)
			if !whole.Needed() {
				break
			}
			if pass == 5 {
				t.Fatalf("%s: not exact after %d passes", name, pass)
			}
			whole.AddAll(x)
			parts := v.Refine(quantiles, points)
			for cut := range slices.Chunk(x, 7001) {
				part, err := RefinerOf(v.Refine(quantiles, points).Questions())
				if err != nil {
					t.Fatal(err)
				}
				part.AddAll(cut)
				data, _ := part.MarshalBinary()
				if err := parts.MergeBinary(data); err != nil {
					t.Fatal(err)
				}
			}
			a, _ := whole.MarshalBinary()
			b, _ := parts.MarshalBinary()
			if !bytes.Equal(a, b) {
				t.Fatalf("%s: another cut gives other bytes", name)
			}
			var err error
			if v, err = parts.View(); err != nil {
				t.Fatal(err)
			}
		}
		exact := of(1<<20, x...).View()
		for _, q := range quantiles {
			if got, want := v.Quantile(q), exact.Quantile(q); got != want {
				t.Errorf("%s: quantile %g: got %v want %v", name, q, got, want)
			}
		}
		for _, p := range points {
			b, e := v.Rank(p)
			if wb, we := exact.Rank(p); b != wb || e != we {
				t.Errorf("%s: rank of %g: got %d, %d want %d, %d", name, p, b, e, wb, we)
			}
		}
	}
}

func TestRefineFindsOtherData(t *testing.T) {
	v := of(2, 1, 2, 3, 4).View()
	r := v.Refine([]float64{.5}, nil)
	r.AddAll([]float64{1, 2, 3})
	if _, err := r.View(); err == nil {
		t.Error("a value less in the second pass: got no error")
	}
}

func TestRefinerOfRefuses(t *testing.T) {
	good := of(2, 1, 2, 3, 4).View().Refine([]float64{.5}, nil).Questions()
	for i, b := range [][]byte{nil, good[:1], good[:len(good)-1], append(slices.Clone(good), 0), {1, 0, 0}, append([]byte{2}, good[1:]...)} {
		if _, err := RefinerOf(b); err == nil {
			t.Errorf("case %d: got no error", i)
		}
	}
	bad := slices.Clone(good)
	bad[3] = 64 // bits
	if _, err := RefinerOf(bad); err == nil {
		t.Error("a bin of one value: got no error")
	}
}

// TestDistance: by hand, and against the definition over all points.
func TestDistance(t *testing.T) {
	// F1 is 1/3, 2/3, 1 at 1, 2, 3; F2 is 1/2 at 2 and 1 at 5: the largest difference is 1/2, at 3.
	if d, slack := Distance(of(0, 1, 2, 3).View(), of(0, 2, 5).View()); d != .5 || slack != 0 {
		t.Errorf("got %g, %g want 0.5, 0", d, slack)
	}
	if d, _ := Distance(of(0).View(), of(0, 1).View()); d == d {
		t.Errorf("no values: got %g want NaN", d)
	}
	r := rand.New(rand.NewPCG(9, 9))
	for range 20 {
		a, b := make([]float64, 1+r.IntN(900)), make([]float64, 1+r.IntN(900))
		for i := range a {
			a[i] = r.NormFloat64()
		}
		for i := range b {
			b[i] = r.NormFloat64() + .2
		}
		want := 0.
		va, vb := of(0, a...).View(), of(0, b...).View()
		for _, x := range slices.Concat(a, b) {
			want = max(want, math.Abs(va.CDF(x)-vb.CDF(x)))
		}
		if d, slack := Distance(va, vb); d != want || slack != 0 {
			t.Errorf("got %g, slack %g want %g, 0", d, slack, want)
		}
		if d, slack := Distance(of(64, a...).View(), vb); !(d <= want && want <= d+slack) {
			t.Errorf("coarse: got %g, slack %g; want %g in between", d, slack, want)
		}
	}
}

func BenchmarkExactQuantiles(b *testing.B) {
	r := rand.New(rand.NewPCG(10, 10))
	x := make([]float64, 2_000_000)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	quantiles := []float64{.01, .05, .1, .25, .5, .75, .9, .95, .99}
	for b.Loop() {
		s := New(0)
		s.AddAll(x)
		v := s.View()
		for {
			again := v.Refine(quantiles, nil)
			if !again.Needed() {
				break
			}
			again.AddAll(x)
			var err error
			if v, err = again.View(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(x))*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvalues/s")
}
