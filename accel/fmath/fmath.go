// Package fmath has the transcendental functions of training in pure Go, with
// the same bits on every CPU: no assembly, no fused multiply-add (every product
// is rounded by an explicit conversion before it is added), only operations
// that IEEE 754 defines exactly.
//
// They replace package math's in results, because math.Exp and math.Log are
// assembly on some CPUs and Go code, fused or not, on others.
package fmath

import "math"

const (
	ln2Hi = 6.93147180369123816490e-01 // ln 2 to 32 bits, so k*ln2Hi is exact for |k| < 2²¹
	ln2Lo = 1.90821492927058770002e-10 // the rest
	log2e = 1.44269504088896338700e+00
)

// expTaylor holds 1/n! for n = 13 down to 2.
var expTaylor = [...]float64{
	1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880,
	1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2,
}

// Exp returns eˣ. The error is below 2 ulp: x = k·ln2 + r with |r| <= ln2/2,
// and the Taylor polynomial of degree 13 is within 2⁻⁵⁷ of eʳ there. Results
// below the smallest normal number are rounded once more, to a subnormal.
func Exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -745.1332191019412:
		return 0
	}
	k := math.Floor(float64(x*log2e) + 0.5)
	r := x - float64(k*ln2Hi)
	r -= float64(k * ln2Lo)
	p := expTaylor[0]
	for _, c := range expTaylor[1:] {
		p = float64(p*r) + c
	}
	y := 1 + (r + float64(float64(r*r)*p))
	return scale(y, int(k))
}

// scale returns y·2ᵏ for y in [0.5, 2) and |k| <= 1100, in two exact steps but
// for the last rounding of a subnormal.
func scale(y float64, k int) float64 {
	if k < -1021 {
		return float64(y*pow2(k+100)) * pow2(-100)
	}
	if k > 1022 {
		return float64(y*pow2(k-1)) * 2
	}
	return y * pow2(k)
}

// pow2 is 2ᵏ for -1022 <= k <= 1023.
func pow2(k int) float64 { return math.Float64frombits(uint64(k+1023) << 52) }

// Tanh returns the hyperbolic tangent, within 4 ulp where |x| >= 0.25 and, by
// its series, below that.
func Tanh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x != x:
		return x
	case a > 22: // 1 - tanh(22) < 2⁻⁵⁴
		return math.Copysign(1, x)
	case a < 0.25:
		return tanhSmall(x)
	}
	t := Exp(2 * a)
	return math.Copysign(1-2/(t+1), x)
}

// tanhSmall is the quotient of the Taylor series of sinh and cosh, |x| < 0.25;
// the first terms left out are x¹³/13! and x¹²/12!, below 2⁻⁵² of the sums.
func tanhSmall(x float64) float64 {
	z := x * x
	s := 1.0 / 39916800
	for _, c := range [...]float64{1.0 / 362880, 1.0 / 5040, 1.0 / 120, 1.0 / 6} {
		s = float64(s*z) + c
	}
	c := 1.0 / 3628800
	for _, v := range [...]float64{1.0 / 40320, 1.0 / 720, 1.0 / 24, 0.5} {
		c = float64(c*z) + v
	}
	return (x + float64(float64(x*z)*s)) / (1 + float64(z*c))
}

// Sigmoid returns 1/(1+e⁻ˣ), computed from e^-|x| so that nothing overflows.
func Sigmoid(x float64) float64 {
	t := Exp(-math.Abs(x))
	if x >= 0 {
		return 1 / (1 + t)
	}
	return t / (1 + t)
}
