package optim

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/model/weights"
)

type adam struct{ b1, b2, eps float64 }

// ScaleByAdam replaces gradients g by m/(1-b1^t) / (sqrt(v/(1-b2^t)) + eps),
// where m and v are the decaying means of g and g², and t counts from 1. See
// Kingma & Ba, https://arxiv.org/abs/1412.6980. It panics unless 0 <= b1, b2 < 1
// and eps > 0.
func ScaleByAdam(b1, b2, eps float64) Transform {
	must(firstError(checkBetas("optim.ScaleByAdam", b1, b2), checkEpsilon("optim.ScaleByAdam", eps)))
	return adam{b1, b2, eps}
}

// Init returns m of all parameters, then v.
func (a adam) Init(params weights.Set) weights.Set {
	return append(named("m.", params.Zeros()), named("v.", params.Zeros())...)
}

// named puts a prefix before the names of a set, in place.
func named(prefix string, set weights.Set) weights.Set {
	for i := range set {
		set[i].Name = prefix + set[i].Name
	}
	return set
}

func (a adam) Update(updates, slots, _ weights.Set, step int64) error {
	n := len(updates)
	if err := a.checkSlots(updates, slots); err != nil {
		return err
	}
	c1, c2 := a.corrections(step)
	for i := range updates {
		a.update(updates[i].Data(), slots[i].Data(), slots[n+i].Data(), float32(1/c1), float32(1/c2))
	}
	return nil
}

func (a adam) checkSlots(params, slots weights.Set) error {
	n := len(params)
	if len(slots) != 2*n {
		return fmt.Errorf("optim.ScaleByAdam: %d slots for %d tensors, want %d", len(slots), n, 2*n)
	}
	return firstError(
		sameTensors("optim.ScaleByAdam", params, slots[:n]),
		sameTensors("optim.ScaleByAdam", params, slots[n:]))
}

// corrections are 1-b1^t and 1-b2^t, the bias of the means.
func (a adam) corrections(step int64) (c1, c2 float64) {
	return 1 - float64(power(a.b1, step+1)), 1 - float64(power(a.b2, step+1))
}

// update is ScaleByAdam for one tensor; c1 and c2 are the inverse bias
// corrections. It goes in short pieces, so that what a pass writes the next finds in the cache.
func (a adam) update(g, m, v []float32, c1, c2 float32) {
	var scratch [1024]float32
	for len(g) > 0 {
		n := min(len(g), len(scratch))
		g0, m0, v0, t := g[:n], m[:n], v[:n], scratch[:n]
		vec.Axpby(m0, float32(1-a.b1), g0, float32(a.b1))
		vec.Mul(t, g0, g0)
		vec.Axpby(v0, float32(1-a.b2), t, float32(a.b2))
		vec.MulScalar(t, v0, c2)
		vec.Sqrt(t, t)
		vec.AddScalar(t, t, float32(a.eps))
		vec.MulScalar(g0, m0, c1)
		vec.Div(g0, g0, t)
		g, m, v = g[n:], m[n:], v[n:]
	}
}
