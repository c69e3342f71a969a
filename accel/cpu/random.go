package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
	"github.com/millrace-go/millrace/accel/fmath"
	"github.com/millrace-go/millrace/accel/philox"
)

// Random numbers are a function of the place of the element and of the attribute
// seed, or without one of the node's name: the same in each run, on any number of
// threads, on every machine.
var randomKernels = map[string]builder{
	"RandomNormal":      {out: 1, make: randomNormal},
	"RandomNormalLike":  {out: 1, make: randomNormal},
	"RandomUniform":     {out: 1, make: randomUniform},
	"RandomUniformLike": {out: 1, make: randomUniform},
	"Multinomial":       {in: 1, out: 1, make: multinomial},
}

// key names the stream of the call; kinds of numbers that share a seed differ.
func (c *call) key(kind string) uint64 {
	if c.Attrs.Has("seed") {
		return counter.Key(math.Float64bits(c.Float("seed", 0)), kind)
	}
	return counter.Key(0, kind, c.Name)
}

func randomNormal(c *call) (kernel, error) {
	s, scale, mean := philox.Stream{Key: c.key("normal")}, c.Float("scale", 1), c.Float("mean", 0)
	switch y := c.out[0]; y.DType {
	case accel.Float32:
		return randomOf(c, randomJob[float32]{
			stream: s, fill: philox.Stream.Normal, scale: float32(scale), shift: float32(mean), most: float32(math.Inf(1)),
		}), nil
	case accel.Float64:
		return randomOf(c, randomJob[float64]{stream: s, fill: philox.Stream.Normal64, scale: scale, shift: mean, most: math.Inf(1)}), nil
	}
	return nil, unsupported(c.Op, c.out[0])
}

func randomUniform(c *call) (kernel, error) {
	s, low, high := philox.Stream{Key: c.key("uniform")}, c.Float("low", 0), c.Float("high", 1)
	switch y := c.out[0]; y.DType {
	case accel.Float32:
		return randomOf(c, randomJob[float32]{
			stream: s, fill: philox.Stream.Uniform, scale: float32(high - low), shift: float32(low),
			most: max(float32(low), math.Nextafter32(float32(high), float32(math.Inf(-1)))),
		}), nil
	case accel.Float64:
		most := max(low, math.Nextafter(high, math.Inf(-1)))
		return randomOf(c, randomJob[float64]{stream: s, fill: philox.Stream.Uniform64, scale: high - low, shift: low, most: most}), nil
	}
	return nil, unsupported(c.Op, c.out[0])
}

// randomJob writes fill · scale + shift, but at most most: a sum may round up to
// the end of the interval, which does not belong to it.
type randomJob[T float32 | float64] struct {
	y                  []T
	fill               func(s philox.Stream, dst []T, offset uint64)
	stream             philox.Stream
	scale, shift, most T
}

// Do writes a part of the elements.
func (j *randomJob[T]) Do(tile, _ int) {
	from := tile * rowTile
	part := j.y[from:min(from+rowTile, len(j.y))]
	j.fill(j.stream, part, uint64(from))
	if j.scale == 1 && j.shift == 0 {
		return
	}
	for i, v := range part {
		part[i] = min(T(v*j.scale)+j.shift, j.most)
	}
}

func randomOf[T float32 | float64](c *call, p randomJob[T]) kernel {
	y, job := c.out[0], addJob[randomJob[T]](c)
	return func(f *frame) error {
		j := job(f)
		*j = p
		j.y = data[T](f, y)
		f.pool.For((y.n+rowTile-1)/rowTile, j)
		j.y = nil
		return nil
	}
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
	classes, samples, key := x.Shape[1], y.Shape[1], c.key("classes")
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
