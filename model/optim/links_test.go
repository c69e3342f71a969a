package optim

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/model/weights"
)

// vector is a set of one tensor.
func vector(x ...float32) weights.Set {
	t := weights.New("w", len(x))
	copy(t.Data(), x)
	return weights.Set{t}
}

// update runs a transform once on copies.
func update(t *testing.T, tr Transform, updates, params weights.Set) []float32 {
	t.Helper()
	updates = updates.Clone()
	if err := tr.Update(updates, tr.Init(params), params, 0); err != nil {
		t.Fatal(err)
	}
	return updates[0].Data()
}

// Powers of two and small integers only: no roundings.
func TestLinksByHand(t *testing.T) {
	nan := float32(math.NaN())
	for _, tc := range []struct {
		name            string
		tr              Transform
		u, params, want []float32
	}{
		{"clip by value", ClipByValue(2), []float32{-3, -2, 1, 2, 5}, make([]float32, 5), []float32{-2, -2, 1, 2, 2}},
		{"scale", Scale(-0.5), []float32{4, -2}, []float32{0, 0}, []float32{-2, 1}},
		{"learning rate", ScaleByLearningRate(Constant(0.5)), []float32{4, -2}, []float32{0, 0}, []float32{-2, 1}},
		{"decay", AddDecayedWeights(0.5, nil), []float32{1, 1}, []float32{4, -8}, []float32{3, -3}},
		{"no decay", AddDecayedWeights(0, nil), []float32{1, 1}, []float32{4, float32(math.Inf(1))}, []float32{1, 1}},
		{"decay of matrices", AddDecayedWeights(0.5, Matrices), []float32{1, 1}, []float32{4, -8}, []float32{1, 1}},
		{"trace", Trace(0.5, false), []float32{4, -2}, []float32{0, 0}, []float32{4, -2}},
		{"nesterov", Trace(0.5, true), []float32{4, -2}, []float32{0, 0}, []float32{6, -3}},
		{"lion", ScaleByLion(0.5, 0.5), []float32{4, -2, 0}, make([]float32, 3), []float32{1, -1, 0}},
		// |p| 5, |u| 10: 2 * 5/(10+10)
		{"trust ratio", ScaleByTrustRatio(0, 2, 10), []float32{6, 8}, []float32{3, -4}, []float32{3, 4}},
		{"trust ratio, p 0", ScaleByTrustRatio(0, 2, 10), []float32{6, 8}, []float32{0, 0}, []float32{6, 8}},
		{"trust ratio, u 0", ScaleByTrustRatio(0, 2, 10), []float32{0, 0}, []float32{3, 4}, []float32{0, 0}},
		// |p| at least 20, |u| 10
		{"trust ratio, least norm", ScaleByTrustRatio(20, 1, 0), []float32{6, 8}, []float32{3, 4}, []float32{6, 8}},
		{"trust ratio, least norm of p", ScaleByTrustRatio(20, 0.5, 0), []float32{24, 32}, []float32{3, 4}, []float32{6, 8}},
	} {
		got := update(t, tc.tr, vector(tc.u...), vector(tc.params...))
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
	if got := update(t, ScaleByLion(0.5, 0.5), vector(nan), vector(0)); !math.IsNaN(float64(got[0])) {
		t.Errorf("the sign of NaN is %v", got[0])
	}
	for name, sets := range map[string][2]weights.Set{
		"updates": {vector(1, nan), vector(1, 1)}, "parameters": {vector(1, 1), vector(1, nan)},
	} {
		err := ScaleByTrustRatio(0, 1, 0).Update(sets[0], nil, sets[1], 0)
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), `"w": element 1`) {
			t.Errorf("trust ratio of %s that are not finite: %v", name, err)
		}
	}
}

// Two steps of what has a memory, without roundings.
func TestLinksRemember(t *testing.T) {
	for _, tc := range []struct {
		name          string
		tr            Transform
		first, second float32 // updates
		want          float32 // of the second
	}{
		{"trace", Trace(0.5, false), 4, -1, 1},      // 0.5*4 - 1
		{"nesterov", Trace(0.5, true), 4, -1, -0.5}, // -1 + 0.5*1
		{"lion", ScaleByLion(0.5, 0.5), 4, -1, 1},   // m 2: sign(0.5*2 - 0.5*1)
		{"lion, the other rate", ScaleByLion(0.5, 0.75), 4, -1, 0},
	} {
		params := vector(0)
		slots := tc.tr.Init(params)
		u := vector(tc.first)
		for step, x := range []float32{tc.first, tc.second} {
			u[0].Data()[0] = x
			if err := tc.tr.Update(u, slots, params, int64(step)); err != nil {
				t.Fatal(err)
			}
		}
		if got := u[0].Data()[0]; got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestFilters(t *testing.T) {
	set := weights.Set{
		weights.New("embed.weight", 5, 2), weights.New("layer.0.bias", 2), weights.New("layer.0.LayerNorm.weight", 2),
		weights.New("bias.proj", 2, 2), weights.New("conv.weight", 2, 2, 3, 3), weights.New("scalar"),
	}
	bias, err := Named(`(^|\.)bias$`)
	if err != nil {
		t.Fatal(err)
	}
	norm, err := Named(`[Nn]orm`)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		f    Filter
		want string // a letter for each tensor chosen, a for the first
	}{
		"every":        {Every, "abcdef"},
		"matrices":     {Matrices, "ade"},
		"rank 3":       {MinRank(3), "e"},
		"rank 1":       {MinRank(1), "abcde"},
		"biases":       {bias, "b"},
		"neither":      {All(Not(bias), Not(norm)), "adef"},
		"all of none":  {All(), "abcdef"},
		"not matrices": {Not(Matrices), "bcf"},
	} {
		got := ""
		for i, w := range set {
			if tc.f(w) {
				got += string(rune('a' + i))
			}
		}
		if got != tc.want {
			t.Errorf("%s: chose %q, want %q", name, got, tc.want)
		}
	}
	if _, err := Named("("); err == nil || !strings.Contains(err.Error(), "optim.Named") {
		t.Errorf("a bad pattern: %v", err)
	}
}

func TestSlotsMustFit(t *testing.T) {
	params := vector(1, 2)
	for name, tr := range map[string]Transform{
		"Adam": ScaleByAdam(0.9, 0.9, 1e-8), "Trace": Trace(0.9, false), "Lion": ScaleByLion(0.9, 0.9),
	} {
		for how, slots := range map[string]weights.Set{"none": nil, "another size": tr.Init(vector(1, 2, 3))} {
			if err := tr.Update(params.Clone(), slots, params, 0); err == nil {
				t.Errorf("%s, slots %s: no error", name, how)
			}
			whole := Chain(tr, ScaleByLearningRate(Constant(1)))
			st := &State{Slots: named("0.", slots)}
			if err := (Optimizer{Transform: whole}).Step(params.Clone(), params.Clone(), st); err == nil {
				t.Errorf("%s in a chain, slots %s: no error", name, how)
			}
		}
	}
	for name, tr := range map[string]Transform{"decay": AddDecayedWeights(1, nil), "trust ratio": ScaleByTrustRatio(0, 1, 0)} {
		if err := tr.Update(vector(1), nil, params, 0); err == nil {
			t.Errorf("%s, updates of another size: no error", name)
		}
	}
}
