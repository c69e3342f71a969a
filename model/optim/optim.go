// Package optim updates parameters: chained gradient transforms with explicit
// state (after optax), the outer optimizer of training in rounds, and the exact
// mean of pseudo-gradients between the two.
//
// Parameters are float32 and stepped by package vec: the same bits with AVX2 and
// AVX-512 and for any number of threads; on other CPUs the last places differ.
// Learning rates, global norms, the outer optimizer and the mean have the same bits everywhere.
package optim

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/par"
	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/model/weights"
)

// Transform is one link of an optimizer: it turns gradients, or what the link
// before made of them, into updates.
type Transform interface {
	// Init returns the state ("slots") that the transform keeps for params, nil
	// if none. The caller owns it and may store it.
	Init(params weights.Set) weights.Set
	// Update rewrites updates in place and advances slots, which Init made for
	// a set of the same tensors. step counts earlier updates, so the first has
	// step 0. An error leaves updates and slots undefined.
	Update(updates, slots, params weights.Set, step int64) error
}

// ApplyUpdates adds updates to params, in place.
func ApplyUpdates(params, updates weights.Set) error {
	if err := sameTensors("optim.ApplyUpdates", params, updates); err != nil {
		return err
	}
	for i, p := range params {
		vec.Add(p.Data(), p.Data(), updates[i].Data())
	}
	return nil
}

// sameTensors checks that two sets have the same sizes in the same order.
func sameTensors(who string, want, got weights.Set) error {
	if len(got) != len(want) {
		return fmt.Errorf("%s: %d tensors, want %d", who, len(got), len(want))
	}
	for i := range want {
		if g, w := len(got[i].Data()), len(want[i].Data()); g != w {
			return fmt.Errorf("%s: tensor %q: %d elements, want %d as %q", who, got[i].Name, g, w, want[i].Name)
		}
	}
	return nil
}

// Masker keeps pruned weights at zero; prune.Mask is one.
type Masker interface {
	// Apply sets the pruned elements of a set to zero, in place.
	Apply(set weights.Set) error
}

// Optimizer steps parameters by a transform of their gradients.
type Optimizer struct {
	Transform Transform
	// Mask, if not nil, keeps pruned parameters exactly zero: their gradients do
	// not count in the norm, their updates are dropped.
	Mask Masker
	// Pool has the threads of a Chain that steps in one pass; nil uses the
	// caller's alone. The result is the same.
	Pool *par.Pool
}

// State is all that an optimizer remembers between steps. It serves one
// goroutine at a time.
type State struct {
	// Step is the number of steps taken.
	Step int64
	// Slots is the transform's state.
	Slots weights.Set

	work workspace
}

// NewState returns the state before the first step.
func (o Optimizer) NewState(params weights.Set) *State {
	return &State{Slots: o.Transform.Init(params)}
}

// Step updates params and st by one step. It overwrites grads with numbers that
// mean nothing to the caller. If it fails, params are as before, and st is undefined.
func (o Optimizer) Step(params, grads weights.Set, st *State) error {
	if err := sameTensors("optim.Optimizer", params, grads); err != nil {
		return err
	}
	if err := o.mask(grads); err != nil {
		return err
	}
	if err := o.update(params, grads, st); err != nil {
		return err
	}
	st.Step++
	return o.mask(params)
}

func (o Optimizer) update(params, grads weights.Set, st *State) error {
	if c, ok := o.Transform.(*chain); ok && c.fused != nil {
		return c.fused.step(params, grads, st.Slots, st.Step, &st.work, o.Pool)
	}
	if err := o.Transform.Update(grads, st.Slots, params, st.Step); err != nil {
		return err
	}
	return ApplyUpdates(params, grads)
}

func (o Optimizer) mask(set weights.Set) error {
	if o.Mask == nil {
		return nil
	}
	if err := o.Mask.Apply(set); err != nil {
		return fmt.Errorf("optim.Optimizer: %w", err)
	}
	return nil
}
