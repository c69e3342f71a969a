package fmath

import (
	"math"
	"math/big"
	"testing"
)

// bigAtan is the arctangent of x > 0, by halving the angle until the series is short.
func bigAtan(x *big.Float) *big.Float {
	one := bigOf(1)
	halvings := 0
	x = new(big.Float).Set(x)
	for x.Cmp(bigOf(0.01)) > 0 {
		root := bigOf(0).Mul(x, x)
		root.Sqrt(root.Add(root, one))
		x.Quo(x, root.Add(root, one))
		halvings++
	}
	sum, term, xx := bigOf(0), new(big.Float).Set(x), bigOf(0).Mul(x, x)
	for k := 1; k < 120; k += 2 {
		sum.Add(sum, bigOf(0).Quo(term, bigOf(float64(k))))
		term.Neg(term.Mul(term, xx))
	}
	return sum.SetMantExp(sum, halvings)
}

// positive takes the absolute values.
func positive(x []float64) []float64 {
	for i := range x {
		x[i] = math.Abs(x[i])
	}
	return x
}

func TestArc(t *testing.T) {
	halfPi := bigAtan(bigOf(1))
	halfPi.Mul(halfPi, bigOf(2))
	for _, x := range positive(points(2500, -6, 6)) {
		if u := ulps(Atan(x), bigAtan(bigOf(x))); !(u <= 2) {
			t.Fatalf("Atan(%g) = %g is %.2f ulp off", x, Atan(x), u)
		}
		if x >= 1 {
			continue
		}
		root := bigOf(0).Mul(bigOf(0).Sub(bigOf(1), bigOf(x)), bigOf(0).Add(bigOf(1), bigOf(x)))
		asin := bigAtan(bigOf(0).Quo(bigOf(x), root.Sqrt(root)))
		if u := ulps(Asin(x), asin); !(u <= 4) {
			t.Fatalf("Asin(%g) = %g is %.2f ulp off", x, Asin(x), u)
		}
		if u := ulps(Acos(x), bigOf(0).Sub(halfPi, asin)); !(u <= 4) {
			t.Fatalf("Acos(%g) = %g is %.2f ulp off", x, Acos(x), u)
		}
		if u := ulps(Acos(-x), bigOf(0).Add(halfPi, asin)); !(u <= 4) {
			t.Fatalf("Acos(%g) = %g is %.2f ulp off", -x, Acos(-x), u)
		}
	}
}

func TestHyperbolic(t *testing.T) {
	one, half := bigOf(1), bigOf(0.5)
	for _, x := range positive(points(1300, -10, 9.4)) {
		e := bigExp(bigOf(x))
		inv := bigOf(0).Quo(one, e)
		sinh := bigOf(0).Mul(half, bigOf(0).Sub(e, inv))
		cosh := bigOf(0).Mul(half, bigOf(0).Add(e, inv))
		if u := ulps(Sinh(x), sinh); !(u <= 5) {
			t.Fatalf("Sinh(%g) = %g is %.2f ulp off", x, Sinh(x), u)
		}
		if u := ulps(Cosh(x), cosh); !(u <= 5) {
			t.Fatalf("Cosh(%g) = %g is %.2f ulp off", x, Cosh(x), u)
		}
		root := bigOf(0).Mul(bigOf(x), bigOf(x))
		root.Sqrt(root.Add(root, one))
		if u := ulps(Asinh(x), bigLog(root.Add(root, bigOf(x)))); !(u <= 4) {
			t.Fatalf("Asinh(%g) = %g is %.2f ulp off", x, Asinh(x), u)
		}
		y := 1 + x
		root = bigOf(0).Mul(bigOf(y), bigOf(y))
		root.Sqrt(root.Sub(root, one))
		if u := ulps(Acosh(y), bigLog(root.Add(root, bigOf(y)))); !(u <= 4) {
			t.Fatalf("Acosh(%g) = %g is %.2f ulp off", y, Acosh(y), u)
		}
		if x >= 1 {
			continue
		}
		q := bigOf(0).Quo(bigOf(0).Add(one, bigOf(x)), bigOf(0).Sub(one, bigOf(x)))
		if u := ulps(Atanh(x), bigOf(0).Mul(half, bigLog(q))); !(u <= 4) {
			t.Fatalf("Atanh(%g) = %g is %.2f ulp off", x, Atanh(x), u)
		}
	}
}

func TestPow(t *testing.T) {
	for i, x := range positive(points(400, -20, 6)) {
		y := []float64{-7.25, -2, -0.3, 0.5, 0.75, 3, 11.5, 40}[i%8]
		want := bigExp(bigOf(0).Mul(bigOf(y), bigLog(bigOf(x))))
		if u := ulps(Pow(x, y), want); !(u <= 2) {
			t.Fatalf("Pow(%g, %g) = %g is %.2f ulp off", x, y, Pow(x, y), u)
		}
	}
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range [][3]float64{
		{2, 10, 1024}, {3, 6, 729}, {3, 33, 5559060566555523}, {5, -1, 0.2}, {-0.5, -7, -128}, {-2, 3, -8}, {-2, 2, 4}, {-8, 1. / 3, nan}, {0, 0, 1}, {nan, 0, 1}, {1, nan, 1}, {nan, 1, nan},
		{0, -1, inf}, {math.Copysign(0, -1), -3, -inf}, {math.Copysign(0, -1), -2, inf}, {math.Copysign(0, -1), 0.5, 0},
		{inf, 2.5, inf}, {inf, -1, 0}, {-inf, 3, -inf}, {-inf, 0.5, inf}, {-inf, -2, 0},
		{-1, inf, 1}, {-1, -inf, 1}, {2, inf, inf}, {0.5, inf, 0}, {2, -inf, 0}, {2, 2000, inf}, {2, -2000, 0}, {5, 1, 5},
	} {
		if got := Pow(c[0], c[1]); got != c[2] && !(got != got && c[2] != c[2]) {
			t.Errorf("Pow(%g, %g) = %g, want %g", c[0], c[1], got, c[2])
		}
	}
}

func TestArcAndHyperbolicEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name    string
		f       func(float64) float64
		x, want float64
	}{
		{"Atan", Atan, inf, math.Pi / 2}, {"Atan", Atan, -inf, -math.Pi / 2}, {"Atan", Atan, nan, nan},
		{"Asin", Asin, 1, math.Pi / 2}, {"Asin", Asin, -1, -math.Pi / 2}, {"Asin", Asin, 1.5, nan}, {"Asin", Asin, nan, nan},
		{"Acos", Acos, 1, 0}, {"Acos", Acos, -1, math.Pi}, {"Acos", Acos, -2, nan},
		{"Tan", Tan, 0, 0}, {"Tan", Tan, inf, nan},
		{"Sinh", Sinh, -inf, -inf}, {"Sinh", Sinh, 711, inf}, {"Sinh", Sinh, nan, nan}, {"Cosh", Cosh, -inf, inf}, {"Cosh", Cosh, 0, 1},
		{"Asinh", Asinh, -inf, -inf}, {"Asinh", Asinh, 1e-300, 1e-300}, {"Acosh", Acosh, 1, 0}, {"Acosh", Acosh, 0.5, nan}, {"Acosh", Acosh, inf, inf},
		{"Atanh", Atanh, 1, inf}, {"Atanh", Atanh, -1, -inf}, {"Atanh", Atanh, 1.01, nan}, {"Atanh", Atanh, inf, nan},
	} {
		if got := c.f(c.x); got != c.want && !(got != got && c.want != c.want) {
			t.Errorf("%s(%g) = %g, want %g", c.name, c.x, got, c.want)
		}
	}
}
