// Package archtest is the suite that every architecture passes: parameter
// counts, gradients, one batch learned by heart, predictions that do not depend
// on the batch, steps that do not depend on the trainer's past.
package archtest

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/millrace-go/millrace/accel/counter"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/model/precision"
	"github.com/millrace-go/millrace/model/weights"
)

// Case is one model to test.
type Case struct {
	Build func() (*nn.Model, error)
	// Params are the names and shapes that the model must have, in order.
	Params []nn.Param
	// Scalars is the sum of their sizes, counted by hand.
	Scalars int
}

// Run runs the suite.
func Run(t *testing.T, c Case) {
	m, err := c.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("params", func(t *testing.T) { params(t, m, c) })
	t.Run("gradients", func(t *testing.T) { gradients(t, m) })
	t.Run("overfit", func(t *testing.T) { overfit(t, m) })
	t.Run("batch invariance", func(t *testing.T) { batchInvariance(t, m) })
	t.Run("resume", func(t *testing.T) { resume(t, m) })
}

// Batch makes n rows for a model's inputs: features in [-1, 1), uniform ids, and
// labels that have nothing to do with them.
func Batch(m *nn.Model, n int, seed uint64) nn.Batch {
	b := nn.Batch{N: n, Inputs: map[string]*tensor.Dense{}, Labels: make([]int32, n)}
	for _, in := range m.Inputs {
		key := counter.Key(seed, in.Name)
		shape := append([]int{n}, in.Shape...)
		d := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(shape...))
		if in.DType == "int32" {
			d = tensor.New(tensor.Of(tensor.Int32), tensor.WithShape(shape...))
			for i, ids := 0, d.Data().([]int32); i < len(ids); i++ {
				ids[i] = int32(counter.Uint64(key, uint64(i)) % uint64(in.Cardinality))
			}
		} else {
			for i, xs := 0, d.Data().([]float32); i < len(xs); i++ {
				xs[i] = float32(2*counter.Float64(key, uint64(i)) - 1)
			}
		}
		b.Inputs[in.Name] = d
	}
	for i := range b.Labels {
		b.Labels[i] = int32(counter.Uint64(counter.Key(seed, "label"), uint64(i)) % uint64(m.Classes))
	}
	return b
}

func params(t *testing.T, m *nn.Model, c Case) {
	set := m.Init(1)
	if got := set.Len(); got != c.Scalars {
		t.Errorf("%d scalars, want %d", got, c.Scalars)
	}
	if len(m.Params) != len(c.Params) || len(set) != len(c.Params) {
		t.Fatalf("%d parameters, %d tensors, want %d", len(m.Params), len(set), len(c.Params))
	}
	again, other := m.Init(1), m.Init(2)
	for i, want := range c.Params {
		p := m.Params[i]
		if p.Name != want.Name || !slices.Equal(p.Shape, want.Shape) || set[i].Name != p.Name || !slices.Equal([]int(set[i].Shape()), p.Shape) {
			t.Errorf("parameter %d is %q %v (tensor %q %v), want %q %v", i, p.Name, p.Shape, set[i].Name, set[i].Shape(), want.Name, want.Shape)
		}
		if p.Prunable != (len(p.Shape) >= 2) {
			t.Errorf("%s: prunable is %t for shape %v", p.Name, p.Prunable, p.Shape)
		}
		if !slices.Equal(set[i].Data(), again[i].Data()) {
			t.Errorf("%s: the same seed gives other values", p.Name)
		}
		checkInit(t, p, set[i].Data(), other[i].Data())
	}
}

// checkInit: biases are zero; weights are of both signs, within He's bound, which is
// the widest of those in use, and depend on the seed.
func checkInit(t *testing.T, p nn.Param, data, other []float32) {
	low, high := slices.Min(data), slices.Max(data)
	if !p.Prunable {
		if low != 0 || high != 0 {
			t.Errorf("%s: values from %g to %g, want zeros", p.Name, low, high)
		}
		return
	}
	fan := 1
	for _, d := range p.Shape[1:] {
		fan *= d
	}
	bound := math.Sqrt(6 / float64(fan))
	if !(float64(high) <= bound && float64(low) >= -bound) {
		t.Errorf("%s: values from %g to %g, want within %g", p.Name, low, high, bound)
	}
	if len(data) >= 16 && !(low < 0 && high > 0) { // 16 draws of one sign: 2⁻¹⁵
		t.Errorf("%s: values from %g to %g, want both signs", p.Name, low, high)
	}
	if slices.Equal(data, other) {
		t.Errorf("%s: two seeds give the same values", p.Name)
	}
}

