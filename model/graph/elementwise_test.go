package graph

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// valueCase is an operator on constants, and what it gives.
type valueCase struct {
	op    string
	attrs accel.Attrs
	in    []*accel.Array
	want  []*accel.Array
}

// checkValues compares the outputs exactly; NaN equals NaN.
func checkValues(t *testing.T, cases []valueCase) {
	t.Helper()
	for _, c := range cases {
		name := fmt.Sprintf("%s%v%v", c.op, c.attrs, c.in)
		out, err := evaluateOn(c.op, c.attrs, c.in, len(c.want))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, want := range c.want {
			if got, text := show(out[i]), show(want); got != text {
				t.Errorf("%s: output %d is %s, want %s", name, i, got, text)
			}
		}
	}
}

// evaluateOn applies an operator to arrays, nil for one that is absent.
func evaluateOn(op string, attrs accel.Attrs, in []*accel.Array, outs int) ([]*accel.Array, error) {
	n := &Node{Op: op, Name: "n", Attrs: attrs}
	for i, a := range in {
		var v *Value
		if a != nil {
			v = &Value{Name: fmt.Sprint("x", i), Kind: Const, Data: a}
		}
		n.Inputs = append(n.Inputs, v)
	}
	for i := range outs {
		n.Outputs = append(n.Outputs, &Value{Name: fmt.Sprint("y", i)})
	}
	return Evaluate(n)
}

// show prints type, shape and elements, of which -0 and 0 differ.
func show(a *accel.Array) string {
	var values any = a.Data
	switch a.DType {
	case accel.Float32:
		values = accel.Values[float32](a)
	case accel.Float64:
		values = accel.Values[float64](a)
	case accel.Int8, accel.Int4, accel.Int2:
		values = accel.Values[int8](a)
	case accel.Int16:
		values = accel.Values[int16](a)
	case accel.Int32:
		values = accel.Values[int32](a)
	case accel.Int64:
		values = accel.Values[int64](a)
	case accel.Uint16, accel.Float16, accel.BFloat16:
		values = accel.Values[uint16](a)
	case accel.Uint32:
		values = accel.Values[uint32](a)
	case accel.Uint64:
		values = accel.Values[uint64](a)
	}
	return fmt.Sprint(a, values)
}

// arr is a vector; the element type is the first one that T holds.
func arr[T accel.Number | ~bool](t accel.DType, v ...T) *accel.Array {
	return accel.ArrayOf(t, []int{len(v)}, v)
}

func ins(a ...*accel.Array) []*accel.Array { return a }

