package cpu

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// broadcasts are shapes of two inputs and of the output: they take every way
// through the walk, and some have several tiles.
var broadcasts = []struct{ a, b, y []int }{
	{[]int{}, []int{}, []int{}}, {[]int{7}, []int{7}, []int{7}}, {[]int{0}, []int{0}, []int{0}}, {[]int{0, 3}, []int{3}, []int{0, 3}},
	{[]int{5, 33}, []int{33}, []int{5, 33}}, {[]int{5, 33}, []int{5, 1}, []int{5, 33}}, {[]int{5, 33}, []int{}, []int{5, 33}},
	{[]int{}, []int{5, 33}, []int{5, 33}}, {[]int{6, 1}, []int{1, 5}, []int{6, 5}}, {[]int{3, 1, 5}, []int{4, 1}, []int{3, 4, 5}},
	{[]int{2, 3, 4, 5}, []int{3, 1, 1}, []int{2, 3, 4, 5}}, {[]int{1}, []int{1, 1, 1}, []int{1, 1, 1}},
	{[]int{3*grain + 5}, []int{3*grain + 5}, []int{3*grain + 5}}, {[]int{3*grain + 5}, []int{1}, []int{3*grain + 5}},
	{[]int{2000, 40}, []int{40}, []int{2000, 40}}, {[]int{2000, 1}, []int{2000, 40}, []int{2000, 40}}, {[]int{1, 2*grain + 9}, []int{3, 1}, []int{3, 2*grain + 9}},
}

// at reads an array of shape from as if it had shape to.
func at[T any](v []T, from, to []int, i int) T {
	s, _ := broadcastStrides(from, to)
	own, k := contiguous(to), 0
	for d := range to {
		k += i / own[d] % to[d] * s[d]
	}
	return v[k]
}

func TestBinaryFloat32(t *testing.T) {
	ops := []struct {
		op   string
		f    func(a, b float64) float64
		ulps float64 // all but Pow and PRelu are rounded once
	}{
		{"Add", func(a, b float64) float64 { return a + b }, 0.5}, {"Sub", func(a, b float64) float64 { return a - b }, 0.5},
		{"Mul", func(a, b float64) float64 { return a * b }, 0.5}, {"Div", func(a, b float64) float64 { return a / b }, 0.5},
		{"Max", math.Max, 0}, {"Min", math.Min, 0},
		{"PRelu", func(a, b float64) float64 { return max(a, 0) + min(a, 0)*b }, 0.5},
	}
	for _, s := range broadcasts {
		a, b := floats32(1, -2, 2, s.a...), floats32(2, -2, 2, s.b...)
		for _, o := range ops {
			y := trial{op: o.op, in: []*accel.Array{a, b}, out: []accel.Tensor{typed(accel.Float32, s.y...)}}.runAll(t)[0]
			want := make([]float64, y.Len())
			for i := range want {
				want[i] = o.f(float64(at(accel.Values[float32](a), s.a, s.y, i)), float64(at(accel.Values[float32](b), s.b, s.y, i)))
			}
			if err := near(accel.Values[float32](y), want, o.ulps); err != nil {
				t.Errorf("%s %v %v: %v", o.op, s.a, s.b, err)
			}
		}
	}
}

func TestPowFloat32(t *testing.T) {
	x := floats32(1, 0, 4, 100)
	copy(accel.Values[float32](x), []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 1, -1, -2.5})
	for _, e := range []float32{0, 1, 2, 3, -1, 0.5, -2, 2.5, 1e-3, 40} {
		exponent := accel.ArrayOf(accel.Float32, []int{1}, []float32{e})
		y := trial{op: "Pow", in: []*accel.Array{x, exponent}, out: []accel.Tensor{typed(accel.Float32, 100)}}.runAll(t)[0]
		want := make([]float64, 100)
		for i, v := range accel.Values[float32](x) {
			want[i] = math.Pow(float64(v), float64(e))
		}
		if err := near(accel.Values[float32](y), want, 1.51); err != nil { // the cube is rounded twice
			t.Errorf("exponent %g: %v", e, err)
		}
		if y := accel.Values[float32](y); e == 0.5 && math.Signbit(float64(y[1])) {
			t.Error("pow(-0, 0.5) is -0, want +0")
		}
	}
}

