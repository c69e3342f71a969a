package graph

import (
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
)

// qdq builds quantized graphs.
type qdq struct {
	*B
	t testing.TB
}

// codesOf is a constant of 8-bit codes, fixed by the key.
func codesOf(t accel.DType, key uint64, shape ...int) *accel.Array {
	a := accel.NewArray(t, shape...)
	for i := range a.Data {
		a.Data[i] = byte(counter.Float64(key, uint64(i)) * 256)
	}
	return a
}

func (q qdq) scale(v ...float32) *Value {
	shape := []int{len(v)}
	if len(v) == 1 {
		shape = []int{}
	}
	return q.Const(accel.ArrayOf(accel.Float32, shape, v))
}

func (q qdq) zero(v uint8) *Value { return q.Const(accel.ArrayOf(accel.Uint8, []int{}, []uint8{v})) }

// quantized is v through QuantizeLinear and DequantizeLinear.
func (q qdq) quantized(v *Value, scale float32, zero uint8) *Value {
	s, z := q.scale(scale), q.zero(zero)
	return q.Op("DequantizeLinear", nil, q.Op("QuantizeLinear", nil, v, s, z), s, z)
}

// weights is int8 codes dequantized with one scale for each index of axis.
func (q qdq) weights(key uint64, axis int, scale float32, shape ...int) *Value {
	scales, zeros := make([]float32, shape[axis]), accel.NewArray(accel.Int8, shape[axis])
	for i := range scales {
		scales[i] = scale * float32(int(1)<<(i%3))
	}
	return q.Op("DequantizeLinear", accel.Attrs{accel.Int("axis", axis)}, q.Const(codesOf(accel.Int8, key, shape...)), q.scale(scales...), q.Const(zeros))
}

// bias is float32 multiples of 1/64.
func (q qdq) bias(n int, shape ...int) *Value {
	a := accel.NewArray(accel.Float32, append(shape, n)...)
	for i := range accel.Values[float32](a) {
		accel.Values[float32](a)[i] = float32(i%7-3) / 64
	}
	return q.Const(a)
}

var convAttrs = accel.Attrs{accel.Ints("kernel_shape", 3, 3), accel.Ints("pads", 1, 1, 1, 1), accel.Ints("strides", 1, 1), accel.Ints("dilations", 1, 1)}

// qdqCase is a graph of one float32 input, what its optimized operators are, and
// how far results may lie from those of the graph as it is.
type qdqCase struct {
	name  string
	in    []int
	build func(q qdq, x *Value) *Value
	want  []string
	tol   float64
}

