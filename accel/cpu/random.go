package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
	"github.com/millrace-go/millrace/accel/fmath"
	"github.com/millrace-go/millrace/accel/philox"
)

// Random numbers are a function of the seed, the node's name and the place of
// the element: the same in each run, on any number of threads.
var randomKernels = map[string]builder{
	"RandomNormal":      {out: 1, make: randomNormal},
	"RandomNormalLike":  {out: 1, make: randomNormal},
	"RandomUniform":     {out: 1, make: randomUniform},
	"RandomUniformLike": {out: 1, make: randomUniform},
	"Multinomial":       {in: 1, out: 1, make: multinomial},
}

// key names the stream of the call.
func (c *call) key() uint64 {
	return counter.Key(math.Float64bits(c.Float("seed", 0)), c.Name)
}

func randomNormal(c *call) (kernel, error) {
	return randomOf(c, philox.Stream.Normal, c.Float("scale", 1), c.Float("mean", 0))
}

func randomUniform(c *call) (kernel, error) {
	low := c.Float("low", 0)
	return randomOf(c, philox.Stream.Uniform, c.Float("high", 1)-low, low)
}

// randomOf is fill · scale + shift. Numbers of type float64 have the 24 random
// bits of float32 too.
func randomOf(c *call, fill func(s philox.Stream, dst []float32, offset uint64), scale, shift float64) (kernel, error) {
	y, s := c.out[0], philox.Stream{Key: c.key()}
	switch y.DType {
	case accel.Float32:
		a, b := float32(scale), float32(shift)
		return func(f *frame) error {
			out := data[float32](f, y)
			fill(s, out, 0)
			if a == 1 && b == 0 {
				return nil
			}
			for i, v := range out {
				out[i] = float32(v*a) + b
			}
			return nil
		}, nil
	case accel.Float64:
		mem := c.floats(y.n)
		return func(f *frame) error {
			out, narrow := data[float64](f, y), mem.f32(f)
			fill(s, narrow, 0)
			for i, v := range narrow {
				out[i] = float64(float64(v)*scale) + shift
			}
			return nil
		}, nil
	}
	return nil, unsupported(c.Op, y)
}

// multinomial draws from the distribution of each row: the first class whose
// cumulated probability exceeds a uniform number.
func multinomial(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(c.Op, []*tensor{x}, accel.Float32, accel.Float64); err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{y}, accel.Int32, accel.Int64); err != nil {
		return nil, err
	}
	if len(x.Shape) != 2 || len(y.Shape) != 2 || x.Shape[0] != y.Shape[0] || x.Shape[1] == 0 {
		return nil, shapeErr(x, y)
	}
	classes, samples, key := x.Shape[1], y.Shape[1], c.key()
	mem := c.scratch(8 * classes)
	return func(f *frame) error {
		sums := as[float64](mem.raw(f))
		for r := range x.Shape[0] {
			for k := range sums {
				if x.DType == accel.Float64 {
					sums[k] = data[float64](f, x)[r*classes+k]
				} else {
					sums[k] = float64(data[float32](f, x)[r*classes+k])
				}
			}
			if !cumulate(sums) {
				return fmt.Errorf("row %d holds no probabilities", r)
			}
			for i := range samples {
				at := r*samples + i
				class := draw(sums, counter.Float64(key, uint64(at)))
				if y.DType == accel.Int32 {
					data[int32](f, y)[at] = int32(class)
				} else {
					data[int64](f, y)[at] = int64(class)
				}
			}
		}
		return nil
	}, nil
}

// cumulate turns logarithms into sums of what they are the logarithms of, up to
// a common factor; it reports whether the last is a positive number.
func cumulate(v []float64) bool {
	top := math.Inf(-1)
	for _, x := range v {
		top = max(top, x)
	}
	sum := 0.0
	for i, x := range v {
		sum += fmath.Exp(x - top)
		v[i] = sum
	}
	return sum > 0 && !math.IsInf(sum, 0)
}

// draw is the first place whose sum exceeds the part u of the whole.
func draw(sums []float64, u float64) int {
	limit := u * sums[len(sums)-1]
	for i, s := range sums {
		if s > limit {
			return i
		}
	}
	return len(sums) - 1
}
