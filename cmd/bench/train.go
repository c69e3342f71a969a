package main

import (
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/nets"
	"github.com/millrace-go/millrace/model/program"
)

func trainCommand(b *bench) *cobra.Command {
	var models []string
	c := &cobra.Command{
		Use:   "train",
		Short: "One training step: forward, cross-entropy, backward, AdamW (one model a run measures its memory)",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b.workload = "train"
			for _, threads := range b.threads {
				for _, name := range models {
					if err := b.train(name, threads); err != nil {
						return fmt.Errorf("%s: %w", name, err)
					}
				}
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&models, "models", nets.Names(), "networks")
	return c
}

func (b *bench) train(name string, threads int) error {
	net, err := nets.Build(name, true)
	if err != nil {
		return err
	}
	shape := fmt.Sprintf("%s batch %d", name, net.Batch)
	if !b.wanted(shape, "f32") {
		return nil
	}
	start := time.Now()
	s, err := newStepper(net, threads)
	if err != nil {
		return err
	}
	if err := s.step(); err != nil {
		return err
	}
	first := time.Since(start).Seconds()
	return b.run(threads, shape, "f32", float64(net.Batch), "samples/s", s.step, func(l *line, median float64) {
		l.FirstS, l.PeakMiB = first, peakMiB()
		l.GFLOPS = 2 * float64(s.macs) / median / 1e9
	})
}

// stepper is a network in training.
type stepper struct {
	exec    *program.Executable
	inputs  []*accel.Array
	outputs []*accel.Array
	trained []*accel.Array // parameters, in the order of the gradients
	state   []*accel.Array
	m, v    [][]float32
	steps   int
	macs    int64 // of the whole step, forward and backward
}

func newStepper(net *nets.Net, threads int) (*stepper, error) {
	g, err := net.Training(net.Batch)
	if err != nil {
		return nil, err
	}
	s := &stepper{}
	if s.exec, err = program.Compile(cpu.WithThreads(threads), g); err != nil {
		return nil, err
	}
	s.macs = g.Cost().MACs
	params := net.Init(7727)
	in, labels := net.Inputs(net.Batch, 1)
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

// step is one step of AdamW at 1e-3 with a decay of 0.01.
func (s *stepper) step() error {
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
