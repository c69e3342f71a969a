package drift

import (
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/transforms/stats"
)

func distribution(t testing.TB, col arrow.Array, o stats.Options) *stats.Distribution {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: col.DataType(), Nullable: true}}, nil)
	a, err := stats.NewAnalyzer(o, schema)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Add(array.NewRecord(schema, []arrow.Array{col}, int64(col.Len()))); err != nil {
		t.Fatal(err)
	}
	d, ok := a.Distribution("x")
	if !ok {
		t.Fatal("no column x")
	}
	return d
}

func floats(t testing.TB, o stats.Options, values ...float64) *stats.Distribution {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues(values, nil)
	return distribution(t, b.NewArray(), o)
}

func integers(t testing.TB, values ...int64) *stats.Distribution {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(values, nil)
	return distribution(t, b.NewArray(), stats.Options{})
}

func words(t testing.TB, o stats.Options, text string) *stats.Distribution {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for _, w := range strings.Fields(text) {
		b.Append(w)
	}
	return distribution(t, b.NewArray(), o)
}

func near(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || !(math.Abs(*got-want) <= 1e-14*max(1, math.Abs(want))) { // a few dozen roundings
		t.Errorf("%s: got %v want %v", what, got, want)
	}
}

// TestShares: p = ½ ¼ ¼ 0 and q = ¼ ¼ 0 ½. By hand, in bits and halves:
// JS = ½(½ log2 4/3 + ¼) + ½(¼ log2 2/3 + ½), and scipy's
// jensenshannon(p, q, base=2)² = 0.40563906222956647. PSI with numpy, shares
// raised to 1e-4: 6.38626076964195.
func TestShares(t *testing.T) {
	p, q := []float64{.5, .25, .25, 0}, []float64{.25, .25, 0, .5}
	js := .5*(.5*math.Log2(4./3)+.25) + .5*(.25*math.Log2(2./3)+.5)
	near(t, "by hand", &js, 0.40563906222956647)
	near(t, "JS", ptr(JensenShannon(p, q)), js)
	near(t, "JS of q, p", ptr(JensenShannon(q, p)), js)
	near(t, "PSI", ptr(PSI(p, q, 1e-4)), 6.38626076964195)
	if at, d := LInfinity(p, q); at != 3 || d != .5 {
		t.Errorf("L-infinity: got %g at %d want 0.5 at 3", d, at)
	}
	if d := JensenShannon(p, p); d != 0 {
		t.Errorf("JS of equal shares: got %g", d)
	}
	if d := JensenShannon([]float64{1, 0}, []float64{0, 1}); d != 1 {
		t.Errorf("JS of disjoint shares: got %g", d)
	}
}

// TestTexts is TestShares through columns: ATL 2 1, LAX 1 1, JFK 1 0, ORD 0 2.
func TestTexts(t *testing.T) {
	m, ok := Compare(words(t, stats.Options{}, "ATL ATL LAX JFK"), words(t, stats.Options{}, "ORD ATL ORD LAX"), Options{})
	if !ok || m.KS != nil {
		t.Fatalf("got %+v, %v", m, ok)
	}
	near(t, "JS", m.JensenShannon, 0.40563906222956647)
	near(t, "PSI", m.PSI, 6.38626076964195)
	near(t, "L-infinity", m.LInfinity, .5)
	if m.LInfinityValue != "ORD" {
		t.Errorf("got %q want ORD", m.LInfinityValue)
	}
}

// TestNumbers: scipy's ks_2samp, jensenshannon over ten buckets of equal width
// and numpy's PSI between the deciles of a, of a[i] = (i² mod 101)/4, 500 of
// them, and b[i] = (i³ mod 89)/3, 300 of them.
func TestNumbers(t *testing.T) {
	a, b := make([]float64, 500), make([]float64, 300)
	for i := range a {
		a[i] = float64(i*i%101) / 4
	}
	for i := range b {
		b[i] = float64(i*i*i%89) / 3
	}
	m, ok := Compare(floats(t, stats.Options{}, a...), floats(t, stats.Options{}, b...), Options{})
	if !ok || m.LInfinity != nil || m.Slack != 0 {
		t.Fatalf("got %+v, %v", m, ok)
	}
	near(t, "KS", m.KS, 0.15666666666666668)
	near(t, "JS", m.JensenShannon, 0.06492011012458009)
	near(t, "PSI", m.PSI, 0.27474607182856375)

	coarse, _ := Compare(floats(t, stats.Options{MaxDistinct: 16}, a...), floats(t, stats.Options{MaxDistinct: 16}, b...), Options{})
	if !(coarse.Slack > 0 && *coarse.KS <= *m.KS && *m.KS <= *coarse.KS+coarse.Slack) {
		t.Errorf("coarse: got %g, slack %g; want %g in between", *coarse.KS, coarse.Slack, *m.KS)
	}
}

// TestIntegers: shares of 1, 2, 3 are 2/4 1/4 1/4 and 0 1/2 1/2; L-infinity is at 1.
func TestIntegers(t *testing.T) {
	m, _ := Compare(integers(t, 1, 1, 2, 3), integers(t, 2, 3), Options{})
	near(t, "L-infinity", m.LInfinity, .5)
	near(t, "KS", m.KS, .5)
	if m.LInfinityValue != "1" {
		t.Errorf("got %q want 1", m.LInfinityValue)
	}
}

func TestWhatDoesNotApply(t *testing.T) {
	if _, ok := Compare(integers(t, 1), words(t, stats.Options{}, "1"), Options{}); ok {
		t.Error("a number and a text: got a distance")
	}
	if m, ok := Compare(integers(t), integers(t, 1), Options{}); !ok || m != (Measures{}) {
		t.Errorf("no values: got %+v, %v", m, ok)
	}
	if m, ok := Compare(words(t, stats.Options{MaxDistinct: 1}, "a b"), words(t, stats.Options{MaxDistinct: 1}, "a"), Options{}); !ok || m != (Measures{}) {
		t.Errorf("too many values: got %+v, %v", m, ok)
	}
	same := floats(t, stats.Options{}, 3, 3, 3)
	m, _ := Compare(same, same, Options{})
	if *m.KS != 0 || *m.PSI != 0 || *m.JensenShannon != 0 {
		t.Errorf("a constant and itself: got KS %g PSI %g JS %g", *m.KS, *m.PSI, *m.JensenShannon)
	}
}
