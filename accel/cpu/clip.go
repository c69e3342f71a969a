package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

// Clip is min(max(x, lo), hi) with optional scalars lo and hi; NaN stays NaN.
var clipKernels = map[string]builder{"Clip": {in: 1, out: 1, make: clip}}

func clip(c *call) (kernel, error) {
	for i := 1; i < 3; i++ {
		if t := c.input(i); t != nil && t.n != 1 {
			return nil, shapeErr(c.in...)
		}
	}
	if err := want(c.Op, append(c.in[1:len(c.in):len(c.in)], c.out[0]), c.in[0].DType); err != nil {
		return nil, err
	}
	return byType(c, c.in[0], map[accel.DType]func(*call) (kernel, error){
		accel.Float32: func(c *call) (kernel, error) {
			return clipWith(c, vec.Clip, float32(math.Inf(-1)), float32(math.Inf(1)))
		},
		accel.Float64: func(c *call) (kernel, error) {
			return clipWith(c, clamp[float64], math.Inf(-1), math.Inf(1))
		},
		accel.Int8: clipInt[int8], accel.Int16: clipInt[int16], accel.Int32: clipInt[int32], accel.Int64: clipInt[int64],
		accel.Uint8: clipInt[uint8], accel.Uint16: clipInt[uint16], accel.Uint32: clipInt[uint32], accel.Uint64: clipInt[uint64],
	})
}

func clipInt[T integer](c *call) (kernel, error) {
	low, high := intRange[T]()
	return clipWith(c, clamp[T], low, high)
}

// intRange is the least and the greatest number of a type.
func intRange[T integer]() (low, high T) {
	if ^T(0) > 0 {
		return 0, ^T(0)
	}
	for high = 1; high<<1 > 0; high = high<<1 | 1 {
	}
	return ^high, high
}

// clipWith has the bounds low and high where there is no input.
func clipWith[T accel.Number](c *call, of func(y, x []T, lo, hi T), low, high T) (kernel, error) {
	x, y, lo, hi := c.in[0], c.out[0], c.input(1), c.input(2)
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	newJob := addJob[clipJob[T]](c)
	return func(f *frame) error {
		j := newJob(f)
		j.of, j.x, j.y, j.lo, j.hi = of, data[T](f, x), data[T](f, y), low, high
		if lo != nil {
			j.lo = data[T](f, lo)[0]
		}
		if hi != nil {
			j.hi = data[T](f, hi)[0]
		}
		f.pool.For((y.n+grain-1)/grain, j)
		return nil
	}, nil
}

type clipJob[T accel.Number] struct {
	of     func(y, x []T, lo, hi T)
	x, y   []T
	lo, hi T
}

// Do does one tile.
func (j *clipJob[T]) Do(tile, _ int) {
	from := tile * grain
	to := min(from+grain, len(j.y))
	j.of(j.y[from:to], j.x[from:to], j.lo, j.hi)
}

func clamp[T accel.Number](y, x []T, lo, hi T) {
	for i, v := range x {
		if v < lo {
			v = lo
		}
		if v > hi {
			v = hi
		}
		y[i] = v
	}
}
