package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opMatMul is numpy's matmul: the matrix product of the last two dimensions,
// the others broadcast; an input of rank 1 is a row on the left and a column on
// the right, and that dimension is taken out again.
var opMatMul = operator{
	name: "MatMul", min: 2,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.Same(0, 1); err != nil {
			return nil, err
		}
		s, err := matmulShape(c.Shape(0), c.Shape(1), false, false)
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), s)
	},
	when: func(n *Node) bool {
		return len(n.Inputs[0].Type.Shape) == 1 || len(n.Inputs[1].Type.Shape) == 1
	},
	expand: matmulVectors,
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return matmulGrad(b, n.Inputs[0], n.Inputs[1], dy[0], false, false, 1)
	},
	macs: matmulMACs,
}

// matmulVectors gives inputs of rank 1 their second dimension, and takes it out of the result.
func matmulVectors(b *B, n *Node) []*Value {
	x, y := n.Inputs[0], n.Inputs[1]
	out, err := matmulShape(x.Type.Shape, y.Type.Shape, false, false)
	if err != nil {
		b.Fail(err)
		return nil
	}
	if s := x.Type.Shape; len(s) == 1 {
		x = b.Reshape(x, 1, s[0])
	}
	if s := y.Type.Shape; len(s) == 1 {
		y = b.Reshape(y, s[0], 1)
	}
	return []*Value{b.Reshape(b.MatMul(x, y), out...)}
}

// matmulShape is the shape of op(a)·op(b), where op transposes the last two
// dimensions if asked to.
func matmulShape(a, b []int, transA, transB bool) ([]int, error) {
	if len(a) == 0 || len(b) == 0 || (transA && len(a) < 2) || (transB && len(b) < 2) {
		return nil, fmt.Errorf("%v times %v (transA=%v, transB=%v), want at least two dimensions", a, b, transA, transB)
	}
	left, right := a, b
	if len(a) == 1 {
		left = []int{1, a[0]}
	}
	if len(b) == 1 {
		right = []int{b[0], 1}
	}
	m, k := lastTwo(left, transA)
	kb, n := lastTwo(right, transB)
	if k != kb {
		return nil, fmt.Errorf("inner dimensions of %v and %v differ (transA=%v, transB=%v)", a, b, transA, transB)
	}
	out, err := Broadcast(left[:len(left)-2], right[:len(right)-2])
	if err != nil {
		return nil, err
	}
	if len(a) > 1 {
		out = append(out, m)
	}
	if len(b) > 1 {
		out = append(out, n)
	}
	return out, nil
}

func lastTwo(s []int, trans bool) (rows, cols int) {
	rows, cols = s[len(s)-2], s[len(s)-1]
	if trans {
		return cols, rows
	}
	return rows, cols
}

func matmulMACs(n *Node) int64 {
	a := n.Inputs[0].Type.Shape
	_, k := lastTwo(append(Shape{1}, a...), n.Attrs.Bool("transA", false))
	return int64(accel.Size(n.Outputs[0].Type.Shape)) * int64(k)
}

// opFusedMatMul is y = act(alpha·op(a)·op(b) + bias + residual): op transposes
// the last two dimensions where transA, transB are 1; bias (N) is optional, as is
// residual, of y's shape. activation is one of none, Relu, Gelu, GeluTanh,
// Sigmoid, Tanh and Silu. Both matrices have at least two dimensions. compute,
// bfloat16 or float16, rounds the operands of a float32 product to that type; the
// gradient does not. LowerPrecision sets it.
var opFusedMatMul = operator{
	name: "FusedMatMul", min: 2, max: 4,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.Same(0, 1, 2, 3); err != nil {
			return nil, err
		}
		s, err := matmulShape(c.Shape(0), c.Shape(1), c.Attrs.Bool("transA", false), c.Attrs.Bool("transB", false))
		if err != nil {
			return nil, err
		}
		if c.Has(2) && !Shape(c.Shape(2)).Equal(Shape{s[len(s)-1]}) {
			return nil, fmt.Errorf("bias %v for columns of %v", c.Shape(2), s)
		}
		if c.Has(3) && !Shape(c.Shape(3)).Equal(s) {
			return nil, fmt.Errorf("residual %v for a result of %v", c.Shape(3), s)
		}
		return one(c.DType(0), s)
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		if n.Attrs.Str("activation", "none") != "none" {
			b.Fail(fmt.Errorf("the gradient of a fused activation: fuse after Gradients"))
			return nil
		}
		out := matmulGrad(b, n.Inputs[0], n.Inputs[1], dy[0], n.Attrs.Bool("transA", false), n.Attrs.Bool("transB", false), n.Attrs.Float("alpha", 1))
		return append(out, b.unbroadcastTo(dy[0], n.Input(2)), dy[0])[:len(n.Inputs)]
	},
	macs: matmulMACs,
}

