package graph

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

// erfGate is 1 + erf(x/root).
func (b *B) erfGate(x *Value, root float64) *Value {
	return b.Add(b.Op("Erf", nil, b.Div(x, b.Like(x, root))), b.Like(x, 1))
}

func (b *B) times(x *Value, v float64) *Value { return b.Mul(x, b.Like(x, v)) }

// tanhArgument is √(2/π)·(x + 0.044715·x³) with the power written as given.
func (b *B) tanhArgument(x, cube *Value) *Value {
	return b.times(b.Add(x, b.times(cube, 0.044715)), math.Sqrt(2/math.Pi))
}

var fuseGeluCases = []passCase{
	{"half first", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.Mul(b.times(x, 0.5), b.erfGate(x, math.Sqrt2))
	}, "Gelu 1"},
	{"half last", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.times(b.Mul(x, b.erfGate(x, math.Sqrt2)), 0.5)
	}, "Gelu 1"},
	{"half at the gate", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		gate := b.Add(b.number(0.5), b.Mul(b.number(0.5), b.Op("Erf", nil, b.times(x, math.Sqrt2/2))))
		return b.Mul(gate, x)
	}, "Gelu 1"},
	{"halved by two, multiplied out", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.Div(b.Add(b.Mul(x, b.Op("Erf", nil, b.times(x, 0.70710677))), x), b.number(2))
	}, "Gelu 1"},
	{"of a sum", func(b *B) *Value {
		x := b.Add(b.fed("x", 3, 4), b.fed("bias", 4))
		return b.times(b.Mul(x, b.erfGate(x, math.Sqrt2)), 0.5)
	}, "Add 1 Gelu 1"},
	{"of halves", func(b *B) *Value {
		x := b.fedAs(accel.Float16, "x", 3, 4)
		return b.Mul(b.times(x, 0.5), b.erfGate(x, math.Sqrt2))
	}, "Gelu 1"},
	{"tanh, cube as products", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		t := b.Op("Tanh", nil, b.tanhArgument(x, b.Mul(b.Mul(x, x), x)))
		return b.Mul(b.times(x, 0.5), b.Add(b.number(1), t))
	}, "Gelu 1"},
	{"tanh, cube as a power", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		t := b.Op("Tanh", nil, b.tanhArgument(x, b.Op("Pow", nil, x, b.number(3))))
		return b.times(b.Mul(b.Add(b.number(1), t), x), 0.5)
	}, "Gelu 1"},
	{"tanh, x outside", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		inner := b.Add(b.number(1), b.Mul(b.Mul(b.number(0.044715), x), x))
		t := b.Op("Tanh", nil, b.Mul(b.times(x, 0.7978845608), inner))
		return b.Mul(b.times(x, 0.5), b.Add(b.number(1), t))
	}, "Gelu 1"},
	{"tanh as a sigmoid", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.Mul(x, b.Op("Sigmoid", nil, b.times(b.tanhArgument(x, b.Mul(b.Mul(x, x), x)), 2)))
	}, "Gelu 1"},
	{"silu", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.Mul(x, b.Op("Sigmoid", nil, x))
	}, "Swish 1"},
	{"a sharper gate", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.Mul(b.Op("Sigmoid", nil, b.times(x, 1.702)), x)
	}, "Swish 1"},
	{"hard gate", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.Mul(x, b.Op("HardSigmoid", accel.Attrs{accel.Float("alpha", 1.0/6)}, x))
	}, "HardSwish 1"},
	{"clipped gate", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.Div(b.Mul(x, b.Op("Clip", nil, b.Add(x, b.number(3)), b.number(0), b.number(6))), b.number(6))
	}, "HardSwish 1"},
	{"mish", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.Mul(x, b.Op("Tanh", nil, b.Op("Softplus", nil, x)))
	}, "Mish 1"},
	{"another root", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.times(b.Mul(x, b.erfGate(x, 1.5)), 0.5)
	}, "Add 1 Div 1 Erf 1 Mul 2"},
	{"another x", func(b *B) *Value {
		x, y := b.fed("x", 3, 4), b.fed("y", 3, 4)
		return b.times(b.Mul(y, b.erfGate(x, math.Sqrt2)), 0.5)
	}, "Add 1 Div 1 Erf 1 Mul 2"},
	{"without the half", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.Mul(x, b.erfGate(x, math.Sqrt2))
	}, "Add 1 Div 1 Erf 1 Mul 1"},
	{"a gate that others read", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		s := b.Op("Sigmoid", nil, x)
		return b.Add(b.Mul(x, s), s)
	}, "Add 1 Mul 1 Sigmoid 1"},
	{"a half that makes another shape", func(b *B) *Value {
		x := b.fed("x", 3, 4)
		return b.Mul(b.Mul(x, b.erfGate(x, math.Sqrt2)), b.filled(accel.Float32, 0.5, 1, 1, 1))
	}, "Add 1 Div 1 Erf 1 Mul 2"},
}