func TestCompareAndWhere(t *testing.T) {
	nan := float32(math.NaN())
	for _, s := range broadcasts {
		a, b := floats32(1, -2, 2, s.a...), floats32(2, -2, 2, s.b...)
		for i := range accel.Values[float32](a) {
			accel.Values[float32](a)[i] = float32(math.Round(float64(accel.Values[float32](a)[i])))
		}
		for i := range accel.Values[float32](b) {
			accel.Values[float32](b)[i] = []float32{-1, 0, 1, 2, nan}[i%5]
		}
		less := trial{op: "Less", in: []*accel.Array{a, b}, out: []accel.Tensor{typed(accel.Bool, s.y...)}}.runAll(t)[0]
		equal := trial{op: "Equal", in: []*accel.Array{a, b}, out: []accel.Tensor{typed(accel.Bool, s.y...)}}.runAll(t)[0]
		y := trial{op: "Where", in: []*accel.Array{less, a, b}, out: []accel.Tensor{typed(accel.Float32, s.y...)}}.runAll(t)[0]
		for i, got := range accel.Values[float32](y) {
			p, q := at(accel.Values[float32](a), s.a, s.y, i), at(accel.Values[float32](b), s.b, s.y, i)
			if l, e := accel.Values[bool](less)[i], accel.Values[bool](equal)[i]; l != (p < q) || e != (p == q) {
				t.Fatalf("%v %v: %g and %g: Less %v, Equal %v", s.a, s.b, p, q, l, e)
			}
			want := q
			if p < q {
				want = p
			}
			if got != want && !(got != got && want != want) {
				t.Fatalf("%v %v: Where gives %g, want %g", s.a, s.b, got, want)
			}
		}
	}
}

func TestWhereBroadcasts(t *testing.T) {
	cond := accel.ArrayOf(accel.Bool, []int{2, 1}, []bool{true, false})
	row := accel.ArrayOf(accel.Bool, []int{3}, []bool{false, true, false})
	one, two := accel.ArrayOf(accel.Int16, []int{1}, []int16{1}), accel.ArrayOf(accel.Int16, []int{}, []int16{2})
	many := accel.ArrayOf(accel.Int16, []int{2, 3}, []int16{10, 11, 12, 13, 14, 15})
	for _, c := range []struct {
		cond, a, b *accel.Array
		want       []int16
	}{
		{cond, many, one, []int16{10, 11, 12, 1, 1, 1}}, {cond, one, many, []int16{1, 1, 1, 13, 14, 15}},
		{row, one, many, []int16{10, 1, 12, 13, 1, 15}}, {row, many, two, []int16{2, 11, 2, 2, 14, 2}},
	} {
		y := trial{op: "Where", in: []*accel.Array{c.cond, c.a, c.b}, out: []accel.Tensor{typed(accel.Int16, 2, 3)}}.runAll(t)[0]
		if got := accel.Values[int16](y); !slices.Equal(got, c.want) {
			t.Errorf("got %v, want %v", got, c.want)
		}
	}
	y := trial{op: "Where", in: []*accel.Array{row, one, two}, out: []accel.Tensor{typed(accel.Int16, 3)}}.runAll(t)[0]
	if got := accel.Values[int16](y); !slices.Equal(got, []int16{2, 1, 2}) {
		t.Errorf("two scalars: got %v, want [2 1 2]", got)
	}
}

