package graph

import (
	"fmt"
)

// opQuantMatMul is y = act(x·w·xscale·wscale + bias) of the integers less their zero
// points. Inputs: x, xscale, xzero, w, wscale, wzero, bias, yscale, yzero; the
// last four may be left out. w is stored N x K if transB is 1; wscale and wzero
// have one value or N, bias has N, the others one. activation is none or Relu. y is
// float32, or, with a yscale, quantized, of the type of yzero (uint8); Relu wants the
// least code for yzero then.
var opQuantMatMul = operator{
	name: "QuantMatMul", min: 5, max: 9, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		if c.Rank(0) < 2 || c.Rank(3) < 2 {
			return nil, fmt.Errorf("%v times %v, want at least two dimensions", c.Shape(0), c.Shape(3))
		}
		s, err := matmulShape(c.Shape(0), c.Shape(3), false, c.Attrs.Bool("transB", false))
		if err != nil {
			return nil, err
		}
		t, err := c.fusedRule(s[len(s)-1])
		return []Type{{DType: t, Shape: s}}, err
	},
	macs: matmulMACs,
}
