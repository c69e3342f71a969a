package vec

import (
	"math"

	"github.com/millrace-go/millrace/accel/fmath"
)

// The portable functions compute in float64, by package fmath, and round once.

// each sets dst to f of the elements of x.
func each(dst, x []float32, f func(float64) float64) {
	for i, v := range x {
		dst[i] = float32(f(float64(v)))
	}
}

func reluGo(dst, x []float32) {
	for i, v := range x {
		if v < 0 {
			v = 0
		}
		dst[i] = v
	}
}

func geluGo(dst, x []float32) {
	each(dst, x, func(v float64) float64 {
		if v < -15 && !math.IsInf(v, -1) {
			return 0 // not -0, as the vectors have it
		}
		return float64(v * normalCDF(v))
	})
}

// normalCDF is Φ(x) = ½ erfc(-x/√2).
func normalCDF(x float64) float64 { return 0.5 * fmath.Erfc(-x/math.Sqrt2) }

// The numbers of 2u = 2√(2/π)·(x + 0.044715·x³), the argument of GeluTanh.
const (
	geluLinear = 2 * 0.7978845608028653558798921198687637
	geluCubic  = geluLinear * 0.044715
)

// geluArg is 2u.
func geluArg(x float64) float64 { return float64(x * (geluLinear + float64(geluCubic*float64(x*x)))) }

func geluTanhGo(dst, x []float32) {
	each(dst, x, func(v float64) float64 { return float64(v * fmath.Sigmoid(geluArg(v))) })
}

func sigmoidGo(dst, x []float32)  { each(dst, x, fmath.Sigmoid) }
func tanhGo(dst, x []float32)     { each(dst, x, fmath.Tanh) }
func expGo(dst, x []float32)      { each(dst, x, fmath.Exp) }
func expm1Go(dst, x []float32)    { each(dst, x, fmath.Expm1) }
func logGo(dst, x []float32)      { each(dst, x, fmath.Log) }
func log1pGo(dst, x []float32)    { each(dst, x, fmath.Log1p) }
func softplusGo(dst, x []float32) { each(dst, x, fmath.Softplus) }
func erfGo(dst, x []float32)      { each(dst, x, fmath.Erf) }
func sinGo(dst, x []float32)      { each(dst, x, fmath.Sin) }
func cosGo(dst, x []float32)      { each(dst, x, fmath.Cos) }
func floorGo(dst, x []float32)    { each(dst, x, math.Floor) }
func ceilGo(dst, x []float32)     { each(dst, x, math.Ceil) }
func roundEvenGo(dst, x []float32) {
	each(dst, x, math.RoundToEven)
}

func siluGo(dst, x []float32) {
	each(dst, x, func(v float64) float64 { return float64(v * fmath.Sigmoid(v)) })
}

func mishGo(dst, x []float32) {
	each(dst, x, func(v float64) float64 { return float64(v * fmath.Tanh(fmath.Softplus(v))) })
}

// sqrtGo: the float64 root of a float32, rounded to float32, is the correctly
// rounded one.
func sqrtGo(dst, x []float32) { each(dst, x, math.Sqrt) }

func reciprocalGo(dst, x []float32) {
	for i, v := range x {
		dst[i] = 1 / v
	}
}

func negGo(dst, x []float32) {
	for i, v := range x {
		dst[i] = -v
	}
}

func absGo(dst, x []float32) { each(dst, x, math.Abs) }

func squareGo(dst, x []float32) {
	for i, v := range x {
		dst[i] = v * v
	}
}

func softsignGo(dst, x []float32) {
	for i, v := range x {
		dst[i] = v / (1 + float32(math.Abs(float64(v))))
	}
}

func clipGo(dst, x []float32, lo, hi float32) {
	for i, v := range x {
		dst[i] = clamp(v, lo, hi)
	}
}

// clamp is min(max(v, lo), hi), NaN if v is.
func clamp(v, lo, hi float32) float32 {
	if lo > v {
		v = lo
	}
	if hi < v {
		v = hi
	}
	return v
}

func leakyReluGo(dst, x []float32, alpha float32) {
	for i, v := range x {
		if !(v >= 0) {
			v *= alpha
		}
		dst[i] = v
	}
}

func hardSigmoidGo(dst, x []float32, alpha, beta float32) {
	for i, v := range x {
		dst[i] = clamp(float32(float64(alpha)*float64(v)+float64(beta)), 0, 1)
	}
}

func hardSwishGo(dst, x []float32) {
	each(dst, x, func(v float64) float64 { return float64(v * max(0, min(1, v/6+0.5))) })
}

// eluGo is pos·x above 0 and neg·(exp(s·x)-1) below.
func eluGo(dst, x []float32, pos, neg, s float32) {
	for i, v := range x {
		if v > 0 {
			dst[i] = pos * v
		} else {
			dst[i] = float32(float64(neg) * fmath.Expm1(float64(s*v)))
		}
	}
}
