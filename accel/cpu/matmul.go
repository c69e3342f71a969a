package cpu

import "github.com/millrace-go/millrace/accel"

// gemmOp is ONNX's Gemm: y = alpha·op(a)·op(b) + beta·c, c broadcast to y.
func gemmOp(c *call) (kernel, error) {
	a, b, bias, y := c.in[0], c.in[1], c.input(2), c.out[0]
	if err := want(accel.Float32, a, b, bias, y); err != nil {
		return nil, err
	}
	ta, tb := c.Int("transA", 0) != 0, c.Int("transB", 0) != 0
	if len(a.Shape) != 2 || len(b.Shape) != 2 || len(y.Shape) != 2 {
		return nil, shapeErr(a, b, y)
	}
	m, k := flip(a.Shape, ta)
	kb, n := flip(b.Shape, tb)
	if k != kb || y.Shape[0] != m || y.Shape[1] != n {
		return nil, shapeErr(a, b, y)
	}
	after, err := epilogue(bias, y, float32(c.Float("alpha", 1)), float32(c.Float("beta", 1)))
	if err != nil {
		return nil, err
	}
	pack := c.scratch(packLen(m, n, k))
	return func() error {
		gemm(y.f, a.f, b.f, m, n, k, ta, tb, false, pack())
		after()
		return nil
	}, nil
}

func flip(s []int, t bool) (int, int) {
	if t {
		return s[1], s[0]
	}
	return s[0], s[1]
}

// epilogue returns y = alpha·y + beta·bias, in place.
func epilogue(bias, y *tensor, alpha, beta float32) (func(), error) {
	scale := func() {
		if alpha != 1 {
			for i := range y.f {
				y.f[i] *= alpha
			}
		}
	}
	if bias == nil {
		return scale, nil
	}
	s, ok := broadcastStrides(bias.Shape, y.Shape)
	if !ok {
		return nil, shapeErr(bias, y)
	}
	l := newLoops(y.Shape, [][]int{contiguous(y.Shape), s})
	body := func() {
		ys, bs, step := y.f[l.at[0]:l.at[0]+l.inner], bias.f[l.at[1]:], l.step[1]
		for i := range ys {
			ys[i] += float32(beta * bs[i*step])
		}
	}
	return func() { scale(); l.each(body) }, nil
}

// matmul multiplies the last two dimensions. Either b is a matrix, which all of
// a's rows share, or both have the same leading dimensions.
func matmul(c *call) (kernel, error) {
	a, b, y := c.in[0], c.in[1], c.out[0]
	if err := want(accel.Float32, a, b, y); err != nil {
		return nil, err
	}
	ra, rb := len(a.Shape), len(b.Shape)
	if ra < 2 || rb < 2 || (rb != 2 && rb != ra) {
		return nil, shapeErr(a, b, y)
	}
	m, k, n := a.Shape[ra-2], a.Shape[ra-1], b.Shape[rb-1]
	count := product(a.Shape[:ra-2])
	if rb == 2 {
		m, count = m*count, 1
	}
	if b.Shape[rb-2] != k || count*m*k != a.n || count*k*n != b.n || count*m*n != y.n {
		return nil, shapeErr(a, b, y)
	}
	pack := c.scratch(packLen(m, n, k))
	return func() error {
		for i := range count {
			gemm(y.f[i*m*n:(i+1)*m*n], a.f[i*m*k:(i+1)*m*k], b.f[i*k*n:(i+1)*k*n], m, n, k, false, false, false, pack())
		}
		return nil
	}, nil
}
