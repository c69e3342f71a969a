package optim

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/millrace-go/millrace/model/weights"
)

// traces is what testdata/torch_traces.py writes.
type traces struct {
	Every      int
	Optimizers []struct {
		Kind   string
		Config struct {
			LR          float64
			Momentum    float64
			Nesterov    bool
			Betas       [2]float64
			Eps         float64
			WeightDecay float64 `json:"weight_decay"`
		}
		Every bool // all tensors decay, not only matrices
		Clip  float64
		Trace [][]float64 // all parameters after every so many steps
	}
	Schedules map[string][]float64
}

func readTraces(t *testing.T) (out traces) {
	t.Helper()
	data, err := os.ReadFile("testdata/torch_traces.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// traceSet holds the numbers that the script's tensors() makes.
func traceSet(seed uint64, by float32) weights.Set {
	s := weights.Set{weights.New("a", 4, 3), weights.New("b", 5), weights.New("c", 2, 3, 2)}
	i := uint64(0)
	for _, t := range s {
		for j := range t.Data() {
			h := (seed*7919 + i*104729 + 12345) * 1103515245 % (1 << 31)
			t.Data()[j] = (float32(h>>12%2001) - 1000) / 512 * by
			i++
		}
	}
	return s
}

func (tr *traces) recipe(t *testing.T, i int) Transform {
	t.Helper()
	o := tr.Optimizers[i]
	c, rate, filter := o.Config, Constant(o.Config.LR), Filter(Matrices)
	if o.Every {
		filter = Every
	}
	adam := AdamWConfig{Schedule: rate, Beta1: c.Betas[0], Beta2: c.Betas[1], Epsilon: c.Eps, WeightDecay: c.WeightDecay, Decayed: filter, ClipNorm: o.Clip}
	var out Transform
	var err error
	switch o.Kind {
	case "sgd":
		out, err = SGD(SGDConfig{Schedule: rate, Momentum: c.Momentum, Nesterov: c.Nesterov, WeightDecay: c.WeightDecay, Decayed: filter, ClipNorm: o.Clip})
	case "adam":
		out, err = Adam(adam)
	case "adamw":
		out, err = AdamW(adam)
	case "lamb":
		out, err = LAMB(adam)
	case "lion":
		out, err = Lion(LionConfig{Schedule: rate, Beta1: c.Betas[0], Beta2: c.Betas[1], WeightDecay: c.WeightDecay, Decayed: filter, ClipNorm: o.Clip})
	default:
		t.Fatalf("no optimizer is called %q", o.Kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// linkByLink hides a chain, so that its links run one by one.
type linkByLink struct{ Transform }

// All optimizers stay within 1e-6 of PyTorch's over 100 steps (LAMB and Lion of
// optax's formulas in float64). Link by link, AdamW may be further away by
// PyTorch's own rounding of 1 - rate*decay, 2^-25 of the parameter at each step.
// The parameters stay below 1.
func TestTorchTraces(t *testing.T) {
	tr := readTraces(t)
	if len(tr.Optimizers) < 11 {
		t.Fatalf("%d traces, want 11", len(tr.Optimizers))
	}
	for i, o := range tr.Optimizers {
		whole := tr.recipe(t, i)
		for how, transform := range map[string]Transform{"fused": whole, "link by link": linkByLink{whole}} {
			opt := Optimizer{Transform: transform}
			params, tol := traceSet(0, 0.25), 1e-6
			if transform != whole {
				tol += 100 * 0x1p-25
			}
			st := opt.NewState(params)
			worst := 0.0
			for step := range uint64(len(o.Trace) * tr.Every) {
				by := float32(0.5)
				if step%7 == 0 {
					by = 1.0 / 64
				}
				if err := opt.Step(params, traceSet(1+step, by), st); err != nil {
					t.Fatal(err)
				}
				if (step+1)%uint64(tr.Every) != 0 {
					continue
				}
				want, j := o.Trace[step/uint64(tr.Every)], 0
				for _, p := range params {
					for _, x := range p.Data() {
						diff := math.Abs(float64(x) - want[j])
						if !(diff <= tol) {
							t.Fatalf("%d %s, %s, step %d: parameter %d is %v, want %v", i, o.Kind, how, step+1, j, x, want[j])
						}
						worst = max(worst, diff)
						j++
					}
				}
				if j != len(want) {
					t.Fatalf("%d %s: %d parameters, want %d", i, o.Kind, j, len(want))
				}
			}
			t.Logf("%d %s, %s: at most %.1e apart", i, o.Kind, how, worst)
		}
	}
}

func TestTorchSchedules(t *testing.T) {
	cycle := func(c OneCycleConfig) Schedule {
		t.Helper()
		c.MaxRate, c.Steps = 0.5, 40
		s, err := OneCycle(c)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ours := map[string]Schedule{
		"linear":          Linear(0.125, 0.5, 8),
		"cosine":          Cosine(0.5, 0.03, 20),
		"step":            Step(0.5, 0.3, 4),
		"exponential":     Exponential(0.5, 0.9),
		"onecycle":        cycle(OneCycleConfig{}),
		"onecycle-linear": cycle(OneCycleConfig{Linear: true, WarmupShare: 0.21}),
		"onecycle-three":  cycle(OneCycleConfig{ThreePhase: true, DivFactor: 10, FinalDivFactor: 100}),
		"join":            Join([]Schedule{Linear(0.05, 0.5, 5), Cosine(0.5, 0, 15), Step(0.5, 0.5, 2)}, []int64{5, 20}),
	}
	tr := readTraces(t)
	if len(tr.Schedules) != len(ours) {
		t.Errorf("%d schedules, want %d", len(tr.Schedules), len(ours))
	}
	for name, want := range tr.Schedules {
		s := ours[name]
		if s == nil {
			t.Errorf("no schedule is called %q", name)
			continue
		}
		for step, w := range want {
			// PyTorch multiplies its way from rate to rate: some 4 roundings a step.
			if got := s(int64(step)); !(math.Abs(got-w) <= 0.5*float64(4*step+4)*0x1p-53) {
				t.Errorf("%s, step %d: %v, want %v", name, step, got, w)
			}
		}
	}
}
