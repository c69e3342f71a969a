package nn

import (
	"math"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/precision"
	"github.com/millrace-go/millrace/model/weights"
)

// small is a network of one vector and one id, with dropout: 3 + 2 -> 4 -> 3 classes.
func small(t testing.TB) *Model {
	t.Helper()
	b := NewBuilder("small", []Input{
		{Name: "x", DType: "float32", Shape: []int{3}},
		{Name: "id", DType: "int32", Shape: []int{}, Cardinality: 5},
	}, 3)
	x := b.Concat("columns", b.Input("x"), b.Embedding("embed.id", b.Input("id"), 5, 2))
	m, err := b.Finish(b.Dense("logits", b.Hidden("fc1", x, 4, 0.25), 3, XavierUniform(1)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func rowsOf(n int) Batch {
	x, id, labels := make([]float32, n*3), make([]int32, n), make([]int32, n)
	for i := range x {
		x[i] = float32(i%7)/3 - 1
	}
	for i := range id {
		id[i], labels[i] = int32(i%5), int32(i%3)
	}
	return Batch{N: n, Labels: labels, Inputs: map[string]*tensor.Dense{
		"x":  tensor.New(tensor.WithShape(n, 3), tensor.WithBacking(x)),
		"id": tensor.New(tensor.WithShape(n), tensor.WithBacking(id)),
	}}
}

func newTrainer(t testing.TB, m *Model) *Trainer {
	t.Helper()
	tr, err := m.NewTrainer(cpu.New(), precision.FP32)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// TestLossIsOfThePrediction: without dropout the loss is the weighted mean of
// -log of the probabilities that the predictor gives.
func TestLossIsOfThePrediction(t *testing.T) {
	b := NewBuilder("linear", []Input{{Name: "x", DType: "float32", Shape: []int{3}}}, 3)
	m, err := b.Finish(b.Dense("logits", b.Input("x"), 3, forRelu))
	if err != nil {
		t.Fatal(err)
	}
	params, batch, class := m.Init(4), rowsOf(7), []float32{1, 0.5, 3}
	probs := make([]float32, 7*3)
	p, err := m.NewPredictor(cpu.New())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Predict(params, batch, probs); err != nil {
		t.Fatal(err)
	}
	sum, total, plain := 0.0, 0.0, 0.0
	for i, l := range batch.Labels {
		nll := -math.Log(float64(probs[i*3+int(l)]))
		sum, total, plain = sum+float64(class[l])*nll, total+float64(class[l]), plain+nll/7
	}
	tr := newTrainer(t, m)
	for _, c := range []struct {
		weights []float32
		want    float64
	}{{class, sum / total}, {nil, plain}} {
		got, err := tr.Gradients(params, params.Zeros(), batch, c.weights, 0)
		if err != nil || math.Abs(got-c.want) > 1e-6 {
			t.Errorf("loss with weights %v is %g (error %v), want %g", c.weights, got, err, c.want)
		}
	}
}

// TestDropoutSeed: the seed decides what is dropped in training, never in prediction.
func TestDropoutSeed(t *testing.T) {
	m := small(t)
	tr, params, batch := newTrainer(t, m), m.Init(1), rowsOf(20)
	loss := func(seed uint64) float64 {
		l, err := tr.Gradients(params, params.Zeros(), batch, nil, seed)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if a, b, c := loss(1), loss(1), loss(2); a != b || a == c {
		t.Errorf("losses with seeds 1, 1, 2: %v %v %v, want the first two alike", a, b, c)
	}
	for _, v := range m.Graph.Inputs {
		if v.Name == seedName {
			return
		}
	}
	t.Error("the trainer changed the model's graph: its seed is gone")
}

func TestArgumentErrors(t *testing.T) {
	m := small(t)
	tr := newTrainer(t, m)
	f32 := func(n int, shape ...int) *tensor.Dense {
		return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(make([]float32, n)))
	}
	for _, c := range []struct {
		name   string
		change func(params, grads *weights.Set, b *Batch, class *[]float32)
		want   string
	}{
		{"no rows", func(_, _ *weights.Set, b *Batch, _ *[]float32) { b.N = 0 }, "batch of 0 rows"},
		{"input missing", func(_, _ *weights.Set, b *Batch, _ *[]float32) { delete(b.Inputs, "id") }, `input "id" is missing`},
		{"input shape", func(_, _ *weights.Set, b *Batch, _ *[]float32) { b.Inputs["x"] = f32(8, 4, 2) }, `input "x": shape [4 2], want [4 3]`},
		{"input rows", func(_, _ *weights.Set, b *Batch, _ *[]float32) { b.N, b.Labels = 3, b.Labels[:3] }, "want [3 3]"},
		{"input type", func(_, _ *weights.Set, b *Batch, _ *[]float32) { b.Inputs["id"] = f32(4, 4) }, "type float32, want int32"},
		{"other type", func(_, _ *weights.Set, b *Batch, _ *[]float32) {
			b.Inputs["x"] = tensor.New(tensor.Of(tensor.Float64), tensor.WithShape(4, 3))
		}, "tensor of type float64"},
		{"transposed", func(_, _ *weights.Set, b *Batch, _ *[]float32) {
			b.Inputs["x"] = f32(12, 3, 4)
			if err := b.Inputs["x"].T(); err != nil {
				t.Fatal(err)
			}
		}, "want contiguous row-major"},
		{"id too large", func(_, _ *weights.Set, b *Batch, _ *[]float32) { b.Inputs["id"].Data().([]int32)[2] = 5 }, "row 2: id 5, want 0 <= id < 5"},
		{"id negative", func(_, _ *weights.Set, b *Batch, _ *[]float32) { b.Inputs["id"].Data().([]int32)[0] = -1 }, "row 0: id -1"},
		{"label too large", func(_, _ *weights.Set, b *Batch, _ *[]float32) { b.Labels[3] = 3 }, "row 3: label 3, want 0 <= label < 3"},
		{"label negative", func(_, _ *weights.Set, b *Batch, _ *[]float32) { b.Labels[1] = -7 }, "row 1: label -7"},
		{"labels missing", func(_, _ *weights.Set, b *Batch, _ *[]float32) { b.Labels = nil }, "0 labels for 4 rows"},
		{"class weights", func(_, _ *weights.Set, _ *Batch, w *[]float32) { *w = []float32{1} }, "1 class weights for 3 classes"},
		{"negative weight", func(_, _ *weights.Set, _ *Batch, w *[]float32) { *w = []float32{1, -1, 1} }, "weight of class 1 is -1"},
		{"infinite weight", func(_, _ *weights.Set, _ *Batch, w *[]float32) { *w = []float32{1, 1, float32(math.Inf(1))} }, "weight of class 2 is +Inf"},
		{"params short", func(p, _ *weights.Set, _ *Batch, _ *[]float32) { *p = (*p)[1:] }, "4 tensors, the model has 5"},
		{"params order", func(p, _ *weights.Set, _ *Batch, _ *[]float32) { (*p)[0], (*p)[1] = (*p)[1], (*p)[0] }, `tensor 0 is "fc1.weight"`},
		{"params shape", func(p, _ *weights.Set, _ *Batch, _ *[]float32) { (*p)[2] = weights.New("fc1.bias", 5) }, `"fc1.bias" [5], the model has "fc1.bias" [4]`},
		{"grads", func(_, g *weights.Set, _ *Batch, _ *[]float32) { *g = nil }, "grads: 0 tensors"},
	} {
		params, batch, class := m.Init(1), rowsOf(4), []float32(nil)
		grads := params.Zeros()
		c.change(&params, &grads, &batch, &class)
		if _, err := tr.Gradients(params, grads, batch, class, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	params := m.Init(1)
	if _, err := tr.Gradients(params, params.Zeros(), rowsOf(4), nil, 0); err != nil {
		t.Errorf("after the errors a good batch fails: %v", err)
	}
	p, err := m.NewPredictor(cpu.New())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Predict(params, rowsOf(4), make([]float32, 11)); err == nil || !strings.Contains(err.Error(), "11 probabilities, want 4 rows x 3 classes") {
		t.Errorf("room for 11 probabilities: error %v", err)
	}
	other := precision.FP32
	other.Compute = accel.Int32
	if _, err := m.NewTrainer(cpu.New(), other); err == nil || !strings.Contains(err.Error(), "not in param=float32 compute=int32") {
		t.Errorf("another precision: error %v", err)
	}
}

func TestFirstNonFinite(t *testing.T) {
	m := small(t)
	tr := newTrainer(t, m)
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		name   string
		change func(params weights.Set, b Batch)
		want   string
	}{
		{"nothing", func(weights.Set, Batch) {}, ""},
		{"a feature", func(_ weights.Set, b Batch) { b.Inputs["x"].Data().([]float32)[4] = inf }, "input x"},
		{"a parameter", func(p weights.Set, _ Batch) { p[1].Data()[0] = nan }, "fc1.weight"},
		{"the first of two", func(p weights.Set, b Batch) { p[3].Data()[0], p[2].Data()[0] = nan, nan }, "fc1.bias"},
		{"overflow in a layer", func(p weights.Set, b Batch) {
			for i := range p[1].Data() {
				p[1].Data()[i] = 3e38
			}
			b.Inputs["x"].Data().([]float32)[0] = 3e38
		}, "fc1"},
		{"overflow in a gradient", func(p weights.Set, b Batch) {
			// Hidden units are 1e30·1e-30·3 = 3 and logits up to 1e31, wrong for
			// most rows; then dfc1 is about 1e29, and times x it overflows.
			for i := range p[1].Data() {
				p[1].Data()[i] = 1e-30
			}
			for i := range p[3].Data() {
				p[3].Data()[i] = float32(i/4) * 1e30
			}
			for i, x := 0, b.Inputs["x"].Data().([]float32); i < len(x); i++ {
				x[i] = 1e30
			}
		}, "grad(fc1.weight)"},
	} {
		params, batch := m.Init(1), rowsOf(12)
		c.change(params, batch)
		got, err := tr.FirstNonFinite(params, batch, nil, 3)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestManySizes: programs are kept for a few batch sizes only, and dropping one
// changes no result.
func TestManySizes(t *testing.T) {
	m := small(t)
	p, err := m.NewPredictor(cpu.New())
	if err != nil {
		t.Fatal(err)
	}
	params, all := m.Init(1), make([]float32, 3*40)
	if err := p.Predict(params, rowsOf(40), all); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 40; n++ {
		probs := make([]float32, 3*n)
		if err := p.Predict(params, rowsOf(n), probs); err != nil {
			t.Fatal(err)
		}
		for i := range probs {
			if probs[i] != all[i] {
				t.Fatalf("batch of %d: probability %d is %g, want %g", n, i, probs[i], all[i])
			}
		}
	}
	if got := len(p.session.sizes); got != maxSizes {
		t.Errorf("%d programs are kept, want %d", got, maxSizes)
	}
}

// TestSteadyState: a step allocates a few words for tensors' interfaces, and
// nothing that grows with the batch.
func TestSteadyState(t *testing.T) {
	m := small(t)
	tr, params := newTrainer(t, m), m.Init(1)
	grads := params.Zeros()
	for _, n := range []int{8, 512} {
		b := rowsOf(n)
		allocs := testing.AllocsPerRun(20, func() {
			if _, err := tr.Gradients(params, grads, b, nil, 1); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > 60 {
			t.Errorf("batch of %d: %g allocations a step, want at most 60", n, allocs)
		}
	}
}

func TestBuilderErrors(t *testing.T) {
	in := []Input{{Name: "x", DType: "float32", Shape: []int{3}}}
	for _, c := range []struct {
		name  string
		build func() (*Model, error)
		want  string
	}{
		{"classes", func() (*Model, error) { b := NewBuilder("m", in, 1); return b.Finish(b.Input("x")) }, "1 classes"},
		{"logits", func() (*Model, error) { b := NewBuilder("m", in, 2); return b.Finish(b.Input("x")) }, "logits are input x float32[N 3], want float32[N 2]"},
		{"unknown input", func() (*Model, error) { b := NewBuilder("m", in, 3); return b.Finish(b.Input("y")) }, `no input "y"`},
		{"twice", func() (*Model, error) { b := NewBuilder("m", append(in, in...), 3); return b.Finish(nil) }, `two inputs are called "x"`},
		{"type", func() (*Model, error) {
			b := NewBuilder("m", []Input{{Name: "x", DType: "uint64"}}, 3)
			return b.Finish(nil)
		}, "want float32 or int32"},
		{"shape", func() (*Model, error) {
			b := NewBuilder("m", []Input{{Name: "x", DType: "float32", Shape: []int{-1}}}, 3)
			return b.Finish(nil)
		}, "shape [-1], want dimensions from 1"},
		{"too many parameters", func() (*Model, error) {
			b := NewBuilder("m", in, 3)
			x := b.Input("x")
			for _, name := range []string{"a", "b"} {
				x = b.Dense(name, x, 1<<30, forRelu)
			}
			return b.Finish(b.Dense("c", x, 3, forRelu))
		}, "more than 2147483647 parameters"},
		{"convolution of a vector", func() (*Model, error) {
			b := NewBuilder("m", in, 3)
			return b.Finish(b.Flatten("f", b.Conv("c", b.Input("x"), 4, 3)))
		}, `convolution "c"`},
		{"dense of an image", func() (*Model, error) {
			b := NewBuilder("m", []Input{{Name: "x", DType: "float32", Shape: []int{1, 2, 2}}}, 3)
			return b.Finish(b.Dense("d", b.Input("x"), 3, forRelu))
		}, `dense layer "d"`},
		{"an initializer for matrices", func() (*Model, error) {
			b := NewBuilder("m", in, 3)
			b.Param("gain", forRelu, 4)
			return b.Finish(b.Dense("d", b.Input("x"), 3, forRelu))
		}, `initial values of "gain": 1 dimensions, want two or more`},
		{"no initializer", func() (*Model, error) {
			b := NewBuilder("m", in, 3)
			return b.Finish(b.Dense("d", b.Input("x"), 3, nil))
		}, `"d.weight" has no initializer`},
		{"an embedding of no width", func() (*Model, error) {
			b := NewBuilder("m", []Input{{Name: "x", DType: "int32", Cardinality: 4}}, 3)
			return b.Finish(b.Embedding("e", b.Input("x"), 4, 0))
		}, `"e.weight": shape [4 0]`},
	} {
		if _, err := c.build(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}
