package optim

import (
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/par"
	"github.com/millrace-go/millrace/model/weights"
)

// chains lists one of each form that steps in one pass, and how its core is called.
func chains() map[string]Transform {
	clip, decay, rate := ClipByGlobalNorm(1), AddDecayedWeights(0.25, Matrices), ScaleByLearningRate(Constant(0.01))
	adam, lion := ScaleByAdam(0.9, 0.99, 1e-6), ScaleByLion(0.9, 0.99)
	return map[string]Transform{
		"AdamW":             Chain(clip, adam, decay, rate),
		"Adam":              Chain(adam, rate),
		"Adam, decay 0":     Chain(clip, AddDecayedWeights(0, nil), adam, rate),
		"Lion":              Chain(clip, lion, decay, rate),
		"Lion alone":        Chain(lion, rate),
		"momentum":          Chain(clip, decay, Trace(0.9, false), rate),
		"Nesterov":          Chain(clip, decay, Trace(0.9, true), rate),
		"momentum, no rest": Chain(Trace(0.9, false), rate),
		"descent":           Chain(clip, decay, rate),
		"descent alone":     Chain(rate),
	}
}

func TestWhatIsFused(t *testing.T) {
	for name, tr := range chains() {
		if tr.(*chain).fused == nil {
			t.Errorf("%s is not fused", name)
		}
	}
	clip, decay, rate := ClipByGlobalNorm(1), AddDecayedWeights(0.25, Matrices), ScaleByLearningRate(Constant(0.01))
	adam, trace := ScaleByAdam(0.9, 0.99, 1e-6), Trace(0.9, false)
	for name, tr := range map[string]Transform{
		"nothing":              Chain(),
		"only a clip":          Chain(clip),
		"no rate":              Chain(clip, adam, decay),
		"the rate not last":    Chain(rate, adam),
		"two clips":            Chain(clip, clip, adam, rate),
		"a clip after":         Chain(adam, clip, rate),
		"L2 before Adam":       Chain(clip, decay, adam, rate),
		"decay after momentum": Chain(trace, decay, rate),
		"two decays":           Chain(adam, decay, decay, rate),
		"two cores":            Chain(adam, trace, rate),
		"trust ratio":          Chain(adam, ScaleByTrustRatio(0, 1, 0), rate),
		"a chain in a chain":   Chain(Chain(adam), rate),
	} {
		if tr.(*chain).fused != nil {
			t.Errorf("%s is fused", name)
		}
	}
}

// sizes are around a vector of 16 and a tile.
var sizes = [][]int{{1}, {15, 1}, {17}, {2, tileElements / 2}, {tileElements + 1}, {3, tileElements - 1}, {0}, {}}

// One pass gives what the links give one by one, and the same bits for any
// number of threads.
func TestFusedIsTheChain(t *testing.T) {
	pools := []*par.Pool{nil, par.New(2), par.New(3)}
	defer func() {
		for _, p := range pools[1:] {
			p.Close()
		}
	}()
	const steps = 4
	run := func(tr Transform, pool *par.Pool) (weights.Set, *State) {
		opt := Optimizer{Transform: tr, Pool: pool}
		params := set(1, sizes...)
		st := opt.NewState(params)
		for step := range uint64(steps) {
			grads := set(step+2, sizes...)
			scale(grads, 0.01) // of norm 3, above the clip
			if err := opt.Step(params, grads, st); err != nil {
				t.Fatal(err)
			}
		}
		return params, st
	}
	for name, tr := range chains() {
		want, wantState := run(linkByLink{tr}, nil)
		got, gotState := run(tr, pools[0])
		// Numbers of at most 5, each step some 8 roundings of 2^-24 of them; Lion's
		// signs are equal, for no mean of these gradients is so near to 0.
		compare(t, name, got, want, 5*8*steps*0x1p-24)
		compare(t, name+", slots", gotState.Slots, wantState.Slots, 5*8*steps*0x1p-24)
		for _, pool := range pools[1:] {
			other, otherState := run(tr, pool)
			compare(t, name+" on threads", other, got, 0)
			compare(t, name+" on threads, slots", otherState.Slots, gotState.Slots, 0)
		}
	}
}

