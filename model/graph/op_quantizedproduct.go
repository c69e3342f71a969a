package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// opMatMulInteger is the matrix product of a - a_zero and b - b_zero in int32, of
// int8 or uint8 matrices. The zero points are optional: one number, or one for
// each row of a and column of b, as vectors or as they broadcast.
var opMatMulInteger = operator{
	name: "MatMulInteger", min: 2, max: 4, flat: true, macs: matmulMACs,
	shapes: func(c *Context) ([]Type, error) {
		if err := errors.Join(c.IsA(0, bytes8...), c.IsA(1, bytes8...), c.Same(0, 2), c.Same(1, 3)); err != nil {
			return nil, err
		}
		s, err := matmulShape(c.Shape(0), c.Shape(1), false, false)
		if err != nil {
			return nil, err
		}
		if c.Has(2) && !zeroFits(c.Shape(2), c.Shape(0), true) || c.Has(3) && !zeroFits(c.Shape(3), c.Shape(1), false) {
			return nil, fmt.Errorf("zero points of %v and %v do not fit", c.Shape(0), c.Shape(1))
		}
		return one(accel.Int32, s)
	},
	when: func(n *Node) bool {
		for i := range 2 {
			if z := n.Input(2 + i); len(n.Inputs[i].Type.Shape) < 2 || z != nil && len(z.Type.Shape) > 1 {
				return true
			}
		}
		return false
	},
	expand: func(b *B, n *Node) []*Value {
		var wide [2]*Value
		for i := range wide {
			wide[i] = b.Cast(n.Inputs[i], accel.Int32)
			if z := n.Input(2 + i); z != nil {
				wide[i] = b.Sub(wide[i], b.rowsOrColumns(b.Cast(z, accel.Int32), i == 0 && len(n.Inputs[0].Type.Shape) > 1))
			}
		}
		return []*Value{b.MatMul(wide[0], wide[1])}
	},
}

// bytes8 are the types of quantized operands.
var bytes8 = []accel.DType{accel.Int8, accel.Uint8}

// zeroFits reports whether zero points are one number, a vector of one for each
// row or column of matrices x, or broadcast to x and are the same along the other
// dimension.
func zeroFits(z, x []int, rows bool) bool {
	if accel.Size(z) == 1 {
		return true
	}
	if len(x) < 2 {
		return false
	}
	line := x[len(x)-1]
	if rows {
		line = x[len(x)-2]
	}
	if len(z) == 1 {
		return z[0] == line
	}
	want := slices.Clone(x)
	if rows {
		want[len(x)-1] = 1
	} else {
		want[len(x)-2] = 1
	}
	return slices.Equal(z, want)
}

// rowsOrColumns makes a column of a vector that has an element for each row.
func (b *B) rowsOrColumns(v *Value, rows bool) *Value {
	if b.err != nil || !rows || len(v.Type.Shape) != 1 || v.Type.Shape[0] == 1 {
		return v
	}
	return b.Reshape(v, v.Type.Shape[0], 1)
}

// opQLinearMatMul multiplies quantized matrices and quantizes the product:
//
//	QLinearMatMul(a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero) -> y
//
// y = saturate(round((a-a_zero)(b-b_zero)·a_scale·b_scale/y_scale) + y_zero), with
// the scales and zero points of a and y one or one a row, those of b one or one a
// column.
var opQLinearMatMul = operator{
	name: "QLinearMatMul", min: 8, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		if err := errors.Join(c.IsA(0, bytes8...), c.IsA(3, bytes8...), c.IsA(7, bytes8...), c.Same(0, 2), c.Same(3, 5), c.Same(1, 4, 6), c.IsA(1, floatTypes...)); err != nil {
			return nil, err
		}
		s, err := matmulShape(c.Shape(0), c.Shape(3), false, false)
		if err != nil {
			return nil, err
		}
		for i, of := range map[int][]int{1: c.Shape(0), 2: c.Shape(0), 4: c.Shape(3), 5: c.Shape(3), 6: s, 7: s} {
			if !zeroFits(c.Shape(i), of, i != 4 && i != 5) {
				return nil, fmt.Errorf("scales or zero points (input %d) %v do not fit %v", i, c.Shape(i), of)
			}
		}
		return one(c.DType(7), s)
	},
	expand: func(b *B, n *Node) []*Value {
		in := n.Inputs
		sums := b.Op("MatMulInteger", nil, in[0], in[3], in[2], in[5])
		a, y := b.rowsOrColumns(in[1], true), b.rowsOrColumns(in[6], true)
		scale := b.Div(b.Mul(a, in[4]), y)
		v := b.Mul(b.Cast(sums, accel.Float32), b.Cast(scale, accel.Float32))
		return []*Value{b.requantized(v, in[7])}
	},
}