// unbroadcastTo is unbroadcast for an input that may be absent.
func (b *backward) unbroadcastTo(d, v *Value) *Value {
	if !b.needs(v) {
		return nil
	}
	return b.unbroadcast(d, v)
}

// matmulGrad: with y = alpha·op(a)·op(b), d op(a) = alpha·dy·op(b)ᵀ and d op(b)
// = alpha·op(a)ᵀ·dy, summed over the dimensions that were broadcast.
func matmulGrad(b *backward, x, y, dz *Value, tx, ty bool, alpha float64) []*Value {
	if s := x.Type.Shape; len(s) == 1 || len(y.Type.Shape) == 1 {
		return vectorGrad(b, x, y, dz)
	}
	out := make([]*Value, 2)
	if b.needs(x) {
		if tx {
			out[0] = b.product(y, dz, ty, true, alpha)
		} else {
			out[0] = b.product(dz, y, false, !ty, alpha)
		}
		out[0] = b.unbroadcast(out[0], x)
	}
	if b.needs(y) {
		out[1] = b.rightGrad(x, y, dz, tx, ty, alpha)
	}
	return out
}

// rightGrad is the gradient of the right operand. If that is one matrix for a
// whole batch, the batch joins the rows of one product.
func (b *backward) rightGrad(x, y, dz *Value, tx, ty bool, alpha float64) *Value {
	if len(y.Type.Shape) == 2 && !tx && len(x.Type.Shape) > 2 {
		x, dz = b.rows(x), b.rows(dz)
	}
	if ty {
		return b.unbroadcast(b.product(dz, x, true, tx, alpha), y)
	}
	return b.unbroadcast(b.product(x, dz, !tx, false, alpha), y)
}

// rows makes a matrix of a tensor by joining all dimensions but the last.
func (b *backward) rows(v *Value) *Value {
	s := v.Type.Shape
	last := s[len(s)-1]
	if last == 0 {
		return b.Reshape(v, accel.Size(s[:len(s)-1]), 0)
	}
	return b.Reshape(v, accel.Size(s)/last, last)
}

func (b *backward) product(x, y *Value, tx, ty bool, alpha float64) *Value {
	return b.Op("FusedMatMul", productAttrs(tx, ty, alpha), x, y)
}

// productAttrs leaves out what is at its default.
func productAttrs(tx, ty bool, alpha float64) accel.Attrs {
	var at accel.Attrs
	if tx {
		at = append(at, accel.Int("transA", 1))
	}
	if ty {
		at = append(at, accel.Int("transB", 1))
	}
	if alpha != 1 {
		at = append(at, accel.Float("alpha", alpha))
	}
	return at
}

// vectorGrad is matmulGrad where an operand has rank 1.
func vectorGrad(b *backward, x, y, dz *Value) []*Value {
	xs, ys := x.Type.Shape, y.Type.Shape
	x2, y2, zs := x, y, dz.Type.Shape
	if len(xs) == 1 {
		x2 = b.Reshape(x, 1, xs[0])
	}
	if len(ys) == 1 {
		y2 = b.Reshape(y, ys[0], 1)
		zs = append(append(Shape{}, zs...), 1)
	}
	if len(xs) == 1 {
		last := zs[len(zs)-1]
		zs = append(append(Shape{}, zs[:len(zs)-1]...), 1, last)
	}
	if b.err != nil {
		return nil
	}
	dz = b.Reshape(dz, zs...)
	out := make([]*Value, 2)
	if b.needs(x) {
		out[0] = b.Reshape(b.unbroadcast(b.product(dz, y2, false, true, 1), x2), xs...)
	}
	if b.needs(y) {
		out[1] = b.Reshape(b.unbroadcast(b.product(x2, dz, true, false, 1), y2), ys...)
	}
	return out
}
