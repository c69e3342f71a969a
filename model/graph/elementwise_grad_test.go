package graph

import (
	"testing"

	"github.com/millrace-go/millrace/accel"
)

func TestElementwiseGradients(t *testing.T) {
	plain, positive, small := distinct(1, 3, 5), uniform(2, 0.3, 2, 3, 5), uniform(3, -0.9, 0.9, 3, 5)
	row, column := uniform(4, 0.5, 1.5, 5), uniform(5, 0.5, 1.5, 3, 1)
	one := func(x *accel.Array) []*accel.Array { return []*accel.Array{x} }
	two := func(x, y *accel.Array) []*accel.Array { return []*accel.Array{x, y} }
	cases := []gradCase{
		{"same", "Add", nil, two(plain, positive), 0}, {"outer", "Add", nil, two(row, column), 0},
		{"row", "Sub", nil, two(plain, row), 0}, {"column", "Sub", nil, two(column, plain), 0},
		{"row", "Mul", nil, two(plain, row), 0}, {"scalar", "Mul", nil, two(uniform(6, 1, 2), plain), 0},
		{"row", "Div", nil, two(plain, row), 0}, {"outer", "Div", nil, two(row, column), 0},
		{"fmod", "Mod", accel.Attrs{accel.Int("fmod", 1)}, two(uniform(7, -3, 3, 3, 5), uniform(8, 0.4, 0.7, 5)), 0},
		{"row", "Pow", nil, two(positive, uniform(9, -2, 2, 5)), 0},
		{"zero exponent", "Pow", nil, two(positive, float64s([]int{1}, 0)), 0},
		{"", "Neg", nil, one(plain), 0}, {"", "Abs", nil, one(plain), 0}, {"", "Reciprocal", nil, one(positive), 0},
		{"row", "Max", nil, two(plain, distinct(10, 5)), 0}, {"row", "Min", nil, two(distinct(11, 5), plain), 0},
		{"three", "Max", nil, []*accel.Array{plain, row, column}, 0}, {"one", "Min", nil, one(plain), 0},
		{"both", "Clip", nil, []*accel.Array{plain, float64s([]int{}, -0.31), float64s([]int{1}, 0.29)}, 0},
		{"low", "Clip", nil, []*accel.Array{plain, float64s([]int{}, -0.31)}, 0},
		{"high", "Clip", nil, []*accel.Array{plain, nil, float64s([]int{}, 0.29)}, 0},
		{"crossed", "Clip", nil, []*accel.Array{plain, float64s([]int{}, 0.4), float64s([]int{}, -0.2)}, 0},
		{"", "Sqrt", nil, one(positive), 0}, {"", "Exp", nil, one(plain), 0}, {"", "Log", nil, one(positive), 0}, {"", "Erf", nil, one(plain), 0},
		{"", "Sin", nil, one(plain), 0}, {"", "Cos", nil, one(plain), 0}, {"", "Tan", nil, one(small), 0},
		{"", "Asin", nil, one(small), 0}, {"", "Acos", nil, one(small), 0}, {"", "Atan", nil, one(plain), 0},
		{"", "Sinh", nil, one(plain), 0}, {"", "Cosh", nil, one(plain), 0}, {"", "Tanh", nil, one(plain), 0},
		{"", "Asinh", nil, one(plain), 0}, {"", "Acosh", nil, one(uniform(12, 1.2, 3, 3, 5)), 0}, {"", "Atanh", nil, one(small), 0},
		{"", "Relu", nil, one(plain), 0}, {"", "LeakyRelu", accel.Attrs{accel.Float("alpha", 0.1)}, one(plain), 0},
		{"row", "PRelu", nil, two(plain, row), 0}, {"", "ThresholdedRelu", accel.Attrs{accel.Float("alpha", 0.2)}, one(plain), 0},
		{"", "Elu", accel.Attrs{accel.Float("alpha", 1.5)}, one(plain), 0}, {"", "Selu", nil, one(plain), 0},
		{"", "Celu", accel.Attrs{accel.Float("alpha", 0.7)}, one(plain), 0},
		{"", "Sigmoid", nil, one(plain), 0}, {"", "HardSigmoid", accel.Attrs{accel.Float("alpha", 0.9)}, one(plain), 0},
		{"", "HardSwish", nil, one(uniform(13, -4, 4, 3, 5)), 0},
		{"", "Softplus", nil, one(plain), 0}, {"", "Softsign", nil, one(plain), 0}, {"", "Mish", nil, one(plain), 0},
		{"", "Swish", nil, one(plain), 0}, {"alpha", "Swish", accel.Attrs{accel.Float("alpha", 1.7)}, one(plain), 0},
		{"none", "Gelu", nil, one(plain), 0}, {"tanh", "Gelu", accel.Attrs{accel.String("approximate", "tanh")}, one(plain), 0},
		{"", "Shrink", accel.Attrs{accel.Float("lambd", 0.2), accel.Float("bias", 0.1)}, one(plain), 0},
		{"", "Where", nil, []*accel.Array{accel.ArrayOf(accel.Bool, []int{3, 1}, []bool{true, false, true}), plain, row}, 0},
		{"", "Cast", accel.Attrs{accel.String("to", "float64")}, one(plain), 0}, {"", "Barrier", nil, one(plain), 0},
		// Gradients of gradients.
		{"second", "ErfGrad", nil, two(positive, plain), 0}, {"second", "TanhGrad", nil, two(positive, plain), 0},
		{"second", "SigmoidGrad", nil, two(positive, plain), 0}, {"second", "SoftplusGrad", nil, two(positive, plain), 0},
		{"second", "SiluGrad", nil, two(positive, plain), 0}, {"second", "ReluGrad", nil, two(positive, plain), 0},
		{"second", "LeakyReluGrad", nil, two(positive, plain), 0}, {"second", "EluGrad", accel.Attrs{accel.Float("alpha", 1.5)}, two(positive, plain), 0},
		{"second", "HardSigmoidGrad", nil, two(positive, plain), 0}, {"second", "HardSwishGrad", nil, two(positive, uniform(14, -4, 4, 3, 5)), 0},
		{"second", "GeluGrad", nil, two(positive, plain), 0}, {"second tanh", "GeluGrad", accel.Attrs{accel.String("approximate", "tanh")}, two(positive, plain), 0},
	}
	checkGradCases(t, elementwiseOps(), cases)
}

