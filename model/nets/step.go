package nets

import (
	"fmt"

	"gorgonia.org/tensor"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/par"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/optim"
	"github.com/millrace-go/millrace/model/program"
	"github.com/millrace-go/millrace/model/weights"
)

// Stepper trains a network on one batch, again and again.
type Stepper struct {
	exec    *program.Executable
	inputs  []*accel.Array
	outputs []*accel.Array
	trained []*accel.Array // parameters, in the order of the gradients
	state   []*accel.Array
	opt     optim.Optimizer
	moments *optim.State
	params  weights.Set // trained, the same memory
	grads   weights.Set // the outputs after the loss, the same memory
	// MACs are the multiply-adds of a step, forward and backward.
	MACs int64
}

// NewStepper compiles the training step of a batch and draws weights and data. The
// optimizer has the threads of a device that tells its pool, as those of package
// cpu do; else the caller's alone.
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
		grad := s.outputs[1+len(s.trained)]
		s.trained = append(s.trained, params[i])
		s.params, s.grads = append(s.params, shared(v.Name, params[i])), append(s.grads, shared(v.Name, grad))
	}
	s.opt = optim.Optimizer{Transform: optim.Chain(
		optim.ScaleByAdam(0.9, 0.999, 1e-8), optim.AddDecayedWeights(0.01, optim.Every), optim.ScaleByLearningRate(optim.Constant(1e-3)))}
	if d, ok := dev.(interface{ Pool() *par.Pool }); ok {
		s.opt.Pool = d.Pool()
	}
	s.moments = s.opt.NewState(s.params)
	return s, nil
}

// shared is a float32 array as a named parameter of the same memory.
func shared(name string, a *accel.Array) weights.Tensor {
	return weights.Tensor{Name: name, Dense: tensor.New(tensor.WithShape(a.Shape...), tensor.WithBacking(accel.Values[float32](a)))}
}

// Step is forward, backward and one step of AdamW at 1e-3 with a decay of 0.01.
func (s *Stepper) Step() error {
	if err := s.exec.RunInto(s.outputs, s.inputs); err != nil {
		return err
	}
	if err := s.opt.Step(s.params, s.grads, s.moments); err != nil {
		return fmt.Errorf("nets.Stepper: %w", err)
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
