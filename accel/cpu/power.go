package cpu

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/accel/fmath"
)

// powOf raises a to the power b. Of float32, the float64 power is rounded.
func powOf[T float32 | float64](y, a, b []T) {
	for i := range y {
		y[i] = T(fmath.Pow(float64(a[i]), float64(b[i])))
	}
}

// powScalar32 knows the exponents of norms and variances. The cube is rounded
// twice.
func powScalar32(y, a []float32, b float32) {
	switch b {
	case 1:
		copy(y, a)
	case 2:
		vec.Square(y, a)
	case -1:
		vec.Reciprocal(y, a)
	case 3:
		for i, v := range a {
			y[i] = float32(v*v) * v
		}
	case 0.5:
		for i, v := range a {
			y[i] = powHalf(v)
		}
	default:
		for i, v := range a {
			y[i] = float32(fmath.Pow(float64(v), float64(b)))
		}
	}
}

// powHalf is √x but for pow(-Inf, ½) = +Inf and pow(-0, ½) = +0.
func powHalf(x float32) float32 {
	if x < -math.MaxFloat32 {
		return float32(math.Inf(1))
	}
	return float32(math.Sqrt(float64(x + 0)))
}

// integerPow makes the kernel of integer powers, which wrap around. A negative
// exponent is an error, as in numpy.
func integerPow[T integer](c *call) (kernel, error) {
	k, err := broadcast(c, pairs[T, T]{both: intPow[T]})
	if err != nil {
		return nil, err
	}
	b := c.in[1]
	return func(f *frame) error {
		for i, e := range data[T](f, b) {
			if e < 0 {
				return fmt.Errorf("integer to the power %d: element %d of %s", e, i, b.Name)
			}
		}
		return k(f)
	}, nil
}

func intPow[T integer](y, a, b []T) {
	for i, base := range a {
		p := T(1)
		for e := b[i]; e > 0; e >>= 1 {
			if e&1 != 0 {
				p *= base
			}
			base *= base
		}
		y[i] = p
	}
}
