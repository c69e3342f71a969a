package graph

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/accel"
)

// mlp is relu(x·w1ᵀ + b1)·w2ᵀ with a dropout between, 6 -> 4 -> 3.
func mlp(t *testing.T) (g *Graph, x, seed *Value) {
	t.Helper()
	g = New("mlp")
	must := func(v *Value, err error) *Value {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	tb := accel.Attrs{accel.Int("transB", 1)}
	x = must(g.Input("x", accel.Float32, N, 6))
	w1, b1, w2 := must(g.Param("w1", 4, 6)), must(g.Param("b1", 4)), must(g.Param("w2", 3, 4))
	seed = must(g.Input("seed", accel.Uint64))
	h := must(g.Apply("Relu", "h", nil, must(g.Apply("Gemm", "fc1", tb, x, w1, b1))))
	h = must(g.Apply("Dropout", "drop", accel.Attrs{accel.Float("ratio", 0.5)}, h, seed))
	g.Outputs = []*Value{must(g.Apply("Gemm", "fc2", tb, h, w2))}
	return g, x, seed
}

const mlpText = `graph mlp
  input x float32[N 6]
  input seed uint64[]
  param w1 float32[4 6]
  param b1 float32[4]
  param w2 float32[3 4]
  fc1 float32[N 4] = Gemm(x, w1, b1){transB=1}
  h float32[N 4] = Relu(fc1)
  drop float32[N 4] = Dropout(h, seed){ratio=0.5}
  fc2 float32[N 3] = Gemm(drop, w2){transB=1}
  output fc2
`

func TestStringAndClone(t *testing.T) {
	g, _, _ := mlp(t)
	if got := g.String(); got != mlpText {
		t.Errorf("got\n%s\nwant\n%s", got, mlpText)
	}
	c, _ := g.Clone()
	c.Inference()
	c.Outputs = nil
	c.Prune()
	if len(c.Nodes) != 0 {
		t.Errorf("%d nodes are left without outputs", len(c.Nodes))
	}
	if got := g.String(); got != mlpText {
		t.Errorf("a change of the clone changed the graph to\n%s", got)
	}
}

func TestInference(t *testing.T) {
	g, _, _ := mlp(t)
	g.Inference()
	want := strings.Replace(mlpText, "  drop float32[N 4] = Dropout(h, seed){ratio=0.5}\n", "", 1)
	want = strings.Replace(want, "  input seed uint64[]\n", "", 1)
	want = strings.Replace(want, "Gemm(drop, w2)", "Gemm(h, w2)", 1)
	if got := g.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPruneKeepsWhatIsNeeded(t *testing.T) {
	g, x, _ := mlp(t)
	if _, err := g.Apply("Tanh", "dead", nil, x); err != nil {
		t.Fatal(err)
	}
	g.Prune()
	if got := g.String(); got != mlpText {
		t.Errorf("got\n%s\nwant\n%s", got, mlpText)
	}
}

// TestCost: a dense layer of 6 x 4 and one of 4 x 3 are 24 and 12 products a
// row; relu and dropout 4 elements each. The backward pass needs dw1, dw2 and dh.
func TestCost(t *testing.T) {
	g, _, _ := mlp(t)
	if got, want := g.Cost(10), (Cost{MACs: 360, Elementwise: 80}); got != want {
		t.Errorf("cost of 10 rows %+v, want %+v", got, want)
	}
	if got := g.Cost(10).FLOPs(); got != 720 {
		t.Errorf("FLOPs %d, want 720", got)
	}
	labels, err := g.Input("labels", accel.Int32, N)
	if err != nil {
		t.Fatal(err)
	}
	loss, err := g.Apply("SoftmaxCrossEntropyLoss", "loss", nil, g.Outputs[0], labels)
	if err != nil {
		t.Fatal(err)
	}
	if g.Outputs, err = Gradients(g, loss, g.Params); err != nil {
		t.Fatal(err)
	}
	if got, want := g.Cost(10).MACs, int64(360+240+120+120); got != want {
		t.Errorf("MACs of a step %d, want %d", got, want)
	}
}

// TestConvCost is the first layer of AlexNet: 64 filters of 3x11x11 at 55x55
// places, 70,276,800 products (a torchvision model's hooks count the same).
func TestConvCost(t *testing.T) {
	g := New("alexnet")
	x, _ := g.Input("x", accel.Float32, N, 3, 224, 224)
	w, _ := g.Param("w", 64, 3, 11, 11)
	y, err := g.Apply("Conv", "conv1", accel.Attrs{accel.Ints("strides", 4, 4), accel.Ints("pads", 2, 2, 2, 2)}, x, w)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Shape{N, 64, 55, 55}); !y.Type.Shape.Equal(want) {
		t.Errorf("shape %s, want %s", y.Type.Shape, want)
	}
	if got := g.Cost(1).MACs; got != 70276800 {
		t.Errorf("%d MACs, want 70276800", got)
	}
}

func TestShapeErrors(t *testing.T) {
	for _, c := range []struct {
		op    string
		attrs accel.Attrs
		in    []Shape
		want  string
	}{
		{"Add", nil, []Shape{{N, 3}, {N, 4}}, "[N 3] and [N 4] do not broadcast"},
		{"Add", nil, []Shape{{N, 3}, {3, 3}}, "do not broadcast"}, // N is no number
		{"Gemm", nil, []Shape{{N, 3}, {4, 5}}, "inner dimensions of [N 3] and [4 5] differ"},
		{"Gemm", nil, []Shape{{N, 3}, {3, 5}, {4}}, "bias [4] does not broadcast to [N 5]"},
		{"MatMul", nil, []Shape{{N, 2, 3}, {4, 3, 5}}, "like stacks"},
		{"Conv", nil, []Shape{{N, 2, 3, 3}, {4, 1, 3, 3}}, "images [N 2 3 3] and filters [4 1 3 3]"},
		{"Conv", nil, []Shape{{N, 1, 2, 2}, {4, 1, 3, 3}}, "does not fit into [2 2]"},
		{"Conv", accel.Attrs{accel.Int("group", 2)}, []Shape{{N, 2, 3, 3}, {4, 2, 3, 3}}, "group 2"},
		{"MaxPool", accel.Attrs{accel.Ints("kernel_shape", 2, 2), accel.Ints("pads", 2, 0, 0, 0)}, []Shape{{N, 1, 4, 4}}, "not smaller than the window"},
		{"Reshape", accel.Attrs{accel.Ints("shape", 0, 7)}, []Shape{{N, 8}}, "[N 8] has not the elements of [0 7]"},
		{"Reshape", accel.Attrs{accel.Ints("shape", -1, -1)}, []Shape{{N, 8}}, "not allowed"},
		{"Flatten", accel.Attrs{accel.Int("axis", 2)}, []Shape{{N, 2, 4}}, "multiple of N"},
		{"Concat", accel.Attrs{accel.Int("axis", 1)}, []Shape{{N, 2}, {3, 2}}, "do not join along axis 1"},
		{"Split", accel.Attrs{accel.Int("axis", 1), accel.Ints("split", 1, 2)}, []Shape{{N, 4}}, "do not make up axis 1"},
		{"Transpose", accel.Attrs{accel.Ints("perm", 0, 0)}, []Shape{{N, 4}}, "no permutation"},
		{"Softmax", accel.Attrs{accel.Int("axis", 0)}, []Shape{{N, 4}}, "only the last"},
		{"ReduceSum", accel.Attrs{accel.Ints("axes", 2)}, []Shape{{N, 4}}, "axis 2 of a tensor of rank 2"},
		{"Gather", nil, []Shape{{5, 2}, {N}}, "x1 is float32, want int32"},
		{"Gelu", nil, []Shape{{N}}, "only tanh"},
		{"Relu", nil, []Shape{{N}, {N}}, "2 inputs, want 1 to 1"},
		{"Einsum", nil, nil, `no operator "Einsum"`},
	} {
		g := New("bad")
		var in []*Value
		for i, s := range c.in {
			v, err := g.Input(fmt.Sprintf("x%d", i), accel.Float32, s...)
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, v)
		}
		_, err := g.Apply(c.op, "node7", c.attrs, in...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: error %v, want one with %q", c.op, c.in, err, c.want)
		} else if c.in != nil && !strings.Contains(err.Error(), "node7") {
			t.Errorf("%s: error %v does not name the node", c.op, err)
		}
	}
}

