package fmath

import (
	"math"
	"math/big"
	"testing"

	"github.com/millrace-go/millrace/accel/counter"
)

const prec = 300 // bits of the reference, far beyond float64's 53

func bigOf(x float64) *big.Float { return new(big.Float).SetPrec(prec).SetFloat64(x) }

// bigExp is eˣ: the Taylor series of x/2⁴⁰ to degree 9, squared 40 times.
func bigExp(x *big.Float) *big.Float {
	const halvings = 40
	r := new(big.Float).SetPrec(prec).SetMantExp(x, -halvings)
	sum := bigOf(1)
	for n := 12; n >= 1; n-- { // Horner: 1 + r/1·(1 + r/2·(…))
		sum.Mul(sum, r)
		sum.Quo(sum, bigOf(float64(n)))
		sum.Add(sum, bigOf(1))
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// ulps is |got-want| in units of want's last place, at least the smallest subnormal's.
func ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	ulp := math.Nextafter(math.Abs(w), math.Inf(1)) - math.Abs(w)
	d := new(big.Float).SetPrec(prec).Sub(bigOf(got), want)
	f, _ := d.Quo(d, bigOf(ulp)).Float64()
	return math.Abs(f)
}

// points are n numbers spread over ±2^low … ±2^high.
func points(n int, low, high float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		e := low + (high-low)*counter.Float64(1, uint64(2*i))
		out[i] = math.Pow(2, e) * math.Copysign(1, counter.Float64(1, uint64(2*i+1))-0.5)
	}
	return out
}

func TestExp(t *testing.T) {
	worst := 0.0
	for _, x := range append(points(1500, -30, 9.4), 0, 1, -1, 709.78, -708, -744.4, math.Ln2/2, -math.Ln2/2) {
		if e := ulps(Exp(x), bigExp(bigOf(x))); !(e <= 2) {
			t.Errorf("Exp(%g) = %g: off by %.2f ulp, want at most 2", x, Exp(x), e)
		} else {
			worst = max(worst, e)
		}
	}
	t.Logf("worst error %.2f ulp", worst)
}

func TestLog(t *testing.T) {
	worst := 0.0
	pts := append(points(1500, -1060, 1023), points(500, -0.6, 0.6)...)
	for _, x := range append(pts, 1, 2, 0.5, math.MaxFloat64, 5e-324, 1+0x1p-52, 1-0x1p-53) {
		x = math.Abs(x)
		y := Log(x)
		// log x = y - log(eʸ/x) = y - (eʸ/x - 1), up to the square of that small difference.
		q := bigExp(bigOf(y))
		q.Quo(q, bigOf(x)).Sub(q, bigOf(1))
		want := new(big.Float).SetPrec(prec).Sub(bigOf(y), q)
		if x == 1 {
			want = bigOf(0)
		}
		if e := ulps(y, want); !(e <= 2) {
			t.Errorf("Log(%g) = %g: off by %.2f ulp, want at most 2", x, y, e)
		} else {
			worst = max(worst, e)
		}
	}
	t.Logf("worst error %.2f ulp", worst)
}

func TestTanhAndSigmoid(t *testing.T) {
	worst := 0.0
	for _, x := range points(1500, -20, 5) {
		e2 := bigExp(bigOf(2 * x))
		want := new(big.Float).SetPrec(prec).Sub(e2, bigOf(1))
		want.Quo(want, new(big.Float).SetPrec(prec).Add(e2, bigOf(1)))
		if e := ulps(Tanh(x), want); !(e <= 4) {
			t.Errorf("Tanh(%g) = %g: off by %.2f ulp, want at most 4", x, Tanh(x), e)
		} else {
			worst = max(worst, e)
		}
		// 1/(1+e⁻ˣ) loses one more rounding or two than Exp.
		s := bigExp(bigOf(-x))
		s.Quo(bigOf(1), s.Add(s, bigOf(1)))
		if e := ulps(Sigmoid(x), s); !(e <= 4) {
			t.Errorf("Sigmoid(%g) = %g: off by %.2f ulp, want at most 4", x, Sigmoid(x), e)
		}
	}
	t.Logf("worst error %.2f ulp", worst)
}

func TestSpecialValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"Exp(+Inf)", Exp(inf), inf}, {"Exp(-Inf)", Exp(-inf), 0}, {"Exp(NaN)", Exp(nan), nan}, {"Exp(0)", Exp(0), 1},
		{"Exp(710)", Exp(710), inf}, {"Exp(-746)", Exp(-746), 0},
		{"Log(0)", Log(0), -inf}, {"Log(-1)", Log(-1), nan}, {"Log(+Inf)", Log(inf), inf}, {"Log(NaN)", Log(nan), nan}, {"Log(1)", Log(1), 0},
		{"Tanh(+Inf)", Tanh(inf), 1}, {"Tanh(-Inf)", Tanh(-inf), -1}, {"Tanh(NaN)", Tanh(nan), nan}, {"Tanh(0)", Tanh(0), 0},
		{"Sigmoid(+Inf)", Sigmoid(inf), 1}, {"Sigmoid(-Inf)", Sigmoid(-inf), 0}, {"Sigmoid(NaN)", Sigmoid(nan), nan}, {"Sigmoid(0)", Sigmoid(0), 0.5},
	} {
		if c.got != c.want && !(math.IsNaN(c.got) && math.IsNaN(c.want)) {
			t.Errorf("%s = %g, want %g", c.name, c.got, c.want)
		}
	}
}

// TestBits pins the bits of 4 x 1000 results: another CPU or compiler that
// gives others breaks the promise that results are the same everywhere.
func TestBits(t *testing.T) {
	h := uint64(0)
	for i := range uint64(1000) {
		x := 40*counter.Float64(3, i) - 20
		for _, y := range []float64{Exp(x), Log(x + 20), Tanh(x / 8), Sigmoid(x)} {
			h = counter.Mix(h ^ math.Float64bits(y))
		}
	}
	if want := uint64(0x896eec77f94eeca3); h != want {
		t.Errorf("hash of the results is %#x, want %#x", h, want)
	}
}

func BenchmarkExp(b *testing.B) {
	x := -3.7
	for b.Loop() {
		x = -3.7 - 1e-9*Exp(x)
	}
}
