package graph

import (
	"math"

	"github.com/millrace-go/millrace/accel"
)

// conv3 convolves x (1, 2, 5, 5) with constants.
func (b *B) conv3(x *Value, bias bool) *Value {
	in := []*Value{x, b.fixed(1, 2, 2, 3, 3)}
	if bias {
		in = append(in, b.fixed(2, 2))
	}
	return b.Op("Conv", convAttrs, in...)
}

func (b *B) image() *Value { return b.fed("x", 1, 2, 5, 5) }

var fuseConvCases = []passCase{
	{"bias, residual, relu", func(b *B) *Value {
		x := b.image()
		return b.Op("Relu", nil, b.Add(x, b.Add(b.conv3(x, false), b.fed("bias", 2, 1, 1))))
	}, "FusedConv 1 Reshape 1"},
	{"clip", func(b *B) *Value {
		return b.Op("Clip", nil, b.conv3(b.image(), true), b.number(-0.2), b.number(0.7))
	}, "FusedConv 1"},
	{"clip from above", func(b *B) *Value { return b.Op("Clip", nil, b.conv3(b.image(), true), nil, b.number(0.7)) }, "FusedConv 1"},
	{"of float64", func(b *B) *Value {
		x := b.fedAs(accel.Float64, "x", 1, 2, 5, 5)
		y := b.Op("Conv", convAttrs, x, b.Cast(b.fixed(1, 2, 2, 3, 3), accel.Float64))
		return b.Op("Clip", nil, b.Add(y, x), b.Like(x, -0.2), b.Like(x, 0.7))
	}, "FusedConv 1"},
	{"of halves", func(b *B) *Value {
		x := b.fedAs(accel.Float16, "x", 1, 2, 5, 5)
		return b.Op("Relu", nil, b.Op("Conv", convAttrs, x, b.Cast(b.fixed(1, 2, 2, 3, 3), accel.Float16)))
	}, "FusedConv 1"},
	{"padding", func(b *B) *Value {
		return b.conv3(b.Op("Pad", nil, b.image(), b.Ints(0, 0, 1, 0, 0, 0, 2, 1), b.number(0)), true)
	}, "Conv 1"},
	{"padding of channels", func(b *B) *Value {
		return b.conv3(b.Op("Pad", nil, b.fed("x", 1, 1, 5, 5), b.Ints(0, 1, 0, 0, 0, 0, 0, 0)), true)
	}, "Conv 1 Pad 1"},
	{"padding with something", func(b *B) *Value {
		return b.conv3(b.Op("Pad", nil, b.image(), b.Ints(0, 0, 1, 0, 0, 0, 2, 1), b.number(1)), true)
	}, "Conv 1 Pad 1"},
	{"padding by reflection", func(b *B) *Value {
		return b.conv3(b.Op("Pad", accel.Attrs{accel.String("mode", "reflect")}, b.image(), b.Ints(0, 0, 1, 0, 0, 0, 2, 1)), true)
	}, "Conv 1 Pad 1"},
	{"a sum that broadcasts along width", func(b *B) *Value { return b.Add(b.conv3(b.image(), true), b.fed("y", 1, 2, 1, 5)) }, "Add 1 Conv 1"},
	{"a second bias", func(b *B) *Value { return b.Add(b.conv3(b.image(), true), b.fed("y", 1, 2, 1, 1)) }, "Add 1 Conv 1"},
	{"a sum behind the relu", func(b *B) *Value {
		x := b.image()
		return b.Add(b.Op("Relu", nil, b.conv3(x, true)), x)
	}, "Add 1 FusedConv 1"},
	{"a result that others read", func(b *B) *Value {
		y := b.conv3(b.image(), true)
		return b.Sub(b.Op("Relu", nil, y), y)
	}, "Conv 1 Relu 1 Sub 1"},
	{"bounds that are computed", func(b *B) *Value {
		return b.Op("Clip", nil, b.conv3(b.image(), true), b.fed("lo"))
	}, "Clip 1 Conv 1"},
	{"both sides of a sum", func(b *B) *Value {
		x := b.image()
		return b.Op("Relu", nil, b.Add(b.conv3(x, true), b.conv3(b.Op("Neg", nil, x), true)))
	}, "Conv 1 FusedConv 1 Neg 1"},
}

// channelStats are gain, bias, mean and variance of n channels.
func (b *B) channelStats(n int) []*Value {
	return []*Value{b.fixed(8, n), b.fixed(9, n), b.fixed(10, n), b.Add(b.fixed(11, n), b.number(2))}
}

