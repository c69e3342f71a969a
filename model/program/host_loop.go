package program

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
)

// rounds runs a body again and again.
type rounds struct {
	body    *Program
	outer   []Datum // what the body reads of the graphs around it
	state   []Datum
	skip    int // outputs of the body before the state
	scanned [][]*accel.Array
}

func (c *hostCall) rounds(state []Datum, skip int) (*rounds, error) {
	body, outer, err := c.graph("body")
	if err != nil {
		return nil, err
	}
	r := &rounds{body: body, outer: outer, state: slices.Clone(state), skip: skip}
	n := len(body.g.Outputs) - skip - len(state)
	if n < 0 {
		return nil, fmt.Errorf("a body of %d outputs, want at least %d", len(body.g.Outputs), skip+len(state))
	}
	r.scanned = make([][]*accel.Array, n)
	return r, nil
}

// run does one round, with the inputs before the state and those after it.
func (r *rounds) run(head, tail []Datum) ([]Datum, error) {
	out, err := r.body.runData(slices.Concat(head, r.state, tail, r.outer))
	if err != nil {
		return nil, err
	}
	copy(r.state, out[r.skip:])
	for k := range r.scanned {
		a, err := out[r.skip+len(r.state)+k].tensor()
		if err != nil {
			return nil, fmt.Errorf("output %d is %w", r.skip+len(r.state)+k, err)
		}
		r.scanned[k] = append(r.scanned[k], a)
	}
	return out, nil
}

// finish is the state, and what was scanned, stacked. head and tail are inputs as those
// of a round, to learn the outputs' types from if there was none.
func (r *rounds) finish(axes []int, reversed []bool, head, tail []Datum) ([]Datum, error) {
	out := r.state
	for k, list := range r.scanned {
		axis := 0
		if axes != nil {
			axis = axes[k]
			if reversed[k] {
				slices.Reverse(list)
			}
		}
		var a *accel.Array
		var err error
		if len(list) > 0 {
			a, err = stack(list, axis)
		} else {
			a, err = r.empty(r.skip+len(r.state)+k, axis, slices.Concat(head, r.state, tail, r.outer))
		}
		if err != nil {
			return nil, fmt.Errorf("scanned output %d: %w", k, err)
		}
		out = append(out, Datum{Array: a})
	}
	return out, nil
}

// empty is what output i of the body, stacked no times, is.
func (r *rounds) empty(i, axis int, in []Datum) (*accel.Array, error) {
	arrays := make([]*accel.Array, len(in))
	for k, d := range in {
		var err error
		if arrays[k], err = d.tensor(); err != nil {
			return nil, fmt.Errorf("no round ran, and input %d of the body is %w", k, err)
		}
	}
	exec, err := r.body.Compiled(arrays...)
	if err != nil {
		return nil, fmt.Errorf("no round ran, and what it would be is not known: %w", err)
	}
	t := exec.Outputs()[i]
	if axis, err = axisOf(axis, len(t.Shape)+1); err != nil {
		return nil, err
	}
	return accel.NewArray(t.DType, slices.Insert(slices.Clone([]int(t.Shape)), axis, 0)...), nil
}

// hostLoop runs the body while the conditions allow.
func hostLoop(c *hostCall) ([]Datum, error) {
	limit, more := math.MaxInt, true
	var err error
	if c.has(0) {
		if limit, err = c.in[0].integer(); err != nil {
			return nil, fmt.Errorf("the number of rounds is %w", err)
		}
	}
	condition := scalar(accel.Bool, true)
	ask := c.has(1)
	if ask {
		condition = c.in[1]
		if more, err = condition.truth(); err != nil {
			return nil, fmt.Errorf("the condition is %w", err)
		}
	}
	r, err := c.rounds(c.in[min(2, len(c.in)):], 1)
	if err != nil {
		return nil, err
	}
	for i := 0; more && i < limit; i++ {
		if i == c.maxRounds {
			return nil, fmt.Errorf("more than %d rounds", i)
		}
		out, err := r.run([]Datum{scalar(accel.Int64, int64(i)), condition}, nil)
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", i, err)
		}
		if ask {
			condition = out[0]
			if more, err = condition.truth(); err != nil {
				return nil, fmt.Errorf("round %d: the condition is %w", i, err)
			}
		}
	}
	return r.finish(nil, nil, []Datum{scalar(accel.Int64, int64(0)), condition}, nil)
}

// hostScan runs the body once an element.
func hostScan(c *hostCall) ([]Datum, error) {
	sc, err := graph.ScanOf(c.Node)
	if err != nil {
		return nil, err
	}
	r, err := c.rounds(c.in[:sc.States], 0)
	if err != nil {
		return nil, err
	}
	elements, err := scanElements(c.in[sc.States:], sc)
	if err != nil {
		return nil, err
	}
	tail := make([]Datum, sc.Inputs)
	for i := range elements[0].count {
		for k, e := range elements {
			tail[k] = Datum{Array: e.at(i)}
		}
		if _, err := r.run(nil, tail); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
	}
	for k, e := range elements {
		tail[k] = Datum{Array: accel.NewArray(e.a.DType, e.shape...)}
	}
	return r.finish(sc.OutputAxes, sc.OutputReversed, nil, tail)
}

// slices along an axis of an array, in one direction or the other.
type elements struct {
	a        *accel.Array
	axis     int
	count    int
	shape    []int
	reversed bool
}

func scanElements(in []Datum, sc graph.ScanSpec) ([]elements, error) {
	out := make([]elements, len(in))
	for k, d := range in {
		a, err := d.tensor()
		if err != nil {
			return nil, fmt.Errorf("scanned input %d is %w", k, err)
		}
		axis, err := axisOf(sc.InputAxes[k], len(a.Shape))
		if err != nil {
			return nil, fmt.Errorf("scanned input %d: %w", k, err)
		}
		out[k] = elements{a, axis, a.Shape[axis], slices.Delete(slices.Clone(a.Shape), axis, axis+1), sc.InputReversed[k]}
		if out[k].count != out[0].count {
			return nil, fmt.Errorf("sequences of %d and %d elements", out[0].count, out[k].count)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("nothing to scan")
	}
	return out, nil
}

// at is element i, a copy.
func (e elements) at(i int) *accel.Array {
	if e.reversed {
		i = e.count - 1 - i
	}
	a := slice(e.a, e.axis, i, i+1)
	a.Shape = e.shape
	return a
}
