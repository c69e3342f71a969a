package optim

import "math"

// cosPi is cos(πx) for 0 <= x <= 1, within 2 units in the last place of 1. Not
// math.Cos, whose multiply-adds a compiler may fuse on some CPUs.
func cosPi(x float64) float64 {
	switch {
	case x > 0.5:
		return -cosPi(1 - x)
	case x > 0.25:
		return sinTaylor(float64(math.Pi * (0.5 - x)))
	}
	return cosTaylor(float64(math.Pi * x))
}

// cosTaylor and sinTaylor are Taylor series for |x| <= π/4, where the first
// term left out is below 2^-60.
func cosTaylor(x float64) float64 {
	y := float64(x * x)
	s := 1.0
	for k := 18; k >= 2; k -= 2 {
		s = 1 - float64(float64(y*s)/float64(k*(k-1)))
	}
	return s
}

func sinTaylor(x float64) float64 {
	y := float64(x * x)
	s := 1.0
	for k := 19; k >= 3; k -= 2 {
		s = 1 - float64(float64(y*s)/float64(k*(k-1)))
	}
	return float64(x * s)
}

// power is x^n by squaring.
func power(x float64, n int64) float64 {
	out := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			out *= x
		}
		x *= x
	}
	return out
}
