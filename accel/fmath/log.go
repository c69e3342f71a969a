package fmath

import "math"

// ln 2 in two parts; k*logLn2Hi is exact for |k| < 2^20.
const (
	logLn2Hi = 0x1.62e42fee00000p-1
	logLn2Lo = 0x1.a39ef35793c76p-33
)

// logSeries are the coefficients 2/21, 2/19, … 2/3 of the atanh series.
var logSeries = [...]float64{2. / 21, 2. / 19, 2. / 17, 2. / 15, 2. / 13, 2. / 11, 2. / 9, 2. / 7, 2. / 5, 2. / 3}

// Log is the natural logarithm of x, within 1 ulp. Log(0) is -Inf, Log of a
// negative number NaN.
func Log(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	}
	m, k := reduce(x)
	return logOnePlus(m-1, 0, k)
}

// Log1p is log(1+x), within 1 ulp also where 1+x rounds. Log1p(-1) is -Inf,
// Log1p of less NaN.
func Log1p(x float64) float64 {
	switch {
	case x != x || x < -1:
		return math.NaN()
	case x == -1:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	case math.Abs(x) < 0x1p-54:
		return x // x - x²/2 rounds to x; keeps -0
	case -0.29 < x && x < 0.41: // 1+x is between sqrt(1/2) and sqrt(2)
		return logOnePlus(x, 0, 0)
	}
	u := 1 + x
	var lost float64 // what 1+x lost by rounding
	if x < 1 {
		lost = x - (u - 1)
	} else {
		lost = 1 - (u - x)
	}
	m, k := reduce(u)
	return logOnePlus(m-1, lost/u, k)
}

// reduce returns m in [sqrt(1/2), sqrt(2)) and k with x = m * 2^k, exactly.
func reduce(x float64) (m float64, k int) {
	m, k = math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	return m, k
}

// logOnePlus is k ln 2 + log(1+f) + c for 1+f in about [sqrt(1/2), sqrt(2)]
// and a tiny c. With s = f/(2+f), log(1+f) = 2 atanh(s), and
//
//	2 atanh(s) = 2s + s R = f - s (f - R) = f - (f²/2 - s (f²/2 + R))
//
// with R = 2/3 s² + 2/5 s⁴ + …, which at s <= 0.172 is below 2^-60 of the
// result after the term in s²². The last form rounds f only once.
func logOnePlus(f, c float64, k int) float64 {
	s := f / (2 + f)
	z := float64(s * s)
	r := 2.0 / 23
	for _, c := range logSeries {
		r = c + float64(r*z)
	}
	r = float64(r * z)
	half := float64(0.5 * float64(f*f))
	fk := float64(k)
	low := float64(s*(half+r)) + (float64(fk*logLn2Lo) + c)
	return float64(fk*logLn2Hi) - ((half - low) - f)
}
