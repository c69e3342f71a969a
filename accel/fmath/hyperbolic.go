package fmath

import "math"

// Sinh returns the hyperbolic sine, within 5 ulp.
func Sinh(x float64) float64 {
	a := math.Abs(x)
	if a > 40 {
		return math.Copysign(halfExp(a), x)
	}
	t := Expm1(a)
	return math.Copysign(0.5*(t+t/(t+1)), x)
}

// Cosh returns the hyperbolic cosine, within 5 ulp.
func Cosh(x float64) float64 {
	a := math.Abs(x)
	if a > 40 {
		return halfExp(a)
	}
	t := Exp(a)
	return 0.5*t + 0.5/t
}

// halfExp is ½eˣ, which may be finite where eˣ is not.
func halfExp(x float64) float64 {
	t := Exp(0.5 * x)
	return float64(0.5*t) * t
}

// Asinh returns the inverse hyperbolic sine, within 4 ulp.
func Asinh(x float64) float64 {
	a := math.Abs(x)
	if a > 0x1p28 {
		return math.Copysign(Log(a)+math.Ln2, x)
	}
	return math.Copysign(Log1p(a+float64(a*a)/(1+math.Sqrt(1+float64(a*a)))), x)
}

// Acosh returns the inverse hyperbolic cosine, within 4 ulp; of x < 1, NaN.
func Acosh(x float64) float64 {
	if x > 0x1p28 {
		return Log(x) + math.Ln2
	}
	t := x - 1
	return Log1p(t + math.Sqrt(2*t+float64(t*t)))
}

// Atanh returns the inverse hyperbolic tangent, within 4 ulp; of |x| > 1, NaN.
func Atanh(x float64) float64 {
	a := math.Abs(x)
	return math.Copysign(0.5*Log1p(2*a/(1-a)), x)
}
