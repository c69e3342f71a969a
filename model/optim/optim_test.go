package optim

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/model/prune"
	"github.com/millrace-go/millrace/model/weights"
)

func set(seed uint64, shapes ...[]int) weights.Set {
	rng := rand.New(rand.NewPCG(seed, 1))
	var s weights.Set
	for i, shape := range shapes {
		t := weights.New(string(rune('a'+i)), shape...)
		for j := range t.Data() {
			t.Data()[j] = float32(rng.NormFloat64())
		}
		s = append(s, t)
	}
	return s
}

func adamW(t *testing.T, c AdamWConfig) Optimizer {
	t.Helper()
	tr, err := AdamW(c)
	if err != nil {
		t.Fatal(err)
	}
	return Optimizer{Transform: tr}
}

// One 1x1 weight, beta1 = beta2 = 0.5, eps tiny, decay 0.1, rate 1, by hand:
//
//	step 1: g 2:  m 1,   v 2;    m̂ 2,   v̂ 4;   update 1          + 0.1*1;       w = 1 - 1.1       = -0.1
//	step 2: g 0:  m 0.5, v 1;    m̂ 2/3, v̂ 4/3; update 0.57735027 + 0.1*-0.1;    w = -0.1 - 0.56735027 = -0.66735027
//	step 3: g -2: m -.75, v 2.5; m̂ -6/7, v̂ 20/7; update -0.50709255 + 0.1*-.66735027; w = -0.09352269
func TestAdamWByHand(t *testing.T) {
	opt := adamW(t, AdamWConfig{Schedule: Constant(1), Beta1: 0.5, Beta2: 0.5, Epsilon: 1e-12, WeightDecay: 0.1})
	params, grads := weights.Set{weights.New("w", 1, 1)}, weights.Set{weights.New("w", 1, 1)}
	params[0].Data()[0] = 1
	st := opt.NewState(params)
	for i, step := range []struct{ grad, want float64 }{{2, -0.1}, {0, -0.66735027}, {-2, -0.09352269}} {
		grads[0].Data()[0] = float32(step.grad)
		if err := opt.Step(params, grads, st); err != nil {
			t.Fatal(err)
		}
		// Some ten float32 roundings of numbers up to 2.
		if got := float64(params[0].Data()[0]); !(math.Abs(got-step.want) <= 10*0x1p-24) {
			t.Errorf("step %d: %v, want %v", i+1, got, step.want)
		}
	}
	if st.Step != 3 {
		t.Errorf("%d steps, want 3", st.Step)
	}
}

// reference is AdamW in float64, straight from the paper.
type reference struct {
	m, v, w [][]float64
	t       int
}

func (r *reference) step(grads weights.Set, c AdamWConfig) {
	norm := 0.0
	for _, g := range grads {
		for _, x := range g.Data() {
			norm += float64(x) * float64(x)
		}
	}
	clip := min(1, c.ClipNorm/math.Sqrt(norm))
	rate := c.Schedule(int64(r.t))
	r.t++
	for i, g := range grads {
		for j, x := range g.Data() {
			gr := float64(x) * clip
			r.m[i][j] = c.Beta1*r.m[i][j] + (1-c.Beta1)*gr
			r.v[i][j] = c.Beta2*r.v[i][j] + (1-c.Beta2)*gr*gr
			u := r.m[i][j] / (1 - math.Pow(c.Beta1, float64(r.t))) / (math.Sqrt(r.v[i][j]/(1-math.Pow(c.Beta2, float64(r.t)))) + c.Epsilon)
			if len(g.Shape()) >= 2 {
				u += c.WeightDecay * r.w[i][j]
			}
			r.w[i][j] -= rate * u
		}
	}
}

