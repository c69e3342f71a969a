package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/conv"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

// taps walks the products of a convolution in a fixed order, for the types that
// have no fast kernel.
type taps[T accel.Number] struct {
	conv.Spec
	small, big []int // spatial sizes of the convolution's output and input
}

func newTaps[T accel.Number](s conv.Spec, x, y []int) taps[T] {
	t := taps[T]{Spec: s, small: y[2:], big: x[2:]}
	if s.Transposed {
		t.small, t.big = x[2:], y[2:]
	}
	return t
}

// each calls f with the places of the three operands of every product that lies
// inside: big is (N, Cb, …), small (N, Cs, …), w (Cs, Cb/groups, …), where a
// convolution computes small from big, its transpose big from small.
func (t taps[T]) each(f func(big, small, w int)) {
	cb, cs := t.C, t.M
	if t.Transposed {
		cb, cs = t.M, t.C
	}
	pb, ps, pk := accel.Size(t.big), accel.Size(t.small), accel.Size(t.Kernel)
	for n := range t.N {
		for m := range cs {
			group := m / (cs / t.Groups)
			for o := range ps {
				for c := range cb / t.Groups {
					for k := range pk {
						if p, ok := t.place(o, k); ok {
							f((n*cb+group*(cb/t.Groups)+c)*pb+p, (n*cs+m)*ps+o, (m*(cb/t.Groups)+c)*pk+k)
						}
					}
				}
			}
		}
	}
}

// place is where tap k of output o lies in the larger plane.
func (t taps[T]) place(o, k int) (int, bool) {
	at, stride := 0, 1
	for d := len(t.big) - 1; d >= 0; d-- {
		i := o%t.small[d]*t.Strides[d] + k%t.Kernel[d]*t.Dilations[d] - t.PadsBegin[d]
		if i < 0 || i >= t.big[d] {
			return 0, false
		}
		at += i * stride
		stride *= t.big[d]
		o, k = o/t.small[d], k/t.Kernel[d]
	}
	return at, true
}

func (t taps[T]) forward(y, x, w []T) {
	clear(y)
	if t.Transposed {
		t.each(func(big, small, at int) { y[big] += x[small] * w[at] })
		return
	}
	t.each(func(big, small, at int) { y[small] += x[big] * w[at] })
}

func (t taps[T]) dataGrad(dx, dy, w []T) {
	clear(dx)
	if t.Transposed {
		t.each(func(big, small, at int) { dx[small] += dy[big] * w[at] })
		return
	}
	t.each(func(big, small, at int) { dx[big] += dy[small] * w[at] })
}

func (t taps[T]) weightsGrad(dw, dy, x []T) {
	clear(dw)
	if t.Transposed {
		t.each(func(big, small, at int) { dw[at] += dy[big] * x[small] })
		return
	}
	t.each(func(big, small, at int) { dw[at] += dy[small] * x[big] })
}

// plainConvForward is the definition in float64.
func plainConvForward(c *call, s conv.Spec) (kernel, error) {
	x, w, bias, residual, y := c.in[0], c.in[1], c.input(2), c.input(3), c.out[0]
	if err := want(c.Op, []*tensor{x, w, bias, residual, y}, accel.Float64); err != nil {
		return nil, err
	}
	t := newTaps[float64](s, x.Shape, y.Shape)
	_, channels, inner := around(y.Shape, 1)
	lo, hi := c.Float("lo", math.Inf(-1)), c.Float("hi", math.Inf(1))
	if s.Epilogue.Act == conv.Relu {
		lo = 0
	}
	return func(f *frame) error {
		ya := data[float64](f, y)
		t.forward(ya, data[float64](f, x), data[float64](f, w))
		if bias != nil {
			add := data[float64](f, bias)
			for i := range ya {
				ya[i] += add[i/inner%channels]
			}
		}
		if residual != nil {
			for i, v := range data[float64](f, residual) {
				ya[i] += v
			}
		}
		if s.Epilogue.Act != conv.None {
			clamp(ya, ya, lo, hi)
		}
		return nil
	}, nil
}

// plainConvGrad is a gradient in float64. The shapes of x and y are those of the
// data operand and of dy.
func plainConvGrad(c *call, s conv.Spec, dy, x, w *tensor, run func(t taps[float64], f *frame)) (kernel, error) {
	if err := want(c.Op, []*tensor{dy, x, w}, accel.Float64); err != nil {
		return nil, err
	}
	t := newTaps[float64](s, x.Shape, dy.Shape)
	return func(f *frame) error { run(t, f); return nil }, nil
}

func biasGradOf[T float32 | float64](dy, db *tensor, n, channels, inner int) kernel {
	return func(f *frame) error {
		d, out := data[T](f, dy), data[T](f, db)
		for c := range channels {
			sum := 0.0
			for i := range n {
				part := d[(i*channels+c)*inner:][:inner]
				if p, ok := any(part).([]float32); ok {
					sum += vec.Sum(p)
					continue
				}
				for _, v := range part {
					sum += float64(v)
				}
			}
			out[c] = T(sum)
		}
		return nil
	}
}
