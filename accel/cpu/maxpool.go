package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
)

// maxPool is ONNX's MaxPool in two dimensions. The second output, if there is
// one, holds the place in x of each maximum, as int32; of equal values the
// first in row-major order wins, and NaN wins over all.
func maxPool(c *call) (kernel, error) {
	x, y, at := c.in[0], c.out[0], c.output(1)
	if err := want(accel.Float32, x, y); err != nil {
		return nil, err
	}
	if at != nil && (at.DType != accel.Int32 || at.n != y.n) {
		return nil, shapeErr(y, at)
	}
	if x.n > math.MaxInt32 {
		return nil, fmt.Errorf("input has %d elements, too many for int32 indices", x.n)
	}
	v, err := newWindow(c, c.Ints("kernel_shape"), x.Shape, y.Shape)
	if err != nil {
		return nil, err
	}
	if p := intsOr(c.Ints("pads"), []int{0, 0, 0, 0}); max(p[0], p[2]) >= v.kh || max(p[1], p[3]) >= v.kw {
		return nil, fmt.Errorf("pads %v leave windows of %dx%d without an element", p, v.kh, v.kw)
	}
	if x.Shape[0] != y.Shape[0] || x.Shape[1] != y.Shape[1] {
		return nil, shapeErr(x, y)
	}
	return func() error {
		o := 0
		for plane := 0; plane < x.n; plane += v.h * v.w {
			for oy := range v.oh {
				for ox := range v.ow {
					best := v.argmax(x.f, plane, oy, ox)
					y.f[o] = x.f[best]
					if at != nil {
						at.i[o] = int32(best)
					}
					o++
				}
			}
		}
		return nil
	}, nil
}

// argmax returns the place of the largest element of one window.
func (v *window) argmax(x []float32, plane, oy, ox int) int {
	y0, x0 := oy*v.sh-v.top, ox*v.sw-v.left
	y1, x1 := min(y0+v.kh, v.h), min(x0+v.kw, v.w)
	y0, x0 = max(y0, 0), max(x0, 0)
	best := plane + y0*v.w + x0
	top := x[best]
	for iy := y0; iy < y1; iy++ {
		line := plane + iy*v.w
		for i := line + x0; i < line+x1; i++ {
			if e := x[i]; e > top || e != e {
				best, top = i, e
			}
		}
	}
	return best
}

// maxPoolGrad adds each dy to the place that its maximum came from.
func maxPoolGrad(c *call) (kernel, error) {
	dy, at, dx := c.in[0], c.in[1], c.out[0]
	if err := want(accel.Float32, dy, dx); err != nil {
		return nil, err
	}
	if at.DType != accel.Int32 || at.n != dy.n {
		return nil, shapeErr(dy, at)
	}
	return func() error {
		clear(dx.f)
		for o, i := range at.i {
			if uint(i) >= uint(len(dx.f)) {
				return fmt.Errorf("index %d of %d", i, len(dx.f))
			}
			dx.f[i] += dy.f[o]
		}
		return nil
	}, nil
}
