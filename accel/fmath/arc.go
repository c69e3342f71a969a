package fmath

import "math"

// arcs holds atan(k/16) for k = 0, …, 16, each as a float64 and the rest.
var arcs = [...][2]float64{
	{0, 0},
	{0x1.ff55bb72cfdeap-5, -0x1.c934d86d23f1dp-60},
	{0x1.fd5ba9aac2f6ep-4, -0x1.cd37686760c17p-59},
	{0x1.7b97b4bce5b02p-3, 0x1.347b0b4f881cap-58},
	{0x1.f5b75f92c80ddp-3, 0x1.8ab6e3cf7afbdp-57},
	{0x1.362773707ebccp-2, -0x1.963a544b672d8p-57},
	{0x1.6f61941e4def1p-2, -0x1.c63aae6f6e918p-56},
	{0x1.a64eec3cc23fdp-2, -0x1.24dec1b50b7ffp-56},
	{0x1.dac670561bb4fp-2, 0x1.a2b7f222f65e2p-56},
	{0x1.0657e94db30d0p-1, -0x1.d5b495f6349e6p-56},
	{0x1.1e00babdefeb4p-1, -0x1.928df287a668fp-58},
	{0x1.345f01cce37bbp-1, 0x1.1021137c71102p-55},
	{0x1.4978fa3269ee1p-1, 0x1.2419a87f2a458p-56},
	{0x1.5d58987169b18p-1, 0x1.0028e4bc5e7cap-57},
	{0x1.700a7c5784634p-1, -0x1.8c34d25aadef6p-56},
	{0x1.819d0b7158a4dp-1, -0x1.bf76229d3b917p-56},
	{0x1.921fb54442d18p-1, 0x1.1a62633145c07p-55},
}

// arcSeries are the coefficients 1/13, -1/11, … -1/3 of the arctangent's
// series, whose first term left out is below 2⁻⁷³ for |t| <= 1/32.
var arcSeries = [...]float64{1.0 / 13, -1.0 / 11, 1.0 / 9, -1.0 / 7, 1.0 / 5, -1.0 / 3}

// halfPiLo is what math.Pi/2 as a float64 lacks.
const halfPiLo = 0x1.1a62633145c07p-54

// Atan returns the arctangent, within 2 ulp.
func Atan(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x != x || x == 0:
		return x
	case a > 1:
		hi, lo := arc(1 / a)
		return math.Copysign((math.Pi/2-hi)+(halfPiLo-lo), x)
	}
	hi, lo := arc(a)
	return math.Copysign(hi+lo, x)
}

// arc is the arctangent of 0 <= x <= 1 as a sum: with c = k/16 next to x,
// atan(c) + atan(t), t = (x-c)/(1+x·c).
func arc(x float64) (hi, lo float64) {
	k := int(x*16 + 0.5)
	c := float64(k) / 16
	t := (x - c) / (1 + float64(x*c))
	z := float64(t * t)
	small := t + float64(t*float64(z*horner(arcSeries[:], z)))
	if k == 0 {
		return small, 0
	}
	return arcs[k][0], small + arcs[k][1]
}

// Asin returns the arcsine, within 4 ulp; of |x| > 1, NaN.
func Asin(x float64) float64 {
	if x == 0 {
		return x
	}
	return Atan(x / math.Sqrt(float64((1-x)*(1+x))))
}

// Acos returns the arccosine, within 4 ulp; of |x| > 1, NaN.
func Acos(x float64) float64 { return 2 * Atan(math.Sqrt((1-x)/(1+x))) }

// Tan returns the tangent, within 5 ulp; of an infinity, NaN.
func Tan(x float64) float64 { return Sin(x) / Cos(x) }