// With scales that are powers of two float32 computes everything exactly, so both
// graphs give the same bits; with others a code may differ by one.
var qdqCases = []qdqCase{
	{"a product without zero points", []int{5, 36}, func(q qdq, x *Value) *Value {
		s := q.scale(1. / 32)
		codes := q.Op("QuantizeLinear", nil, x, s)
		w := q.Op("DequantizeLinear", nil, q.Const(codesOf(accel.Int8, 7, 36, 20)), q.scale(1./64))
		y := q.Op("QuantizeLinear", nil, q.MatMul(q.Op("DequantizeLinear", nil, codes, s), w), q.scale(1./4))
		return q.Op("DequantizeLinear", nil, y, q.scale(1./4))
	}, []string{"QuantizeLinear", "QuantMatMul", "DequantizeLinear"}, 0},
	{"a convolution without zero points", []int{2, 8, 7, 7}, func(q qdq, x *Value) *Value {
		s := q.scale(1. / 32)
		codes := q.Op("QuantizeLinear", nil, x, s)
		w := q.Op("DequantizeLinear", nil, q.Const(codesOf(accel.Int8, 7, 4, 8, 3, 3)), q.scale(1./64))
		return q.Op("Conv", convAttrs, q.Op("DequantizeLinear", nil, codes, s), w)
	}, []string{"QuantizeLinear", "Transpose", "QuantConv", "Transpose"}, 0},
	{"products of no zero points by integers", []int{5, 36}, func(q qdq, x *Value) *Value {
		codes := q.Cast(q.Cast(q.Op("Floor", nil, q.Mul(x, q.number(9))), accel.Int32), accel.Int8)
		m := q.Op("MatMulInteger", nil, codes, q.Const(codesOf(accel.Int8, 7, 36, 20)))
		return q.Mul(q.Cast(m, accel.Float32), q.Mul(q.scale(1./8), q.Op("ReduceMax", nil, x, q.Ints(0, 1))))
	}, []string{"Mul", "Floor", "Cast", "Cast", "ReduceMax", "QuantMatMul"}, 0},
	{"product", []int{5, 36}, func(q qdq, x *Value) *Value {
		w := q.weights(1, 0, 1./64, 20, 36)
		y := q.Op("Gemm", accel.Attrs{accel.Int("transB", 1)}, q.quantized(x, 1./32, 120), w, q.bias(20))
		return q.quantized(q.Op("Relu", nil, y), 1./4, 0)
	}, []string{"QuantizeLinear", "QuantMatMul", "DequantizeLinear"}, 0},
	{"product, any scales", []int{5, 36}, func(q qdq, x *Value) *Value {
		y := q.Op("MatMul", nil, q.quantized(x, 0.0313, 120), q.weights(1, 1, 0.0171, 36, 20))
		return q.quantized(y, 0.23, 99)
	}, []string{"QuantizeLinear", "QuantMatMul", "DequantizeLinear"}, 0.231},
	{"products of two activations", []int{2, 3, 4, 8}, func(q qdq, x *Value) *Value {
		x = q.quantized(x, 1./32, 120)
		return q.quantized(q.MatMul(x, q.Transpose(x, 0, 1, 3, 2)), 1./4, 7)
	}, []string{"QuantizeLinear", "Transpose", "QuantMatMul", "DequantizeLinear"}, 0},
	{"a residual block", []int{2, 8, 6, 6}, func(q qdq, x *Value) *Value {
		x = q.quantized(x, 1./32, 120)
		y := q.Op("Conv", convAttrs, x, q.weights(1, 0, 1./64, 8, 8, 3, 3), q.bias(8))
		y = q.quantized(q.Op("Relu", nil, y), 1./4, 0)
		y = q.Op("Conv", convAttrs, y, q.weights(2, 0, 1./64, 8, 8, 3, 3))
		return q.quantized(q.Add(q.quantized(y, 1, 100), x), 1, 90)
	}, []string{"QuantizeLinear", "Transpose", "QuantConv", "QuantConv", "Transpose", "QuantAdd", "DequantizeLinear"}, 0},
	{"a shortcut", []int{2, 8, 6, 6}, func(q qdq, x *Value) *Value {
		y := q.Op("Conv", convAttrs, q.quantized(x, 1./32, 120), q.weights(1, 0, 1./64, 8, 8, 3, 3))
		y = q.quantized(y, 1./2, 60)
		s := q.Op("Slice", nil, y, q.Ints(0, 1), q.Ints(6, 5), q.Ints(2, 1), q.Ints(2, 1))
		s = q.quantized(q.Op("Pad", nil, q.quantized(s, 1./2, 60), q.Ints(0, 2, 0, 0, 0, 2, 0, 0)), 1./2, 60)
		p := q.Op("MaxPool", accel.Attrs{accel.Ints("kernel_shape", 2, 3), accel.Ints("strides", 2, 1), accel.Ints("pads", 0, 1, 0, 1)}, y)
		p = q.quantized(q.Op("Slice", nil, p, q.Ints(0), q.Ints(4), q.Ints(-3)), 1./2, 60)
		return q.Op("Concat", accel.Attrs{accel.Int("axis", 1)}, s, p)
	}, []string{"QuantizeLinear", "Transpose", "QuantConv", "Slice", "Pad", "Transpose", "DequantizeLinear", "QuantMaxPool", "Slice", "Transpose", "DequantizeLinear", "Concat"}, 0},
	{"sums of integers", []int{4, 36}, func(q qdq, x *Value) *Value {
		in := q.Ops("DynamicQuantizeLinear", 3, nil, x)
		w, zero := q.Const(codesOf(accel.Int8, 1, 36, 20)), q.Const(accel.NewArray(accel.Int8, 20))
		scales := make([]float32, 20)
		for i := range scales {
			scales[i] = 0.01 + 0.003*float32(i)
		}
		y := q.Cast(q.Op("MatMulInteger", nil, in[0], w, in[2], zero), accel.Float32)
		return q.Op("Relu", nil, q.Add(q.Mul(y, q.Mul(in[1], q.scale(scales...))), q.bias(20)))
	}, []string{"DynamicQuantizeLinear", "QuantMatMul"}, 0},
	{"a convolution of integers", []int{2, 3, 6, 6}, func(q qdq, x *Value) *Value {
		in := q.Ops("DynamicQuantizeLinear", 3, nil, x)
		y := q.Cast(q.Op("ConvInteger", convAttrs, in[0], q.Const(codesOf(accel.Int8, 1, 5, 3, 3, 3)), in[2]), accel.Float32)
		return q.Add(q.Mul(y, q.Mul(in[1], q.scale(0.013))), q.Reshape(q.bias(5), 1, 5, 1, 1))
	}, []string{"DynamicQuantizeLinear", "Transpose", "QuantConv", "Transpose"}, 0},
	// Near misses.
	{"a window of padding alone", []int{1, 1, 9}, func(q qdq, x *Value) *Value {
		return q.Op("MaxPool", accel.Attrs{accel.Ints("kernel_shape", 2), accel.Ints("strides", 1), accel.Ints("pads", 1, 3), accel.Ints("dilations", 1)}, q.quantized(x, 1./32, 120))
	}, []string{"QuantizeLinear", "DequantizeLinear", "MaxPool"}, 0},
	{"a relu whose zero is not the least code", []int{3, 8}, func(q qdq, x *Value) *Value {
		y := q.Op("MatMul", nil, q.quantized(x, 1./32, 120), q.weights(1, 1, 1./64, 8, 4))
		return q.quantized(q.Op("Relu", nil, y), 1./4, 50)
	}, []string{"QuantizeLinear", "QuantMatMul", "QuantizeLinear", "DequantizeLinear"}, 0},
	{"another scale behind a move", []int{3, 8}, func(q qdq, x *Value) *Value {
		return q.quantized(q.Transpose(q.quantized(x, 1./32, 120), 1, 0), 1./4, 50)
	}, []string{"QuantizeLinear", "Transpose", "DequantizeLinear", "QuantizeLinear", "DequantizeLinear"}, 0},
	{"filters scaled along another axis", []int{3, 8}, func(q qdq, x *Value) *Value {
		return q.MatMul(q.quantized(x, 1./32, 120), q.weights(1, 0, 1./64, 8, 4))
	}, []string{"QuantizeLinear", "DequantizeLinear", "FusedMatMul"}, 0},
}

