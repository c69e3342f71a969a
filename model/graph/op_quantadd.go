package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opQuantAdd adds quantized tensors of one shape: QuantizeLinear of the sum of the
// DequantizeLinear of both, rounded as those do. Inputs: a, its scale and zero point; b,
// the same; scale and zero point of the result. All scales are one value.
var opQuantAdd = operator{
	name: "QuantAdd", min: 8, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		err := first(c.isA(bytes8, 0, 3, 7), c.Same(0, 2), c.Same(3, 5), c.oneValue(1, 2, 4, 5, 6, 7),
			c.isA([]accel.DType{accel.Float32}, 1, 4, 6))
		if err == nil && !slices.Equal(c.Shape(0), c.Shape(3)) {
			err = fmt.Errorf("%v and %v, want the same shape", c.Shape(0), c.Shape(3))
		}
		return []Type{{DType: c.DType(7), Shape: c.Shape(0)}}, err
	},
}

// opQuantMaxPool is MaxPool of bytes, channels last: x is (N, d1, d2, C). The window
// may not lie in the padding wholly. Its attributes are those of MaxPool, spelled out.
var opQuantMaxPool = operator{
	name: "QuantMaxPool", min: 1, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		s := channelsFirst(c.Shape(0))
		if len(s) != 4 {
			return nil, fmt.Errorf("images %v, want (N, d1, d2, C)", c.Shape(0))
		}
		w, err := windowOf(c.Attrs, s[2:], nil)
		if err != nil {
			return nil, err
		}
		return []Type{{DType: c.DType(0), Shape: channelsLast(append(s[:2:2], w.out...))}}, c.IsA(0, bytes8...)
	},
}
