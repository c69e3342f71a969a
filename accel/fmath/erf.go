package fmath

import "math"

// erfSeries holds the minimax polynomial of erf(x)/x in x² for |x| <= 1, the
// constant last; its relative error is below 2⁻⁶².
var erfSeries = [...]float64{
	0x1.0579a590d784dp-34, -0x1.386abe417e7eap-30, 0x1.f7a41124a8957p-27, -0x1.5f1d36a394343p-23,
	0x1.b9def1998c957p-20, -0x1.f4d1df38e2cdcp-17, 0x1.f9a321a1177d1p-14, -0x1.c02db3d8ece58p-11,
	0x1.565bcd0db02ccp-8, -0x1.b82ce3128499cp-6, 0x1.ce2f21a042b20p-4, -0x1.812746b0379e6p-2,
	0x1.20dd750429b6dp+0,
}

// erfcSeries holds the minimax polynomial of erfc(x)·exp(x²)·(x+2) in
// q = (x-2)/(x+2) for 1 <= x <= 28, the constant last; its relative error is
// below 2⁻⁶⁰. The variable is that of Shepherd & Laframboise, Mathematics of
// Computation 36 (1981).
var erfcSeries = [...]float64{
	-0x1.74cff3a5e1696p-22, 0x1.dd986f0290099p-20, -0x1.8afa6beffa39ap-19, 0x1.37beea362a92ap-20,
	-0x1.9cf67099762f5p-24, 0x1.77d66b38aba71p-20, 0x1.09e16f9973b0dp-18, -0x1.289f3ac97deddp-20,
	-0x1.0f8da9f40d795p-16, -0x1.6bcbda8cea473p-16, 0x1.1e81907edebbfp-15, 0x1.2ef91c88e26a3p-13,
	0x1.2053c14328f64p-15, -0x1.5ba433ec2edc4p-11, -0x1.b6fbf9b623002p-11, 0x1.9517bb67739b2p-9,
	0x1.a89eaff8b734ep-8, -0x1.606e41552545cp-6, -0x1.2a88e6107d7f7p-5, 0x1.1e2deea6b116dp-2,
	-0x1.5fd386754eff9p-1, 0x1.058671b52c776p+0,
}

// Erf returns the error function 2/√π ∫₀ˣ exp(-t²) dt, within 2 ulp.
func Erf(x float64) float64 {
	a := math.Abs(x)
	switch {
	case a < 1:
		return erfSmall(x)
	case a > 6: // 1 - erf(6) < 2⁻⁵⁴
		return math.Copysign(1, x)
	}
	return math.Copysign(1-erfcLarge(a), x) // NaN stays NaN
}

// Erfc returns 1 - Erf(x) without losing digits where that is small, within 6
// ulp; below the smallest normal number, within 2⁻¹⁰⁷³ more.
func Erfc(x float64) float64 {
	switch {
	case math.Abs(x) < 0.5:
		return 1 - erfSmall(x)
	case math.Abs(x) < 1:
		return 0.5 + (0.5 - erfSmall(x))
	case x > 28:
		return 0
	case x < -6:
		return 2
	case x < 0:
		return 2 - erfcLarge(-x)
	}
	return erfcLarge(x)
}

func erfSmall(x float64) float64 {
	return float64(x * horner(erfSeries[:], float64(x*x)))
}

// erfcLarge is Erfc for 1 <= x <= 28. With h the upper half of x's digits, h²
// is exact and exp(-x²) = exp(-h²)·exp(-(x-h)(x+h)).
func erfcLarge(x float64) float64 {
	h := math.Float64frombits(math.Float64bits(x) &^ (1<<27 - 1))
	e := float64(Exp(-float64((x-h)*(x+h))) * horner(erfcSeries[:], (x-2)/(x+2)))
	return float64(Exp(-float64(h*h)) * (e / (x + 2)))
}

// horner evaluates a polynomial whose constant is the last of c.
func horner(c []float64, x float64) float64 {
	y := c[0]
	for _, v := range c[1:] {
		y = float64(y*x) + v
	}
	return y
}
