package fmath

import "math"

// Expm1 returns eˣ-1, within 2 ulp also where eˣ is near 1.
func Expm1(x float64) float64 {
	switch {
	case x != x || x == 0:
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x > 40: // beyond 2⁵⁴ the 1 does not count
		return Exp(x)
	case x < -40:
		return -1
	}
	k := math.Floor(float64(x*log2e) + 0.5)
	hi := x - float64(k*ln2Hi)
	lo := float64(k * ln2Lo)
	r := hi - lo
	lost := (hi - r) - lo // what the last subtraction rounded away
	p := r + (lost + float64(float64(r*r)*horner(expTaylor[:], r)))
	if k == 0 {
		return p
	}
	s := pow2(int(k))
	return (s - 1) + float64(s*p)
}

// Softplus returns log(1+eˣ), within 4 ulp.
func Softplus(x float64) float64 {
	if x > 0 {
		return x + Log1p(Exp(-x))
	}
	return Log1p(Exp(x))
}
