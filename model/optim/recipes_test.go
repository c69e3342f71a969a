package optim

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/model/weights"
)

// recipes lists every optimizer of this package, all with clip and decay. A new
// one is listed here, and takes part in all tests of this file.
func recipes(rate Schedule) map[string]func() (Transform, error) {
	adam := AdamWConfig{Schedule: rate, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, WeightDecay: 0.1, ClipNorm: 1}
	sgd := SGDConfig{Schedule: rate, WeightDecay: 0.1, ClipNorm: 1}
	momentum := SGDConfig{Schedule: rate, Momentum: 0.8, WeightDecay: 0.1, ClipNorm: 1}
	nesterov := momentum
	nesterov.Nesterov = true
	lion := LionConfig{Schedule: rate, Beta1: 0.9, Beta2: 0.99, WeightDecay: 0.1, ClipNorm: 1}
	return map[string]func() (Transform, error){
		"AdamW":    func() (Transform, error) { return AdamW(adam) },
		"Adam":     func() (Transform, error) { return Adam(adam) },
		"LAMB":     func() (Transform, error) { return LAMB(adam) },
		"Lion":     func() (Transform, error) { return Lion(lion) },
		"SGD":      func() (Transform, error) { return SGD(sgd) },
		"momentum": func() (Transform, error) { return SGD(momentum) },
		"Nesterov": func() (Transform, error) { return SGD(nesterov) },
	}
}

func build(t *testing.T, recipe func() (Transform, error)) Optimizer {
	t.Helper()
	tr, err := recipe()
	if err != nil {
		t.Fatal(err)
	}
	return Optimizer{Transform: tr}
}

// A run that is stored and read again half way ends with the same bits.
func TestResume(t *testing.T) {
	for name, recipe := range recipes(WarmupCosine(0.1, 2, 10)) {
		run := func(stop int) weights.Set {
			opt := build(t, recipe)
			params := set(1, []int{3, 4}, []int{4})
			st := opt.NewState(params)
			for i := range 10 {
				if i == stop {
					data, err := st.Encode()
					if err != nil {
						t.Fatal(err)
					}
					if st, err = build(t, recipe).DecodeState(data, params); err != nil {
						t.Fatal(err)
					}
					if st.Step != int64(stop) {
						t.Errorf("%s: step %d, want %d", name, st.Step, stop)
					}
				}
				if err := opt.Step(params, set(uint64(i+5), []int{3, 4}, []int{4}), st); err != nil {
					t.Fatal(err)
				}
			}
			return params
		}
		want := run(-1)
		for _, stop := range []int{0, 5} {
			for i, p := range run(stop) {
				if !slices.Equal(p.Data(), want[i].Data()) {
					t.Errorf("%s resumed at %d: %s differs", name, stop, p.Name)
				}
			}
		}
	}
}

// Every optimizer finds the minimum of sum of (x-target)²/2 over vectors (which
// do not decay), from 3 to 5 away, with a rate that falls to 0.
func TestRecipesMinimise(t *testing.T) {
	const steps = 1000
	for name, recipe := range recipes(Cosine(0.05, 0, steps)) {
		opt := build(t, recipe)
		params, target := set(1, []int{6}, []int{3}), set(2, []int{6}, []int{3})
		for i := range params {
			for j := range params[i].Data() {
				params[i].Data()[j] = target[i].Data()[j] + 3 + float32(j%3)
			}
		}
		st := opt.NewState(params)
		grads := params.Zeros()
		for range steps {
			for i, g := range grads {
				for j := range g.Data() {
					g.Data()[j] = params[i].Data()[j] - target[i].Data()[j]
				}
			}
			if err := opt.Step(params, grads, st); err != nil {
				t.Fatal(err)
			}
		}
		for i, p := range params {
			for j, x := range p.Data() {
				// The last steps are a thousandth of the largest rate and less.
				if want := target[i].Data()[j]; !(math.Abs(float64(x-want)) <= 0.01) {
					t.Errorf("%s: %s[%d] = %v, want %v", name, p.Name, j, x, want)
				}
			}
		}
	}
}

