package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
)

// dropout keeps an element with probability 1-ratio and divides it by that, else
// gives 0. Which are kept is a function of the seed, the node's attribute salt
// and the element's index alone, so the gradient is the same function of dy.
// Srivastava et al., JMLR 15, 2014; scaled while training ("inverted").
func dropout(c *call) (kernel, error) {
	x, seed, y := c.in[0], c.in[1], c.out[0]
	if err := want(accel.Float32, x, y); err != nil {
		return nil, err
	}
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	if seed.DType != accel.Uint64 || seed.n != 1 {
		return nil, fmt.Errorf("seed is %s %v, want one uint64", seed.DType, seed.Shape)
	}
	ratio := c.Float("ratio", 0.5)
	if !(ratio >= 0 && ratio < 1) {
		return nil, fmt.Errorf("ratio %g, want 0 <= ratio < 1", ratio)
	}
	drop := uint64(ratio * (1 << 53)) // dropped if the top 53 bits are below
	scale := float32(1 / (1 - ratio))
	salt := uint64(c.Int("salt", 0))
	return func() error {
		key := counter.Uint64(seed.u[0], salt)
		for i, v := range x.f {
			if counter.Uint64(key, uint64(i))>>11 < drop {
				v = 0
			} else {
				v *= scale
			}
			y.f[i] = v
		}
		return nil
	}, nil
}
