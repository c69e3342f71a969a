package vec

import "math"

// function is an elementwise function as the tests see it.
type function struct {
	name   string
	inputs int
	call   func(dst []float32, in [][]float32)
	want   func(v []float64) float64
	ulps   float64 // error allowed, in ulp of want
	// floor is the error allowed besides, in units of the largest of 2⁻¹²⁶ and
	// the inputs: where a gradient crosses zero, or a result is nearly subnormal.
	floor float64
	bound func(x float64) float64 // ulps that depend on the input, if not nil
}

func unaryFn(name string, f func(dst, x []float32), want func(float64) float64, ulps, floor float64) function {
	return function{name, 1, func(d []float32, in [][]float32) { f(d, in[0]) },
		func(v []float64) float64 { return want(v[0]) }, ulps, floor, nil}
}

func bounded(f function, bound func(x float64) float64) function {
	f.bound = bound
	return f
}

func gradFn(name string, f func(dx, dy, v []float32), slope func(float64) float64, floor float64) function {
	return function{name, 2, func(d []float32, in [][]float32) { f(d, in[0], in[1]) },
		func(v []float64) float64 { return v[0] * slope(v[1]) }, 8, floor, nil}
}

func binaryFn(name string, f func(dst, a, b []float32), want func(a, b float64) float64) function {
	return function{name, 2, func(d []float32, in [][]float32) { f(d, in[0], in[1]) },
		func(v []float64) float64 { return want(v[0], v[1]) }, 0.5, 0, nil}
}

func scalarFn(name string, f func(dst, a []float32), want func(float64) float64) function {
	return unaryFn(name, f, want, 0.5, 0)
}

// The references, by package math.

func sigmoidRef(x float64) float64   { return 1 / (1 + math.Exp(-x)) }
func softplusRef(x float64) float64  { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
func geluRef(x float64) float64      { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }
func geluTanhArg(x float64) float64  { return math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x) }
func geluTanhRef(x float64) float64  { return x / (1 + math.Exp(-2*geluTanhArg(x))) }
func mishRef(x float64) float64      { return x * math.Tanh(softplusRef(x)) }
func hardSwishRef(x float64) float64 { return x * math.Max(0, math.Min(1, x/6+0.5)) }
func eluRef(alpha, x float64) float64 {
	if x > 0 {
		return x
	}
	return alpha * math.Expm1(x)
}
func leakyRef(x float64) float64 {
	if x < 0 {
		return 0.25 * x
	}
	return x
}
func within(lo, hi, x float64) float64 { return math.Min(math.Max(x, lo), hi) }

var smooth = []function{
	unaryFn("Exp", Exp, math.Exp, 1, 0),
	unaryFn("Expm1", Expm1, math.Expm1, 2, 0),
	unaryFn("Log", Log, math.Log, 2, 0),
	unaryFn("Log1p", Log1p, math.Log1p, 2, 0),
	unaryFn("Erf", Erf, math.Erf, 2, 0),
	unaryFn("Tanh", Tanh, math.Tanh, 2, 0),
	unaryFn("Sigmoid", Sigmoid, sigmoidRef, 3, 0),
	unaryFn("Softplus", Softplus, softplusRef, 3, 0),
	unaryFn("Silu", Silu, func(x float64) float64 { return x * sigmoidRef(x) }, 4, 0x1p-149),
	unaryFn("Mish", Mish, mishRef, 6, 0x1p-147),
	bounded(unaryFn("Gelu", Gelu, geluRef, 0, 0x1p-145), func(x float64) float64 {
		switch {
		case x < -5.25:
			return 14 + 0.2*(-5.25-x)*0x1p24
		case x < -3:
			return 14
		case x < 0:
			return 6
		}
		return 3
	}),
	bounded(unaryFn("GeluTanh", GeluTanh, geluTanhRef, 0, 0x1p-149), func(x float64) float64 {
		if x < 0 {
			return 4 + 8*geluTanhArg(-x)
		}
		return 4
	}),
	unaryFn("Sin", Sin, math.Sin, 1, 0),
	unaryFn("Cos", Cos, math.Cos, 1, 0),
}

var exact = []function{
	scalarFn("Relu", Relu, func(x float64) float64 { return math.Max(x, 0) }),
	scalarFn("Sqrt", Sqrt, math.Sqrt),
	scalarFn("Reciprocal", Reciprocal, func(x float64) float64 { return 1 / x }),
	scalarFn("Neg", Neg, func(x float64) float64 { return -x }),
	scalarFn("Abs", Abs, math.Abs),
	scalarFn("Square", Square, func(x float64) float64 { return x * x }),
	scalarFn("Floor", Floor, math.Floor),
	scalarFn("Ceil", Ceil, math.Ceil),
	scalarFn("RoundEven", RoundEven, math.RoundToEven),
	scalarFn("Clip", func(d, x []float32) { Clip(d, x, -1.5, 2) }, func(x float64) float64 { return within(-1.5, 2, x) }),
	scalarFn("LeakyRelu", func(d, x []float32) { LeakyRelu(d, x, 0.25) }, leakyRef),
	scalarFn("AddScalar", func(d, x []float32) { AddScalar(d, x, 1.5) }, func(x float64) float64 { return x + 1.5 }),
	scalarFn("SubScalar", func(d, x []float32) { SubScalar(d, x, 1.5) }, func(x float64) float64 { return x - 1.5 }),
	scalarFn("ScalarSub", func(d, x []float32) { ScalarSub(d, 1.5, x) }, func(x float64) float64 { return 1.5 - x }),
	scalarFn("MulScalar", func(d, x []float32) { MulScalar(d, x, 1.7) }, func(x float64) float64 { return x * float64(float32(1.7)) }),
	scalarFn("DivScalar", func(d, x []float32) { DivScalar(d, x, 1.7) }, func(x float64) float64 { return x / float64(float32(1.7)) }),
	scalarFn("ScalarDiv", func(d, x []float32) { ScalarDiv(d, 1.5, x) }, func(x float64) float64 { return 1.5 / x }),
	scalarFn("MinScalar", func(d, x []float32) { MinScalar(d, x, -0.5) }, func(x float64) float64 { return math.Min(x, -0.5) }),
	scalarFn("MaxScalar", func(d, x []float32) { MaxScalar(d, x, -0.5) }, func(x float64) float64 { return math.Max(x, -0.5) }),
	binaryFn("Add", Add, func(a, b float64) float64 { return a + b }),
	binaryFn("Sub", Sub, func(a, b float64) float64 { return a - b }),
	binaryFn("Mul", Mul, func(a, b float64) float64 { return a * b }),
	binaryFn("Div", Div, func(a, b float64) float64 { return a / b }),
	binaryFn("Minimum", Minimum, refMin),
	binaryFn("Maximum", Maximum, refMax),
	binaryFn("ReluGrad", ReluGrad, func(dy, y float64) float64 {
		if y <= 0 {
			return 0
		}
		return dy
	}),
	binaryFn("LeakyReluGrad", func(d, dy, x []float32) { LeakyReluGrad(d, dy, x, 0.25) }, func(dy, x float64) float64 {
		if x >= 0 {
			return dy
		}
		return 0.25 * dy
	}),
}