// TestUnaryFloat32 compares with package math, whose functions are within 1 or 2
// units of float64; Mish and Gelu are allowed what package vec says.
func TestUnaryFloat32(t *testing.T) {
	for _, c := range []struct {
		op        string
		low, high float64
		ulps      float64
		f         func(float64) float64
	}{
		{"Abs", -9, 9, 0, math.Abs}, {"Neg", -9, 9, 0, func(x float64) float64 { return -x }},
		{"Ceil", -9, 9, 0, math.Ceil}, {"Floor", -9, 9, 0, math.Floor}, {"Round", -9, 9, 0, math.RoundToEven},
		{"Reciprocal", 0.1, 9, 0.5, func(x float64) float64 { return 1 / x }}, {"Sqrt", 0, 9, 0.5, math.Sqrt},
		{"Exp", -80, 80, 1, math.Exp}, {"Log", 0, 9, 2, math.Log}, {"Erf", -4, 4, 2, math.Erf},
		{"Sin", -100, 100, 1, math.Sin}, {"Cos", -100, 100, 1, math.Cos}, {"Tan", -1.5, 1.5, 0.51, math.Tan},
		{"Asin", -1, 1, 0.51, math.Asin}, {"Acos", -1, 1, 0.51, math.Acos}, {"Atan", -50, 50, 0.51, math.Atan},
		{"Sinh", -9, 9, 0.51, math.Sinh}, {"Cosh", -9, 9, 0.51, math.Cosh}, {"Tanh", -9, 9, 2, math.Tanh},
		{"Asinh", -9, 9, 0.51, math.Asinh}, {"Acosh", 1, 9, 0.51, math.Acosh}, {"Atanh", -1, 1, 0.51, math.Atanh},
		{"Sigmoid", -20, 20, 3, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
		{"Softplus", -20, 20, 3, func(x float64) float64 { return math.Log1p(math.Exp(x)) }},
		{"Softsign", -20, 20, 2, func(x float64) float64 { return x / (1 + math.Abs(x)) }},
		{"Mish", -20, 20, 6, func(x float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) }},
		{"Relu", -9, 9, 0, func(x float64) float64 { return max(x, 0) }},
		{"Sign", -9, 9, 0, func(x float64) float64 { return math.Copysign(1, x) }},
		{"HardSwish", -2, 9, 4, func(x float64) float64 { return x * max(0, min(1, x/6+0.5)) }}, // nearer to -3, x/6+½ cancels
	} {
		for _, n := range []int{1, 15, 16, 17, 2*grain + 3} {
			x := floats32(7, c.low, c.high, n)
			y := trial{op: c.op, in: []*accel.Array{x}, out: []accel.Tensor{typed(accel.Float32, n)}}.runAll(t)[0]
			want := make([]float64, n)
			for i, v := range accel.Values[float32](x) {
				want[i] = c.f(float64(v))
			}
			if err := near(accel.Values[float32](y), want, c.ulps); err != nil {
				t.Errorf("%s of %d: %v", c.op, n, err)
			}
		}
	}
}

// TestFloat64Agrees: every function of floats gives nearly the same in float64
// as in float32, so neither has another formula. Float16 is float32 rounded.
func TestFloat64Agrees(t *testing.T) {
	attrs := map[string]accel.Attrs{
		"Gelu": {accel.String("approximate", "tanh")}, "Swish": {accel.Float("alpha", 1.5)},
		"LeakyRelu": {accel.Float("alpha", 0.25)}, "Celu": {accel.Float("alpha", 2)}, "Shrink": {accel.Float("bias", 0.25)},
	}
	x := floats32(3, -3, 3, 500)
	for _, family := range []map[string]builder{floatKernels, signKernels, activationKernels} {
		for op := range family {
			compareFloat64(t, trial{op: op, attrs: attrs[op], in: []*accel.Array{x}})
		}
	}
	for op := range slopeKernels {
		compareFloat64(t, trial{op: op, attrs: attrs[op[:len(op)-len("Grad")]], in: []*accel.Array{floats32(4, 0.5, 2, 500), x}})
	}
	compareFloat64(t, trial{op: "Gelu", in: []*accel.Array{x}})
	compareFloat64(t, trial{op: "GeluGrad", in: []*accel.Array{x, x}})
	compareFloat64(t, trial{op: "Swish", in: []*accel.Array{x}})
}

