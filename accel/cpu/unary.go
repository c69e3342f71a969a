package cpu

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/fmath"
)

// unary builds y = f(x), element by element.
func unary(f func(y, x []float32)) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		x, y := c.in[0], c.out[0]
		if err := want(accel.Float32, x, y); err != nil {
			return nil, err
		}
		if err := sameLen(x, y); err != nil {
			return nil, err
		}
		return func() error { f(y.f, x.f); return nil }, nil
	}
}

// unaryGrad builds dx = f(dy, v), element by element; v is x or y, as the
// function says.
func unaryGrad(f func(dx, dy, v []float32)) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		dy, v, dx := c.in[0], c.in[1], c.out[0]
		if err := want(accel.Float32, dy, v, dx); err != nil {
			return nil, err
		}
		if err := sameLen(dx, dy, v); err != nil {
			return nil, err
		}
		return func() error { f(dx.f, dy.f, v.f); return nil }, nil
	}
}

func negOf(y, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] = -x[i]
	}
}

// reluOf is max(x, 0); NaN stays NaN.
func reluOf(y, x []float32) {
	x = x[:len(y)]
	for i, v := range x {
		if v < 0 {
			v = 0
		}
		y[i] = v
	}
}

// reluGradOf takes y; the derivative at 0 is 0. Where y is NaN, dy passes.
func reluGradOf(dx, dy, y []float32) {
	dy, y = dy[:len(dx)], y[:len(dx)]
	for i, v := range dy {
		if y[i] <= 0 {
			v = 0
		}
		dx[i] = v
	}
}

func sigmoidOf(y, x []float32) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] = float32(fmath.Sigmoid(float64(v)))
	}
}

// sigmoidGradOf takes y: dx = dy·y·(1-y).
func sigmoidGradOf(dx, dy, y []float32) {
	dy, y = dy[:len(dx)], y[:len(dx)]
	for i, v := range y {
		dx[i] = float32(dy[i]*v) * (1 - v)
	}
}

func tanhOf(y, x []float32) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] = float32(fmath.Tanh(float64(v)))
	}
}

// tanhGradOf takes y: dx = dy·(1-y²).
func tanhGradOf(dx, dy, y []float32) {
	dy, y = dy[:len(dx)], y[:len(dx)]
	for i, v := range y {
		dx[i] = dy[i] * (1 - float32(v*v))
	}
}

// The tanh form of GELU, Hendrycks & Gimpel, https://arxiv.org/abs/1606.08415:
//
//	y = ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
const (
	geluA = 0.7978845608028654 // √(2/π)
	geluB = 0.044715
)

// geluTanh is the tanh factor above, in float64.
func geluTanh(x float64) float64 {
	return fmath.Tanh(geluA * (x + float64(geluB*float64(x*float64(x*x)))))
}

func geluOf(y, x []float32) {
	x = x[:len(y)]
	for i, v := range x {
		f := float64(v)
		y[i] = float32(0.5 * f * (1 + geluTanh(f)))
	}
}

// geluGradOf takes x: dx = dy·½·(1 + t + x·(1-t²)·√(2/π)·(1 + 3·0.044715·x²)).
func geluGradOf(dx, dy, x []float32) {
	dy, x = dy[:len(dx)], x[:len(dx)]
	for i, v := range x {
		f := float64(v)
		t := geluTanh(f)
		inner := geluA * (1 + float64(3*geluB*float64(f*f)))
		slope := 0.5 * (1 + t + float64(f*(1-float64(t*t))*inner))
		dx[i] = float32(float64(dy[i]) * slope)
	}
}

// copyOp copies the elements: Identity, Reshape and Flatten where the memory
// plan could not make the output a view of the input.
func copyOp(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(x.DType, y); err != nil {
		return nil, err
	}
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	return func() error {
		copy(y.f, x.f)
		copy(y.i, x.i)
		copy(y.u, x.u)
		return nil
	}, nil
}

// constant fills y with the attribute value_float. It runs each time, since y
// may lie in memory that is used again; y is a scalar, so that costs nothing.
func constant(c *call) (kernel, error) {
	y, v := c.out[0], float32(c.Float("value_float", 0))
	if err := want(accel.Float32, y); err != nil {
		return nil, err
	}
	return func() error {
		for i := range y.f {
			y.f[i] = v
		}
		return nil
	}, nil
}
