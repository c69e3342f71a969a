package optim

import (
	"math"
	"testing"
)

func TestSchedules(t *testing.T) {
	s := WarmupCosine(0.8, 4, 12)
	for _, tc := range []struct {
		step int64
		want float64
	}{
		{0, 0.2}, {1, 0.4}, {3, 0.8}, {4, 0.8},
		{6, 0.4 * (1 + math.Sqrt2/2)}, // a quarter: cos 45°
		{8, 0.4},                      // half: cos 90°
		{10, 0.4 * (1 - math.Sqrt2/2)},
		{12, 0}, {99, 0},
	} {
		if got := s(tc.step); math.Abs(got-tc.want) > 1e-15 {
			t.Errorf("step %d: %v, want %v", tc.step, got, tc.want)
		}
	}
	if got := WarmupCosine(1, 0, 10)(0); got != 1 {
		t.Errorf("no warm-up: %v, want 1", got)
	}
	if got := WarmupCosine(1, 10, 5)(3); got != 0.4 {
		t.Errorf("a warm-up longer than the run: %v, want 0.4", got)
	}
	for i := range 10001 {
		x := float64(i) / 10000
		if got, want := cosPi(x), math.Cos(math.Pi*x); math.Abs(got-want) > 0x1p-51 {
			t.Fatalf("cosPi(%v) = %v, want %v", x, got, want)
		}
	}
}

// What each schedule gives where it begins, turns and ends, by its formula.
func TestScheduleEnds(t *testing.T) {
	cycle, err := OneCycle(OneCycleConfig{MaxRate: 1, Steps: 20, WarmupShare: 0.5, DivFactor: 4, FinalDivFactor: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		s    Schedule
		step int64
		want float64
	}{
		{"linear", Linear(1, 3, 4), 0, 1},
		{"linear", Linear(1, 3, 4), 1, 1.5},
		{"linear", Linear(1, 3, 4), 4, 3},
		{"linear", Linear(1, 3, 4), 1 << 40, 3},
		{"cosine", Cosine(1, 3, 4), 0, 1},
		{"cosine", Cosine(1, 3, 4), 2, 2},
		{"cosine", Cosine(1, 3, 4), 5, 3},
		{"step", Step(8, 0.5, 3), 2, 8},
		{"step", Step(8, 0.5, 3), 3, 4},
		{"exponential", Exponential(8, 0.5), 3, 1},
		{"exponential", Exponential(8, 0.5), 1 << 40, 0},
		{"warm-up, linear", WarmupLinear(8, 4, 12), 0, 2},
		{"warm-up, linear", WarmupLinear(8, 4, 12), 3, 8},
		{"warm-up, linear", WarmupLinear(8, 4, 12), 4, 8},
		{"warm-up, linear", WarmupLinear(8, 4, 12), 10, 2},
		{"warm-up, linear", WarmupLinear(8, 4, 12), 13, 0},
		{"one cycle", cycle, 0, 0.25},
		{"one cycle", cycle, 9, 1},
		{"one cycle", cycle, 14, 0.5625}, // half way from 1 to 0.125
		{"one cycle", cycle, 19, 0.125},
		{"one cycle", cycle, 1000, 0.125},
		{"join", Join([]Schedule{Constant(5)}, nil), 7, 5},
		{"join", Join([]Schedule{Constant(5), Linear(0, 2, 2)}, []int64{3}), 2, 5},
		{"join", Join([]Schedule{Constant(5), Linear(0, 2, 2)}, []int64{3}), 4, 1},
	} {
		if got := tc.s(tc.step); !(math.Abs(got-tc.want) <= 4*0x1p-53*tc.want) {
			t.Errorf("%s, step %d: %v, want %v", tc.name, tc.step, got, tc.want)
		}
	}
}

func TestSchedulesReject(t *testing.T) {
	for name, c := range map[string]OneCycleConfig{
		"no steps":           {MaxRate: 1},
		"a rise of 0 steps":  {MaxRate: 1, Steps: 10, WarmupShare: 0.1},
		"no fall":            {MaxRate: 1, Steps: 10, WarmupShare: 1},
		"no third phase":     {MaxRate: 1, Steps: 10, WarmupShare: 0.6, ThreePhase: true},
		"negative share":     {MaxRate: 1, Steps: 10, WarmupShare: -0.3},
		"NaN factor":         {MaxRate: 1, Steps: 10, DivFactor: math.NaN()},
		"infinite rate":      {MaxRate: math.Inf(1), Steps: 10},
		"negative rate":      {MaxRate: -1, Steps: 10},
		"infinite last rate": {MaxRate: 1, Steps: 10, FinalDivFactor: 1e-320},
	} {
		if _, err := OneCycle(c); err == nil {
			t.Errorf("OneCycle, %s: no error", name)
		}
	}
	for name, f := range map[string]func(){
		"Linear":              func() { Linear(0, 1, 0) },
		"Cosine":              func() { Cosine(0, 1, 0) },
		"Step":                func() { Step(1, 1, 0) },
		"Join, no boundary":   func() { Join([]Schedule{Constant(1), Constant(2)}, nil) },
		"Join, falling":       func() { Join([]Schedule{Constant(1), Constant(2), Constant(3)}, []int64{4, 4}) },
		"Join, 0":             func() { Join([]Schedule{Constant(1), Constant(2)}, []int64{0}) },
		"ScaleByAdam":         func() { ScaleByAdam(1, 0.9, 1e-8) },
		"ScaleByAdam, eps":    func() { ScaleByAdam(0.9, 0.9, 0) },
		"ScaleByLion":         func() { ScaleByLion(0.9, -1) },
		"Trace":               func() { Trace(math.NaN(), false) },
		"ClipByValue":         func() { ClipByValue(0) },
		"ClipByGlobalNorm":    func() { ClipByGlobalNorm(-1) },
		"ScaleByTrustRatio":   func() { ScaleByTrustRatio(-1, 1, 0) },
		"Blocks of no length": func() { Blocks(nil, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
