package cpu

import (
	"github.com/millrace-go/millrace/accel"
)

// Add, Sub, Mul and Div are numpy's, with its broadcasting; integers wrap
// around, and their quotient is truncated, as in C. A division of integers by
// zero is an error.
var arithmeticKernels = map[string]builder{
	"Add": {in: 2, out: 1, make: arithmetic},
	"Sub": {in: 2, out: 1, make: arithmetic},
	"Mul": {in: 2, out: 1, make: arithmetic},
}

func arithmetic(c *call) (kernel, error) {
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: arithmeticOf[float32], accel.Float64: arithmeticOf[float64],
		accel.Int8: arithmeticOf[int8], accel.Int16: arithmeticOf[int16], accel.Int32: arithmeticOf[int32], accel.Int64: arithmeticOf[int64],
		accel.Uint8: arithmeticOf[uint8], accel.Uint16: arithmeticOf[uint16], accel.Uint32: arithmeticOf[uint32], accel.Uint64: arithmeticOf[uint64],
	})
}

func arithmeticOf[T accel.Number](c *call) (kernel, error) {
	switch c.Op {
	case "Add":
		return broadcastBinary(c, func(a, b T) T { return a + b })
	case "Sub":
		return broadcastBinary(c, func(a, b T) T { return a - b })
	}
	return broadcastBinary(c, func(a, b T) T { return a * b })
}

// broadcastBinary applies f element by element to two inputs that broadcast to
// the output's shape.
func broadcastBinary[T, R accel.Number | ~bool](c *call, f func(a, b T) R) (kernel, error) {
	a, b, y := c.in[0], c.in[1], c.out[0]
	sa, ok := broadcastStrides(a.Shape, y.Shape)
	sb, ok2 := broadcastStrides(b.Shape, y.Shape)
	if !ok || !ok2 {
		return nil, shapeErr(a, b, y)
	}
	if err := want(c.Op, []*tensor{b}, a.DType); err != nil {
		return nil, err
	}
	l, err := newLoops(y.Shape, contiguous(y.Shape), sa, sb)
	if err != nil {
		return nil, err
	}
	return func(fr *frame) error {
		ya, aa, ba := data[R](fr, y), data[T](fr, a), data[T](fr, b)
		da, db := l.step[1], l.step[2]
		l.each(0, l.count(), func(at *[maxOperands]int) {
			out, i, j := ya[at[0]:at[0]+l.inner], at[1], at[2]
			for k := range out {
				out[k] = f(aa[i], ba[j])
				i += da
				j += db
			}
		})
		return nil
	}, nil
}