func TestDeclareErrors(t *testing.T) {
	g := New("bad")
	if _, err := g.Param("w", N, 3); err == nil || !strings.Contains(err.Error(), "depends on the batch") {
		t.Errorf("parameter with N: error %v", err)
	}
	if _, err := g.Input("x", accel.Float32, 0); err == nil {
		t.Error("dimension 0: no error")
	}
	if _, err := g.Input("x", accel.Float32, N); err != nil {
		t.Error(err)
	}
	if _, err := g.Param("x", 3); err == nil {
		t.Error("a name taken twice: no error")
	}
	if _, err := Gradients(g, g.Inputs[0], nil); err == nil || !strings.Contains(err.Error(), "scalar") {
		t.Errorf("gradients of a vector: error %v", err)
	}
	if _, err := Compile(g, 0, nil); err == nil {
		t.Error("batch of 0 rows: no error")
	}
}

// TestGradientsOfGradients says which operator cannot be differentiated.
func TestGradientsOfGradients(t *testing.T) {
	g := New("twice")
	x, _ := g.Input("x", accel.Float32, N)
	y, _ := g.Apply("Tanh", "", nil, x)
	loss, _ := g.Apply("ReduceSum", "", accel.Attrs{accel.Int("keepdims", 0)}, y)
	d, err := Gradients(g, loss, []*Value{x})
	if err != nil {
		t.Fatal(err)
	}
	again, _ := g.Apply("ReduceSum", "", accel.Attrs{accel.Int("keepdims", 0)}, d[0])
	if _, err := Gradients(g, again, []*Value{x}); err == nil || !strings.Contains(err.Error(), "TanhGrad has no gradient") {
		t.Errorf("error %v, want one that names TanhGrad", err)
	}
}

