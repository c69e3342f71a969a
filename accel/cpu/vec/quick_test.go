package vec

import (
	"math"
	"testing"
)

func TestQuick(t *testing.T) {
	fs := map[string]struct {
		f func(dst, x []float32)
		r func(float64) float64
	}{
		"exp": {Exp, math.Exp}, "tanh": {Tanh, math.Tanh}, "erf": {Erf, math.Erf}, "log": {Log, math.Log}, "log1p": {Log1p, math.Log1p}, "expm1": {Expm1, math.Expm1},
		"sigmoid":  {Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
		"gelu":     {Gelu, func(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }},
		"silu":     {Silu, func(x float64) float64 { return x / (1 + math.Exp(-x)) }},
		"softplus": {Softplus, func(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }},
		"mish":     {Mish, func(x float64) float64 { return x * math.Tanh(math.Max(x, 0)+math.Log1p(math.Exp(-math.Abs(x)))) }},
		"geluTanh": {GeluTanh, func(x float64) float64 { return x / (1 + math.Exp(-2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) }},
	}
	for name, f := range fs {
		const n = 1 << 16
		x, y := make([]float32, n), make([]float32, n)
		worst, at := 0.0, float32(0)
		worstN := 0.0
		for b := uint64(0); b < 1<<32; b += n * 97 {
			for i := range x {
				x[i] = math.Float32frombits(uint32(b + uint64(i)*97))
			}
			f.f(y, x)
			for i, v := range x {
				w := f.r(float64(v))
				if w != w || math.IsInf(float64(v), 0) {
					continue
				}
				e := ulpTmp(y[i], w)
				if math.Abs(w) > 0x1p-120 && e > worstN {
					worstN = e
				}
				if !(e <= worst) {
					worst, at = e, v
				}
			}
		}
		t.Logf("%s: %.3f at %g, normal %.3f", name, worst, at, worstN)
	}
}

func ulpTmp(got float32, want float64) float64 {
	w := float32(want)
	if math.IsInf(float64(w), 0) {
		if got == w {
			return 0
		}
		if math.Abs(want) < 3.5e38 && !math.IsInf(float64(got), 0) {
			return math.Abs(float64(got)-want) / 0x1p104
		}
		return math.Inf(1)
	}
	e := math.Ilogb(want)
	if e < -126 {
		e = -126
	}
	return math.Abs(float64(got)-want) / math.Ldexp(1, e-23)
}
