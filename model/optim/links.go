package optim

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/model/weights"
)

// stateless is embedded by transforms that keep nothing.
type stateless struct{}

func (stateless) Init(weights.Set) weights.Set { return nil }

func scale(set weights.Set, by float32) {
	for _, t := range set {
		vec.Scale(t.Data(), by)
	}
}

type trace struct {
	decay    float64
	nesterov bool
}

// Trace replaces updates g by their decaying sum t = decay*t + g, with nesterov
// by g + decay*t: PyTorch's momentum, without dampening (Sutskever et al., ICML
// 2013). It panics unless 0 <= decay < 1.
func Trace(decay float64, nesterov bool) Transform {
	must(checkBetas("optim.Trace", decay))
	return trace{decay, nesterov}
}

// Init returns the sums.
func (tr trace) Init(params weights.Set) weights.Set { return named("trace.", params.Zeros()) }

func (tr trace) Update(updates, slots, _ weights.Set, _ int64) error {
	if err := sameTensors("optim.Trace", updates, slots); err != nil {
		return err
	}
	decay := float32(tr.decay)
	for i, u := range updates {
		g, t := u.Data(), slots[i].Data()
		vec.Axpby(t, 1, g, decay)
		if tr.nesterov {
			vec.Axpy(g, decay, t)
		} else {
			copy(g, t)
		}
	}
	return nil
}

type lion struct{ b1, b2 float64 }

// ScaleByLion replaces updates g by sign(b1*m + (1-b1)*g), where m is the
// decaying mean of g with rate b2; the sign of 0 is 0. See Chen et al.,
// https://arxiv.org/abs/2302.06675. It panics unless 0 <= b1, b2 < 1.
func ScaleByLion(b1, b2 float64) Transform {
	must(checkBetas("optim.ScaleByLion", b1, b2))
	return lion{b1, b2}
}

// Init returns the means.
func (l lion) Init(params weights.Set) weights.Set { return named("m.", params.Zeros()) }

func (l lion) Update(updates, slots, _ weights.Set, _ int64) error {
	if err := sameTensors("optim.ScaleByLion", updates, slots); err != nil {
		return err
	}
	b1, n1, b2, n2 := float32(l.b1), float32(1-l.b1), float32(l.b2), float32(1-l.b2)
	for i, u := range updates {
		g, m := u.Data(), slots[i].Data()
		for j, x := range g {
			g[j] = sign(float32(b1*m[j]) + float32(n1*x))
			m[j] = float32(b2*m[j]) + float32(n2*x)
		}
	}
	return nil
}

// sign is -1, 0 or 1; NaN and 0 are their own.
func sign(x float32) float32 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

type trustRatio struct {
	stateless
	minNorm, coefficient, eps float64
}

// ScaleByTrustRatio multiplies the updates of each tensor by
//
//	coefficient * max(|p|, minNorm) / (max(|u|, minNorm) + eps)
//
// with the Euclidean norms of the parameters p and of the updates u, and leaves
// them where one of the two is 0: the layer-wise rates of LARS and LAMB (You et
// al., https://arxiv.org/abs/1904.00962) as optax defines them. It fails, naming the
// first element, if an update or a parameter is not finite, and panics if an argument is negative.
func ScaleByTrustRatio(minNorm, coefficient, eps float64) Transform {
	if !(minNorm >= 0) || !(coefficient >= 0) || !(eps >= 0) {
		panic(fmt.Sprintf("optim.ScaleByTrustRatio: %v, %v and %v, want numbers of at least 0", minNorm, coefficient, eps))
	}
	return trustRatio{minNorm: minNorm, coefficient: coefficient, eps: eps}
}

func (r trustRatio) Update(updates, _, params weights.Set, _ int64) error {
	if err := sameTensors("optim.ScaleByTrustRatio", params, updates); err != nil {
		return err
	}
	for i := range updates {
		p, err := GlobalNorm(params[i : i+1])
		if err != nil {
			return fmt.Errorf("optim.ScaleByTrustRatio: parameters: %w", err)
		}
		u, err := GlobalNorm(updates[i : i+1])
		if err != nil {
			return fmt.Errorf("optim.ScaleByTrustRatio: updates: %w", err)
		}
		p, u = max(p, r.minNorm), max(u, r.minNorm)
		if p > 0 && u > 0 {
			scale(updates[i:i+1], float32(r.coefficient*p/(u+r.eps)))
		}
	}
	return nil
}

type decay struct {
	stateless
	rate   float64
	filter Filter
}

// AddDecayedWeights adds rate times the parameters to the updates of the tensors
// that filter chooses: decoupled weight decay (Loshchilov & Hutter,
// https://arxiv.org/abs/1711.05101) if it comes after ScaleByAdam, the L2 kind if it
// comes before. A nil filter means all.
func AddDecayedWeights(rate float64, filter Filter) Transform {
	if filter == nil {
		filter = Every
	}
	return decay{rate: rate, filter: filter}
}

func (d decay) Update(updates, _, params weights.Set, _ int64) error {
	if err := sameTensors("optim.AddDecayedWeights", params, updates); err != nil {
		return err
	}
	if d.rate == 0 {
		return nil
	}
	for i, t := range params {
		if d.filter(t) {
			vec.Axpy(updates[i].Data(), float32(d.rate), t.Data())
		}
	}
	return nil
}

type factor struct {
	stateless
	by float32
}

// Scale multiplies the updates by a constant.
func Scale(by float64) Transform { return factor{by: float32(by)} }

func (f factor) Update(updates, _, _ weights.Set, _ int64) error {
	scale(updates, f.by)
	return nil
}

type learningRate struct {
	stateless
	schedule Schedule
}

// ScaleByLearningRate multiplies the updates by minus the schedule's value: it
// comes last, and makes of an ascent direction a descent step.
func ScaleByLearningRate(s Schedule) Transform { return learningRate{schedule: s} }

func (l learningRate) Update(updates, _, _ weights.Set, step int64) error {
	rate, err := l.rate(step)
	if err != nil {
		return err
	}
	scale(updates, -float32(rate))
	return nil
}

func (l learningRate) rate(step int64) (float64, error) {
	rate := l.schedule(step)
	if !isFinite(rate) {
		return 0, fmt.Errorf("optim.ScaleByLearningRate: step %d: rate %v, want a finite one", step, rate)
	}
	return rate, nil
}
