package cpu

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

var detKernels = map[string]builder{
	"Det":     {in: 1, out: 1, make: det},
	"DetGrad": {in: 2, out: 1, make: detGrad},
}

func det(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float32:
		return detOf[float32](c)
	case accel.Float64:
		return detOf[float64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

func detGrad(c *call) (kernel, error) {
	switch c.in[0].DType {
	case accel.Float32:
		return detGradOf[float32](c)
	case accel.Float64:
		return detGradOf[float64](c)
	}
	return nil, unsupported(c.Op, c.in[0])
}

// order is the size of the matrices of a stack.
func order(t *tensor) (int, error) {
	r := len(t.Shape)
	if r < 2 || t.Shape[r-1] != t.Shape[r-2] {
		return 0, shapeErr(t)
	}
	return t.Shape[r-1], nil
}

func detOf[T float32 | float64](c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	n, err := order(x)
	if err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{y}, x.DType); err != nil {
		return nil, err
	}
	if y.n*n*n != x.n {
		return nil, shapeErr(x, y)
	}
	mem := c.scratch(8 * n * n)
	return func(f *frame) error {
		a, xs := as[float64](mem.raw(f)), data[T](f, x)
		for i := range data[T](f, y) {
			for k := range a {
				a[k] = float64(xs[i*n*n+k])
			}
			data[T](f, y)[i] = T(eliminate(a, n))
		}
		return nil
	}, nil
}

// eliminate returns the determinant of the n × n matrix a, which it destroys:
// Gaussian elimination with the largest pivot of each column.
func eliminate(a []float64, n int) float64 {
	product := 1.0
	for k := range n {
		pivot := k
		for i := k + 1; i < n; i++ {
			if v := math.Abs(a[i*n+k]); v > math.Abs(a[pivot*n+k]) || v != v { // NaN in, NaN out
				pivot = i
			}
		}
		if pivot != k {
			product = -product
			for j := k; j < n; j++ {
				a[k*n+j], a[pivot*n+j] = a[pivot*n+j], a[k*n+j]
			}
		}
		product *= a[k*n+k]
		if a[k*n+k] == 0 {
			return product
		}
		for i := k + 1; i < n; i++ {
			m := a[i*n+k] / a[k*n+k]
			for j := k + 1; j < n; j++ {
				a[i*n+j] -= m * a[k*n+j]
			}
		}
	}
	return product
}

// detGradOf is dy times the cofactors of x: the determinants of x without a row
// and a column, with the signs of a chessboard. That is slower than an inverse, but
// right for singular matrices too.
func detGradOf[T float32 | float64](c *call) (kernel, error) {
	dy, x, dx := c.in[0], c.in[1], c.out[0]
	n, err := order(x)
	if err != nil {
		return nil, err
	}
	if err := want(c.Op, []*tensor{x, dx}, dy.DType); err != nil {
		return nil, err
	}
	if dx.n != x.n || dy.n*n*n != x.n {
		return nil, shapeErr(dy, x, dx)
	}
	mem := c.scratch(8 * n * n)
	return func(f *frame) error {
		xs, out, minor := data[T](f, x), data[T](f, dx), as[float64](mem.raw(f))
		for i, d := range data[T](f, dy) {
			for k := range n * n {
				row, col, at := k/n, k%n, 0
				for e := range n * n {
					if e/n != row && e%n != col {
						minor[at] = float64(xs[i*n*n+e])
						at++
					}
				}
				v := eliminate(minor[:at], n-1)
				if (row+col)%2 == 1 {
					v = -v
				}
				out[i*n*n+k] = T(v * float64(d))
			}
		}
		return nil
	}, nil
}
