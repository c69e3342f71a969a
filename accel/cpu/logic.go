package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// Logic on bools, whose bytes are 0 or 1, and on the bits of integers.
var logicKernels = map[string]builder{
	"And":        {in: 2, out: 1, make: logic},
	"Or":         {in: 2, out: 1, make: logic},
	"Xor":        {in: 2, out: 1, make: logic},
	"Not":        {in: 1, out: 1, make: not},
	"BitwiseAnd": {in: 2, out: 1, make: bitwise},
	"BitwiseOr":  {in: 2, out: 1, make: bitwise},
	"BitwiseXor": {in: 2, out: 1, make: bitwise},
	"BitwiseNot": {in: 1, out: 1, make: bitwise},
	"BitShift":   {in: 2, out: 1, make: bitwise},
}

func logic(c *call) (kernel, error) {
	if err := want(c.Op, []*tensor{c.in[0], c.in[1], c.out[0]}, accel.Bool); err != nil {
		return nil, err
	}
	of := map[string]func(y, a, b []uint8){"And": bitAnd[uint8], "Or": bitOr[uint8], "Xor": bitXor[uint8]}
	return broadcast(c, pairs[uint8, uint8]{both: of[c.Op]})
}

func not(c *call) (kernel, error) {
	if err := want(c.Op, []*tensor{c.in[0], c.out[0]}, accel.Bool); err != nil {
		return nil, err
	}
	return elementwise(c, grain, func(y, x []bool) {
		for i, v := range x {
			y[i] = !v
		}
	})
}

func bitwise(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Int8: bitwiseOf[int8], accel.Int16: bitwiseOf[int16], accel.Int32: bitwiseOf[int32], accel.Int64: bitwiseOf[int64],
		accel.Uint8: bitwiseOf[uint8], accel.Uint16: bitwiseOf[uint16], accel.Uint32: bitwiseOf[uint32], accel.Uint64: bitwiseOf[uint64],
	})
}

func bitwiseOf[T integer](c *call) (kernel, error) {
	switch c.Op {
	case "BitwiseAnd":
		return broadcast(c, pairs[T, T]{both: bitAnd[T]})
	case "BitwiseOr":
		return broadcast(c, pairs[T, T]{both: bitOr[T]})
	case "BitwiseXor":
		return broadcast(c, pairs[T, T]{both: bitXor[T]})
	case "BitwiseNot":
		return elementwise(c, grain, bitNot[T])
	}
	if c.in[0].DType.IsSigned() {
		return nil, unsupported(c.Op, c.in[0])
	}
	switch d := c.Str("direction", ""); d {
	case "LEFT":
		return broadcast(c, pairs[T, T]{both: shiftLeft[T]})
	case "RIGHT":
		return broadcast(c, pairs[T, T]{both: shiftRight[T]})
	default:
		return nil, fmt.Errorf("direction is %q, want LEFT or RIGHT", d)
	}
}

func bitAnd[T integer](y, a, b []T) {
	for i := range y {
		y[i] = a[i] & b[i]
	}
}

func bitOr[T integer](y, a, b []T) {
	for i := range y {
		y[i] = a[i] | b[i]
	}
}

func bitXor[T integer](y, a, b []T) {
	for i := range y {
		y[i] = a[i] ^ b[i]
	}
}

func bitNot[T integer](y, x []T) {
	for i, v := range x {
		y[i] = ^v
	}
}

// shiftLeft and shiftRight shift by the whole width to 0. They are called with
// unsigned types only.
func shiftLeft[T integer](y, a, b []T) {
	for i := range y {
		y[i] = a[i] << uint64(b[i])
	}
}

func shiftRight[T integer](y, a, b []T) {
	for i := range y {
		y[i] = a[i] >> uint64(b[i])
	}
}
