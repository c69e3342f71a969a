package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/pool"
)

// windows walks the windows of a pool, for the types that have no fast kernel.
type windows struct {
	pool.Spec
	in, out, taps int   // elements of a plane of x, of y, and of a window
	at            []int // of the taps of the window that lie inside
	padded        int
}

func newWindows(s pool.Spec) windows {
	return windows{Spec: s, in: accel.Size(s.In), out: accel.Size(s.Out), taps: accel.Size(s.Kernel)}
}

// window finds the taps of output o in its plane.
func (w *windows) window(o int) {
	w.at, w.padded = w.at[:0], 0
	for k := range w.taps {
		at, stride, inside, padded := 0, 1, true, true
		oo, kk := o, k
		for d := len(w.In) - 1; d >= 0; d-- {
			i := oo%w.Out[d]*w.Strides[d] + kk%w.Kernel[d]*w.Dilations[d] - w.PadsBegin[d]
			inside = inside && i >= 0 && i < w.In[d]
			padded = padded && i < w.In[d]+w.PadsEnd[d]
			at += i * stride
			stride *= w.In[d]
			oo, kk = oo/w.Out[d], kk/w.Kernel[d]
		}
		if inside {
			w.at = append(w.at, at)
		}
		if padded {
			w.padded++
		}
	}
}

// plainMaxPool is for float64 and the 8-bit integers, which are compared as float64.
func plainMaxPool(c *call, s pool.Spec) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float64:
		return maxPoolOf(c, s, math.Inf(-1)), nil
	case accel.Int8:
		return maxPoolOf(c, s, int8(math.MinInt8)), nil
	case accel.Uint8:
		return maxPoolOf(c, s, uint8(0)), nil
	}
	return nil, unsupported(c.Op, c.in[0])
}

func maxPoolOf[T float64 | int8 | uint8](c *call, s pool.Spec, least T) kernel {
	x, y, indices := c.in[0], c.out[0], c.output(1)
	columns := c.Int("storage_order", 0) == 1
	return func(f *frame) error {
		w := newWindows(s)
		xa, ya := data[T](f, x), data[T](f, y)
		for i := range ya {
			plane := xa[i/w.out*w.in:][:w.in]
			w.window(i % w.out)
			best, where := least, -1
			for _, at := range w.at {
				if v := plane[at]; where < 0 || v > best || v != v {
					best, where = v, at
				}
			}
			ya[i] = best
			if indices != nil {
				data[int64](f, indices)[i] = w.index(i, where, columns)
			}
		}
		return nil
	}
}

// index is where in all of x the maximum of output i is, which is at a place of
// its plane; -1 for a window that is all padding.
func (w *windows) index(i, at int, columns bool) int64 {
	if at < 0 {
		return -1
	}
	if columns {
		at = columnMajor(at, w.In)
	}
	return int64(i/w.out*w.in + at)
}

// columnMajor counts a row-major place in a plane from the first dimension.
func columnMajor(at int, shape []int) int {
	out, rest := 0, at
	for d := len(shape) - 1; d >= 0; d-- {
		out += rest % shape[d] * accel.Size(shape[:d])
		rest /= shape[d]
	}
	return out
}

func plainPool(c *call, s pool.Spec, window func(s *pool.Spec, taps []float64, padded int) float64) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(c.Op, []*tensor{x, y}, accel.Float64); err != nil {
		return nil, err
	}
	return func(f *frame) error {
		w := newWindows(s)
		taps := make([]float64, w.taps)
		xa, ya := data[float64](f, x), data[float64](f, y)
		for i := range ya {
			w.window(i % w.out)
			ya[i] = window(&s, w.gather(taps, xa[i/w.out*w.in:]), w.padded)
		}
		return nil
	}, nil
}

func (w *windows) gather(taps, plane []float64) []float64 {
	for j, at := range w.at {
		taps[j] = plane[at]
	}
	return taps[:len(w.at)]
}

func plainPoolGrad(c *call, s pool.Spec, slope windowSlope) (kernel, error) {
	dy, x, dx := c.in[0], c.in[1], c.out[0]
	if err := want(c.Op, []*tensor{dy, x, dx}, accel.Float64); err != nil {
		return nil, err
	}
	return func(f *frame) error {
		w := newWindows(s)
		taps, d := make([]float64, w.taps), make([]float64, w.taps)
		xa, out := data[float64](f, x), data[float64](f, dx)
		clear(out)
		for i, g := range data[float64](f, dy) {
			w.window(i % w.out)
			at := i / w.out * w.in
			slope(&s, d[:len(w.at)], w.gather(taps, xa[at:]), w.padded)
			for j, p := range w.at {
				out[at+p] += g * d[j]
			}
		}
		return nil
	}, nil
}