func TestFuseQDQ(t *testing.T) {
	for _, c := range qdqCases {
		t.Run(c.name, func(t *testing.T) {
			in := floats(c.in...)
			fused, ops := runQDQ(t, c, in)
			plain, _ := runQDQ(t, c, in, "fuse-qdq")
			if !slices.Equal(ops, c.want) {
				t.Errorf("operators %v, want %v", ops, c.want)
			}
			distinct := map[float32]bool{}
			for i, want := range plain {
				if diff := math.Abs(float64(fused[i] - want)); !(diff <= c.tol) && fused[i] != want { // infinities too
					t.Fatalf("element %d: %v, but %v unfused", i, fused[i], want)
				}
				distinct[want] = true
			}
			if len(distinct) < 5 {
				t.Errorf("only %d values: the case shows nothing", len(distinct))
			}
		})
	}
}

// floats is float32 between -4 and 4.
func floats(shape ...int) *accel.Array {
	a := accel.NewArray(accel.Float32, shape...)
	for i := range accel.Values[float32](a) {
		accel.Values[float32](a)[i] = float32(8*counter.Float64(9, uint64(i)) - 4)
	}
	return a
}

// runQDQ builds, optimizes and runs a case, and lists the operators that ran.
func runQDQ(t *testing.T, c qdqCase, in *accel.Array, skip ...string) (out []float32, ops []string) {
	t.Helper()
	g := New("qdq")
	x, err := g.Input("x", accel.Float32, c.in...)
	if err != nil {
		t.Fatal(err)
	}
	b := g.Build("")
	y := c.build(qdq{b, t}, x)
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	g.Outputs = []*Value{y}
	bound, _, err := g.Bind(Binding{})
	if err != nil {
		t.Fatal(err)
	}
	if err := bound.Optimize(skip...); err != nil {
		t.Fatal(err)
	}
	for _, n := range bound.Nodes {
		ops = append(ops, n.Op)
	}
	result := compiled(t, bound, bound.Outputs)([]*accel.Array{in})
	return accel.Values[float32](result[0]), ops
}
