package optim

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/model/weights"
)

// stateless is embedded by transforms that keep nothing.
type stateless struct{}

func (stateless) Init(weights.Set) weights.Set { return nil }

type clip struct {
	stateless
	limit float64
}

// ClipByGlobalNorm scales all updates together such that the Euclidean norm of
// the whole set is at most limit. The norm is summed in float64, tensor by
// tensor, in order. It fails, naming the first element, if an update is not finite.
func ClipByGlobalNorm(limit float64) Transform { return clip{limit: limit} }

func (c clip) Update(updates, _, _ weights.Set, _ int64) error {
	norm, err := GlobalNorm(updates)
	if err != nil {
		return fmt.Errorf("optim.ClipByGlobalNorm: %w", err)
	}
	if norm > c.limit {
		scale(updates, float32(c.limit/norm))
	}
	return nil
}

// GlobalNorm is the Euclidean norm of a whole set. It fails, naming the first
// element, if one is not finite.
func GlobalNorm(set weights.Set) (float64, error) {
	sum := 0.0
	for _, t := range set {
		part := 0.0
		for _, x := range t.Data() {
			part += float64(float64(x) * float64(x)) // exact
		}
		if math.IsNaN(part) || math.IsInf(part, 0) {
			return 0, notFinite(t)
		}
		sum += part
	}
	return math.Sqrt(sum), nil
}

// notFinite names the first element of t that is not finite.
func notFinite(t weights.Tensor) error {
	for i, x := range t.Data() {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("tensor %q: element %d is %v, want a finite value", t.Name, i, x)
		}
	}
	return fmt.Errorf("tensor %q: the squares of its elements overflow", t.Name)
}

func scale(set weights.Set, by float32) {
	for _, t := range set {
		x := t.Data()
		for i := range x {
			x[i] *= by
		}
	}
}

type adam struct{ b1, b2, eps float64 }

// ScaleByAdam replaces gradients g by m/(1-b1^t) / (sqrt(v/(1-b2^t)) + eps),
// where m and v are the decaying means of g and g², and t counts from 1. See
// Kingma & Ba, https://arxiv.org/abs/1412.6980.
func ScaleByAdam(b1, b2, eps float64) Transform { return adam{b1, b2, eps} }

// Init returns m of all parameters, then v.
func (a adam) Init(params weights.Set) weights.Set {
	slots := append(params.Zeros(), params.Zeros()...)
	for i := range slots {
		kind := "m."
		if i >= len(params) {
			kind = "v."
		}
		slots[i].Name = kind + slots[i].Name
	}
	return slots
}

func (a adam) Update(updates, slots, _ weights.Set, step int64) error {
	n := len(updates)
	if len(slots) != 2*n {
		return fmt.Errorf("optim.ScaleByAdam: %d slots for %d tensors, want %d", len(slots), n, 2*n)
	}
	for _, half := range []weights.Set{slots[:n], slots[n:]} {
		if err := sameTensors("optim.ScaleByAdam", updates, half); err != nil {
			return err
		}
	}
	c1 := float32(1 / (1 - float64(power(a.b1, step+1))))
	c2 := float32(1 / (1 - float64(power(a.b2, step+1))))
	for i := range updates {
		a.update(updates[i].Data(), slots[i].Data(), slots[n+i].Data(), c1, c2)
	}
	return nil
}

// update is ScaleByAdam for one tensor; c1 and c2 are the inverse bias corrections.
func (a adam) update(g, m, v []float32, c1, c2 float32) {
	b1, b2, eps := float32(a.b1), float32(a.b2), float32(a.eps)
	n1, n2 := float32(1-a.b1), float32(1-a.b2)
	m, v = m[:len(g)], v[:len(g)]
	for i, x := range g {
		mi := float32(b1*m[i]) + float32(n1*x)
		vi := float32(b2*v[i]) + float32(n2*float32(x*x))
		m[i], v[i] = mi, vi
		root := float32(math.Sqrt(float64(float32(vi * c2)))) // correctly rounded in float32
		g[i] = float32(mi*c1) / (root + eps)
	}
}

// power is x^n by squaring.
func power(x float64, n int64) float64 {
	out := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			out *= x
		}
		x *= x
	}
	return out
}

type decay struct {
	stateless
	rate float64
	mask func(weights.Tensor) bool
}

// AddDecayedWeights adds rate times the parameters to the updates of those
// tensors for which mask holds: decoupled weight decay (Loshchilov & Hutter,
// https://arxiv.org/abs/1711.05101) if it comes after ScaleByAdam. A nil mask means all.
func AddDecayedWeights(rate float64, mask func(weights.Tensor) bool) Transform {
	return decay{rate: rate, mask: mask}
}

// Matrices holds for tensors of two dimensions and more; the others (biases,
// gains) are usually not decayed.
func Matrices(t weights.Tensor) bool { return len(t.Shape()) >= 2 }

func (d decay) Update(updates, _, params weights.Set, _ int64) error {
	if err := sameTensors("optim.AddDecayedWeights", params, updates); err != nil {
		return err
	}
	rate := float32(d.rate)
	if rate == 0 {
		return nil
	}
	for i, t := range params {
		if d.mask != nil && !d.mask(t) {
			continue
		}
		u := updates[i].Data()
		for j, p := range t.Data() {
			u[j] += float32(rate * p)
		}
	}
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
	rate := l.schedule(step)
	if math.IsNaN(rate) || math.IsInf(rate, 0) {
		return fmt.Errorf("optim.ScaleByLearningRate: step %d: rate %v, want a finite one", step, rate)
	}
	scale(updates, -float32(rate))
	return nil
}
