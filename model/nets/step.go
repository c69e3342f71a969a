package nets

import (
	"math"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/program"
)

// Stepper trains a network on one batch, again and again.
type Stepper struct {
	exec    *program.Executable
	inputs  []*accel.Array
	outputs []*accel.Array
	trained []*accel.Array // parameters, in the order of the gradients
	state   []*accel.Array
	m, v    [][]float32
	steps   int
	// MACs are the multiply-adds of a step, forward and backward.
	MACs int64
}

// NewStepper compiles the training step of a batch and draws weights and data.
func NewStepper(net *Net, rows int, dev accel.Device, opts program.Options) (*Stepper, error) {
	g, err := net.Training(rows)
	if err != nil {
		return nil, err
	}
	s := &Stepper{}
	if s.exec, err = program.Compile(dev, g, opts); err != nil {
		return nil, err
	}
	s.MACs = g.Cost().MACs
	params := net.Init(7727)
	in, labels := net.Inputs(rows, 1)
	s.inputs = append(append(in, labels), params...)
	for _, t := range s.exec.Outputs() {
		s.outputs = append(s.outputs, accel.NewArray(t.DType, t.Shape...))
	}
	state := map[*graph.Value]bool{}
	for _, v := range net.State {
		state[v] = true
	}
	for i, v := range net.Graph.Params {
		if state[v] {
			s.state = append(s.state, params[i])
			continue
		}
		s.trained = append(s.trained, params[i])
		s.m, s.v = append(s.m, make([]float32, params[i].Len())), append(s.v, make([]float32, params[i].Len()))
	}
	return s, nil
}

// Step is forward, backward and one step of AdamW at 1e-3 with a decay of 0.01.
func (s *Stepper) Step() error {
	if err := s.exec.RunInto(s.outputs, s.inputs); err != nil {
		return err
	}
	s.steps++
	c := vec.AdamWConfig{
		Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01,
		Correction1: 1 - math.Pow(0.9, float64(s.steps)), Correction2: 1 - math.Pow(0.999, float64(s.steps)),
	}
	for i, p := range s.trained {
		vec.AdamW(accel.Values[float32](p), accel.Values[float32](s.outputs[1+i]), s.m[i], s.v[i], &c)
	}
	for i, p := range s.state {
		copy(p.Data, s.outputs[1+len(s.trained)+i].Data)
	}
	return nil
}

// Outputs are the loss, the gradients and the new state of the last step.
func (s *Stepper) Outputs() []*accel.Array { return s.outputs }

// Params are the trained parameters.
func (s *Stepper) Params() []*accel.Array { return s.trained }
