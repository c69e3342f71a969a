package cpu

import "github.com/millrace-go/millrace/accel"

// op is one of the four arithmetic operators.
type op uint8

const (
	add op = iota
	sub
	mul
	div
)

// binary builds z = x op y with numpy's broadcasting.
func binary(o op) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		x, y, z := c.in[0], c.in[1], c.out[0]
		if err := want(accel.Float32, x, y, z); err != nil {
			return nil, err
		}
		sx, okX := broadcastStrides(x.Shape, z.Shape)
		sy, okY := broadcastStrides(y.Shape, z.Shape)
		if !okX || !okY {
			return nil, shapeErr(x, y, z)
		}
		l := newLoops(z.Shape, [][]int{contiguous(z.Shape), sx, sy})
		body := func() {
			zs := z.f[l.at[0] : l.at[0]+l.inner]
			apply(o, zs, x.f[l.at[1]:], y.f[l.at[2]:], l.step[1], l.step[2])
		}
		return func() error { l.each(body); return nil }, nil
	}
}

// apply does one inner loop; a step is 1, or 0 for an operand that is repeated.
func apply(o op, z, x, y []float32, stepX, stepY int) {
	if stepX == 1 && stepY == 1 {
		applyPair(o, z, x, y)
		return
	}
	switch o {
	case add:
		for i := range z {
			z[i] = x[i*stepX] + y[i*stepY]
		}
	case sub:
		for i := range z {
			z[i] = x[i*stepX] - y[i*stepY]
		}
	case mul:
		for i := range z {
			z[i] = x[i*stepX] * y[i*stepY]
		}
	case div:
		for i := range z {
			z[i] = x[i*stepX] / y[i*stepY]
		}
	}
}

func applyPair(o op, z, x, y []float32) {
	x, y = x[:len(z)], y[:len(z)]
	switch o {
	case add:
		for i := range z {
			z[i] = x[i] + y[i]
		}
	case sub:
		for i := range z {
			z[i] = x[i] - y[i]
		}
	case mul:
		for i := range z {
			z[i] = x[i] * y[i]
		}
	case div:
		for i := range z {
			z[i] = x[i] / y[i]
		}
	}
}

// expand repeats x to the shape of y, by numpy's rule.
func expand(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := want(accel.Float32, x, y); err != nil {
		return nil, err
	}
	s, ok := broadcastStrides(x.Shape, y.Shape)
	if !ok {
		return nil, shapeErr(x, y)
	}
	return gatherStrided(x, y, s), nil
}

// transpose permutes dimensions: y's dimension d is x's dimension perm[d]; the
// default perm reverses them.
func transpose(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	perm := c.Ints("perm")
	rank := len(x.Shape)
	if err := want(accel.Float32, x, y); err != nil {
		return nil, err
	}
	if x.n != y.n || len(y.Shape) != rank || (perm != nil && len(perm) != rank) {
		return nil, shapeErr(x, y)
	}
	own, s := contiguous(x.Shape), make([]int, rank)
	for d := range s {
		from := rank - 1 - d
		if perm != nil {
			from = perm[d]
		}
		if from < 0 || from >= rank || y.Shape[d] != x.Shape[from] {
			return nil, shapeErr(x, y)
		}
		s[d] = own[from]
	}
	return gatherStrided(x, y, s), nil
}

// gatherStrided fills y in order from x read with strides s of y's dimensions.
func gatherStrided(x, y *tensor, s []int) kernel {
	l := newLoops(y.Shape, [][]int{contiguous(y.Shape), s})
	body := func() {
		ys, xs, step := y.f[l.at[0]:l.at[0]+l.inner], x.f[l.at[1]:], l.step[1]
		for i := range ys {
			ys[i] = xs[i*step]
		}
	}
	return func() error { l.each(body); return nil }
}
