package fmath

import (
	"math"
	"math/big"
	"testing"
)

// bigErf is erf(x), |x| <= 6: 2/√π·exp(-x²)·Σ 2ⁿx²ⁿ⁺¹/(1·3·…·(2n+1)), whose
// terms all have the same sign.
func bigErf(x float64) *big.Float {
	sq := bigOf(x)
	sq.Mul(sq, sq)
	term, sum := bigOf(x), bigOf(0)
	for n := 0; n < 400; n++ {
		sum.Add(sum, term)
		term.Mul(term, sq)
		term.Mul(term, bigOf(2))
		term.Quo(term, bigOf(float64(2*n+3)))
	}
	sum.Mul(sum, bigExp(sq.Neg(sq)))
	sum.Mul(sum, bigOf(2))
	return sum.Quo(sum, new(big.Float).SetPrec(prec).Sqrt(machin(prec)))
}

func TestErf(t *testing.T) {
	worst, worstC := 0.0, 0.0
	for _, x := range append(points(400, -30, 2.5), 1, -1, 0.5, 0.9999999, 1.0000001, 5.9) {
		want := bigErf(x)
		if e := ulps(Erf(x), want); !(e <= 2) {
			t.Errorf("Erf(%g) = %g: off by %.2f ulp, want at most 2", x, Erf(x), e)
		} else {
			worst = max(worst, e)
		}
		want.Sub(bigOf(1), want)
		if e := ulps(Erfc(x), want); !(e <= 6) {
			t.Errorf("Erfc(%g) = %g: off by %.2f ulp, want at most 6", x, Erfc(x), e)
		} else {
			worstC = max(worstC, e)
		}
	}
	t.Logf("worst error %.2f and %.2f ulp", worst, worstC)
	// The far tail, from Abramowitz & Stegun's asymptotic series to eight terms.
	for _, x := range []float64{12, 20, 26} {
		s, term := 1.0, 1.0
		for n := 1.0; n < 9; n++ {
			term *= -(2*n - 1) / (2 * x * x)
			s += term
		}
		want := math.Exp(-x*x) / (x * math.Sqrt(math.Pi)) * s
		if !(math.Abs(Erfc(x)-want) <= 1e-8*want) {
			t.Errorf("Erfc(%g) = %g, want %g", x, Erfc(x), want)
		}
	}
}

func TestExpm1(t *testing.T) {
	worst := 0.0
	for _, x := range append(points(1500, -60, 5.3), 0.34657, -0.34657, 0.35, 60, -60) {
		want := bigExp(bigOf(x))
		want.Sub(want, bigOf(1))
		if e := ulps(Expm1(x), want); !(e <= 2) {
			t.Errorf("Expm1(%g) = %g: off by %.2f ulp, want at most 2", x, Expm1(x), e)
		} else {
			worst = max(worst, e)
		}
	}
	t.Logf("worst error %.2f ulp", worst)
}

// Sine and cosine of all exponents, against the Taylor series of the remainder
// by a π of 1300 bits.
func TestSinAndCos(t *testing.T) {
	const wide = 1400
	pi := machin(wide)
	worst := 0.0
	for _, x := range append(points(400, -30, 6), append(points(200, 0, 1023), math.MaxFloat64, 6381956970095103*0x1p797)...) {
		s, c := bigSinCos(x, pi, wide)
		es, ec := ulps(Sin(x), s), ulps(Cos(x), c)
		if !(es <= 2 && ec <= 2) {
			t.Errorf("%g: Sin %g off by %.2f ulp, Cos %g by %.2f, want at most 2", x, Sin(x), es, Cos(x), ec)
		}
		worst = max(worst, es, ec)
	}
	t.Logf("worst error %.2f ulp", worst)
}

// machin is π by Machin's formula, 16 atan(1/5) - 4 atan(1/239).
func machin(bits uint) *big.Float {
	f := func(v float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(v) }
	atan := func(inverse float64) *big.Float {
		t := f(0).Quo(f(1), f(inverse))
		sum := f(0)
		for n := 0; n < int(bits)/4; n++ {
			sum.Add(sum, f(0).Quo(t, f(float64(2*n+1))))
			t.Quo(t, f(-inverse*inverse))
		}
		return sum
	}
	a, b := atan(5), atan(239)
	return a.Sub(a.Mul(a, f(16)), b.Mul(b, f(4)))
}

// bigSinCos takes x modulo 2π and sums the series.
func bigSinCos(x float64, pi *big.Float, bits uint) (s, c *big.Float) {
	f := func(v float64) *big.Float { return new(big.Float).SetPrec(bits).SetFloat64(v) }
	turn := f(0).Mul(pi, f(2))
	turns, _ := f(0).Quo(f(x), turn).Int(nil)
	r := f(0).Sub(f(x), f(0).Mul(turn, f(0).SetInt(turns)))
	s, c = f(0), f(0)
	term := f(1)
	for n := 0; n < 120; n++ {
		switch n % 4 {
		case 0:
			c.Add(c, term)
		case 1:
			s.Add(s, term)
		case 2:
			c.Sub(c, term)
		case 3:
			s.Sub(s, term)
		}
		term.Mul(term, r)
		term.Quo(term, f(float64(n+1)))
	}
	return s, c
}

func TestMoreSpecialValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"Erf(Inf)", Erf(inf), 1}, {"Erf(-Inf)", Erf(-inf), -1}, {"Erf(NaN)", Erf(nan), nan}, {"Erf(0)", Erf(0), 0},
		{"Erfc(Inf)", Erfc(inf), 0}, {"Erfc(-Inf)", Erfc(-inf), 2}, {"Erfc(NaN)", Erfc(nan), nan}, {"Erfc(0)", Erfc(0), 1},
		{"Expm1(Inf)", Expm1(inf), inf}, {"Expm1(-Inf)", Expm1(-inf), -1}, {"Expm1(NaN)", Expm1(nan), nan}, {"Expm1(0)", Expm1(0), 0},
		{"Sin(Inf)", Sin(inf), nan}, {"Sin(NaN)", Sin(nan), nan}, {"Cos(-Inf)", Cos(-inf), nan}, {"Cos(NaN)", Cos(nan), nan}, {"Cos(0)", Cos(0), 1},
		{"Softplus(Inf)", Softplus(inf), inf}, {"Softplus(-Inf)", Softplus(-inf), 0}, {"Softplus(NaN)", Softplus(nan), nan}, {"Softplus(0)", Softplus(0), math.Ln2},
	} {
		if c.got != c.want && !(math.IsNaN(c.got) && math.IsNaN(c.want)) {
			t.Errorf("%s = %g, want %g", c.name, c.got, c.want)
		}
	}
}
