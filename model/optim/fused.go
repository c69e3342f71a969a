package optim

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/par"
	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/model/weights"
)

// tileElements is how much of a tensor one thread steps at a time. It is fixed,
// because the global norm is a sum over tiles, and fits a core's second-level
// cache together with gradients and slots.
const tileElements = 1 << 14

// fusion is a chain that steps in one pass. It is not changed after fuse.
type fusion struct {
	clip  *clipNorm // nil if missing
	core  Transform // adam, lion or trace; nil is plain gradient descent
	decay decay     // with rate 0 if missing
	rate  learningRate
}

// fuse returns the fusion of a chain, nil if it is none of those that Chain lists.
func fuse(links []Transform) *fusion {
	f := &fusion{decay: decay{filter: Every}}
	var rest []Transform
	for _, t := range links {
		if d, ok := t.(decay); !ok || d.rate != 0 {
			rest = append(rest, t)
		}
	}
	if len(rest) > 0 {
		if c, ok := rest[0].(clipNorm); ok {
			f.clip, rest = &c, rest[1:]
		}
	}
	if len(rest) == 0 {
		return nil
	}
	var ok bool
	if f.rate, ok = rest[len(rest)-1].(learningRate); !ok || !f.setCore(rest[:len(rest)-1]) {
		return nil
	}
	return f
}

// setCore takes what stands between clip and learning rate, if it is known.
func (f *fusion) setCore(links []Transform) bool {
	decays := -1
	for i, t := range links {
		switch t := t.(type) {
		case decay:
			if decays >= 0 {
				return false
			}
			f.decay, decays = t, i
		case adam, lion, trace:
			if f.core != nil {
				return false
			}
			f.core = t
		default:
			return false
		}
	}
	if decays < 0 || f.core == nil {
		return true
	}
	_, traces := f.core.(trace)
	return traces == (decays == 0) // the L2 kind before Trace, the decoupled one after the others
}

// tile is a piece of one tensor.
type tile struct {
	tensor, begin, end int
	decayed            bool
}

// workspace is what a fused step keeps between steps, so that it allocates
// nothing, and its arguments for the threads.
type workspace struct {
	fusion               *fusion
	seen                 weights.Set // the tensors that tiles is made for
	tiles                []tile
	squares              []float64 // a tile's sum of squares
	params, grads, slots weights.Set
	numbers              [2]coefficients // for tensors that do not decay, and that do
}

// coefficients are the numbers of a step; which of them count depends on the core.
type coefficients struct {
	adam     vec.AdamWConfig
	lion     vec.LionConfig
	momentum vec.MomentumConfig
}

// step updates params in one pass. If it fails, params are as before.
func (f *fusion) step(params, grads, slots weights.Set, step int64, w *workspace, pool *par.Pool) error {
	if err := f.checkSlots(params, slots); err != nil {
		return err
	}
	w.cut(f, params)
	w.params, w.grads, w.slots = params, grads, slots
	clip := 1.0
	if f.clip != nil {
		pool.For(len(w.tiles), (*normBody)(w))
		sum := 0.0
		for _, s := range w.squares {
			sum += s
		}
		norm, err := normOf(sum, grads)
		if err != nil {
			return fmt.Errorf("optim.ClipByGlobalNorm: %w", err)
		}
		clip = f.clip.factor(norm)
	}
	rate, err := f.rate.rate(step)
	if err != nil {
		return err
	}
	w.numbers[0] = f.coefficients(step, rate, clip, 0)
	w.numbers[1] = f.coefficients(step, rate, clip, f.decay.rate)
	pool.For(len(w.tiles), (*stepBody)(w))
	return nil
}

func (f *fusion) checkSlots(params, slots weights.Set) error {
	n := len(params)
	switch core := f.core.(type) {
	case nil:
		n = 0
	case adam:
		n *= 2
		if len(slots) >= n {
			if err := core.checkSlots(params, slots[:n]); err != nil {
				return err
			}
		}
	default:
		if len(slots) >= n {
			if err := sameTensors("optim.Chain", params, slots[:n]); err != nil {
				return err
			}
		}
	}
	if len(slots) < n {
		return fmt.Errorf("optim.Chain: %d slots for %d tensors, want %d", len(slots), len(params), n)
	}
	if len(slots) > n {
		return unknownSlot(slots[n])
	}
	return nil
}

// cut makes the tiles of params, unless it has made them before.
func (w *workspace) cut(f *fusion, params weights.Set) {
	if w.fusion == f && sameDense(w.seen, params) {
		return
	}
	w.fusion, w.seen, w.tiles = f, append(weights.Set(nil), params...), w.tiles[:0]
	for i, t := range params {
		n, decayed := len(t.Data()), f.decay.rate != 0 && f.decay.filter(t)
		for at := 0; at < n; at += tileElements {
			w.tiles = append(w.tiles, tile{i, at, min(at+tileElements, n), decayed})
		}
	}
	w.squares = make([]float64, len(w.tiles))
}

// sameDense says whether two sets are the same tensors, not only equal ones.
func sameDense(a, b weights.Set) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// coefficients are the numbers of a step with some rate, clip and decay.
func (f *fusion) coefficients(step int64, rate, clip, decay float64) (c coefficients) {
	switch core := f.core.(type) {
	case adam:
		c1, c2 := core.corrections(step)
		c.adam = vec.AdamWConfig{Rate: rate, Beta1: core.b1, Beta2: core.b2, Eps: core.eps, WeightDecay: decay,
			Correction1: c1, Correction2: c2, GradScale: clip}
	case lion:
		c.lion = vec.LionConfig{Rate: rate, Beta1: core.b1, Beta2: core.b2, WeightDecay: decay, GradScale: clip}
	case trace:
		c.momentum = vec.MomentumConfig{Rate: rate, Momentum: core.decay, WeightDecay: decay, GradScale: clip, Nesterov: core.nesterov}
	default:
		c.momentum = vec.MomentumConfig{Rate: rate, WeightDecay: decay, GradScale: clip}
	}
	return c
}

// normBody sums the squares of the gradients.
type normBody workspace

func (w *normBody) Do(i, _ int) {
	t := w.tiles[i]
	w.squares[i] = vec.SumSquares(w.grads[t.tensor].Data()[t.begin:t.end])
}

// stepBody steps the parameters.
type stepBody workspace

func (w *stepBody) Do(i, _ int) {
	t := w.tiles[i]
	c := &w.numbers[0]
	if t.decayed {
		c = &w.numbers[1]
	}
	cut := func(set weights.Set, k int) []float32 { return set[k].Data()[t.begin:t.end] }
	p, g := cut(w.params, t.tensor), cut(w.grads, t.tensor)
	switch w.fusion.core.(type) {
	case adam:
		vec.AdamW(p, g, cut(w.slots, t.tensor), cut(w.slots, len(w.params)+t.tensor), &c.adam)
	case lion:
		vec.Lion(p, g, cut(w.slots, t.tensor), &c.lion)
	case trace:
		vec.Momentum(p, g, cut(w.slots, t.tensor), &c.momentum)
	default:
		descend(p, g, &c.momentum)
	}
}

// descend is plain gradient descent: p - Rate*(GradScale*g + WeightDecay*p). The
// tile stays in the cache between its passes. g is overwritten.
func descend(p, g []float32, c *vec.MomentumConfig) {
	if c.GradScale != 1 {
		vec.Scale(g, float32(c.GradScale))
	}
	if c.WeightDecay != 0 {
		vec.Axpy(g, float32(c.WeightDecay), p)
	}
	vec.Axpy(p, -float32(c.Rate), g)
}