func compare(t *testing.T, name string, got, want weights.Set, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d tensors, want %d", name, len(got), len(want))
	}
	for i := range want {
		w := want[i].Data()
		for j, x := range got[i].Data() {
			if diff := math.Abs(float64(x) - float64(w[j])); !(diff <= tol) {
				t.Errorf("%s: %s[%d] = %v, want %v within %v", name, got[i].Name, j, x, w[j], tol)
				break
			}
		}
	}
}

// What fails leaves the parameters as they were.
func TestFusedFailsBeforeItSteps(t *testing.T) {
	for name, tr := range map[string]Transform{
		"clip": Chain(ClipByGlobalNorm(1), Trace(0.9, false), ScaleByLearningRate(Constant(1))),
		"rate": Chain(Trace(0.9, false), ScaleByLearningRate(Constant(math.Inf(1)))),
	} {
		opt := Optimizer{Transform: tr}
		params, grads := set(1, []int{3}), set(2, []int{3})
		grads[0].Data()[1] = float32(math.NaN())
		before := params.Clone()
		st := opt.NewState(params)
		if err := opt.Step(params, grads, st); err == nil || st.Step != 0 {
			t.Errorf("%s: error %v after %d steps", name, err, st.Step)
		}
		if !slices.Equal(params[0].Data(), before[0].Data()) {
			t.Errorf("%s: the parameters changed", name)
		}
	}
}

// A state follows its parameters to other tensors, as after reading a file.
func TestFusedFollowsTensors(t *testing.T) {
	opt := Optimizer{Transform: Chain(AddDecayedWeights(0.5, Matrices), ScaleByLearningRate(Constant(1)))}
	st := opt.NewState(nil)
	for _, shape := range [][]int{{2}, {2, 1}, {4}} {
		params := set(1, shape)
		before := params.Clone()
		if err := opt.Step(params, params.Zeros(), st); err != nil {
			t.Fatal(err)
		}
		keep := float32(1)
		if len(shape) == 2 {
			keep = 0.5
		}
		for i, x := range params[0].Data() {
			if x != keep*before[0].Data()[i] {
				t.Errorf("shape %v: element %d is %v, want %v times %v", shape, i, x, keep, before[0].Data()[i])
			}
		}
	}
}

func TestFusedAllocatesNothing(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	for name, tr := range chains() {
		opt := Optimizer{Transform: tr, Pool: pool}
		params, grads := set(1, sizes...), set(2, sizes...)
		st := opt.NewState(params)
		if n := testing.AllocsPerRun(50, func() {
			if err := opt.Step(params, grads, st); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a step, want 0", name, n)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	const n = 10_000_000
	shape := []int{n / 1000, 1000}
	pools := map[string]*par.Pool{"threads=1": nil, "threads=2": par.New(2)}
	defer pools["threads=2"].Close()
	rate := ScaleByLearningRate(Constant(1e-3))
	adam, decay := ScaleByAdam(0.9, 0.999, 1e-8), AddDecayedWeights(0.01, nil)
	for _, tc := range []struct {
		name  string
		tr    Transform
		bytes int64 // that must move for an element
	}{
		{"adamw", Chain(adam, decay, rate), 28},
		{"adamw-clip", Chain(ClipByGlobalNorm(1), adam, decay, rate), 32},
		{"nesterov", Chain(decay, Trace(0.9, true), rate), 20},
		{"lion", Chain(ScaleByLion(0.9, 0.99), decay, rate), 20},
		{"sgd", Chain(decay, rate), 16},
		{"lamb", Chain(adam, decay, ScaleByTrustRatio(0, 1, 0), rate), 60},
	} {
		for _, threads := range []string{"threads=1", "threads=2"} {
			b.Run("impl="+tc.name+"/"+threads, func(b *testing.B) {
				opt := Optimizer{Transform: tc.tr, Pool: pools[threads]}
				params, grads := set(1, shape), set(2, shape)
				st := opt.NewState(params)
				b.SetBytes(tc.bytes * n)
				for b.Loop() {
					if err := opt.Step(params, grads, st); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
