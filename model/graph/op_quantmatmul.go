package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opMatMulInteger is numpy's matmul of (a - azero) and (b - bzero), as int32.
// Inputs: a, b, and the optional azero (one value, or one a row) and bzero (one, or one
// a column).
var opMatMulInteger = operator{
	name: "MatMulInteger", min: 2, max: 4, flat: true, macs: matmulMACs,
	shapes: func(c *Context) ([]Type, error) {
		if err := first(c.isA(byteTypes, 0, 1), c.Same(0, 2), c.Same(1, 3)); err != nil {
			return nil, err
		}
		s, err := matmulShape(c.Shape(0), c.Shape(1), false, false)
		return []Type{{DType: accel.Int32, Shape: s}}, err
	},
	when:   func(n *Node) bool { return vectors(n, 1) },
	expand: func(b *B, n *Node) []*Value { return quantVectors(b, n, 1) },
}

// opQLinearMatMul is numpy's matmul of quantized a and b, quantized again. Inputs:
// a, its scale and zero point (one value, or one a row), b, the same (one, or one a
// column), then scale and zero point of the result (one value).
var opQLinearMatMul = operator{
	name: "QLinearMatMul", min: 8, flat: true, macs: matmulMACs,
	shapes: func(c *Context) ([]Type, error) {
		if err := first(c.isA(byteTypes, 0, 3, 7), c.Same(0, 2), c.Same(3, 5), c.Same(1, 4, 6), c.oneValue(6, 7)); err != nil {
			return nil, err
		}
		s, err := matmulShape(c.Shape(0), c.Shape(3), false, false)
		return []Type{{DType: c.DType(7), Shape: s}}, err
	},
	when:   func(n *Node) bool { return vectors(n, 3) },
	expand: func(b *B, n *Node) []*Value { return quantVectors(b, n, 3) },
}

// vectors reports whether an operand is a vector; right is the input that is the second.
func vectors(n *Node, right int) bool {
	return len(n.Inputs[0].Type.Shape) == 1 || len(n.Inputs[right].Type.Shape) == 1
}

// quantVectors gives operands of rank 1 their second dimension, and takes it out of the result.
func quantVectors(b *B, n *Node, right int) []*Value {
	in := append([]*Value{}, n.Inputs...)
	out, err := matmulShape(in[0].Type.Shape, in[right].Type.Shape, false, false)
	if err != nil {
		b.Fail(err)
		return nil
	}
	if s := in[0].Type.Shape; len(s) == 1 {
		in[0] = b.Reshape(in[0], 1, s[0])
	}
	if s := in[right].Type.Shape; len(s) == 1 {
		in[right] = b.Reshape(in[right], s[0], 1)
	}
	return []*Value{b.Reshape(b.Op(n.Op, n.Attrs, in...), out...)}
}

// opQuantMatMul is y = act(x·w·xscale·wscale + bias) of the integers less their zero
// points. Inputs: x, xscale, xzero, w, wscale, wzero, bias, yscale, yzero; all but the
// scales of x and w may be left out. w is stored N x K if transB is 1; wscale and wzero
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
