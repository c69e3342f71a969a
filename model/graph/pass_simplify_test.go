package graph

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

var fuseMergeCases = []passCase{
	{"equal nodes", func(b *B) *Value {
		v := b.fed("x", 3)
		return b.Add(b.Op("Exp", nil, v), b.Op("Exp", nil, v))
	}, "Add 1 Exp 1"},
	{"equal constants", func(b *B) *Value {
		v := b.fed("x", 3)
		return b.Sub(b.Mul(v, b.fixed(1, 3)), b.Mul(v, b.fixed(1, 3)))
	}, "Mul 1 Sub 1"},
	{"unequal constants stay", func(b *B) *Value {
		v := b.fed("x", 3)
		return b.Sub(b.Mul(v, b.fixed(1, 3)), b.Mul(v, b.fixed(2, 3)))
	}, "Mul 2 Sub 1"},
	{"unequal attributes stay", func(b *B) *Value {
		v := b.fed("x", 3)
		elu := func(alpha float64) *Value { return b.Op("Elu", accel.Attrs{accel.Float("alpha", alpha)}, v) }
		return b.Add(elu(1), elu(2))
	}, "Add 1 Elu 2"},
	{"attributes of two kinds stay", func(b *B) *Value {
		v := b.fed("x", 3)
		other := b.Op("Elu", accel.Attrs{accel.Int("alpha", 2)}, v) // not a real number: the default counts
		return b.Add(b.Op("Elu", accel.Attrs{accel.Float("alpha", 2)}, v), other)
	}, "Add 1 Elu 2"},
}