func compareFloat64(t *testing.T, tr trial) {
	t.Helper()
	n := tr.in[0].Len()
	tr.out = []accel.Tensor{typed(accel.Float32, n)}
	got := accel.Values[float32](tr.runAll(t)[0])
	for i, a := range tr.in {
		wide := accel.NewArray(accel.Float64, n)
		for k, v := range accel.Values[float32](a) {
			accel.Values[float64](wide)[k] = float64(v)
		}
		tr.in = append(slices.Clone(tr.in[:i]), append([]*accel.Array{wide}, tr.in[i+1:]...)...)
	}
	tr.out = []accel.Tensor{typed(accel.Float64, n)}
	want := accel.Values[float64](tr.runAll(t)[0])
	for i := range want {
		// 8 units of float32 at 1: a few roundings of values below 10, and slopes
		// in which such values cancel.
		if diff := math.Abs(float64(got[i]) - want[i]); !(diff <= 0x1p-20*(1+math.Abs(want[i]))) && !(want[i] != want[i] && got[i] != got[i]) {
			t.Errorf("%s%v: float32 gives %g, float64 %g", tr.op, tr.attrs, got[i], want[i])
			return
		}
	}
}

func TestIntegerFaults(t *testing.T) {
	x, zero := accel.ArrayOf(accel.Int32, []int{2}, []int32{7, -7}), accel.ArrayOf(accel.Int32, []int{2}, []int32{2, 0})
	for _, op := range []string{"Div", "Mod"} {
		if _, err := (trial{op: op, in: []*accel.Array{x, zero}, out: []accel.Tensor{typed(accel.Int32, 2)}}).run(New()); err == nil {
			t.Errorf("%s by zero: no error", op)
		}
	}
	negative := accel.ArrayOf(accel.Int32, []int{2}, []int32{1, -1})
	if _, err := (trial{op: "Pow", in: []*accel.Array{x, negative}, out: []accel.Tensor{typed(accel.Int32, 2)}}).run(New()); err == nil {
		t.Error("integer to a negative power: no error")
	}
	if _, err := (trial{op: "Mod", in: []*accel.Array{floats32(1, 0, 1, 2), floats32(2, 0, 1, 2)}, out: []accel.Tensor{typed(accel.Float32, 2)}}).run(New()); !errors.Is(err, accel.ErrUnsupported) {
		t.Errorf("Mod of floats without fmod: %v, want ErrUnsupported", err)
	}
	if _, err := (trial{op: "Add", in: []*accel.Array{x, x}, out: []accel.Tensor{typed(accel.Int32, 3)}}).run(New()); err == nil {
		t.Error("shapes that do not fit: no error")
	}
}

func TestNothingIsAllocated(t *testing.T) {
	x, row, cond := floats32(1, 0.5, 2, 100, 700), floats32(2, 0.5, 2, 700), accel.NewArray(accel.Bool, 100, 1)
	wide := accel.NewArray(accel.Float64, 100, 700)
	out := []accel.Tensor{typed(accel.Float32, 100, 700)}
	for _, tr := range []trial{
		{op: "Add", in: []*accel.Array{x, row}, out: out}, {op: "PRelu", in: []*accel.Array{x, floats32(3, 0, 1, 1)}, out: out},
		{op: "Where", in: []*accel.Array{cond, x, row}, out: out}, {op: "Exp", in: []*accel.Array{x}, out: out},
		{op: "Swish", attrs: accel.Attrs{accel.Float("alpha", 2)}, in: []*accel.Array{x}, out: out},
		{op: "Cast", in: []*accel.Array{wide}, out: out}, {op: "Clip", in: []*accel.Array{x}, out: out},
		{op: "Cast", in: []*accel.Array{x}, out: []accel.Tensor{typed(accel.Float8E5M2, 100, 700)}},
		{op: "ReduceSum", in: []*accel.Array{x, accel.Ints64(0)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, 700)}},
		{op: "ReduceMax", in: []*accel.Array{x, accel.Ints64(1)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, 100)}},
		{op: "ArgMax", in: []*accel.Array{x}, out: []accel.Tensor{typed(accel.Int64, 700)}},
		{op: "CumSum", in: []*accel.Array{x, accel.Ints64(0)}, known: []int{1}, out: out},
		{op: "TopK", in: []*accel.Array{x, accel.Ints64(3)}, known: []int{1}, out: []accel.Tensor{typed(accel.Float32, 100, 3), typed(accel.Int64, 100, 3)}},
	} {
		run := tr.ready(t)
		if n := testing.AllocsPerRun(50, run); n != 0 {
			t.Errorf("%s allocates %g times a run", tr.op, n)
		}
	}
}
