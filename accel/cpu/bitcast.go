package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// bitCast gives the bits another type of their width. Bools of other bytes than
// 0 and 1 become true; integers of 4 and 2 bits have their signs extended.
func bitCast(c *call) (kernel, error) {
	x, y := c.in[0], c.out[0]
	if err := sameLen(x, y); err != nil {
		return nil, err
	}
	if x.DType.Size() != y.DType.Size() || bitsOf(x.DType) != bitsOf(y.DType) {
		return nil, fmt.Errorf("%s and %s differ in width", x.DType, y.DType)
	}
	bits, t := bitsOf(y.DType), y.DType
	switch {
	case t == accel.Bool:
		return elementwise(c, grain, truth[uint8])
	case bits < 8 && held(t) == accel.Int8:
		return elementwise(c, grain, wrapped(plain[uint8, int8], t))
	case bits < 8:
		mask := uint8(1)<<bits - 1
		return elementwise(c, grain, func(y, x []uint8) {
			for i, v := range x {
				y[i] = v & mask
			}
		})
	}
	return func(f *frame) error { copy(raw(f, y), raw(f, x)); return nil }, nil
}

// bitsOf is the number of bits that an element of a type has in files.
func bitsOf(t accel.DType) int {
	if n, ok := narrow[t]; ok {
		return n
	}
	if t == accel.Float4E2M1 {
		return 4
	}
	return 8 * t.Size()
}
