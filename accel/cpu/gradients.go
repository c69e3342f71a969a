package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/accel/fmath"
)

// Gradients of functions of one input: dx = dy·slope(v), where v, the second
// input, is x or y.
var slopeKernels = map[string]builder{
	"ReluGrad":     slopeFunc(vec.ReluGrad, func(y float64) float64 { return step(y <= 0, 0, 1) }),
	"SigmoidGrad":  slopeFunc(vec.SigmoidGrad, func(y float64) float64 { return y * (1 - y) }),
	"TanhGrad":     slopeFunc(vec.TanhGrad, func(y float64) float64 { return 1 - float64(y*y) }),
	"ErfGrad":      slopeFunc(vec.ErfGrad, func(x float64) float64 { return 2 / math.SqrtPi * fmath.Exp(-float64(x*x)) }),
	"SoftplusGrad": slopeFunc(vec.SoftplusGrad, fmath.Sigmoid),
	"MishGrad":     slopeFunc(vec.MishGrad, mishSlope),
	"SiluGrad":     slopeFunc(vec.SiluGrad, siluSlope),
	"HardSwishGrad": slopeFunc(vec.HardSwishGrad, func(x float64) float64 {
		return step(x <= -3, 0, step(x >= 3, 1, x/3+0.5))
	}),
	"GeluGrad":        {in: 2, out: 1, make: geluGrad},
	"EluGrad":         {in: 2, out: 1, make: eluGrad},
	"LeakyReluGrad":   {in: 2, out: 1, make: leakyReluGrad},
	"HardSigmoidGrad": {in: 2, out: 1, make: hardSigmoidGrad},
}

func slopeFunc(f32 func(dx, dy, v []float32), slope func(float64) float64) builder {
	return builder{in: 2, out: 1, make: func(c *call) (kernel, error) { return slopeMap(c, f32, slope) }}
}

func slopeMap(c *call, f32 func(dx, dy, v []float32), slope func(float64) float64) (kernel, error) {
	if err := sameLen(c.in[0], c.in[1], c.out[0]); err != nil {
		return nil, err
	}
	switch c.in[0].DType {
	case accel.Float32:
		return broadcast(c, pairs[float32, float32]{both: f32})
	case accel.Float64:
		return broadcast(c, pairs[float64, float64]{both: func(dx, dy, v []float64) {
			for i, w := range v {
				dx[i] = dy[i] * slope(w)
			}
		}})
	}
	return nil, unsupported(c.Op, c.in[0])
}

// step is a if the condition holds, else b.
func step(cond bool, a, b float64) float64 {
	if cond {
		return a
	}
	return b
}

func mishSlope(x float64) float64 {
	t := fmath.Tanh(fmath.Softplus(x))
	return t + float64(float64(x*fmath.Sigmoid(x))*(1-float64(t*t)))
}

func siluSlope(x float64) float64 {
	return fmath.Sigmoid(x) * (1 + float64(x*fmath.Sigmoid(-x)))
}

func geluGrad(c *call) (kernel, error) {
	if c.Str("approximate", "none") == "tanh" {
		return slopeMap(c, vec.GeluTanhGrad, geluTanhSlope)
	}
	return slopeMap(c, vec.GeluGrad, geluSlope)
}

// geluSlope is Φ(x) + x·φ(x).
func geluSlope(x float64) float64 {
	const density = 0.39894228040143267793994605993438187 // 1/√(2π)
	return normalCDF(x) + float64(float64(x*density)*fmath.Exp(-0.5*float64(x*x)))
}

// geluTanhSlope is s + x·s·(1-s)·2u′ with s = Sigmoid(2u).
func geluTanhSlope(x float64) float64 {
	xx := float64(x * x)
	u := x * (geluLinear + float64(geluCubic*xx))
	s := fmath.Sigmoid(u)
	return s + float64(float64(x*(geluLinear+float64(3*geluCubic*xx)))*float64(s*fmath.Sigmoid(-u)))
}

func eluGrad(c *call) (kernel, error) {
	alpha := c.Float("alpha", 1)
	f32 := func(dx, dy, x []float32) { vec.EluGrad(dx, dy, x, float32(alpha)) }
	return slopeMap(c, f32, func(x float64) float64 {
		if x > 0 {
			return 1
		}
		return alpha * fmath.Exp(x)
	})
}

func leakyReluGrad(c *call) (kernel, error) {
	alpha := c.Float("alpha", 0.01)
	f32 := func(dx, dy, x []float32) { vec.LeakyReluGrad(dx, dy, x, float32(alpha)) }
	return slopeMap(c, f32, func(x float64) float64 { return step(x >= 0, 1, alpha) })
}

func hardSigmoidGrad(c *call) (kernel, error) {
	alpha, beta := c.Float("alpha", 0.2), c.Float("beta", 0.5)
	f32 := func(dx, dy, x []float32) { vec.HardSigmoidGrad(dx, dy, x, float32(alpha), float32(beta)) }
	return slopeMap(c, f32, func(x float64) float64 {
		s := float64(alpha*x) + beta
		return step(s > 0 && s < 1, alpha, 0)
	})
}
