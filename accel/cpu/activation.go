package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/accel/fmath"
)

// Activation functions with attributes; see model/graph for their defaults.
var activationKernels = map[string]builder{
	"Gelu":            {in: 1, out: 1, make: gelu},
	"Swish":           {in: 1, out: 1, make: swish},
	"LeakyRelu":       {in: 1, out: 1, make: leakyRelu},
	"Elu":             {in: 1, out: 1, make: elu},
	"Selu":            {in: 1, out: 1, make: selu},
	"Celu":            {in: 1, out: 1, make: celu},
	"ThresholdedRelu": {in: 1, out: 1, make: thresholdedRelu},
	"HardSigmoid":     {in: 1, out: 1, make: hardSigmoid},
	"Shrink":          {in: 1, out: 1, make: shrink},
}

// The numbers of 2u = 2√(2/π)·(x + 0.044715·x³), of the tanh form of GELU.
const (
	geluLinear = 2 * 0.7978845608028653558798921198687637
	geluCubic  = geluLinear * 0.044715
)

func gelu(c *call) (kernel, error) {
	if c.Str("approximate", "none") == "tanh" {
		return floatMap(c, vec.GeluTanh, func(x float64) float64 {
			return x * fmath.Sigmoid(x*(geluLinear+float64(geluCubic*float64(x*x))))
		})
	}
	return floatMap(c, vec.Gelu, func(x float64) float64 { return x * normalCDF(x) })
}

// normalCDF is Φ(x) = ½ erfc(-x/√2).
func normalCDF(x float64) float64 { return 0.5 * fmath.Erfc(-x/math.Sqrt2) }

func swish(c *call) (kernel, error) {
	alpha := float64(float32(c.Float("alpha", 1)))
	if alpha == 1 {
		return floatMap(c, vec.Silu, func(x float64) float64 { return x * fmath.Sigmoid(x) })
	}
	f32 := func(y, x []float32) { scaledSilu(y, x, float32(alpha)) }
	return floatMap(c, f32, func(x float64) float64 { return x * fmath.Sigmoid(alpha*x) })
}

// scaledSilu is x·Sigmoid(alpha·x), in blocks, since y may be x.
func scaledSilu(y, x []float32, alpha float32) {
	var block [blockLen]float32
	for i := 0; i < len(x); i += blockLen {
		k := min(i+blockLen, len(x))
		s := block[:k-i]
		vec.MulScalar(s, x[i:k], alpha)
		vec.Sigmoid(s, s)
		vec.Mul(y[i:k], x[i:k], s)
	}
}

func leakyRelu(c *call) (kernel, error) {
	alpha := c.Float("alpha", 0.01)
	f32 := func(y, x []float32) { vec.LeakyRelu(y, x, float32(alpha)) }
	return floatMap(c, f32, func(x float64) float64 {
		if x < 0 {
			return alpha * x
		}
		return x
	})
}

func elu(c *call) (kernel, error) {
	alpha := c.Float("alpha", 1)
	f32 := func(y, x []float32) { vec.Elu(y, x, float32(alpha)) }
	return floatMap(c, f32, func(x float64) float64 {
		if x > 0 {
			return x
		}
		return alpha * fmath.Expm1(x)
	})
}

// The defaults of Selu, which are float32 in ONNX.
const (
	seluAlpha = 1.67326319217681884765625
	seluGamma = 1.05070102214813232421875
)

func selu(c *call) (kernel, error) {
	alpha, gamma := c.Float("alpha", seluAlpha), c.Float("gamma", seluGamma)
	f32 := func(y, x []float32) { vec.Selu(y, x, float32(alpha), float32(gamma)) }
	return floatMap(c, f32, func(x float64) float64 {
		if x > 0 {
			return gamma * x
		}
		return gamma * alpha * fmath.Expm1(x)
	})
}

func celu(c *call) (kernel, error) {
	alpha := c.Float("alpha", 1)
	f32 := func(y, x []float32) { vec.Celu(y, x, float32(alpha)) }
	return floatMap(c, f32, func(x float64) float64 {
		if x > 0 {
			return x
		}
		return alpha * fmath.Expm1(x/alpha)
	})
}

func thresholdedRelu(c *call) (kernel, error) {
	alpha := c.Float("alpha", 1)
	return floatMap(c, nil, func(x float64) float64 {
		if x <= alpha {
			return 0
		}
		return x
	})
}

func hardSigmoid(c *call) (kernel, error) {
	alpha, beta := c.Float("alpha", 0.2), c.Float("beta", 0.5)
	f32 := func(y, x []float32) { vec.HardSigmoid(y, x, float32(alpha), float32(beta)) }
	return floatMap(c, f32, func(x float64) float64 { return max(0, min(1, float64(alpha*x)+beta)) })
}

func shrink(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: shrinkOf[float32], accel.Float64: shrinkOf[float64],
		accel.Int8: shrinkOf[int8], accel.Int16: shrinkOf[int16], accel.Int32: shrinkOf[int32], accel.Int64: shrinkOf[int64],
		accel.Uint8: shrinkOf[uint8], accel.Uint16: shrinkOf[uint16], accel.Uint32: shrinkOf[uint32], accel.Uint64: shrinkOf[uint64],
	})
}

// shrinkOf is x+bias below -lambd, x-bias above lambd, and 0 between.
func shrinkOf[T accel.Number](c *call) (kernel, error) {
	lambd, bias := c.Float("lambd", 0.5), c.Float("bias", 0)
	return elementwise(c, grain, func(y, x []T) {
		for i, v := range x {
			switch w := float64(v); {
			case w < -lambd:
				y[i] = T(w + bias)
			case w > lambd:
				y[i] = T(w - bias)
			default:
				y[i] = 0
			}
		}
	})
}
