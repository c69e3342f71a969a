package graph

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
)

// elementwiseOps lists the operators that work element by element.
func elementwiseOps() []operator {
	return []operator{
		opAdd, opSub, opMul, opDiv, opMod, opPow, opNeg, opAbs, opSign, opReciprocal,
		opFloor, opCeil, opRound,
		opMax, opMin, opSum, opMean, opClip,
		opSqrt, opExp, opLog, opErf, opErfGrad,
		opSin, opCos, opTan, opAsin, opAcos, opAtan,
		opSinh, opCosh, opTanh, opTanhGrad, opAsinh, opAcosh, opAtanh,
		opRelu, opReluGrad, opLeakyRelu, opLeakyReluGrad, opPRelu, opThresholdedRelu,
		opElu, opEluGrad, opSelu, opCelu,
		opSigmoid, opSigmoidGrad, opHardSigmoid, opHardSigmoidGrad, opHardSwish, opHardSwishGrad,
		opSoftplus, opSoftplusGrad, opSoftsign, opMish, opMishGrad, opSwish, opSiluGrad, opGelu, opGeluGrad, opShrink,
		opEqual, opGreater, opGreaterOrEqual, opLess, opLessOrEqual, opIsInf, opIsNaN, opWhere,
		opAnd, opOr, opXor, opNot,
		opBitwiseAnd, opBitwiseOr, opBitwiseXor, opBitwiseNot, opBitShift,
		opCast, opCastLike, opBitCast, opStopGradient, opBarrier,
	}
}

// typeSet is a class of element types, and its name for messages.
type typeSet struct {
	name string
	has  func(accel.DType) bool
}

var (
	floatSet    = typeSet{"a float", accel.DType.IsFloat}
	intSet      = typeSet{"an integer", accel.DType.IsInt}
	unsignedSet = typeSet{"an unsigned integer", accel.DType.IsUnsigned}
	numberSet   = typeSet{"a number", accel.DType.IsNumeric}
	signedSet   = typeSet{"a signed number", func(t accel.DType) bool { return t.IsFloat() || t.IsSigned() }}
	boolSet     = typeSet{"bool", func(t accel.DType) bool { return t == accel.Bool }}
	ordinarySet = typeSet{"a number or bool", func(t accel.DType) bool { return t.IsNumeric() || t == accel.Bool }}
)

// check reports an error unless input i is of the set.
func (s typeSet) check(c *Context, i int) error {
	if t := c.DType(i); !s.has(t) {
		return fmt.Errorf("input %d is %s, want %s: %w", i, t, s.name, accel.ErrUnsupported)
	}
	return nil
}

// unaryRule is the shape rule of y = f(x) with y of x's type.
func unaryRule(of typeSet) func(*Context) ([]Type, error) {
	return func(c *Context) ([]Type, error) {
		if err := of.check(c, 0); err != nil {
			return nil, err
		}
		return like(c)
	}
}

// binaryOf is the shape rule of operators on two broadcasting inputs of one type.
func binaryOf(of typeSet) func(*Context) ([]Type, error) {
	return func(c *Context) ([]Type, error) {
		if err := of.check(c, 0); err != nil {
			return nil, err
		}
		return binaryRule(c)
	}
}

// binaryRule is binaryOf any type.
func binaryRule(c *Context) ([]Type, error) {
	if err := c.Same(0, 1); err != nil {
		return nil, err
	}
	s, err := Broadcast(c.Shape(0), c.Shape(1))
	if err != nil {
		return nil, err
	}
	return one(c.DType(0), s)
}

// like is the shape rule of operators whose output has the type of the first input.
func like(c *Context) ([]Type, error) { return one(c.DType(0), c.Shape(0)) }

// unary is y = f(x) with the gradient dx = slope(dy, x, y).
func unary(name string, of typeSet, grad func(b *backward, dy, x, y *Value) *Value) operator {
	o := operator{name: name, min: 1, shapes: unaryRule(of), inplace: []int{0}, flat: grad == nil}
	if grad != nil {
		o.grad = func(b *backward, n *Node, dy []*Value) []*Value {
			return []*Value{grad(b, dy[0], n.Inputs[0], n.Outputs[0])}
		}
	}
	return o
}

// slopeOp is an operator dx = dy·f'(v): the gradient of a function, by a kernel
// of its own. bend gives its own gradient with respect to v from d = that of dx,
// nil if it is zero everywhere.
func slopeOp(name string, bend func(b *backward, n *Node, d, dy, v *Value) *Value) operator {
	o := operator{name: name, min: 2, inplace: []int{0, 1}, shapes: func(c *Context) ([]Type, error) {
		if !Shape(c.Shape(0)).Equal(c.Shape(1)) {
			return nil, fmt.Errorf("shapes %v and %v differ", c.Shape(0), c.Shape(1))
		}
		return binaryOf(floatSet)(c)
	}}
	if bend != nil {
		o.grad = func(b *backward, n *Node, d []*Value) []*Value {
			dy, v := n.Inputs[0], n.Inputs[1]
			out := make([]*Value, 2)
			if b.needs(dy) {
				out[0] = b.Op(name, n.Attrs, d[0], v)
			}
			if b.needs(v) {
				out[1] = bend(b, n, d[0], dy, v)
			}
			return out
		}
	}
	return o
}

// straight is the bend of a function made of straight lines.
func straight(*backward, *Node, *Value, *Value, *Value) *Value { return nil }

// neg is -x.
func (b *backward) neg(x *Value) *Value { return b.Op("Neg", nil, x) }

// sq is x².
func (b *backward) sq(x *Value) *Value { return b.Mul(x, x) }

// oneMinus is 1 - x.
func (b *backward) oneMinus(x *Value) *Value {
	if b.err != nil {
		return nil
	}
	return b.Sub(b.Like(x, 1), x)
}

// zeroUnless is d where the condition holds, and 0 elsewhere.
func (b *backward) zeroUnless(cond, d *Value) *Value {
	if b.err != nil {
		return nil
	}
	return b.Op("Where", nil, cond, d, b.Like(d, 0))
}

// scale is x · v.
func (b *backward) scale(x *Value, v float64) *Value {
	if b.err != nil {
		return nil
	}
	return b.Mul(x, b.Like(x, v))
}