func trainer(t *testing.T, m *nn.Model) *nn.Trainer {
	t.Helper()
	tr, err := m.NewTrainer(cpu.New(), precision.FP32)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// gradients steps along each parameter's gradient: the loss must change by its
// norm, here within 2 % since ReLU bends within the step.
func gradients(t *testing.T, m *nn.Model) {
	tr, set, b := trainer(t, m), m.Init(3), Batch(m, 6, 4)
	class := make([]float32, m.Classes)
	for i := range class {
		class[i] = 1 + 0.5*float32(i%2)
	}
	loss := func(p weights.Set) float64 {
		l, err := tr.Gradients(p, p.Zeros(), b, class, 5)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	grads := set.Zeros()
	if _, err := tr.Gradients(set, grads, b, class, 5); err != nil {
		t.Fatal(err)
	}
	for i, g := range grads {
		norm := 0.0
		for _, v := range g.Data() {
			norm += float64(v) * float64(v)
		}
		norm = math.Sqrt(norm)
		if !(norm > 1e-4) {
			t.Errorf("%s: gradient has norm %g: nothing learns there", g.Name, norm)
			continue
		}
		// A step of 2⁻⁹ is short enough to cross few bends; the loss, near 2, is
		// rounded to 2⁻²³, so the quotient is good to 2⁻¹⁴.
		const h = 0x1p-9
		step := func(sign float64) float64 {
			p := set.Clone()
			for j, v := range g.Data() {
				p[i].Data()[j] += float32(sign * h * float64(v) / norm)
			}
			return loss(p)
		}
		want := (step(1) - step(-1)) / (2 * h)
		if diff := math.Abs(norm - want); !(diff <= 0.02*norm+0x1p-13) {
			t.Errorf("%s: gradient has norm %g, the loss changes by %g", g.Name, norm, want)
		}
	}
}

// overfit learns 12 rows with random labels by heart, in 200 steps of Adam.
func overfit(t *testing.T, m *nn.Model) {
	tr, set, b := trainer(t, m), m.Init(6), Batch(m, 12, 7)
	grads, first, second := set.Zeros(), set.Zeros(), set.Zeros()
	start := 0.0
	for step := 1; step <= 200; step++ {
		l, err := tr.Gradients(set, grads, b, nil, uint64(step))
		if err != nil {
			t.Fatal(err)
		}
		if step == 1 {
			start = l
		}
		adam(set, grads, first, second, step)
	}
	probs := make([]float32, b.N*m.Classes)
	p, err := m.NewPredictor(cpu.New())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Predict(set, b, probs); err != nil {
		t.Fatal(err)
	}
	loss := 0.0
	for i, l := range b.Labels {
		loss -= math.Log(float64(probs[i*m.Classes+int(l)])) / float64(b.N)
	}
	if !(loss < 0.1) {
		t.Errorf("loss %g after 200 steps (%g before), want below 0.1", loss, start)
	}
}

func adam(set, grads, first, second weights.Set, step int) {
	const rate, b1, b2 = 0.01, 0.9, 0.99
	for i := range set {
		w, m, v := set[i].Data(), first[i].Data(), second[i].Data()
		for j, g := range grads[i].Data() {
			m[j] += (1 - b1) * (g - m[j])
			v[j] += (1 - b2) * (g*g - v[j])
			mean, square := float64(m[j])/(1-math.Pow(b1, float64(step))), float64(v[j])/(1-math.Pow(b2, float64(step)))
			w[j] -= float32(rate * mean / (math.Sqrt(square) + 1e-8))
		}
	}
}

// batchInvariance predicts 64 rows at once, then in parts: every bit is the same.
func batchInvariance(t *testing.T, m *nn.Model) {
	const n = 64
	set, all := m.Init(8), Batch(m, n, 9)
	p, err := m.NewPredictor(cpu.New())
	if err != nil {
		t.Fatal(err)
	}
	want := make([]float32, n*m.Classes)
	if err := p.Predict(set, all, want); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		sum := 0.0
		for _, v := range want[i*m.Classes : (i+1)*m.Classes] {
			sum += float64(v)
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Fatalf("probabilities of row %d sum to %g", i, sum)
		}
	}
	for _, size := range []int{1, 7} {
		for at := 0; at < n; at += size {
			part := cut(m, all, at, min(at+size, n))
			got := make([]float32, part.N*m.Classes)
			if err := p.Predict(set, part, got); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want[at*m.Classes:][:len(got)]) {
				t.Fatalf("rows from %d in a batch of %d: %v, within 64: %v", at, part.N, got, want[at*m.Classes:][:len(got)])
			}
		}
	}
}

// cut copies rows from a to b of a batch.
func cut(m *nn.Model, all nn.Batch, a, b int) nn.Batch {
	out := nn.Batch{N: b - a, Inputs: map[string]*tensor.Dense{}, Labels: all.Labels[a:b]}
	for _, in := range m.Inputs {
		row := 1
		for _, d := range in.Shape {
			row *= d
		}
		shape := append([]int{b - a}, in.Shape...)
		switch data := all.Inputs[in.Name].Data().(type) {
		case []float32:
			out.Inputs[in.Name] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(slices.Clone(data[a*row:b*row])))
		case []int32:
			out.Inputs[in.Name] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(slices.Clone(data[a*row:b*row])))
		}
	}
	return out
}

// resume takes a step with a trainer that has seen other batches and sizes, and
// with a new one: loss and gradients have the same bits.
func resume(t *testing.T, m *nn.Model) {
	set, b := m.Init(10), Batch(m, 5, 11)
	old, want, got := trainer(t, m), set.Zeros(), set.Zeros()
	for i, n := range []int{9, 5, 1} {
		if _, err := old.Gradients(m.Init(12), got, Batch(m, n, 13), nil, uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	a, errA := old.Gradients(set, got, b, nil, 14)
	z, errZ := trainer(t, m).Gradients(set, want, b, nil, 14)
	if errA != nil || errZ != nil || a != z {
		t.Fatalf("loss %v and %v, errors %v and %v", a, z, errA, errZ)
	}
	for i := range want {
		if !slices.Equal(got[i].Data(), want[i].Data()) {
			t.Errorf("%s: gradients depend on what the trainer did before", want[i].Name)
		}
	}
}
