package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opDFT is the discrete Fourier transform along an axis of x, whose last
// dimension is 1 for real and 2 for complex numbers (real and imaginary part):
//
//	y[k] = Σ_t x[t]·exp(-2πi·k·t/n), or with the attribute inverse its inverse
//
// The optional further inputs are n (the axis' length; x is cut or filled with
// zeros) and the axis (-2). With the attribute onesided only the first n/2 + 1
// elements are computed, of real x, or with inverse too a real y is from them.
var opDFT = operator{
	name: "DFT", min: 1, max: 3, static: []int{1, 2}, grad: dftGrad,
	shapes: func(c *Context) ([]Type, error) {
		d, err := newDFT(c, c.Shape(0))
		if err != nil {
			return nil, err
		}
		out := slices.Clone(c.Shape(0))
		out[d.axis], out[len(out)-1] = d.out, 2
		if d.real {
			out[len(out)-1] = 1
		}
		return one(c.DType(0), out)
	},
}

// fourier is what the attributes and inputs of a DFT come to.
type fourier struct {
	axis, n, out  int
	inverse, real bool // real is a real result
	half          bool // of a real x
}

func newDFT(c *Context, s []int) (*fourier, error) {
	rank := len(s)
	if rank < 2 || s[rank-1] != 1 && s[rank-1] != 2 || !c.DType(0).IsFloat() {
		return nil, fmt.Errorf("%s%v, want real numbers with a last dimension of 1 or 2", c.DType(0), s)
	}
	axis, err := -2, error(nil)
	if c.Has(2) {
		if axis, err = scalarInt(c, 2); err != nil {
			return nil, err
		}
	}
	if axis, err = axisOf(axis, rank); err != nil {
		return nil, err
	}
	if axis == rank-1 {
		return nil, errors.New("the axis is that of the real and imaginary parts")
	}
	d := &fourier{axis: axis, n: s[axis], inverse: c.Attrs.Bool("inverse", false)}
	d.half = c.Attrs.Bool("onesided", false)
	if d.inverse && d.half {
		d.real, d.half = true, false
		d.n = 2 * (s[axis] - 1)
	}
	if c.Has(1) {
		if d.n, err = scalarInt(c, 1); err != nil {
			return nil, err
		}
	}
	if d.n < 1 {
		return nil, fmt.Errorf("a transform of length %d", d.n)
	}
	d.out = d.n
	if d.half {
		d.out = d.n/2 + 1
	}
	return d, nil
}

// dftGrad is the adjoint transform: without its factor, the inverse of a forward
// one, and the other way round.
func dftGrad(b *backward, n *Node, dy []*Value) []*Value {
	x := n.Inputs[0]
	d, err := newDFT(&Context{Node: n}, x.Type.Shape)
	b.Fail(err)
	length, axis := b.Ints(d.n), b.Ints(d.axis)
	t := x.Type.DType
	apply := func(inverse, half int) *Value {
		return b.Op("DFT", accel.Attrs{accel.Int("inverse", inverse), accel.Int("onesided", half)}, dy[0], length, axis)
	}
	var dx *Value
	switch {
	case d.real:
		dx = b.Mul(apply(0, 1), b.Cast(b.Const(mirrorWeights(d, len(x.Type.Shape))), t))
	case d.inverse:
		dx = b.Mul(apply(0, 0), b.Scalar(t, 1/float64(d.n)))
	default:
		dx = b.Mul(apply(1, 0), b.Scalar(t, float64(d.n)))
	}
	return []*Value{b.fit(dx, x.Type.Shape)}
}

// mirrorWeights says how often each of the first n/2 + 1 elements counts in a
// real inverse transform, divided by n: twice, but for the first and the middle one.
func mirrorWeights(d *fourier, rank int) *accel.Array {
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = 1
	}
	shape[d.axis] = d.n/2 + 1
	out := accel.NewArray(accel.Float64, shape...)
	for k, v := 0, accel.Values[float64](out); k < len(v); k++ {
		v[k] = 2 / float64(d.n)
		if k == 0 || 2*k == d.n {
			v[k] = 1 / float64(d.n)
		}
	}
	return out
}

// fit cuts v to a shape, or fills it with zeros, at the ends of its dimensions.
func (b *backward) fit(v *Value, shape []int) *Value {
	if b.err != nil || v.Type.Shape.Equal(shape) {
		return v
	}
	pads := make([]int, 2*len(shape))
	for d := range shape {
		pads[len(shape)+d] = shape[d] - v.Type.Shape[d]
	}
	return b.Op("Pad", nil, v, b.Ints(pads...))
}

// opSTFT is the transform of overlapping frames of a signal, (batch, length, 1
// or 2): frame i begins at i·frame_step and is multiplied by the window. The
// inputs are the signal, frame_step and, optionally, the window and frame_length;
// one of these is there. With the attribute onesided (1) the result is (batch, frames,
// frame_length/2 + 1, 2), else (batch, frames, frame_length, 2).
var opSTFT = operator{
	name: "STFT", min: 2, max: 4, static: []int{1, 3},
	shapes: func(c *Context) ([]Type, error) {
		s := c.Shape(0)
		step, length, err := frames(c)
		if err != nil {
			return nil, err
		}
		if len(s) != 3 || step < 1 || length < 1 || length > s[1] || s[2] != 1 && s[2] != 2 {
			return nil, fmt.Errorf("frames of %d at steps of %d of a signal %v", length, step, s)
		}
		if c.Has(2) && !slices.Equal(c.Shape(2), []int{length}) {
			return nil, fmt.Errorf("a window %v for frames of %d", c.Shape(2), length)
		}
		if err := c.Same(0, 2); err != nil {
			return nil, err
		}
		out := length
		if c.Attrs.Bool("onesided", true) {
			out = length/2 + 1
		}
		return one(c.DType(0), []int{s[0], 1 + (s[1]-length)/step, out, 2})
	},
	expand: func(b *B, n *Node) []*Value {
		x := n.Inputs[0]
		c := &Context{Node: n, shapes: make([][]int, len(n.Inputs))}
		if w := n.Input(2); w != nil {
			c.shapes[2] = w.Type.Shape
		}
		step, length, err := frames(c)
		b.Fail(err)
		count := 1 + (x.Type.Shape[1]-length)/step
		at := make([]int, 0, count*length)
		for i := range count {
			for k := range length {
				at = append(at, i*step+k)
			}
		}
		y := b.Op("Gather", accel.Attrs{accel.Int("axis", 1)}, x, b.Reshape(b.Ints(at...), count, length))
		if w := n.Input(2); w != nil {
			y = b.Mul(y, b.Reshape(w, length, 1))
		}
		one := 0
		if n.Attrs.Bool("onesided", true) {
			one = 1
		}
		return []*Value{b.Op("DFT", accel.Attrs{accel.Int("onesided", one)}, y)}
	},
}

// frames is the step and the length of an STFT's frames.
func frames(c *Context) (step, length int, err error) {
	if step, err = scalarInt(c, 1); err != nil {
		return 0, 0, err
	}
	switch {
	case c.Has(3):
		length, err = scalarInt(c, 3)
	case c.Has(2) && c.Rank(2) == 1:
		length = c.Shape(2)[0]
	default:
		err = errors.New("neither a window nor a frame_length")
	}
	return step, length, err
}
