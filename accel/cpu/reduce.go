package cpu

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
)

func reduceSum(c *call) (kernel, error)  { return reduce(c, false) }
func reduceMean(c *call) (kernel, error) { return reduce(c, true) }

// reduce sums x over the attribute axes (all if there are none), in row-major
// order of x, in float64: one rounding to float32 at the end.
func reduce(c *call, mean bool) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(accel.Float32, x, y); err != nil {
		return nil, err
	}
	strides := reduceStrides(x.Shape, c.Ints("axes"))
	kept := 1
	for d, s := range strides {
		if s != 0 || x.Shape[d] == 1 {
			kept *= x.Shape[d]
		}
	}
	if kept != y.n {
		return nil, shapeErr(x, y)
	}
	l := newLoops(x.Shape, [][]int{contiguous(x.Shape), strides})
	sums := make([]float64, y.n)
	scale := 1.0
	if mean {
		scale = float64(x.n / y.n)
	}
	body := func() { sumInto(sums[l.at[1]:], x.f[l.at[0]:l.at[0]+l.inner], l.step[1]) }
	return func() error {
		clear(sums)
		l.each(body)
		for i, s := range sums {
			y.f[i] = float32(s / scale)
		}
		return nil
	}, nil
}

// sumInto adds x to one sum (step 0) or to a row of sums.
func sumInto(sums []float64, x []float32, step int) {
	if step == 0 {
		s := sums[0]
		for _, v := range x {
			s += float64(v)
		}
		sums[0] = s
		return
	}
	for i, v := range x {
		sums[i*step] += float64(v)
	}
}

// reduceStrides returns the strides of the result seen as the input's shape: 0
// along a summed dimension.
func reduceStrides(shape, axes []int) []int {
	s := make([]int, len(shape))
	n := 1
	for d := len(shape) - 1; d >= 0; d-- {
		if axes == nil || slices.Contains(axes, d) || slices.Contains(axes, d-len(shape)) {
			continue
		}
		s[d] = n
		n *= shape[d]
	}
	return s
}