func (b *B) batchNorm(x *Value, channels int) *Value {
	return b.Op("BatchNormalization", accel.Attrs{accel.Float("epsilon", 1e-3)}, append([]*Value{x}, b.channelStats(channels)...)...)
}

var fuseBatchNormCases = []passCase{
	{"weights beyond float16 stay", func(b *B) *Value {
		x := b.Mul(b.fedAs(accel.Float16, "x", 3, 4), b.Scalar(accel.Float16, 1e-3))
		return b.Mul(b.MatMul(x, b.filled(accel.Float16, 3e4, 4, 2)), b.filled(accel.Float16, 20, 2))
	}, "MatMul 1 Mul 2"},
	{"convolution", func(b *B) *Value { return b.batchNorm(b.conv3(b.image(), true), 2) }, "Conv 1"},
	{"without a bias", func(b *B) *Value { return b.batchNorm(b.conv3(b.image(), false), 2) }, "Conv 1"},
	{"in groups", func(b *B) *Value {
		return b.batchNorm(b.Op("Conv", convAttrs.With(accel.Int("group", 2)), b.image(), b.fixed(1, 4, 1, 3, 3)), 4)
	}, "Conv 1"},
	{"transposed, in groups", func(b *B) *Value {
		y := b.Op("ConvTranspose", convAttrs.With(accel.Int("group", 2)), b.fed("x", 1, 4, 5, 5), b.fixed(1, 4, 3, 3, 3), b.fixed(2, 6))
		return b.batchNorm(y, 6)
	}, "ConvTranspose 1"},
	{"product", func(b *B) *Value { return b.batchNorm(b.MatMul(b.fed("x", 3, 4), b.fixed(1, 4, 5)), 5) }, "FusedMatMul 1"},
	{"dense layer", func(b *B) *Value {
		return b.batchNorm(b.Op("Gemm", accel.Attrs{accel.Int("transB", 1)}, b.fed("x", 3, 4), b.fixed(1, 5, 4), b.fixed(2, 5)), 5)
	}, "FusedMatMul 1"},
	{"scale and shift a channel", func(b *B) *Value {
		y := b.Div(b.Mul(b.conv3(b.image(), true), b.fixed(3, 2, 1, 1)), b.number(3))
		return b.Sub(b.fixed(4, 1, 2, 1, 1), b.Add(y, b.fixed(5, 2, 1, 1)))
	}, "Conv 1"},
	{"columns of a product", func(b *B) *Value {
		y := b.MatMul(b.fed("x", 2, 3, 4), b.fixed(1, 4, 5))
		return b.Add(b.fixed(3, 5), b.Mul(b.fixed(2, 1, 5), y))
	}, "FusedMatMul 1"},
	{"rows of a product", func(b *B) *Value {
		return b.Mul(b.MatMul(b.fed("x", 3, 4), b.fixed(1, 4, 3)), b.fixed(2, 3, 1))
	}, "MatMul 1 Mul 1"},
	{"channels of a product", func(b *B) *Value {
		return b.batchNorm(b.MatMul(b.fed("x", 2, 5, 4), b.fixed(1, 4, 5)), 5)
	}, "BatchNormalization 1 MatMul 1"},
	{"a batch's statistics", func(b *B) *Value {
		at := accel.Attrs{accel.Int("training_mode", 1)}
		return b.Op("BatchNormalization", at, append([]*Value{b.conv3(b.image(), true)}, b.channelStats(2)...)...)
	}, "BatchNormalization 1 Conv 1"},
	{"weights that are computed", func(b *B) *Value {
		return b.batchNorm(b.Op("Conv", convAttrs, b.image(), b.fed("w", 2, 2, 3, 3)), 2)
	}, "BatchNormalization 1 Conv 1"},
	{"over a convolution", func(b *B) *Value { return b.Div(b.fixed(3, 2, 1, 1), b.conv3(b.image(), true)) }, "Conv 1 Div 1"},
	{"a division by nothing", func(b *B) *Value {
		return b.Op("IsNaN", nil, b.Div(b.conv3(b.image(), true), b.number(0)))
	}, "Conv 1 Div 1 IsNaN 1"},
}