// A gradient that is not finite is found even without clipping, and nothing is stepped.
func TestNonFiniteGradient(t *testing.T) {
	rate := Constant(0.1)
	for name, recipe := range map[string]func() (Transform, error){
		"AdamW": func() (Transform, error) {
			return AdamW(AdamWConfig{Schedule: rate, Beta1: 0.9, Beta2: 0.9, Epsilon: 1e-8})
		},
		"LAMB": func() (Transform, error) {
			return LAMB(AdamWConfig{Schedule: rate, Beta1: 0.9, Beta2: 0.9, Epsilon: 1e-8})
		},
		"SGD":  func() (Transform, error) { return SGD(SGDConfig{Schedule: rate}) },
		"Lion": func() (Transform, error) { return Lion(LionConfig{Schedule: rate}) },
	} {
		opt := build(t, recipe)
		params := set(1, []int{2, 2})
		before := params.Clone()
		grads := set(2, []int{2, 2})
		grads[0].Data()[2] = float32(math.Inf(-1))
		if err := opt.Step(params, grads, opt.NewState(params)); err == nil {
			t.Errorf("%s: no error", name)
		}
		if !slices.Equal(params[0].Data(), before[0].Data()) {
			t.Errorf("%s: the parameters changed", name)
		}
	}
}

func TestRecipesReject(t *testing.T) {
	nan := math.NaN()
	rate := Constant(1)
	adam := AdamWConfig{Schedule: rate, Beta1: 0.9, Beta2: 0.9, Epsilon: 1e-8}
	for name, change := range map[string]func(*AdamWConfig){
		"schedule":          func(c *AdamWConfig) { c.Schedule = nil },
		"beta1":             func(c *AdamWConfig) { c.Beta1 = 1 },
		"beta2":             func(c *AdamWConfig) { c.Beta2 = nan },
		"epsilon":           func(c *AdamWConfig) { c.Epsilon = 1e-60 },
		"epsilon, infinite": func(c *AdamWConfig) { c.Epsilon = math.Inf(1) },
		"decay":             func(c *AdamWConfig) { c.WeightDecay = -1 },
		"decay, infinite":   func(c *AdamWConfig) { c.WeightDecay = math.Inf(1) },
		"clip":              func(c *AdamWConfig) { c.ClipNorm = -1 },
	} {
		c := adam
		change(&c)
		for recipe, f := range map[string]func(AdamWConfig) (Transform, error){"AdamW": AdamW, "Adam": Adam, "LAMB": LAMB} {
			if _, err := f(c); err == nil {
				t.Errorf("%s, %s: no error", recipe, name)
			}
		}
	}
	for i, c := range []SGDConfig{{}, {Schedule: rate, Momentum: 1}, {Schedule: rate, Momentum: nan}, {Schedule: rate, WeightDecay: -1}, {Schedule: rate, ClipNorm: nan}, {Schedule: rate, Nesterov: true}} {
		if _, err := SGD(c); err == nil {
			t.Errorf("SGD, settings %d: no error", i)
		}
	}
	for i, c := range []LionConfig{{}, {Schedule: rate, Beta1: 1}, {Schedule: rate, Beta2: -1}, {Schedule: rate, WeightDecay: nan}, {Schedule: rate, ClipNorm: -1}} {
		if _, err := Lion(c); err == nil {
			t.Errorf("Lion, settings %d: no error", i)
		}
	}
	params := set(1, []int{2, 2})
	for _, tr := range []Transform{Chain(ScaleByLearningRate(Constant(nan))), ScaleByLearningRate(Constant(nan))} {
		o := Optimizer{Transform: tr}
		if err := o.Step(params, params.Zeros(), o.NewState(params)); err == nil {
			t.Errorf("%T: a rate of NaN: no error", tr)
		}
	}
}

func ExampleChain() {
	// Momentum with bounded gradients, and a rate that warms up and falls.
	opt := Optimizer{Transform: Chain(
		ClipByValue(1),
		Trace(0.5, true),
		ScaleByLearningRate(Join([]Schedule{Linear(0.25, 0.5, 2), Cosine(0.5, 0, 10)}, []int64{2})),
	)}
	params, grads := vector(1, 2), vector(4, -0.5)
	st := opt.NewState(params)
	if err := opt.Step(params, grads, st); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(st.Step, params[0].Data())
	// Output: 1 [0.625 2.1875]
}
