package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/nets"
	"github.com/millrace-go/millrace/model/program"
)

func firstCommand(b *bench) *cobra.Command {
	var models []string
	c := &cobra.Command{
		Use:   "first",
		Short: "What a user waits at first: binding, optimising and compiling a network, and its first run",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b.workload = "first"
			for _, threads := range b.threads {
				for _, name := range models {
					for _, training := range []bool{false, true} {
						if err := b.first(name, training, cpu.WithThreads(threads), threads); err != nil {
							return fmt.Errorf("%s: %w", name, err)
						}
					}
				}
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&models, "models", []string{"minilm"}, "networks")
	return c
}

// first times the first result of a new executable, the weights being there.
func (b *bench) first(name string, training bool, dev accel.Device, threads int) error {
	net, err := nets.Build(name, training)
	if err != nil {
		return err
	}
	shape := fmt.Sprintf("%s batch %d score", name, net.Batch)
	if training {
		shape = fmt.Sprintf("%s batch %d train", name, net.Batch)
	}
	in, labels := net.Inputs(net.Batch, 1)
	if training {
		in = append(in, labels)
	}
	in = append(in, net.Init(7727)...)
	call := func() error {
		g, err := concrete(net, training)
		if err != nil {
			return err
		}
		exec, err := program.Compile(dev, g, program.Options{})
		if err != nil {
			return err
		}
		_, err = exec.Run(in...)
		return err
	}
	return b.run(threads, shape, "f32", float64(net.Batch), "samples/s", call, func(l *line, median float64) { l.FirstS = median })
}

// concrete is the graph of a training step or of scoring, for the usual batch.
func concrete(net *nets.Net, training bool) (*graph.Graph, error) {
	if training {
		return net.Training(net.Batch)
	}
	g, _, err := net.Bind(net.Batch)
	return g, err
}