var fuseSimplifyCases = []passCase{
	{"products with one", func(b *B) *Value {
		return b.Op("Neg", nil, b.Div(b.Mul(b.fed("x", 3), b.number(1)), b.number(1)))
	}, "Neg 1"},
	{"a product that broadcasts stays", func(b *B) *Value {
		return b.Op("Neg", nil, b.Mul(b.fed("x", 3), b.Const(ones(2, 1))))
	}, "Mul 1 Neg 1"},
	{"sums with nothing", func(b *B) *Value {
		v := b.Sub(b.Add(b.fed("x", 3), b.number(math.Copysign(0, -1))), b.filled(accel.Float32, 0, 3))
		return b.Op("Exp", nil, v)
	}, "Exp 1"},
	{"-0 + 0 is not -0", func(b *B) *Value {
		return b.Op("Reciprocal", nil, b.Add(b.Mul(b.fed("x", 3), b.number(math.Copysign(0, -1))), b.number(0)))
	}, "Add 1 Mul 1 Reciprocal 1"},
	{"0 - x stays", func(b *B) *Value { return b.Op("Exp", nil, b.Sub(b.number(0), b.fed("x", 3))) }, "Exp 1 Sub 1"},
	{"1/x stays", func(b *B) *Value { return b.Op("Exp", nil, b.Div(b.number(1), b.fed("x", 3))) }, "Div 1 Exp 1"},
	{"integers", func(b *B) *Value {
		v := b.Cast(b.fed("x", 3), accel.Int64)
		return b.Op("Abs", nil, b.Mul(b.Add(v, b.Scalar(accel.Int64, 0)), b.Scalar(accel.Int64, 1)))
	}, "Abs 1 Cast 1"},
	{"square", func(b *B) *Value { return b.Op("Pow", nil, b.fed("x", 3), b.number(2)) }, "Mul 1"},
	{"first power", func(b *B) *Value { return b.Op("Neg", nil, b.Op("Pow", nil, b.fed("x", 3), b.number(1))) }, "Neg 1"},
	{"an eighth", func(b *B) *Value { return b.Div(b.fed("x", 3), b.number(-8)) }, "Mul 1"},
	{"a third stays", func(b *B) *Value { return b.Div(b.fed("x", 3), b.number(3)) }, "Div 1"},
	{"there and back", func(b *B) *Value {
		v := b.Op("Neg", nil, b.Op("Neg", nil, b.fed("x", 3)))
		return b.Op("Exp", nil, b.Op("Relu", nil, b.Op("Relu", nil, v)))
	}, "Exp 1 Relu 1"},
	{"widened and narrowed", func(b *B) *Value {
		return b.Op("Exp", nil, b.Cast(b.Cast(b.fed("x", 3), accel.Float64), accel.Float32))
	}, "Exp 1"},
	{"narrowed and widened stays", func(b *B) *Value {
		return b.Op("Exp", nil, b.Cast(b.Cast(b.fed("x", 3), accel.Float16), accel.Float32))
	}, "Cast 2 Exp 1"},
	{"constant condition", func(b *B) *Value {
		x, y := b.fed("x", 3), b.fed("y", 3)
		yes := b.Op("Where", nil, b.Const(boolsOf(true, true, true)), x, y)
		no := b.Op("Where", nil, b.Const(boolsOf(false, false, false)), x, y)
		some := b.Op("Where", nil, b.Const(boolsOf(true, false, true)), x, y)
		return b.Add(b.Sub(yes, no), some)
	}, "Add 1 Sub 1 Where 1"},
	{"a condition that broadcasts stays", func(b *B) *Value {
		return b.Op("Neg", nil, b.Op("Where", nil, b.Const(boolsOf(true, true, true)), b.fed("x", 1), b.fed("y", 1)))
	}, "Neg 1 Where 1"},
	{"transposes cancel", func(b *B) *Value {
		return b.Op("Neg", nil, b.Transpose(b.Transpose(b.fed("x", 2, 3, 4), 1, 2, 0), 2, 0, 1))
	}, "Neg 1"},
	{"transposes join", func(b *B) *Value {
		return b.Transpose(b.Op("Transpose", nil, b.fed("x", 2, 3, 4)), 1, 2, 0)
	}, "Transpose 1"},
	{"moved ones", func(b *B) *Value {
		return b.Op("Neg", nil, b.Transpose(b.fed("x", 2, 1, 4), 1, 0, 2))
	}, "Neg 1 Reshape 1"},
	{"views", func(b *B) *Value {
		v := b.Op("Unsqueeze", nil, b.Op("Flatten", nil, b.fed("x", 2, 3, 4)), b.Ints(0))
		v = b.Op("Reshape", nil, b.Op("Squeeze", nil, v, b.Ints(0)), b.Ints(0, -1, 4))
		return b.Op("Neg", nil, b.Op("Reshape", nil, v, b.Ints(-1)))
	}, "Neg 1 Reshape 1"},
	{"views back to the start", func(b *B) *Value {
		v := b.Op("Unsqueeze", nil, b.fed("x", 2, 3), b.Ints(0))
		return b.Op("Neg", nil, b.Op("Squeeze", nil, v))
	}, "Neg 1"},
	{"an input that is handed on", func(b *B) *Value {
		return b.Op("Squeeze", nil, b.Op("Unsqueeze", nil, b.fed("x", 2, 3), b.Ints(0)))
	}, "Reshape 1"},
	{"nothing is cut, padded, repeated, joined", func(b *B) *Value {
		v := b.Op("Slice", nil, b.fed("x", 2, 3), b.Ints(0, 0), b.Ints(9, 3), b.Ints(0, 1), b.Ints(1, 1))
		v = b.Op("Tile", nil, b.Op("Pad", nil, v, b.Ints(0, 0, 0, 0)), b.Ints(1, 1))
		v = b.Concat(1, b.Split(v, 0, 2)...)
		return b.Op("Neg", nil, b.Op("Expand", nil, v, b.Ints(2, 1)))
	}, "Neg 1"},
	{"a reversal stays", func(b *B) *Value {
		return b.Op("Neg", nil, b.Op("Slice", nil, b.fed("x", 3), b.Ints(-1), b.Ints(-9), b.Ints(0), b.Ints(-1)))
	}, "Neg 1 Slice 1"},
	{"slices along two axes", func(b *B) *Value {
		v := b.Op("Slice", nil, b.fed("x", 2, 6, 6), b.Ints(0), b.Ints(math.MaxInt64), b.Ints(2), b.Ints(2))
		return b.Op("Slice", nil, v, b.Ints(1), b.Ints(-1), b.Ints(-2))
	}, "Slice 1"},
	{"slices along one axis stay", func(b *B) *Value {
		return b.Slice(b.Slice(b.fed("x", 6), 0, 1, 5), 0, 1, 3)
	}, "Slice 2"},
	{"expanded for a sum", func(b *B) *Value {
		return b.Add(b.fed("x", 2, 3), b.Expand(b.fed("y", 3), 2, 3))
	}, "Add 1"},
	{"two expanded", func(b *B) *Value {
		return b.Add(b.Expand(b.fed("x", 2, 1), 2, 3), b.Expand(b.fed("y", 3), 2, 3))
	}, "Add 1"},
	{"an expansion that makes the shape stays", func(b *B) *Value {
		return b.Mul(b.fed("x", 3), b.Expand(b.fed("y", 3), 2, 3))
	}, "Expand 1 Mul 1"},
}

func boolsOf(v ...bool) *accel.Array { return accel.ArrayOf(accel.Bool, []int{len(v)}, v) }
