package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// opAdd is z = x + y of numbers, with numpy's broadcasting. The gradient of an
// input that was broadcast is summed back to its shape, here and below.
var opAdd = operator{
	name: "Add", min: 2, shapes: binaryOf(numberSet), inplace: []int{0, 1},
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		return b.pair(n, func() *Value { return dz[0] }, func() *Value { return dz[0] })
	},
}

// opSub is z = x - y.
var opSub = operator{
	name: "Sub", min: 2, shapes: binaryOf(numberSet), inplace: []int{0, 1},
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		return b.pair(n, func() *Value { return dz[0] }, func() *Value { return b.neg(dz[0]) })
	},
}

// opMul is z = x · y.
var opMul = operator{
	name: "Mul", min: 2, shapes: binaryOf(numberSet), inplace: []int{0, 1},
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		return b.pair(n, func() *Value { return b.Mul(dz[0], n.Inputs[1]) }, func() *Value { return b.Mul(dz[0], n.Inputs[0]) })
	},
}

// opDiv is z = x/y, of integers truncated: dx = dz/y, dy = -z·dz/y.
var opDiv = operator{
	name: "Div", min: 2, shapes: binaryOf(numberSet), inplace: []int{0, 1},
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		dx := b.Div(dz[0], n.Inputs[1])
		return b.pair(n, func() *Value { return dx }, func() *Value { return b.neg(b.Mul(dx, n.Outputs[0])) })
	},
}

// opMod is the remainder of x/y: with the sign of y as in Python, for integers
// only, or with fmod=1 (the default is 0) with the sign of x as in C:
// dx = dz, dy = -dz·trunc(x/y).
var opMod = operator{
	name: "Mod", min: 2, inplace: []int{0, 1},
	shapes: func(c *Context) ([]Type, error) {
		if c.DType(0).IsFloat() && !c.Attrs.Bool("fmod", false) {
			return nil, fmt.Errorf("remainder (Mod) of %s without fmod=1: %w", c.DType(0), accel.ErrUnsupported)
		}
		return binaryOf(numberSet)(c)
	},
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		return b.pair(n, func() *Value { return dz[0] }, func() *Value {
			q := b.Div(n.Inputs[0], n.Inputs[1])
			down := b.Op("Floor", nil, b.Op("Abs", nil, q))
			return b.neg(b.Mul(dz[0], b.Mul(down, b.Op("Sign", nil, q))))
		})
	},
}

// opPow is z = xʸ of x's type: dx = dz·y·xʸ⁻¹, 0 where y is 0; dy = dz·z·log x,
// 0 where x is 0. Inputs of two types are computed in one that holds both:
// int64 for integers, float64 otherwise, unless x is float32 or wider than y.
var opPow = operator{
	name: "Pow", min: 2, inplace: []int{0},
	shapes: func(c *Context) ([]Type, error) {
		for i := range 2 {
			if err := numberSet.check(c, i); err != nil {
				return nil, err
			}
		}
		s, err := Broadcast(c.Shape(0), c.Shape(1))
		if err != nil {
			return nil, err
		}
		return one(c.DType(0), s)
	},
	when: func(n *Node) bool { return n.Inputs[0].Type.DType != n.Inputs[1].Type.DType },
	expand: func(b *B, n *Node) []*Value {
		x, y := n.Inputs[0], n.Inputs[1]
		t := powType(x.Type.DType, y.Type.DType)
		return []*Value{b.Cast(b.Op("Pow", nil, b.Cast(x, t), b.Cast(y, t)), x.Type.DType)}
	},
	grad: func(b *backward, n *Node, dz []*Value) []*Value {
		return b.pair(n, func() *Value { return b.powBase(n, dz[0]) }, func() *Value {
			x := n.Inputs[0]
			d := b.Mul(b.Mul(dz[0], n.Outputs[0]), b.Op("Log", nil, x))
			return b.zeroUnless(b.Op("Not", nil, b.Op("Equal", nil, x, b.Like(x, 0))), d)
		})
	},
}

// powType is the type in which a power of two types is computed.
func powType(x, y accel.DType) accel.DType {
	switch {
	case x.IsInt() && y.IsInt():
		return accel.Int64
	case x == accel.Float64 || y == accel.Float64 || x.IsInt():
		return accel.Float64
	}
	return accel.Float32
}

// powBase is dz·y·xʸ⁻¹. Where y is one known number, it is part of the graph.
func (b *backward) powBase(n *Node, dz *Value) *Value {
	x, y := n.Inputs[0], n.Inputs[1]
	if v, ok := number(y); ok {
		switch v {
		case 0:
			return b.scale(dz, 0)
		case 1:
			return dz
		case 2:
			return b.Mul(b.scale(dz, 2), x)
		}
		return b.Mul(b.scale(dz, v), b.Op("Pow", nil, x, b.Like(x, v-1)))
	}
	d := b.Mul(b.Mul(dz, y), b.Op("Pow", nil, x, b.Sub(y, b.Like(y, 1))))
	return b.zeroUnless(b.Op("Not", nil, b.Op("Equal", nil, y, b.Like(y, 0))), d)
}

// number is the value of a constant float32 or float64 of one element.
func number(v *Value) (float64, bool) {
	if v.Kind != Const || v.Data.Len() != 1 {
		return 0, false
	}
	switch v.Data.DType {
	case accel.Float32:
		return float64(accel.Values[float32](v.Data)[0]), true
	case accel.Float64:
		return accel.Values[float64](v.Data)[0], true
	}
	return 0, false
}

// opNeg is y = -x of signed numbers.
var opNeg = unary("Neg", signedSet, func(b *backward, dy, _, _ *Value) *Value { return b.neg(dy) })

// opAbs is y = |x|: dx = dy·sign(x).
var opAbs = unary("Abs", numberSet, func(b *backward, dy, x, _ *Value) *Value { return b.Mul(dy, b.Op("Sign", nil, x)) })

// opSign is -1, 0 or 1. Its gradient is zero.
var opSign = unary("Sign", numberSet, nil)

// opReciprocal is y = 1/x: dx = -dy·y².
var opReciprocal = unary("Reciprocal", floatSet, func(b *backward, dy, _, y *Value) *Value { return b.neg(b.Mul(dy, b.sq(y))) })

// opFloor is the largest integer not above x. The gradients of the three
// roundings are zero.
var opFloor = unary("Floor", floatSet, nil)

// opCeil is the smallest integer not below x.
var opCeil = unary("Ceil", floatSet, nil)

// opRound is the integer nearest to x, of two the even one.
var opRound = unary("Round", floatSet, nil)
