package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/accel/fmath"
)

// Reductions. Float32 is summed in float64: contiguous elements in 16 lanes, as
// package vec does it, rows in groups of 16 that are summed in float32. Integers
// wrap around; what is no integer (means, roots, logarithms) is truncated.
var reduceKernels = map[string]builder{
	"ReduceSum":       {in: 1, out: 1, make: reduce},
	"ReduceMean":      {in: 1, out: 1, make: reduce},
	"ReduceMax":       {in: 1, out: 1, make: reduce},
	"ReduceMin":       {in: 1, out: 1, make: reduce},
	"ReduceProd":      {in: 1, out: 1, make: reduce},
	"ReduceL1":        {in: 1, out: 1, make: reduce},
	"ReduceL2":        {in: 1, out: 1, make: reduce},
	"ReduceLogSum":    {in: 1, out: 1, make: reduce},
	"ReduceSumSquare": {in: 1, out: 1, make: reduce},
}

func reduce(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: reduceFloat32, accel.Float64: reduceFloat64,
		accel.Int8: reduceInt[int8], accel.Int16: reduceInt[int16], accel.Int32: reduceInt[int32], accel.Int64: reduceInt[int64],
		accel.Uint8: reduceInt[uint8], accel.Uint16: reduceInt[uint16], accel.Uint32: reduceInt[uint32], accel.Uint64: reduceInt[uint64],
		accel.Bool: reduceBool,
	})
}

// reducedDims marks the dimensions that the axes, input 1, name: all if there
// are none, unless noop_with_empty_axes is set.
func reducedDims(c *call) ([]bool, error) {
	axes, err := c.ints(1)
	if err != nil {
		return nil, err
	}
	shape := c.in[0].Shape
	out := make([]bool, len(shape))
	all := len(axes) == 0 && !c.Bool("noop_with_empty_axes", false)
	for d := range out {
		out[d] = all || shape[d] == 1 // one element: reduced or not is the same
	}
	for _, a := range axes {
		d, err := axis(a, len(shape))
		if err != nil {
			return nil, err
		}
		out[d] = true
	}
	return out, nil
}

func reduceFloat32(c *call) (kernel, error) {
	dims, err := reducedDims(c)
	if err != nil {
		return nil, err
	}
	if c.Op == "ReduceMax" || c.Op == "ReduceMin" {
		return reduceBy(c, dims, float32Extreme(c.Op == "ReduceMax"))
	}
	r := floatReducer[float32](c.Op)
	switch c.Op {
	case "ReduceSum", "ReduceMean", "ReduceLogSum":
		r.run, r.rows = vec.Sum, sumRows
	case "ReduceL1":
		r.run = vec.SumAbs
	case "ReduceL2", "ReduceSumSquare":
		r.run = vec.SumSquares
	}
	return reduceBy(c, dims, r)
}

func reduceFloat64(c *call) (kernel, error) {
	dims, err := reducedDims(c)
	if err != nil {
		return nil, err
	}
	return reduceBy(c, dims, floatReducer[float64](c.Op))
}

// floatReducer keeps partial results in float64.
func floatReducer[T float32 | float64](op string) *reducer[T, float64] {
	plus := func(a, b float64) float64 { return a + b }
	sum := func(a float64, v T) float64 { return a + float64(v) }
	square := func(a float64, v T) float64 { return a + float64(float64(v)*float64(v)) }
	same := func(a float64, _ int) T { return T(a) }
	switch op {
	case "ReduceMean":
		return fold(0, sum, plus, func(a float64, n int) T { return T(a / float64(n)) })
	case "ReduceLogSum":
		return fold(0, sum, plus, func(a float64, _ int) T { return T(fmath.Log(a)) })
	case "ReduceL1":
		return fold(0, func(a float64, v T) float64 { return a + math.Abs(float64(v)) }, plus, same)
	case "ReduceL2":
		return fold(0, square, plus, func(a float64, _ int) T { return T(math.Sqrt(a)) })
	case "ReduceSumSquare":
		return fold(0, square, plus, same)
	case "ReduceProd":
		times := func(a, b float64) float64 { return a * b }
		return fold(1, func(a float64, v T) float64 { return a * float64(v) }, times, same)
	case "ReduceMax":
		return fold(math.Inf(-1), func(a float64, v T) float64 { return max(a, float64(v)) }, func(a, b float64) float64 { return max(a, b) }, same)
	case "ReduceMin":
		return fold(math.Inf(1), func(a float64, v T) float64 { return min(a, float64(v)) }, func(a, b float64) float64 { return min(a, b) }, same)
	}
	return fold(0, sum, plus, same)
}

