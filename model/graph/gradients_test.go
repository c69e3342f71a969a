package graph

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/counter"
	"github.com/millrace-go/millrace/accel/cpu"
)

// rows is the batch that tests run with; it differs from every fixed dimension,
// so that a mix-up of N with another one shows.
const rows = 3

// arg is one input of an operator under test.
type arg struct {
	shape Shape
	ids   []int32 // an int32 input with these elements
	seed  bool    // a uint64 scalar
	away  bool    // a float32 input whose elements are at least 0.5
}

func floatsOf(shape ...int) arg { return arg{shape: shape} }

// gradCases has every differentiable operator, in the ways its rule branches.
// A float32 input that the operator cannot be differentiated by does not exist.
var gradCases = []struct {
	op    string
	attrs accel.Attrs
	in    []arg
}{
	{"Add", nil, []arg{floatsOf(N, 4), floatsOf(N, 4)}},
	{"Add", nil, []arg{floatsOf(N, 2, 4), floatsOf(4)}},
	{"Sub", nil, []arg{floatsOf(N, 1), floatsOf(1, 4)}},
	{"Mul", nil, []arg{floatsOf(2, 4), floatsOf(N, 2, 4)}},
	{"Mul", nil, []arg{floatsOf(N, 4), floatsOf()}},
	{"Div", nil, []arg{floatsOf(N, 4), {shape: Shape{1, 4}, away: true}}},
	{"Neg", nil, []arg{floatsOf(N, 4)}},
	{"Relu", nil, []arg{floatsOf(N, 4)}},
	{"Gelu", accel.Attrs{accel.String("approximate", "tanh")}, []arg{floatsOf(N, 4)}},
	{"Sigmoid", nil, []arg{floatsOf(N, 4)}},
	{"Tanh", nil, []arg{floatsOf(N, 4)}},
	{"Softmax", nil, []arg{floatsOf(N, 2, 4)}},
	{"Identity", nil, []arg{floatsOf(N, 4)}},
	{"Flatten", nil, []arg{floatsOf(N, 2, 4)}},
	{"Reshape", accel.Attrs{accel.Ints("shape", 0, 2, -1)}, []arg{floatsOf(N, 8)}},
	{"Reshape", accel.Attrs{accel.Ints("shape", -1, 8)}, []arg{floatsOf(N, 2, 4)}},
	{"Expand", accel.Attrs{accel.Ints("shape", N, 2, 4)}, []arg{floatsOf(1, 4)}},
	{"Transpose", nil, []arg{floatsOf(N, 2, 4)}},
	{"Transpose", accel.Attrs{accel.Ints("perm", 1, 2, 0)}, []arg{floatsOf(N, 2, 4)}},
	{"ReduceSum", accel.Attrs{accel.Ints("axes", 0), accel.Int("keepdims", 0)}, []arg{floatsOf(N, 4)}},
	{"ReduceSum", accel.Attrs{accel.Ints("axes", 0, -1)}, []arg{floatsOf(N, 2, 4)}},
	{"ReduceMean", nil, []arg{floatsOf(N, 4)}},
	{"ReduceMean", accel.Attrs{accel.Ints("axes", 1), accel.Int("keepdims", 0)}, []arg{floatsOf(N, 2, 4)}},
	{"Concat", accel.Attrs{accel.Int("axis", 1)}, []arg{floatsOf(N, 2), floatsOf(N, 4), floatsOf(N, 1)}},
	{"Concat", accel.Attrs{accel.Int("axis", -1)}, []arg{floatsOf(N, 2, 1), floatsOf(N, 2, 4)}},
	{"Split", accel.Attrs{accel.Int("axis", 1), accel.Ints("split", 1, 4)}, []arg{floatsOf(N, 5, 2)}},
	{"Gather", nil, []arg{floatsOf(5, 2), {shape: Shape{N}, ids: []int32{4, 1, 4}}}},
	{"Gather", nil, []arg{floatsOf(5), {shape: Shape{N, 2}, ids: []int32{4, 1, 4, 0, 2, 2}}}},
	{"MatMul", nil, []arg{floatsOf(N, 4), floatsOf(4, 5)}},
	{"MatMul", nil, []arg{floatsOf(N, 2, 4), floatsOf(4, 5)}},
	{"MatMul", nil, []arg{floatsOf(N, 2, 4), floatsOf(N, 4, 5)}},
	{"Gemm", nil, []arg{floatsOf(N, 4), floatsOf(4, 5)}},
	{"Gemm", accel.Attrs{accel.Int("transB", 1)}, []arg{floatsOf(N, 4), floatsOf(5, 4), floatsOf(5)}},
	{"Gemm", accel.Attrs{accel.Int("transA", 1), accel.Float("alpha", 0.5), accel.Float("beta", 2)}, []arg{floatsOf(4, N), floatsOf(4, 5), floatsOf(N, 1)}},
	{"Gemm", accel.Attrs{accel.Int("transA", 1), accel.Int("transB", 1)}, []arg{floatsOf(4, N), floatsOf(5, 4), floatsOf()}},
	{"Conv", accel.Attrs{accel.Ints("pads", 1, 1, 1, 1)}, []arg{floatsOf(N, 2, 4, 5), floatsOf(4, 2, 3, 3), floatsOf(4)}},
	{"Conv", accel.Attrs{accel.Ints("strides", 2, 1), accel.Ints("pads", 0, 1, 1, 2)}, []arg{floatsOf(N, 1, 5, 4), floatsOf(2, 1, 2, 3)}},
	{"MaxPool", accel.Attrs{accel.Ints("kernel_shape", 2, 2), accel.Ints("strides", 2, 2)}, []arg{floatsOf(N, 2, 4, 5)}},
	{"MaxPool", accel.Attrs{accel.Ints("kernel_shape", 3, 2), accel.Ints("pads", 1, 0, 1, 1)}, []arg{floatsOf(N, 1, 3, 3)}},
	{"Dropout", accel.Attrs{accel.Float("ratio", 0.4), accel.Int("salt", 2)}, []arg{floatsOf(N, 8), {seed: true}}},
	{"SoftmaxCrossEntropyLoss", nil, []arg{floatsOf(N, 4), {shape: Shape{N}, ids: []int32{3, 0, 3}}}},
}