// of is numbers of a numeric type; half precision goes by Cast.
func of(t *testing.T, to accel.DType, v ...float64) *accel.Array {
	t.Helper()
	out, err := evaluateOn("Cast", accel.Attrs{accel.String("to", to.String())}, ins(arr(accel.Float64, v...)), 1)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// TestArithmeticOfAllTypes has results that every numeric type can hold.
func TestArithmeticOfAllTypes(t *testing.T) {
	for d := accel.Float32; d <= accel.Uint64; d++ {
		x, y := of(t, d, 6, 7, 0, 12), of(t, d, 3, 2, 5, 12)
		quotient, power := of(t, d, 2, 3.5, 0, 1), of(t, d, 216, 49, 0, 144)
		if d.IsInt() {
			quotient = of(t, d, 2, 3, 0, 1)
		}
		fmod := accel.Attrs{accel.Int("fmod", 1)}
		checkValues(t, []valueCase{
			{"Add", nil, ins(x, y), ins(of(t, d, 9, 9, 5, 24))},
			{"Sub", nil, ins(x, of(t, d, 3, 2, 0, 12)), ins(of(t, d, 3, 5, 0, 0))},
			{"Mul", nil, ins(x, of(t, d, 3)), ins(of(t, d, 18, 21, 0, 36))},
			{"Div", nil, ins(x, y), ins(quotient)},
			{"Mod", fmod, ins(x, y), ins(of(t, d, 0, 1, 0, 0))},
			{"Max", nil, ins(x, y), ins(of(t, d, 6, 7, 5, 12))},
			{"Min", nil, ins(x, y, of(t, d, 4)), ins(of(t, d, 3, 2, 0, 4))},
			{"Sum", nil, ins(x, y, of(t, d, 1)), ins(of(t, d, 10, 10, 6, 25))},
			{"Mean", nil, ins(of(t, d, 6, 3), of(t, d, 3, 0), of(t, d, 0, 3)), ins(of(t, d, 3, 2))},
			{"Abs", nil, ins(x), ins(x)}, {"Sign", nil, ins(x), ins(of(t, d, 1, 1, 0, 1))}, {"Relu", nil, ins(x), ins(x)},
			{"Clip", nil, ins(x, of(t, d, 1), of(t, d, 7)), ins(of(t, d, 6, 7, 1, 7))},
			{"Clip", nil, ins(x, nil, of(t, d, 6)), ins(of(t, d, 6, 6, 0, 6))},
			{"Clip", nil, ins(x), ins(x)},
			{"Shrink", accel.Attrs{accel.Float("lambd", 6), accel.Float("bias", 2)}, ins(x), ins(of(t, d, 0, 5, 0, 10))},
			{"PRelu", nil, ins(x, of(t, d, 2)), ins(x)},
			{"Equal", nil, ins(x, y), ins(arr(accel.Bool, false, false, false, true))},
			{"Greater", nil, ins(x, y), ins(arr(accel.Bool, true, true, false, false))},
			{"GreaterOrEqual", nil, ins(x, y), ins(arr(accel.Bool, true, true, false, true))},
			{"Less", nil, ins(x, y), ins(arr(accel.Bool, false, false, true, false))},
			{"LessOrEqual", nil, ins(x, y), ins(arr(accel.Bool, false, false, true, true))},
			{"Where", nil, ins(arr(accel.Bool, true, false, true, false), x, y), ins(of(t, d, 6, 2, 0, 12))},
			{"Pow", nil, ins(x, of(t, d, 3, 2, 5, 2)), ins(powerOr(d, power, t))},
		})
	}
}

// powerOr leaves out what int8 cannot hold: 216 and 144 wrap around.
func powerOr(d accel.DType, power *accel.Array, t *testing.T) *accel.Array {
	if d == accel.Int8 {
		return of(t, d, 216-256, 49, 0, 144-256)
	}
	return power
}

func TestArithmeticEdges(t *testing.T) {
	inf, nan, fmod := math.Inf(1), math.NaN(), accel.Attrs{accel.Int("fmod", 1)}
	f := func(v ...float64) *accel.Array { return arr(accel.Float64, v...) }
	i := func(v ...int32) *accel.Array { return arr(accel.Int32, v...) }
	checkValues(t, []valueCase{
		{"Add", nil, ins(arr[int8](accel.Int8, 127, -128), arr[int8](accel.Int8, 1, -1)), ins(arr[int8](accel.Int8, -128, 127))},
		{"Neg", nil, ins(arr[int8](accel.Int8, -128, 5)), ins(arr[int8](accel.Int8, -128, -5))},
		{"Abs", nil, ins(i(-7, 7, math.MinInt32)), ins(i(7, 7, math.MinInt32))},
		{"Abs", nil, ins(f(math.Copysign(0, -1), -inf, nan)), ins(f(0, inf, nan))},
		{"Sign", nil, ins(f(-3, 0, nan, inf)), ins(f(-1, 0, nan, 1))},
		{"Div", nil, ins(i(-7, 7, math.MinInt32), i(2, -2, -1)), ins(i(-3, -3, math.MinInt32))},
		{"Mod", nil, ins(i(-4, 7, 5, 4, -7, 8), i(2, -3, 8, -2, 3, 5)), ins(i(0, -2, 5, 0, 2, 3))},
		{"Mod", fmod, ins(i(-4, 7, 5, 4, -7, 8), i(2, -3, 8, -2, 3, 5)), ins(i(0, 1, 5, 0, -1, 3))},
		{"Mod", fmod, ins(f(-4.3, 7.2, 5), f(2.1, -3.4, inf)), ins(f(math.Mod(-4.3, 2.1), math.Mod(7.2, -3.4), 5))},
		{"Max", nil, ins(f(1, nan, 3), f(nan, 2, 1)), ins(f(nan, nan, 3))},
		{"Clip", nil, ins(f(1, nan, 9), arr(accel.Float64, 5.0), arr(accel.Float64, 2.0)), ins(f(2, nan, 2))}, // crossed bounds: the upper one
		{"Round", nil, ins(f(0.5, 1.5, 2.5, -0.5, -1.5, 2.4)), ins(f(0, 2, 2, math.Copysign(0, -1), -2, 2))},
		{"Pow", nil, ins(i(2, -3, 0, 7), i(10, 3, 0, 1)), ins(i(1024, -27, 1, 7))},
		{"Pow", nil, ins(arr[int64](accel.Int64, 3, -2), arr[float32](accel.Float32, 6, 3)), ins(arr[int64](accel.Int64, 729, -8))},
		{"Pow", nil, ins(arr[float32](accel.Float32, 2, 9), arr(accel.Float64, -1, 0.5)), ins(arr[float32](accel.Float32, 0.5, 3))},
		{"Pow", nil, ins(arr[float32](accel.Float32, 2, 3), arr[uint64](accel.Uint64, 10, 2)), ins(arr[float32](accel.Float32, 1024, 9))},
		{"Pow", nil, ins(arr[uint8](accel.Uint8, 2, 3), arr[int64](accel.Int64, 9, 2)), ins(arr[uint8](accel.Uint8, 0, 9))},
		{"Mean", nil, ins(f(1, 2)), ins(f(1, 2))},
		{"Max", nil, ins(f(1, 2)), ins(f(1, 2))},
		{"Add", nil, ins(accel.NewArray(accel.Float32, 0, 3), accel.NewArray(accel.Float32, 3)), ins(accel.NewArray(accel.Float32, 0, 3))},
		{"Div", nil, ins(accel.NewArray(accel.Int32, 0), i(0)), ins(accel.NewArray(accel.Int32, 0))}, // nothing is divided
		{"Exp", nil, ins(accel.ArrayOf(accel.Float64, []int{}, []float64{0})), ins(accel.ArrayOf(accel.Float64, []int{}, []float64{1}))},
	})
}

func TestLogicAndBits(t *testing.T) {
	b := func(v ...bool) *accel.Array { return arr(accel.Bool, v...) }
	x, y := b(true, true, false, false), b(true, false, true, false)
	checkValues(t, []valueCase{
		{"And", nil, ins(x, y), ins(b(true, false, false, false))}, {"Or", nil, ins(x, y), ins(b(true, true, true, false))},
		{"Xor", nil, ins(x, y), ins(b(false, true, true, false))}, {"Not", nil, ins(x), ins(b(false, false, true, true))},
		{"Equal", nil, ins(x, y), ins(b(true, false, false, true))},
		{"IsInf", nil, ins(arr(accel.Float64, math.Inf(1), math.Inf(-1), math.NaN(), 1)), ins(b(true, true, false, false))},
		{"IsInf", accel.Attrs{accel.Int("detect_negative", 0)}, ins(of(t, accel.Float32, math.Inf(1), math.Inf(-1), 1e38)), ins(b(true, false, false))},
		{"IsInf", accel.Attrs{accel.Int("detect_positive", 0)}, ins(of(t, accel.Float16, math.Inf(1), math.Inf(-1), 1)), ins(b(false, true, false))},
		{"IsInf", nil, ins(arr[uint8](accel.Float8E5M2, 0x7c, 0xfc, 0x7b)), ins(b(true, true, false))},
		{"IsNaN", nil, ins(of(t, accel.BFloat16, math.NaN(), 1)), ins(b(true, false))},
		{"IsNaN", nil, ins(arr[uint8](accel.Float8E4M3FNUZ, 0x80, 0)), ins(b(true, false))},
	})
	for d := accel.Int8; d <= accel.Uint64; d++ {
		x, y := of(t, d, 12, 10, 1), of(t, d, 10, 6, 3)
		checkValues(t, []valueCase{
			{"BitwiseAnd", nil, ins(x, y), ins(of(t, d, 8, 2, 1))}, {"BitwiseOr", nil, ins(x, y), ins(of(t, d, 14, 14, 3))},
			{"BitwiseXor", nil, ins(x, of(t, d, 10)), ins(of(t, d, 6, 0, 11))},
		})
		if d.IsUnsigned() {
			far := of(t, d, 100) // beyond every width
			left, right := accel.Attrs{accel.String("direction", "LEFT")}, accel.Attrs{accel.String("direction", "RIGHT")}
			checkValues(t, []valueCase{
				{"BitShift", left, ins(x, of(t, d, 2)), ins(of(t, d, 48, 40, 4))}, {"BitShift", right, ins(x, of(t, d, 2)), ins(of(t, d, 3, 2, 0))},
				{"BitShift", left, ins(x, far), ins(of(t, d, 0, 0, 0))}, {"BitShift", right, ins(x, far), ins(of(t, d, 0, 0, 0))},
			})
		}
	}
	checkValues(t, []valueCase{
		{"BitwiseNot", nil, ins(arr[int16](accel.Int16, 0, -1, 5)), ins(arr[int16](accel.Int16, -1, 0, -6))},
		{"BitwiseNot", nil, ins(arr[uint8](accel.Uint8, 0, 255, 5)), ins(arr[uint8](accel.Uint8, 255, 0, 250))},
	})
}

func TestTypesAreRefused(t *testing.T) {
	b, f, i := accel.NewArray(accel.Bool, 2), accel.NewArray(accel.Float32, 2), accel.NewArray(accel.Int32, 2)
	for _, c := range []struct {
		op string
		in []*accel.Array
	}{
		{"Add", ins(b, b)}, {"Exp", ins(i)}, {"And", ins(i, i)}, {"BitwiseAnd", ins(f, f)}, {"BitShift", ins(i, i)}, {"Neg", ins(accel.NewArray(accel.Uint8, 2))},
		{"Less", ins(b, b)}, {"ReduceSum", ins(b)}, {"CumSum", ins(accel.NewArray(accel.Int8, 2), accel.Ints64(0))}, {"TopK", ins(b, accel.Ints64(1))},
		{"IsNaN", ins(i)}, {"ArgMax", ins(b)}, {"Gelu", ins(i)}, {"Max", ins(b)},
	} {
		if _, err := evaluateOn(c.op, accel.Attrs{accel.String("direction", "LEFT")}, c.in, 1); !errors.Is(err, accel.ErrUnsupported) {
			t.Errorf("%s%v: %v, want ErrUnsupported", c.op, c.in, err)
		}
	}
	for _, c := range []struct {
		op    string
		attrs accel.Attrs
		in    []*accel.Array
	}{
		{"Add", nil, ins(f, i)}, {"Add", nil, ins(f, accel.NewArray(accel.Float32, 3))}, {"Gelu", accel.Attrs{accel.String("approximate", "fast")}, ins(f)},
		{"BitShift", nil, ins(accel.NewArray(accel.Uint8, 1), accel.NewArray(accel.Uint8, 1))}, {"Clip", nil, ins(f, f)}, {"PRelu", nil, ins(f, accel.NewArray(accel.Float32, 2, 2))},
		{"ReduceSum", nil, ins(f, accel.Ints64(1))}, {"ReduceSum", nil, ins(f, accel.Ints64(0, -1))}, {"TopK", nil, ins(f, accel.Ints64(3))}, {"CumSum", nil, ins(f, accel.Ints64(2))},
		{"ArgMax", nil, ins(accel.NewArray(accel.Float32, 0))}, {"Cast", accel.Attrs{accel.String("to", "float31")}, ins(f)}, {"BitCast", accel.Attrs{accel.String("to", "float64")}, ins(f)},
		{"BitCast", accel.Attrs{accel.String("to", "int4")}, ins(accel.NewArray(accel.Uint8, 2))},
	} {
		if _, err := evaluateOn(c.op, c.attrs, c.in, 1); err == nil {
			t.Errorf("%s%v%v: no error", c.op, c.attrs, c.in)
		}
	}
}

func TestActivationsByHand(t *testing.T) {
	f := func(v ...float64) *accel.Array { return arr(accel.Float64, v...) }
	checkValues(t, []valueCase{
		{"LeakyRelu", accel.Attrs{accel.Float("alpha", 0.5)}, ins(f(-2, 0, 3)), ins(f(-1, 0, 3))},
		{"ThresholdedRelu", nil, ins(f(0.9, 1, 1.1)), ins(f(0, 0, 1.1))},
		{"HardSigmoid", accel.Attrs{accel.Float("alpha", 0.25)}, ins(f(-3, 0, 1, 3)), ins(f(0, 0.5, 0.75, 1))},
		{"HardSwish", nil, ins(f(-4, 0, 3, 5)), ins(f(math.Copysign(0, -1), 0, 3, 5))},
		{"Softsign", nil, ins(f(-1, 0, 3)), ins(f(-0.5, 0, 0.75))},
		{"PRelu", nil, ins(f(-2, 4), f(0.25)), ins(f(-0.5, 4))},
		{"Shrink", accel.Attrs{accel.Float("bias", 1)}, ins(f(-2, 0.25, 2)), ins(f(-1, 0, 1))},
		{"Shrink", nil, ins(arr[int8](accel.Int8, -2, 0, 2)), ins(arr[int8](accel.Int8, -2, 0, 2))},
		{"Relu", nil, ins(arr[int32](accel.Int32, -2, 0, 2)), ins(arr[int32](accel.Int32, 0, 0, 2))},
		{"Elu", nil, ins(f(0, 2)), ins(f(0, 2))}, {"Celu", nil, ins(f(0, 2)), ins(f(0, 2))},
		{"Selu", accel.Attrs{accel.Float("gamma", 2)}, ins(f(0, 2)), ins(f(0, 4))},
		{"Sigmoid", nil, ins(f(0, math.Inf(1), math.Inf(-1))), ins(f(0.5, 1, 0))},
		{"Gelu", nil, ins(f(0, 40)), ins(f(0, 40))}, {"Swish", nil, ins(f(0, 40)), ins(f(0, 40))}, {"Mish", nil, ins(f(0, 40)), ins(f(0, 40))},
	})
}
