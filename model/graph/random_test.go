package graph

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// TestRandomNumbers holds the numbers to their distributions, and to the rule that
// they depend on the seed, or without one on the name, alone.
func TestRandomNumbers(t *testing.T) {
	const count = 20000
	const none = -1 // no seed
	draw := func(op, name string, seed float64, more ...accel.Attr) []float32 {
		g := New("g")
		attrs := append(accel.Attrs{accel.Ints("shape", count)}, more...)
		if seed != none {
			attrs = append(attrs, accel.Float("seed", seed))
		}
		y, err := g.Apply(op, name, attrs)
		if err != nil {
			t.Fatal(err)
		}
		return accel.Values[float32](compiled(t, g, []*Value{y})(nil)[0])
	}
	moments := func(v []float32) (mean, deviation float64) {
		for _, x := range v {
			mean += float64(x) / count
		}
		for _, x := range v {
			deviation += (float64(x) - mean) * (float64(x) - mean) / count
		}
		return mean, math.Sqrt(deviation)
	}
	// A mean of n numbers has the deviation σ/√n = 0.007σ, a deviation about as much.
	normal := draw("RandomNormal", "a", 1, accel.Float("mean", 3), accel.Float("scale", 2))
	if mean, dev := moments(normal); !(math.Abs(mean-3) < 0.08) || !(math.Abs(dev-2) < 0.08) {
		t.Errorf("normal numbers have mean %g and deviation %g, want 3 and 2", mean, dev)
	}
	even := draw("RandomUniform", "a", 1, accel.Float("low", -1), accel.Float("high", 3))
	if mean, dev := moments(even); !(math.Abs(mean-1) < 0.06) || !(math.Abs(dev-4/math.Sqrt(12)) < 0.06) || slices.Min(even) < -1 || slices.Max(even) >= 3 {
		t.Errorf("uniform numbers have mean %g and deviation %g, want 1 and %g", mean, dev, 4/math.Sqrt(12))
	}
	first := draw("RandomNormal", "a", 1)
	if !slices.Equal(first, draw("RandomNormal", "a", 1)) {
		t.Error("the same seed and name give other numbers")
	}
	if slices.Equal(first, draw("RandomNormal", "a", 2)) || slices.Equal(draw("RandomNormal", "a", none), draw("RandomNormal", "b", none)) {
		t.Error("another seed, or without one another name, gives the same numbers")
	}
	if !slices.Equal(first, draw("RandomNormal", "b", 1)) || !slices.Equal(draw("RandomNormal", "a", none), draw("RandomNormal", "a", none)) {
		t.Error("the name changes numbers that have a seed, or those without differ by run")
	}
	short := draw("RandomUniform", "a", 1, accel.Float("low", 1000), accel.Float("high", 1000.001)) // a few units of float32 apart
	if slices.Max(short) >= float32(1000.001) {
		t.Error("a uniform number is the end of its interval")
	}
}

