package cpu

import (
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

// Arithmetic is numpy's, with its broadcasting; integers wrap around, and their
// quotient is truncated, as in C. A division of integers by zero is an error.
var arithmeticKernels = map[string]builder{
	"Add":   {in: 2, out: 1, make: arithmetic},
	"Sub":   {in: 2, out: 1, make: arithmetic},
	"Mul":   {in: 2, out: 1, make: arithmetic},
	"Div":   {in: 2, out: 1, make: arithmetic},
	"Mod":   {in: 2, out: 1, make: arithmetic},
	"Max":   {in: 2, out: 1, make: arithmetic},
	"Min":   {in: 2, out: 1, make: arithmetic},
	"Pow":   {in: 2, out: 1, make: arithmetic},
	"PRelu": {in: 2, out: 1, make: arithmetic},
}

func arithmetic(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: float32Arithmetic, accel.Float64: floatArithmetic[float64],
		accel.Int8: intArithmetic[int8], accel.Int16: intArithmetic[int16], accel.Int32: intArithmetic[int32], accel.Int64: intArithmetic[int64],
		accel.Uint8: intArithmetic[uint8], accel.Uint16: intArithmetic[uint16], accel.Uint32: intArithmetic[uint32], accel.Uint64: intArithmetic[uint64],
	})
}

// float32Arithmetic takes the vectorised functions where there are some.
func float32Arithmetic(c *call) (kernel, error) {
	switch c.Op {
	case "Add":
		return broadcast(c, pairs[float32, float32]{vec.Add, vec.AddScalar, func(y []float32, a float32, b []float32) { vec.AddScalar(y, b, a) }})
	case "Sub":
		return broadcast(c, pairs[float32, float32]{vec.Sub, vec.SubScalar, vec.ScalarSub})
	case "Mul":
		return broadcast(c, pairs[float32, float32]{vec.Mul, vec.MulScalar, func(y []float32, a float32, b []float32) { vec.MulScalar(y, b, a) }})
	case "Div":
		return broadcast(c, pairs[float32, float32]{vec.Div, vec.DivScalar, vec.ScalarDiv})
	case "Max":
		return broadcast(c, pairs[float32, float32]{vec.Maximum, vec.MaxScalar, func(y []float32, a float32, b []float32) { vec.MaxScalar(y, b, a) }})
	case "Min":
		return broadcast(c, pairs[float32, float32]{vec.Minimum, vec.MinScalar, func(y []float32, a float32, b []float32) { vec.MinScalar(y, b, a) }})
	case "Pow":
		return broadcast(c, pairs[float32, float32]{both: powOf[float32], right: powScalar32})
	}
	return floatArithmetic[float32](c)
}

func floatArithmetic[T float32 | float64](c *call) (kernel, error) {
	switch c.Op {
	case "Div":
		return broadcast(c, pairs[T, T]{both: divide[T]})
	case "Mod":
		if !c.Bool("fmod", false) {
			return nil, fmt.Errorf("remainder (Mod) of %s without fmod=1: %w", c.in[0].DType, accel.ErrUnsupported)
		}
		return broadcast(c, pairs[T, T]{both: floatMod[T]})
	case "Pow":
		return broadcast(c, pairs[T, T]{both: powOf[T]})
	}
	return plainArithmetic[T](c)
}

func intArithmetic[T integer](c *call) (kernel, error) {
	switch {
	case c.Op == "Div":
		return refusing(c, pairs[T, T]{both: divide[T]}, 0, "the divisor is 0")
	case c.Op == "Mod" && c.Bool("fmod", false):
		return refusing(c, pairs[T, T]{both: remainder[T]}, 0, "the divisor is 0")
	case c.Op == "Mod":
		return refusing(c, pairs[T, T]{both: modulo[T]}, 0, "the divisor is 0")
	case c.Op == "Pow":
		return integerPow[T](c)
	}
	return plainArithmetic[T](c)
}

// plainArithmetic has what is the same loop for all types.
func plainArithmetic[T accel.Number](c *call) (kernel, error) {
	of := map[string]func(y, a, b []T){
		"Add": add[T], "Sub": subtract[T], "Mul": multiply[T], "Max": larger[T], "Min": smaller[T], "PRelu": prelu[T],
	}
	f, ok := of[c.Op]
	if !ok {
		return nil, unsupported(c.Op, c.in[0])
	}
	return broadcast(c, pairs[T, T]{both: f})
}

// integer is a number that is none of the floats.
type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// refusing makes a kernel that errs if an element of input 1 is bad.
func refusing[T integer](c *call, p pairs[T, T], bad T, reason string) (kernel, error) {
	k, err := broadcast(c, p)
	if err != nil {
		return nil, err
	}
	b, y := c.in[1], c.out[0]
	return func(f *frame) error {
		if i := slices.Index(data[T](f, b), bad); i >= 0 && y.n > 0 {
			return fmt.Errorf("%s: element %d of %s", reason, i, b.Name)
		}
		return k(f)
	}, nil
}

func add[T accel.Number](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] + b[i]
	}
}

func subtract[T accel.Number](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] - b[i]
	}
}

func multiply[T accel.Number](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] * b[i]
	}
}

func divide[T accel.Number](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] / b[i]
	}
}

// larger is NaN where a or b is.
func larger[T accel.Number](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = max(a[i], b[i])
	}
}

// smaller is NaN where a or b is.
func smaller[T accel.Number](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = min(a[i], b[i])
	}
}

// prelu is a where a ≥ 0, and a·b below.
func prelu[T accel.Number](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i, v := range a {
		if v < 0 {
			v *= b[i]
		}
		y[i] = v
	}
}

// floatMod is C's fmod, which has the sign of a. It is exact.
func floatMod[T float32 | float64](y, a, b []T) {
	for i := range y {
		y[i] = T(math.Mod(float64(a[i]), float64(b[i])))
	}
}

// remainder has the sign of a.
func remainder[T integer](y, a, b []T) {
	for i := range y {
		y[i] = a[i] % b[i]
	}
}

// modulo has the sign of b, as in Python.
func modulo[T integer](y, a, b []T) {
	for i := range y {
		r := a[i] % b[i]
		if r != 0 && (r < 0) != (b[i] < 0) {
			r += b[i]
		}
		y[i] = r
	}
}