// requantized rounds v and adds a zero point of y's type, one or one a row.
func (b *B) requantized(v, zero *Value) *Value {
	if b.err != nil {
		return nil
	}
	if z := zero.Type.Shape; len(z) > 1 {
		wide := b.Add(b.Op("Round", nil, v), b.Cast(zero, accel.Float32))
		return b.Op("QuantizeLinear", accel.Attrs{accel.String("output_dtype", zero.Type.DType.String())}, wide, b.Scalar(accel.Float32, 1))
	}
	ones := b.Expand(b.Scalar(accel.Float32, 1), zero.Type.Shape...)
	return b.Op("QuantizeLinear", accel.Attrs{accel.Int("axis", -2)}, v, ones, zero)
}

// opConvInteger is Conv of x - x_zero and w - w_zero in int32, of int8 or uint8;
// the zero points are optional, that of w one number or one for each filter.
// Attributes: those of Conv.
var opConvInteger = operator{
	name: "ConvInteger", min: 2, max: 4, flat: true, macs: convMACs,
	shapes: func(c *Context) ([]Type, error) {
		if err := errors.Join(c.IsA(0, bytes8...), c.IsA(1, bytes8...), c.Same(0, 2), c.Same(1, 3)); err != nil {
			return nil, err
		}
		x, w, group := c.Shape(0), c.Shape(1), c.Attrs.Int("group", 1)
		s, err := convShape(c.Attrs, x, w, group)
		if err != nil {
			return nil, err
		}
		if c.Has(2) && accel.Size(c.Shape(2)) != 1 || c.Has(3) && accel.Size(c.Shape(3)) != 1 && !slices.Equal(c.Shape(3), w[:1]) {
			return nil, fmt.Errorf("zero points of x %v and w %v do not fit", x, w)
		}
		return one(accel.Int32, s)
	},
	when:   func(n *Node) bool { return !spelled(n) },
	expand: spellConv,
}

// opQLinearConv convolves quantized images with quantized filters and quantizes
// the result:
//
//	QLinearConv(x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, [bias]) -> y
//
// The scale and zero point of w are one or one for each filter; the bias is int32
// with the scale x_scale·w_scale. Attributes: those of Conv.
var opQLinearConv = operator{
	name: "QLinearConv", min: 8, max: 9, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		if err := errors.Join(c.IsA(0, bytes8...), c.IsA(3, bytes8...), c.IsA(7, bytes8...), c.IsA(8, accel.Int32), c.Same(0, 2), c.Same(3, 5), c.IsA(1, accel.Float32), c.Same(1, 4, 6)); err != nil {
			return nil, err
		}
		w := c.Shape(3)
		s, err := convShape(c.Attrs, c.Shape(0), w, c.Attrs.Int("group", 1))
		if err != nil {
			return nil, err
		}
		for _, i := range []int{1, 2, 6, 7} {
			if accel.Size(c.Shape(i)) != 1 {
				return nil, fmt.Errorf("input %d is %v, want one number", i, c.Shape(i))
			}
		}
		for _, i := range []int{4, 5} {
			if accel.Size(c.Shape(i)) != 1 && !slices.Equal(c.Shape(i), w[:1]) {
				return nil, fmt.Errorf("input %d is %v, want one number or [%d]", i, c.Shape(i), w[0])
			}
		}
		if c.Has(8) && !slices.Equal(c.Shape(8), w[:1]) {
			return nil, fmt.Errorf("bias %v, want [%d]", c.Shape(8), w[0])
		}
		return one(c.DType(7), s)
	},
	expand: func(b *B, n *Node) []*Value {
		in := n.Inputs
		sums := b.Op("ConvInteger", n.Attrs, in[0], in[3], in[2], in[5])
		filters := slices.Repeat([]int{1}, len(in[0].Type.Shape))
		filters[1] = in[3].Type.Shape[0]
		if bias := n.Input(8); bias != nil {
			sums = b.Add(sums, b.Reshape(bias, filters...))
		}
		scale := b.Div(b.Mul(b.Reshape(in[1]), in[4]), b.Reshape(in[6]))
		if b.err == nil && accel.Size(scale.Type.Shape) > 1 {
			scale = b.Reshape(scale, filters...)
		} else {
			scale = b.Reshape(scale)
		}
		v := b.Mul(b.Cast(sums, accel.Float32), scale)
		return []*Value{b.requantized(v, b.Reshape(in[7]))}
	},
}