func TestAdamWAgainstFloat64(t *testing.T) {
	c := AdamWConfig{Schedule: WarmupCosine(0.01, 20, 200), Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, WeightDecay: 0.1, ClipNorm: 1}
	opt := adamW(t, c)
	params := set(1, []int{5, 7}, []int{7}, []int{2, 3, 2})
	ref := &reference{}
	for _, p := range params {
		n := len(p.Data())
		ref.m, ref.v, ref.w = append(ref.m, make([]float64, n)), append(ref.v, make([]float64, n)), append(ref.w, make([]float64, n))
		for j, x := range p.Data() {
			ref.w[len(ref.w)-1][j] = float64(x)
		}
	}
	st := opt.NewState(params)
	for step := range 200 {
		grads := set(uint64(step+10), []int{5, 7}, []int{7}, []int{2, 3, 2})
		scale(grads, float32(math.Exp2(float64(step%9-6)))) // above and below the clip
		ref.step(grads, c)
		if err := opt.Step(params, grads, st); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range params {
		for j, x := range p.Data() {
			// 200 updates of at most 0.01, each right to a few 2^-24, added to numbers of about 1, with three
			// roundings of 2^-25 and less: of 1 - rate*decay, of its product, of the sum.
			if want := ref.w[i][j]; !(math.Abs(float64(x)-want) <= 3*200*0x1p-25*max(1, math.Abs(want))) {
				t.Errorf("%s[%d] = %v, want %v", p.Name, j, x, want)
			}
		}
	}
}

func TestClip(t *testing.T) {
	s := weights.Set{weights.New("a", 1), weights.New("b", 1)}
	s[0].Data()[0], s[1].Data()[0] = 3, 4 // norm 5
	if err := ClipByGlobalNorm(10).Update(s, nil, nil, 0); err != nil || s[0].Data()[0] != 3 {
		t.Errorf("below the limit: %v, %v", s[0].Data()[0], err)
	}
	if err := ClipByGlobalNorm(2.5).Update(s, nil, nil, 0); err != nil || s[0].Data()[0] != 1.5 || s[1].Data()[0] != 2 {
		t.Errorf("above: %v and %v, want 1.5 and 2 (%v)", s[0].Data()[0], s[1].Data()[0], err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1)} {
		s[1].Data()[0] = float32(bad)
		err := ClipByGlobalNorm(1).Update(s, nil, nil, 0)
		if err == nil || !strings.Contains(err.Error(), `tensor "b": element 0`) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestMaskedWeightsStayZero(t *testing.T) {
	opt := adamW(t, AdamWConfig{Schedule: Constant(0.1), Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, WeightDecay: 0.1, ClipNorm: 1})
	params := set(1, []int{10, 10}, []int{10})
	st := opt.NewState(params)
	step := func(i uint64) {
		t.Helper()
		if err := opt.Step(params, set(i, []int{10, 10}, []int{10}), st); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint64(5) {
		step(i) // momentum that would move pruned weights
	}
	mask, err := prune.Global(params, prune.Matrices(params), 0.7)
	if err != nil {
		t.Fatal(err)
	}
	opt.Mask = mask
	moved := 0
	before := params.Clone()
	for i := range uint64(5) {
		step(i + 9)
		for j, x := range params[0].Data() {
			if mask[0].Pruned(j) && math.Float32bits(x) != 0 {
				t.Fatalf("pruned weight %d is %v", j, x)
			}
			if x != before[0].Data()[j] && !mask[0].Pruned(j) {
				moved++
			}
		}
	}
	if moved != 5*30 {
		t.Errorf("the 30 other weights moved %d times in 5 steps, want 150", moved)
	}
}

func TestStateMustFit(t *testing.T) {
	opt := adamW(t, AdamWConfig{Schedule: Constant(1), Beta1: 0.9, Beta2: 0.9, Epsilon: 1e-8})
	params := set(1, []int{3, 4})
	data, err := opt.NewState(params).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for name, other := range map[string]weights.Set{
		"shape": set(1, []int{4, 3}), "size": set(1, []int{3, 5}), "count": set(1, []int{3, 4}, []int{1}),
		"name": {weights.New("other", 3, 4)},
	} {
		if _, err := opt.DecodeState(data, other); err == nil {
			t.Errorf("another %s: no error", name)
		}
	}
	plain, _ := weights.EncodeSafetensors(opt.NewState(params).Slots, nil)
	if _, err := opt.DecodeState(plain, params); err == nil || !strings.Contains(err.Error(), "step count") {
		t.Errorf("no step: %v", err)
	}
	st := opt.NewState(params)
	st.Slots = append(st.Slots, weights.New("7.x", 1))
	if err := opt.Step(params, params.Zeros(), st); err == nil || !strings.Contains(err.Error(), `"7.x"`) {
		t.Errorf("a slot too many: %v", err)
	}
	if err := opt.Step(params, set(1, []int{3, 5}), opt.NewState(params)); err == nil {
		t.Error("gradients of another size: no error")
	}
}

func BenchmarkAdamW(b *testing.B) {
	tr, err := AdamW(AdamWConfig{Schedule: Constant(1e-3), Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, WeightDecay: 0.1, ClipNorm: 1})
	if err != nil {
		b.Fatal(err)
	}
	opt := Optimizer{Transform: tr}
	params, grads := set(1, []int{200, 200}), set(2, []int{200, 200})
	st := opt.NewState(params)
	b.SetBytes(4 * 40_000)
	for b.Loop() {
		if err := opt.Step(params, grads, st); err != nil {
			b.Fatal(err)
		}
	}
}