// TestGradients compares d Σ r·y / dx, for random r, with central differences.
func TestGradients(t *testing.T) {
	seen := map[string]bool{"Constant": true} // it has no inputs
	for i, c := range gradCases {
		seen[c.op] = true
		t.Run(fmt.Sprintf("%s/%d", c.op, i), func(t *testing.T) { checkGradient(t, c.op, c.attrs, c.in) })
	}
	t.Run("SoftmaxCrossEntropyLoss/weighted", checkWeightedLoss)
	for name, o := range table {
		if o.grad != nil && !seen[name] {
			t.Errorf("operator %s has a gradient but no case here", name)
		}
	}
}

func checkGradient(t *testing.T, op string, attrs accel.Attrs, args []arg) {
	g := New(op)
	in, data := declare(t, g, args)
	n, err := g.ApplyNode(op, "y", attrs, in...)
	if err != nil {
		t.Fatal(err)
	}
	var wrt []*Value
	for _, v := range in {
		if v.Type.DType == accel.Float32 {
			wrt = append(wrt, v)
		}
	}
	ys := slices.DeleteFunc(slices.Clone(n.Outputs), func(v *Value) bool { return v == nil })
	compareWithDifferences(t, g, ys, wrt, data)
}

// checkWeightedLoss leaves the class weights out of what is differentiated by.
func checkWeightedLoss(t *testing.T) {
	g := New("loss")
	in, data := declare(t, g, []arg{floatsOf(N, 4), {shape: Shape{N}, ids: []int32{3, 0, 3}}, {shape: Shape{4}, away: true}})
	loss, err := g.Apply("SoftmaxCrossEntropyLoss", "loss", nil, in...)
	if err != nil {
		t.Fatal(err)
	}
	compareWithDifferences(t, g, []*Value{loss}, in[:1], data)
}

func declare(t *testing.T, g *Graph, args []arg) ([]*Value, map[*Value]accel.Host) {
	t.Helper()
	var in []*Value
	data := map[*Value]accel.Host{}
	for i, a := range args {
		dt, host := accel.Float32, accel.HostF32(values(a.shape.Len(rows), uint64(i), a.away))
		switch {
		case a.ids != nil:
			dt, host = accel.Int32, accel.HostI32(a.ids)
		case a.seed:
			dt, host = accel.Uint64, accel.HostU64([]uint64{7})
		}
		v, err := g.Input(fmt.Sprintf("x%d", i), dt, a.shape...)
		if err != nil {
			t.Fatal(err)
		}
		in, data[v] = append(in, v), host
	}
	return in, data
}

