package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/pool"
)

var poolKernels = map[string]builder{
	"MaxPool":         {in: 1, out: 1, make: maxPool},
	"AveragePool":     {in: 1, out: 1, make: pooled(averagePool, averageWindow)},
	"LpPool":          {in: 1, out: 1, make: pooled(lpPool, lpWindow)},
	"MaxPoolGrad":     {in: 2, out: 1, make: maxPoolGrad},
	"AveragePoolGrad": {in: 2, out: 1, make: poolGrad(averageGrad, averageSlope)},
	"LpPoolGrad":      {in: 2, out: 1, make: poolGrad(lpGrad, lpSlope)},
}

// poolSpec reads the attributes, which model/graph has spelled out.
func poolSpec(c *call, x, y *tensor) (pool.Spec, error) {
	k, pads := c.Ints("kernel_shape"), c.Attrs.Ints("pads")
	if len(x.Shape) < 3 || len(k) != len(x.Shape)-2 || len(pads) != 2*len(k) || len(y.Shape) != len(x.Shape) {
		return pool.Spec{}, fmt.Errorf("%v, kernel %v, pads %v do not fit", x.Shape, k, pads)
	}
	if len(k) > 3 {
		return pool.Spec{}, fmt.Errorf("pool of %d dimensions: %w", len(k), accel.ErrUnsupported)
	}
	return pool.Spec{
		N: x.Shape[0], C: x.Shape[1], In: x.Shape[2:], Kernel: k, Out: y.Shape[2:], Strides: c.Ints("strides"), Dilations: c.Ints("dilations"),
		PadsBegin: pads[:len(k)], PadsEnd: pads[len(k):], CountIncludePad: c.Bool("count_include_pad", false), P: c.Int("p", 2),
	}, nil
}

func maxPool(c *call) (kernel, error) {
	x, y, indices := c.in[0], c.out[0], c.output(1)
	if y.n == 0 {
		return func(*frame) error { return nil }, nil
	}
	s, err := poolSpec(c, x, y)
	if err != nil {
		return nil, err
	}
	if x.DType != accel.Float32 {
		return plainMaxPool(c, s)
	}
	plan, err := pool.New(s)
	if err != nil {
		return nil, err
	}
	if indices == nil {
		return func(f *frame) error { plan.Max(f.pool, data[float32](f, y), nil, data[float32](f, x)); return nil }, nil
	}
	scratch, columns := c.scratch(4*y.n), c.Int("storage_order", 0) == 1
	return func(f *frame) error {
		at := accel.View[int32](scratch.raw(f))
		plan.Max(f.pool, data[float32](f, y), at, data[float32](f, x))
		plan.TensorIndices(data[int64](f, indices), at, columns)
		return nil
	}, nil
}

// maxPoolGrad finds the maxima again rather than keeping them from the forward pass.
func maxPoolGrad(c *call) (kernel, error) {
	dy, x, dx := c.in[0], c.in[1], c.out[0]
	if dy.n == 0 {
		return func(f *frame) error { clear(raw(f, dx)); return nil }, nil
	}
	s, err := poolSpec(c, x, dy)
	if err != nil {
		return nil, err
	}
	if x.DType != accel.Float32 {
		return plainPoolGrad(c, s, maxSlope)
	}
	plan, err := pool.New(s)
	if err != nil {
		return nil, err
	}
	y, at := accel.Align*((4*dy.n+accel.Align-1)/accel.Align), 4*dy.n
	scratch := c.scratch(y + at)
	return func(f *frame) error {
		mem := scratch.raw(f)
		idx := accel.View[int32](mem[y:])
		plan.Max(f.pool, accel.View[float32](mem[:4*dy.n]), idx, data[float32](f, x))
		plan.MaxGrad(f.pool, data[float32](f, dx), data[float32](f, dy), idx)
		return nil
	}, nil
}

