package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/accel/fmath"
)

// Functions of one float input. Without a vectorised form, float32 is computed
// in float64 and rounded.
var floatKernels = map[string]builder{
	"Ceil":       floatFunc(vec.Ceil, math.Ceil),
	"Floor":      floatFunc(vec.Floor, math.Floor),
	"Round":      floatFunc(vec.RoundEven, math.RoundToEven),
	"Reciprocal": floatFunc(vec.Reciprocal, func(x float64) float64 { return 1 / x }),
	"Sqrt":       floatFunc(vec.Sqrt, math.Sqrt),
	"Exp":        floatFunc(vec.Exp, fmath.Exp),
	"Log":        floatFunc(vec.Log, fmath.Log),
	"Erf":        floatFunc(vec.Erf, fmath.Erf),
	"Sin":        floatFunc(vec.Sin, fmath.Sin),
	"Cos":        floatFunc(vec.Cos, fmath.Cos),
	"Tan":        floatFunc(nil, fmath.Tan),
	"Asin":       floatFunc(nil, fmath.Asin),
	"Acos":       floatFunc(nil, fmath.Acos),
	"Atan":       floatFunc(nil, fmath.Atan),
	"Sinh":       floatFunc(nil, fmath.Sinh),
	"Cosh":       floatFunc(nil, fmath.Cosh),
	"Tanh":       floatFunc(vec.Tanh, fmath.Tanh),
	"Asinh":      floatFunc(nil, fmath.Asinh),
	"Acosh":      floatFunc(nil, fmath.Acosh),
	"Atanh":      floatFunc(nil, fmath.Atanh),
	"Sigmoid":    floatFunc(vec.Sigmoid, fmath.Sigmoid),
	"Softplus":   floatFunc(vec.Softplus, fmath.Softplus),
	"Softsign":   floatFunc(vec.Softsign, func(x float64) float64 { return x / (1 + math.Abs(x)) }),
	"Mish":       floatFunc(vec.Mish, mish),
	"HardSwish":  floatFunc(vec.HardSwish, func(x float64) float64 { return x * max(0, min(1, x/6+0.5)) }),
}

// Functions of one numeric input.
var signKernels = map[string]builder{
	"Abs":  {in: 1, out: 1, make: numberFunc},
	"Neg":  {in: 1, out: 1, make: numberFunc},
	"Relu": {in: 1, out: 1, make: numberFunc},
	"Sign": {in: 1, out: 1, make: numberFunc},
}

// grainSlow is grain for functions that take some ten nanoseconds an element.
const grainSlow = grain / 8

// floatFunc builds y = f(x).
func floatFunc(f32 func(y, x []float32), f64 func(float64) float64) builder {
	return builder{in: 1, out: 1, make: func(c *call) (kernel, error) { return floatMap(c, f32, f64) }}
}

func floatMap(c *call, f32 func(y, x []float32), f64 func(float64) float64) (kernel, error) {
	switch {
	case c.in[0].DType == accel.Float64:
		return elementwise(c, grainSlow, each[float64](f64))
	case c.in[0].DType != accel.Float32:
		return nil, unsupported(c.Op, c.in[0])
	case f32 == nil:
		return elementwise(c, grainSlow, each[float32](f64))
	}
	return elementwise(c, grain, f32)
}

// each applies f to every element.
func each[T float32 | float64](f func(float64) float64) func(y, x []T) {
	return func(y, x []T) {
		for i, v := range x {
			y[i] = T(f(float64(v)))
		}
	}
}

// elementwise makes the kernel of a function of input 0 that gives an output of
// its shape.
func elementwise[S, R accel.Number | ~bool](c *call, grain int, of func(y []R, x []S)) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	newJob := addJob[mapJob[S, R]](c)
	return func(f *frame) error {
		j := newJob(f)
		j.of, j.grain = of, grain
		j.x, j.y = data[S](f, x), data[R](f, y)
		f.pool.For((y.n+grain-1)/grain, j)
		return nil
	}, nil
}

type mapJob[S, R accel.Number | ~bool] struct {
	of    func(y []R, x []S)
	grain int
	x     []S
	y     []R
}

// Do does one tile.
func (j *mapJob[S, R]) Do(tile, _ int) {
	from := tile * j.grain
	to := min(from+j.grain, len(j.y))
	j.of(j.y[from:to], j.x[from:to])
}

func numberFunc(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: float32Func, accel.Float64: numberFuncOf[float64],
		accel.Int8: numberFuncOf[int8], accel.Int16: numberFuncOf[int16], accel.Int32: numberFuncOf[int32], accel.Int64: numberFuncOf[int64],
		accel.Uint8: numberFuncOf[uint8], accel.Uint16: numberFuncOf[uint16], accel.Uint32: numberFuncOf[uint32], accel.Uint64: numberFuncOf[uint64],
	})
}

func float32Func(c *call) (kernel, error) {
	switch c.Op {
	case "Abs":
		return elementwise(c, grain, vec.Abs)
	case "Neg":
		return elementwise(c, grain, vec.Neg)
	case "Relu":
		return elementwise(c, grain, vec.Relu)
	}
	return numberFuncOf[float32](c)
}

func numberFuncOf[T accel.Number](c *call) (kernel, error) {
	f := map[string]func(y, x []T){"Abs": absolute[T], "Neg": negative[T], "Relu": relu[T], "Sign": sign[T]}[c.Op]
	return elementwise(c, grain, f)
}

// absolute makes +0 of -0.
func absolute[T accel.Number](y, x []T) {
	for i, v := range x {
		if v < 0 {
			v = -v
		} else if v == 0 {
			v = 0
		}
		y[i] = v
	}
}

func negative[T accel.Number](y, x []T) {
	for i, v := range x {
		y[i] = -v
	}
}

func relu[T accel.Number](y, x []T) {
	for i, v := range x {
		if v < 0 {
			v = 0
		}
		y[i] = v
	}
}

// sign is -1, 0 or 1; of zeros and NaN it is they themselves.
func sign[T accel.Number](y, x []T) {
	one := T(1)
	for i, v := range x {
		switch {
		case v > 0:
			v = one
		case v < 0:
			v = -one
		}
		y[i] = v
	}
}

func mish(x float64) float64 { return x * fmath.Tanh(fmath.Softplus(x)) }