// values are n distinct numbers, a shuffled grid of step 0.1 without 0: so a
// step of 2⁻⁸ crosses no kink of Relu or MaxPool.
func values(n int, key uint64, away bool) []float32 {
	out := make([]float32, n)
	low := -float32(n) / 20
	if away {
		low = 0.5
	}
	for i := range out {
		out[i] = low + 0.1*float32(i) + 0.033
	}
	for i := n - 1; i > 0; i-- {
		j := int(counter.Uint64(key, uint64(i)) % uint64(i+1))
		out[i], out[j] = out[j], out[i]
	}
	return out
}

func compareWithDifferences(t *testing.T, g *Graph, ys, wrt []*Value, data map[*Value]accel.Host) {
	t.Helper()
	r, loss := dot(t, g, ys, data)
	grads, err := Gradients(g, loss, wrt)
	if err != nil {
		t.Fatal(err)
	}
	got := run(t, g, rows, grads, data)
	objective := func() float64 {
		sum := 0.0
		for i, y := range run(t, g, rows, ys, data) {
			for j, v := range y {
				sum += float64(v) * float64(r[i][j])
			}
		}
		return sum
	}
	h := 0x1p-8
	if ys[0].Producer.Op == "Conv" {
		h = 0.25 // it is linear in each element, and its sums are long: gain digits
	}
	// Outputs are a few units and rounded to 2⁻²⁴ of that, so the difference
	// quotient is good to about 2⁻²²/2h = 2⁻¹⁵; the cubic term adds h²/6.
	const tol = 1e-3
	for k, v := range wrt {
		x := data[v].F32
		for i := range x {
			was := x[i]
			x[i] = was + float32(h)
			up := objective()
			x[i] = was - float32(h)
			down := objective()
			x[i] = was
			want := (up - down) / (2 * h)
			if diff := math.Abs(float64(got[k][i]) - want); !(diff <= tol*(1+math.Abs(want))) {
				t.Errorf("d/d%s[%d]: got %g, want %g", v.Name, i, got[k][i], want)
			}
		}
	}
}

// dot appends Σ r·y with r random, given to the graph as inputs.
func dot(t *testing.T, g *Graph, ys []*Value, data map[*Value]accel.Host) (r [][]float32, loss *Value) {
	t.Helper()
	must := func(v *Value, err error) *Value {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for i, y := range ys {
		c := must(g.Input(fmt.Sprintf("r%d", i), accel.Float32, y.Type.Shape...))
		r = append(r, values(y.Type.Shape.Len(rows), 99+uint64(i), false))
		data[c] = accel.HostF32(r[i])
		sum := must(g.Apply("ReduceSum", "", accel.Attrs{accel.Int("keepdims", 0)}, must(g.Apply("Mul", "", nil, y, c))))
		if loss != nil {
			sum = must(g.Apply("Add", "", nil, loss, sum))
		}
		loss = sum
	}
	return r, loss
}

// run compiles and runs the graph for n rows and returns float32 outputs.
func run(t *testing.T, g *Graph, n int, outputs []*Value, data map[*Value]accel.Host) [][]float32 {
	t.Helper()
	code, err := Compile(g, n, outputs)
	if err != nil {
		t.Fatal(err)
	}
	dev := cpu.New()
	p, err := dev.Compile(code)
	if err != nil {
		t.Fatalf("%v\n%s", err, g)
	}
	var args []accel.Buffer
	for _, list := range [][]*Value{g.Inputs, g.Params, outputs} {
		for _, v := range list {
			b, err := dev.Alloc(v.Type.DType, v.Type.Shape.Len(n))
			if err != nil {
				t.Fatal(err)
			}
			if h, ok := data[v]; ok {
				if err := b.Write(h); err != nil {
					t.Fatalf("%s: %v", v, err)
				}
			}
			args = append(args, b)
		}
	}
	if err := p.Run(args); err != nil {
		t.Fatal(err)
	}
	out := make([][]float32, len(outputs))
	for i, b := range args[len(args)-len(outputs):] {
		out[i] = make([]float32, b.Len())
		if err := b.Read(accel.HostF32(out[i])); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
