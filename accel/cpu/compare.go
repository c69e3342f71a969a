package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

// Comparisons give bool. NaN equals nothing and is neither less nor greater.
var compareKernels = map[string]builder{
	"Equal":          {in: 2, out: 1, make: compare},
	"Greater":        {in: 2, out: 1, make: compare},
	"GreaterOrEqual": {in: 2, out: 1, make: compare},
	"Less":           {in: 2, out: 1, make: compare},
	"LessOrEqual":    {in: 2, out: 1, make: compare},
	"IsNaN":          {in: 1, out: 1, make: isNaN},
	"IsInf":          {in: 1, out: 1, make: isInf},
}

func compare(c *call) (kernel, error) {
	if err := want(c.Op, c.out[:1], accel.Bool); err != nil {
		return nil, err
	}
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: compareOf[float32], accel.Float64: compareOf[float64],
		accel.Int8: compareOf[int8], accel.Int16: compareOf[int16], accel.Int32: compareOf[int32], accel.Int64: compareOf[int64],
		accel.Uint8: compareOf[uint8], accel.Uint16: compareOf[uint16], accel.Uint32: compareOf[uint32], accel.Uint64: compareOf[uint64],
		accel.Bool: compareOf[uint8],
	})
}

func compareOf[T accel.Number](c *call) (kernel, error) {
	of := map[string]func(y []bool, a, b []T){
		"Equal": equal[T], "Greater": greater[T], "GreaterOrEqual": greaterOrEqual[T],
		"Less":        func(y []bool, a, b []T) { greater(y, b, a) },
		"LessOrEqual": func(y []bool, a, b []T) { greaterOrEqual(y, b, a) },
	}
	return broadcast(c, pairs[T, bool]{both: of[c.Op]})
}

func equal[T accel.Number](y []bool, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] == b[i]
	}
}

func greater[T accel.Number](y []bool, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] > b[i]
	}
}

func greaterOrEqual[T accel.Number](y []bool, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] >= b[i]
	}
}

func isNaN(c *call) (kernel, error) {
	return floatTest(c, func(y []bool, x []float32) {
		for i, v := range x {
			y[i] = v != v
		}
	}, func(y []bool, x []float64) {
		for i, v := range x {
			y[i] = v != v
		}
	})
}

func isInf(c *call) (kernel, error) {
	low, high := math.Inf(-1), math.Inf(1)
	if !c.Bool("detect_negative", true) {
		low = math.NaN() // which nothing equals
	}
	if !c.Bool("detect_positive", true) {
		high = math.NaN()
	}
	return floatTest(c, func(y []bool, x []float32) {
		for i, v := range x {
			y[i] = v == float32(low) || v == float32(high)
		}
	}, func(y []bool, x []float64) {
		for i, v := range x {
			y[i] = v == low || v == high
		}
	})
}

func floatTest(c *call, f32 func([]bool, []float32), f64 func([]bool, []float64)) (kernel, error) {
	if err := want(c.Op, c.out[:1], accel.Bool); err != nil {
		return nil, err
	}
	switch c.in[0].DType {
	case accel.Float32:
		return elementwise(c, grain, f32)
	case accel.Float64:
		return elementwise(c, grain, f64)
	}
	return nil, unsupported(c.Op, c.in[0])
}
