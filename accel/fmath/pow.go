package fmath

import "math"

// Pow returns x to the power y with the special cases of C99: 1 for y = 0 and
// for x = 1 whatever the other is; NaN for x < 0 unless y is a whole number.
//
// It is exp(y·log x) with the logarithm and the product in two float64 each;
// the error is below 2 ulp, and 12 where the result is near the end of the
// range. Powers with whole |y| <= 64 are products instead, within 1 ulp, and so
// exact where the result is a float64.
func Pow(x, y float64) float64 {
	switch {
	case y == 0 || x == 1:
		return 1
	case x != x || y != y:
		return math.NaN()
	case y == 1:
		return x
	case y == 2:
		return x * x
	}
	whole := math.Floor(y) == y
	odd := whole && math.Abs(y) < 0x1p53 && math.Mod(y, 2) != 0
	switch a := math.Abs(x); {
	case a == 0 || math.IsInf(a, 1):
		return powEdge(x, y, odd)
	case a == 1 && math.IsInf(y, 0):
		return 1
	case x < 0 && !whole:
		return math.NaN()
	case x < 0 && odd:
		return -powAbs(a, y)
	default:
		return powAbs(a, y)
	}
}

// powEdge is the power of ±0 or ±Inf.
func powEdge(x, y float64, odd bool) float64 {
	r := 0.0
	if (x == 0) == (y < 0) {
		r = math.Inf(1)
	}
	if odd {
		return math.Copysign(r, x)
	}
	return r
}

// powAbs is xʸ for finite x > 0.
func powAbs(x, y float64) float64 {
	if n := math.Abs(y); n <= 64 && n == math.Floor(n) {
		p := powWhole(x, int(n))
		if p > 0x1p-900 && p < 0x1p900 { // else the products may have lost digits
			if y < 0 {
				return 1 / p
			}
			return p
		}
	}
	hi, lo := logTwo(x)
	p := float64(y * hi)
	e := Exp(p)
	if e == 0 || math.IsInf(e, 1) {
		return e
	}
	rest := math.FMA(y, hi, -p) + float64(y*lo)
	return e + float64(e*rest)
}

// logTwo is the logarithm of finite x > 0 as the sum of two float64, by the
// series of logOnePlus: its first term with the rest of the division.
func logTwo(x float64) (hi, lo float64) {
	m, k := reduce(x)
	f := m - 1
	d := m + 1
	lostD := m - (d - 1) // what m+1 lost by rounding
	s := f / d
	rest := (math.FMA(-s, d, f) - float64(s*lostD)) / d
	z := float64(s * s)
	r := 2.0 / 23
	for _, c := range logSeries {
		r = c + float64(r*z)
	}
	tail := 2*rest + float64(s*float64(r*z))
	a, b := float64(float64(k)*logLn2Hi), 2*s // a = 0 or |a| > |b|
	hi = a + b
	lo = ((a - hi) + b) + (tail + float64(float64(k)*logLn2Lo))
	sum := hi + lo
	return sum, lo - (sum - hi)
}

// powWhole is xⁿ by squaring, with each factor and product in two float64.
func powWhole(x float64, n int) float64 {
	hi, lo, p, q := x, 0.0, 1.0, 0.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			p, q = timesTwo(p, q, hi, lo)
		}
		hi, lo = timesTwo(hi, lo, hi, lo)
	}
	return p
}

// timesTwo is (a+b)·(c+d) as the sum of two float64, without b·d.
func timesTwo(a, b, c, d float64) (hi, lo float64) {
	p := float64(a * c)
	rest := math.FMA(a, c, -p) + (float64(a*d) + float64(b*c))
	hi = p + rest
	return hi, rest - (hi - p)
}