// float32Extreme is the maximum, or the minimum; NaN if an element is.
func float32Extreme(largest bool) *reducer[float32, float32] {
	same := func(a float32, _ int) float32 { return a }
	of, run, unit := vec.Minimum, vec.Min, math.Inf(1)
	pick := func(a, b float32) float32 { return min(a, b) }
	if largest {
		of, run, unit = vec.Maximum, vec.Max, math.Inf(-1)
		pick = func(a, b float32) float32 { return max(a, b) }
	}
	r := fold(float32(unit), pick, pick, same)
	r.run = run
	r.rows = func(acc, x []float32, n, stride int) {
		for i := range n {
			of(acc, acc, x[i*stride:i*stride+len(acc)])
		}
	}
	return r
}

// sumGroup is the number of rows that sumRows adds in float32: the error that
// this adds is at most 16·2⁻²⁴ of the sum of absolute values.
const sumGroup = 16

// sumRows adds rows to acc, which has at most partCols elements.
func sumRows(acc []float64, x []float32, n, stride int) {
	var group [partCols]float32
	g := group[:len(acc)]
	for i := 0; i < n; i += sumGroup {
		copy(g, x[i*stride:])
		for k := i + 1; k < min(i+sumGroup, n); k++ {
			vec.Add(g, g, x[k*stride:k*stride+len(g)])
		}
		for j, v := range g {
			acc[j] += float64(v)
		}
	}
}

func reduceInt[T integer](c *call) (kernel, error) {
	dims, err := reducedDims(c)
	if err != nil {
		return nil, err
	}
	switch c.Op {
	case "ReduceMean", "ReduceL2", "ReduceLogSum":
		return reduceBy(c, dims, wideReducer[T](c.Op))
	}
	return reduceBy(c, dims, intReducer[T](c.Op))
}

// intReducer has what is an integer.
func intReducer[T integer](op string) *reducer[T, T] {
	low, high := intRange[T]()
	plus := func(a, b T) T { return a + b }
	same := func(a T, _ int) T { return a }
	switch op {
	case "ReduceMax":
		f := func(a, b T) T { return max(a, b) }
		return fold(low, f, f, same)
	case "ReduceMin":
		f := func(a, b T) T { return min(a, b) }
		return fold(high, f, f, same)
	case "ReduceProd":
		f := func(a, b T) T { return a * b }
		return fold(1, f, f, same)
	case "ReduceL1":
		return fold(0, func(a, v T) T {
			if v < 0 {
				v = -v
			}
			return a + v
		}, plus, same)
	case "ReduceSumSquare":
		return fold(0, func(a, v T) T { return a + v*v }, plus, same)
	}
	return fold(0, plus, plus, same)
}

// wideReducer has what is computed in float64 and truncated.
func wideReducer[T integer](op string) *reducer[T, float64] {
	r := floatReducer[float64](op)
	square := op == "ReduceL2"
	return fold(0, func(a float64, v T) float64 {
		w := float64(v)
		if square {
			w *= w
		}
		return a + w
	}, r.join, func(a float64, n int) T { return T(truncate64(r.done(a, n))) })
}

// reduceBool has Max, which is "any", and Min, "all".
func reduceBool(c *call) (kernel, error) {
	dims, err := reducedDims(c)
	if err != nil {
		return nil, err
	}
	same := func(a uint8, _ int) uint8 { return a }
	switch c.Op {
	case "ReduceMax":
		return reduceBy(c, dims, fold(0, bitOrOf, bitOrOf, same))
	case "ReduceMin":
		return reduceBy(c, dims, fold(1, bitAndOf, bitAndOf, same))
	}
	return nil, unsupported(c.Op, c.in[0])
}

func bitOrOf(a, b uint8) uint8  { return a | b }
func bitAndOf(a, b uint8) uint8 { return a & b }