// refMin and refMax are math's but for NaN, which here wins over infinities.
func refMin(a, b float64) float64 {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.NaN()
	}
	return math.Min(a, b)
}
func refMax(a, b float64) float64 { return -refMin(-a, -b) }

// composed are sums and products of a few rounded operations.
var composed = []function{
	unaryFn("Softsign", Softsign, func(x float64) float64 { return x / (1 + math.Abs(x)) }, 1.5, 0),
	unaryFn("HardSwish", HardSwish, hardSwishRef, 2, 0x1p-24),
	unaryFn("HardSigmoid", func(d, x []float32) { HardSigmoid(d, x, 0.25, 0.5) }, func(x float64) float64 { return within(0, 1, 0.25*x+0.5) }, 0.5, 0),
	unaryFn("Elu", func(d, x []float32) { Elu(d, x, 1.5) }, func(x float64) float64 { return eluRef(1.5, x) }, 3, 0),
	unaryFn("Selu", func(d, x []float32) { Selu(d, x, 1.5, 1.25) }, func(x float64) float64 { return 1.25 * eluRef(1.5, x) }, 4, 0),
	unaryFn("Celu", func(d, x []float32) { Celu(d, x, 2) }, func(x float64) float64 {
		if x > 0 {
			return x
		}
		return 2 * math.Expm1(x/2)
	}, 3, 0),
	{"MulAdd", 3, func(d []float32, in [][]float32) { MulAdd(d, in[0], in[1], in[2]) },
		func(v []float64) float64 { return math.FMA(v[0], v[1], v[2]) }, 0.5, 0, nil},
	{"Axpy", 2, func(d []float32, in [][]float32) { copy(d, in[1]); Axpy(d, 1.75, in[0]) },
		func(v []float64) float64 { return math.FMA(1.75, v[0], v[1]) }, 0.5, 0, nil},
	{"Axpby", 2, func(d []float32, in [][]float32) { copy(d, in[1]); Axpby(d, 1.75, in[0], -0.5) },
		func(v []float64) float64 { return math.FMA(1.75, v[0], -0.5*v[1]) }, 0.5, 0x1p-24, nil},
}

// grads have slopes of at most about 1.1, and errors of a few roundings of 1.
var grads = []function{
	gradFn("SigmoidGrad", SigmoidGrad, func(y float64) float64 { return y * (1 - y) }, 0x1p-21),
	gradFn("TanhGrad", TanhGrad, func(y float64) float64 { return 1 - y*y }, 0x1p-21),
	gradFn("GeluGrad", GeluGrad, slopeOf(geluRef), 1e-6),
	gradFn("GeluTanhGrad", GeluTanhGrad, slopeOf(geluTanhRef), 1e-6),
	gradFn("SiluGrad", SiluGrad, slopeOf(func(x float64) float64 { return x * sigmoidRef(x) }), 1e-6),
	gradFn("SoftplusGrad", SoftplusGrad, slopeOf(softplusRef), 1e-6),
	gradFn("MishGrad", MishGrad, slopeOf(mishRef), 1e-6),
	gradFn("ErfGrad", ErfGrad, slopeOf(math.Erf), 1e-6),
	gradFn("EluGrad", func(d, dy, x []float32) { EluGrad(d, dy, x, 1) }, slopeOf(func(x float64) float64 { return eluRef(1, x) }), 1e-6),
	gradFn("HardSwishGrad", HardSwishGrad, slopeOf(hardSwishRef), 1e-6),
	gradFn("HardSigmoidGrad", func(d, dy, x []float32) { HardSigmoidGrad(d, dy, x, 0.25, 0.5) },
		slopeOf(func(x float64) float64 { return within(0, 1, 0.25*x+0.5) }), 1e-6),
}

// slopeOf is the derivative by a difference quotient, whose error is about
// (1e-5)² and 1e-16/1e-5 times numbers near one.
func slopeOf(f func(float64) float64) func(float64) float64 {
	const h = 1e-5
	return func(x float64) float64 { return (f(x+h) - f(x-h)) / (2 * h) }
}

func elementwise() []function {
	var all []function
	for _, list := range [][]function{smooth, exact, composed, grads} {
		all = append(all, list...)
	}
	return all
}