// TestPowGradientOfNumbers has exponents that are constants of the graph.
func TestPowGradientOfNumbers(t *testing.T) {
	for _, v := range []float64{0, 1, 2, 3, -1, 0.5} {
		checkGradients(t, []*accel.Array{uniform(1, 0.3, 2, 3, 5)}, func(b *B, x []*Value) []*Value {
			return []*Value{b.Op("Pow", nil, x[0], b.Like(x[0], v))}
		})
	}
}

// TestTiesShareTheGradient: PyTorch's maximum gives both halves, amax equal parts.
func TestTiesShareTheGradient(t *testing.T) {
	x := float64s([]int{4}, 2, 5, 5, 1)
	y := float64s([]int{4}, 2, 4, 6, 1)
	for _, c := range []struct {
		op   string
		in   []*accel.Array
		want []float64
	}{
		{"Max", []*accel.Array{x, y}, []float64{0.5, 1, 0, 0.5}},
		{"Min", []*accel.Array{x, y}, []float64{0.5, 0, 1, 0.5}},
		{"ReduceMax", []*accel.Array{x}, []float64{0, 0.5, 0.5, 0}},
		{"ReduceMin", []*accel.Array{x}, []float64{0, 0, 0, 1}},
	} {
		g := New("ties")
		var in []*Value
		for i, a := range c.in {
			v, _ := g.Input([]string{"x", "y"}[i], accel.Float64, a.Shape...)
			in = append(in, v)
		}
		b := g.Build("")
		loss := b.Op("ReduceSum", accel.Attrs{accel.Int("keepdims", 0)}, b.Op(c.op, nil, in...))
		if b.Err() != nil {
			t.Fatal(b.Err())
		}
		grads, err := Gradients(g, loss, in[:1])
		if err != nil {
			t.Fatal(err)
		}
		got := accel.Values[float64](compiled(t, g, grads)(c.in)[0])
		for i, want := range c.want {
			if got[i] != want {
				t.Errorf("%s: gradient %v, want %v", c.op, got, c.want)
				break
			}
		}
	}
}

// TestStopGradient: d/dx x·stop(x) is x, not 2x.
func TestStopGradient(t *testing.T) {
	x := float64s([]int{2}, 3, -4)
	g := New("stop")
	v, _ := g.Input("x", accel.Float64, 2)
	b := g.Build("")
	loss := b.Op("ReduceSum", accel.Attrs{accel.Int("keepdims", 0)}, b.Mul(v, b.Op("StopGradient", nil, v)))
	if b.Err() != nil {
		t.Fatal(b.Err())
	}
	grads, err := Gradients(g, loss, []*Value{v})
	if err != nil {
		t.Fatal(err)
	}
	if got := accel.Values[float64](compiled(t, g, grads)([]*accel.Array{x})[0]); got[0] != 3 || got[1] != -4 {
		t.Errorf("gradient %v, want [3 -4]", got)
	}
}