var fuseMatmulCases = []passCase{
	{"bias, residual, activation", func(b *B) *Value {
		y := b.Add(b.MatMul(b.fed("x", 2, 3, 4), b.fixed(5, 4, 6)), b.fixed(6, 6))
		return b.Op("Relu", nil, b.Add(y, b.fed("z", 2, 3, 6)))
	}, "FusedMatMul 1"},
	{"silu", func(b *B) *Value { return b.Op("Swish", nil, b.MatMul(b.fed("x", 3, 4), b.fixed(5, 4, 6))) }, "FusedMatMul 1"},
	{"a sharper gate stays", func(b *B) *Value {
		return b.Op("Swish", accel.Attrs{accel.Float("alpha", 1.7)}, b.MatMul(b.fed("x", 3, 4), b.fixed(5, 4, 6)))
	}, "FusedMatMul 1 Swish 1"},
	{"gelu of halves", func(b *B) *Value {
		y := b.MatMul(b.fedAs(accel.BFloat16, "x", 3, 4), b.Cast(b.fixed(5, 4, 6), accel.BFloat16))
		return b.Op("Gelu", accel.Attrs{accel.String("approximate", "tanh")}, y)
	}, "FusedMatMul 1"},
	{"relu of float64 stays", func(b *B) *Value {
		return b.Op("Relu", nil, b.MatMul(b.fedAs(accel.Float64, "x", 3, 4), b.fedAs(accel.Float64, "y", 4, 2)))
	}, "FusedMatMul 1 Relu 1"},
	{"integers stay", func(b *B) *Value {
		y := b.MatMul(b.Cast(b.times(b.fed("x", 3, 4), 9), accel.Int32), b.Cast(b.times(b.fed("y", 4, 2), 9), accel.Int32))
		return b.Cast(b.Mul(y, b.Scalar(accel.Int32, 3)), accel.Float32)
	}, "Cast 3 MatMul 1 Mul 3"},
	{"scales of the operands and of the result", func(b *B) *Value {
		x, y := b.times(b.fed("x", 3, 4), 0.3), b.Div(b.fed("y", 4, 2), b.number(3))
		return b.times(b.MatMul(x, y), 0.7)
	}, "FusedMatMul 1"},
	{"a scaled operand that others read", func(b *B) *Value {
		x := b.times(b.fed("x", 4, 4), 0.3)
		return b.Sub(b.MatMul(x, b.fed("y", 4, 4)), x)
	}, "FusedMatMul 1 Mul 1 Sub 1"},
	{"a square of a scaled matrix", func(b *B) *Value {
		x := b.times(b.fed("x", 4, 4), 0.3)
		return b.MatMul(x, x)
	}, "FusedMatMul 1 Mul 1"},
	{"a scale of nothing", func(b *B) *Value {
		return b.times(b.MatMul(b.fed("x", 3, 4), b.fed("y", 4, 2)), 0)
	}, "FusedMatMul 1 Mul 1"},
	{"a scale that broadcasts", func(b *B) *Value {
		return b.Mul(b.MatMul(b.fed("x", 3, 4), b.fed("y", 4, 2)), b.filled(accel.Float32, 0.5, 1, 1, 1))
	}, "FusedMatMul 1 Mul 1"},
	{"transposed right operand", func(b *B) *Value {
		return b.MatMul(b.fed("x", 3, 4), b.Transpose(b.fed("y", 6, 4), 1, 0))
	}, "FusedMatMul 1"},
	{"transposed product", func(b *B) *Value {
		return b.Op("Neg", nil, b.Transpose(b.MatMul(b.Transpose(b.fed("x", 3, 4), 1, 0), b.fed("y", 3, 5)), 1, 0))
	}, "FusedMatMul 1 Neg 1"},
	{"a bias of rows", func(b *B) *Value {
		return b.Add(b.MatMul(b.fed("x", 3, 4), b.fixed(5, 4, 6)), b.fixed(6, 3, 1))
	}, "Add 1 FusedMatMul 1"},
	{"a bias that makes another shape", func(b *B) *Value {
		return b.Add(b.MatMul(b.fed("x", 3, 4), b.fixed(5, 4, 6)), b.fixed(6, 1, 1, 6))
	}, "Add 1 FusedMatMul 1"},
	{"a bound below nothing", func(b *B) *Value {
		return b.Op("Clip", nil, b.MatMul(b.fed("x", 3, 4), b.fixed(5, 4, 6)), b.number(math.Inf(-1)))
	}, "Clip 1 FusedMatMul 1"},
}