// TestRandomTypes holds the numbers of all types, and of the operators that take
// the shape of a tensor, to their moments: each within five deviations.
func TestRandomTypes(t *testing.T) {
	const rows, cols, count = 100, 200, 20000
	for _, typ := range []accel.DType{accel.Float16, accel.BFloat16, accel.Float32, accel.Float64} {
		for _, op := range []string{"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"} {
			attrs, in := accel.Attrs{accel.Ints("shape", rows, cols), accel.String("dtype", typ.String())}, ins()
			if strings.HasSuffix(op, "Like") {
				attrs, in = nil, ins(of(t, typ, make([]float64, count)...))
				in[0].Shape = []int{rows, cols}
			}
			out, err := evaluateOn(op, attrs, in, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := out[0]; got.DType != typ || !slices.Equal(got.Shape, []int{rows, cols}) {
				t.Fatalf("%s: got %v, want %s [%d %d]", op, got, typ, rows, cols)
			}
			wide, err := evaluateOn("Cast", accel.Attrs{accel.String("to", "float64")}, out, 1)
			if err != nil {
				t.Fatal(err)
			}
			mean, variance := 0.0, 0.0
			for _, v := range accel.Values[float64](wide[0]) {
				mean += v / count
				variance += v * v / count
			}
			variance -= mean * mean
			// The mean's variance is σ²/n, the variance's (μ₄-σ⁴)/n: 2/n and 1/180n. bfloat16 rounds by up
			// to 2⁻⁹ of a number, of which halves up and halves down add up to next to nothing.
			wantMean, want, spread := 0.0, 1.0, 2.0
			if strings.HasPrefix(op, "RandomUniform") {
				wantMean, want, spread = 0.5, 1.0/12, 1.0/180
			}
			if !(math.Abs(mean-wantMean) < 5*math.Sqrt(want/count)) || !(math.Abs(variance-want) < 5*math.Sqrt(spread/count)+0x1p-16) {
				t.Errorf("%s of %s: mean %g, variance %g, want %g, %g", op, typ, mean, variance, wantMean, want)
			}
		}
	}
}

// TestRandomBits: the numbers are the same bytes on every machine.
func TestRandomBits(t *testing.T) {
	shape, seed := accel.Ints("shape", 5000), accel.Float("seed", 7)
	half := accel.NewArray(accel.Float64, 5000)
	for i := range accel.Values[float64](half) {
		accel.Values[float64](half)[i] = 0.5
	}
	logs := float64s([]int{2, 3}, -1, 0.5, -0.3, 2, 1.9, math.Inf(-1))
	double := accel.String("dtype", "float64")
	for _, c := range []struct {
		op    string
		attrs accel.Attrs
		in    []*accel.Array
		want  string
	}{
		{"RandomNormal", accel.Attrs{shape, seed, accel.Float("scale", 3), accel.Float("mean", 0.1)}, nil, "cf866a548cd30f17"},
		{"RandomNormal", accel.Attrs{shape, seed, double}, nil, "7ea5e183d7ae0204"},
		{"RandomUniform", accel.Attrs{shape, seed, accel.Float("low", -0.3)}, nil, "5ae29d715ce97004"},
		{"RandomUniform", accel.Attrs{shape, seed, double, accel.Float("high", 3)}, nil, "95a4e64789676b19"},
		{"Bernoulli", accel.Attrs{seed}, ins(half), "915fd978e218cf55"},
		{"Multinomial", accel.Attrs{seed, accel.Int("sample_size", 2000)}, ins(logs), "5aa68a2f1daaa271"},
	} {
		out, err := evaluateOn(c.op, c.attrs, c.in, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(out[0].Data))[:16]; got != c.want {
			t.Errorf("%s%s: hash %s, want %s", c.op, c.attrs, got, c.want)
		}
	}
}

// TestTrainingDropout: what Dropout keeps while training is scaled, the mask says
// what it kept, and seed and name choose it.
func TestTrainingDropout(t *testing.T) {
	const count = 20000
	drop := func(name string, attrs accel.Attrs) (y []float64, mask []bool) {
		g := New("g")
		x := accel.NewArray(accel.Float64, count)
		for i := range accel.Values[float64](x) {
			accel.Values[float64](x)[i] = float64(i + 1)
		}
		n, err := g.ApplyNode("Dropout", name, attrs, g.Const("", x), g.Const("", of(t, accel.Float32, 0.25)), g.Const("", arr(accel.Bool, true)))
		if err != nil {
			t.Fatal(err)
		}
		m, err := g.Ask(n, 1)
		if err != nil {
			t.Fatal(err)
		}
		g.Outputs = []*Value{n.Outputs[0], m}
		bound, _, err := g.Bind(Binding{})
		if err != nil {
			t.Fatal(err)
		}
		out := compiled(t, bound, bound.Outputs)(nil)
		return accel.Values[float64](out[0]), accel.Values[bool](out[1])
	}
	y, mask := drop("a", nil)
	kept := 0
	for i, v := range y {
		want := 0.0
		if mask[i] {
			kept++
			want = float64(i+1) / 0.75
		}
		if !(math.Abs(v-want) <= 4*0x1p-53*want) {
			t.Fatalf("element %d: got %g with mask %t, want %g", i, v, mask[i], want)
		}
	}
	if !(math.Abs(float64(kept)-0.75*count) < 5*math.Sqrt(count*0.25*0.75)) {
		t.Errorf("kept %d of %d, want three quarters", kept, count)
	}
	seed := func(v int) accel.Attrs { return accel.Attrs{accel.Int("seed", v)} }
	same := func(name string, attrs accel.Attrs) []bool { _, m := drop(name, attrs); return m }
	if !slices.Equal(mask, same("a", nil)) || slices.Equal(mask, same("b", nil)) {
		t.Error("without a seed, the mask is not a function of the name")
	}
	if !slices.Equal(same("a", seed(3)), same("b", seed(3))) || slices.Equal(same("a", seed(3)), same("a", seed(4))) {
		t.Error("with a seed, the mask is not a function of it")
	}
}

func TestBernoulliAndMultinomial(t *testing.T) {
	p := accel.NewArray(accel.Float32, 3, 10000)
	for i := range accel.Values[float32](p) {
		accel.Values[float32](p)[i] = []float32{0, 0.3, 1}[i/10000]
	}
	out, err := evaluateOn("Bernoulli", accel.Attrs{accel.String("dtype", "int32")}, ins(p), 1)
	if err != nil {
		t.Fatal(err)
	}
	var ones [3]int
	for i, v := range accel.Values[int32](out[0]) {
		ones[i/10000] += int(v)
	}
	if ones[0] != 0 || ones[2] != 10000 || !(math.Abs(float64(ones[1])-3000) < 250) { // σ = 46
		t.Errorf("ones of 10000 with p = 0, 0.3 and 1: %v", ones)
	}
	logs := accel.ArrayOf(accel.Float64, []int{1, 3}, []float64{math.Log(2), math.Inf(-1), math.Log(6)})
	if out, err = evaluateOn("Multinomial", accel.Attrs{accel.Int("sample_size", 10000)}, ins(logs), 1); err != nil {
		t.Fatal(err)
	}
	var counts [3]int
	for _, class := range accel.Values[int32](out[0]) {
		counts[class]++
	}
	if counts[1] != 0 || !(math.Abs(float64(counts[0])-2500) < 250) {
		t.Errorf("classes of 10000 with p = 1/4, 0 and 3/4: %v", counts)
	}
}