// TestUnusedAndShared: a parameter that the loss ignores has gradient zero; two
// with the same gradient each get it in a tensor of their own.
func TestUnusedAndShared(t *testing.T) {
	g := New("shared")
	a, _ := g.Param("a", 2)
	b, _ := g.Param("b", 2)
	c, _ := g.Param("c", 3)
	sum, _ := g.Apply("Add", "", nil, a, b)
	loss, _ := g.Apply("ReduceSum", "", accel.Attrs{accel.Int("keepdims", 0)}, sum)
	d, err := Gradients(g, loss, g.Params)
	if err != nil {
		t.Fatal(err)
	}
	if d[0] == d[1] || d[0].Name != "grad(a)" || d[1].Name != "grad(b)" {
		t.Errorf("gradients %s and %s, want two tensors grad(a), grad(b)", d[0], d[1])
	}
	zero := accel.HostF32([]float32{9, 9, 9})
	out := run(t, g, 1, d, map[*Value]accel.Host{c: zero})
	for i, want := range [][]float32{{1, 1}, {1, 1}, {0, 0, 0}} {
		if fmt.Sprint(out[i]) != fmt.Sprint(want) {
			t.Errorf("gradient %d: got %v, want %v", i, out[i], want)
		}
	}
}

// TestReuse: a chain of 40 layers needs the memory of two activations, gives
// the same values as without sharing, and an output may be an input too.
func TestReuse(t *testing.T) {
	g := New("chain")
	x, _ := g.Input("x", accel.Float32, N, 16)
	v := x
	for i := range 40 {
		var err error
		if i%4 == 3 {
			v, err = g.Apply("Reshape", "", accel.Attrs{accel.Ints("shape", 0, -1)}, v) // a view
		} else {
			v, err = g.Apply("Tanh", "", nil, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	last, _ := g.Apply("Add", "sum", nil, v, x)
	g.Outputs = []*Value{last, x, last}
	code, err := Compile(g, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * 4 * 16 * 4; code.ArenaBytes != want {
		t.Errorf("arena of %d bytes, want %d", code.ArenaBytes, want)
	}
	if got, want := len(code.Instrs), 30+1+2; got != want { // views are free; two copies
		t.Errorf("%d instructions, want %d", got, want)
	}
	data := map[*Value]accel.Host{x: accel.HostF32(values(64, 1, false))}
	out := run(t, g, 4, g.Outputs, data)
	all := run(t, g, 4, g.Values()[1:], data)
	for i, got := range [][]float32{out[0], out[2]} {
		if fmt.Sprint(got) != fmt.Sprint(all[len(all)-1]) {
			t.Errorf("output %d differs from the run without sharing", 2*i)
		}
	}
	if fmt.Sprint(out[1]) != fmt.Sprint(data[x].F32) {
		t.Error("the input given out is not the input")
	}
	for i, v := range out[0] {
		want := float64(data[x].F32[i])
		for range 30 {
			want = math.Tanh(want)
		}
		if want += float64(data[x].F32[i]); math.Abs(float64(v)-want) > 1e-5 {
			t.Errorf("element %d: got %g, want %g", i, v, want)
		}
	}
}

// TestUnreadView: the view of a value that nobody reads gives its memory back once.
func TestUnreadView(t *testing.T) {
	g := New("view")
	x, _ := g.Input("x", accel.Float32, N)
	a, _ := g.Apply("Tanh", "a", nil, x)
	if _, err := g.Apply("Identity", "b", nil, a); err != nil {
		t.Fatal(err)
	}
	c, _ := g.Apply("Tanh", "c", nil, x)
	d, _ := g.Apply("Tanh", "d", nil, x)
	e, _ := g.Apply("Sub", "e", nil, c, d)
	out := run(t, g, 2, []*Value{e}, map[*Value]accel.Host{x: accel.HostF32([]float32{1, 2})})
	if out[0][0] != 0 || out[0][1] != 0 {
		t.Errorf("tanh(x) - tanh(x) = %v: c and d share memory", out[0])
	}
}

func TestArena(t *testing.T) {
	var a arena
	x, y, z := a.take(64), a.take(100), a.take(64)
	if x != 0 || y != 64 || z != 192 || a.size != 256 {
		t.Fatalf("offsets %d %d %d, size %d; want 0 64 192, 256", x, y, z, a.size)
	}
	a.give(x, 64)
	a.give(z, 64)
	if got := a.take(64); got != 0 {
		t.Errorf("of two holes as large the first is %d, want 0", got)
	}
	a.give(0, 64)
	a.give(y, 100) // all three join
	if got := a.take(300); got != 0 || a.size != 320 {
		t.Errorf("300 bytes at %d, size %d; want 0, 320", got, a.size)
	}
}