// pooled builds a pool from its float32 plan and its window function.
func pooled(fast func(p *pool.Plan, f *frame, y, x *tensor), window func(s *pool.Spec, taps []float64, padded int) float64) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		x, y := c.in[0], c.out[0]
		if y.n == 0 {
			return func(*frame) error { return nil }, nil
		}
		s, err := poolSpec(c, x, y)
		if err != nil {
			return nil, err
		}
		if x.DType != accel.Float32 {
			return plainPool(c, s, window)
		}
		plan, err := pool.New(s)
		if err != nil {
			return nil, err
		}
		return func(f *frame) error { fast(plan, f, y, x); return nil }, nil
	}
}

func averagePool(p *pool.Plan, f *frame, y, x *tensor) {
	p.Average(f.pool, data[float32](f, y), data[float32](f, x))
}

func lpPool(p *pool.Plan, f *frame, y, x *tensor) {
	p.Lp(f.pool, data[float32](f, y), data[float32](f, x))
}

// poolGrad builds the gradient of a pool from its float32 plan and its slope.
func poolGrad(fast func(c *call, p *pool.Plan) kernel, slope windowSlope) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		dy, x, dx := c.in[0], c.in[1], c.out[0]
		if dy.n == 0 {
			return func(f *frame) error { clear(raw(f, dx)); return nil }, nil
		}
		s, err := poolSpec(c, x, dy)
		if err != nil {
			return nil, err
		}
		if x.DType != accel.Float32 {
			return plainPoolGrad(c, s, slope)
		}
		plan, err := pool.New(s)
		if err != nil {
			return nil, err
		}
		return fast(c, plan), nil
	}
}

func averageGrad(c *call, p *pool.Plan) kernel {
	dy, dx := c.in[0], c.out[0]
	return func(f *frame) error {
		p.AverageGrad(f.pool, data[float32](f, dx), data[float32](f, dy))
		return nil
	}
}

func lpGrad(c *call, p *pool.Plan) kernel {
	dy, x, dx := c.in[0], c.in[1], c.out[0]
	scratch := c.floats(dy.n)
	return func(f *frame) error {
		y := scratch.f32(f)
		p.Lp(f.pool, y, data[float32](f, x))
		p.LpGrad(f.pool, data[float32](f, dx), data[float32](f, dy), data[float32](f, x), y)
		return nil
	}
}

// The functions of one window, in float64, of the taps that lie inside; padded
// counts those in the padding too.

func averageWindow(s *pool.Spec, taps []float64, padded int) float64 {
	sum := 0.0
	for _, v := range taps {
		sum += v
	}
	if s.CountIncludePad {
		return sum / float64(max(1, padded))
	}
	return sum / float64(max(1, len(taps)))
}

func lpWindow(s *pool.Spec, taps []float64, _ int) float64 {
	sum := 0.0
	for _, v := range taps {
		sum += math.Pow(math.Abs(v), float64(s.P))
	}
	return math.Pow(sum, 1/float64(s.P))
}

// windowSlope writes the derivative of a window's result by each tap.
type windowSlope func(s *pool.Spec, d, taps []float64, padded int)

func averageSlope(s *pool.Spec, d, taps []float64, padded int) {
	n := len(taps)
	if s.CountIncludePad {
		n = padded
	}
	for i := range d {
		d[i] = 1 / float64(n)
	}
}

func lpSlope(s *pool.Spec, d, taps []float64, padded int) {
	y, p := lpWindow(s, taps, padded), float64(s.P)
	for i, v := range taps {
		if d[i] = 0; y != 0 && v != 0 {
			d[i] = math.Copysign(math.Pow(math.Abs(v)/y, p-1), v)
		}
	}
}

func maxSlope(_ *pool.Spec, d, taps []float64, _ int) {
	clear(d)
	best := 0
	for i, v := range taps {
		if v > taps[best] || v != v {
			best = i
		}
	}
	if len(taps) > 0 {
		d[best] = 1
	}
}
