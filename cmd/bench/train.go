package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/nets"
	"github.com/millrace-go/millrace/model/program"
)

func trainCommand(b *bench) *cobra.Command {
	var models []string
	var half bool
	c := &cobra.Command{
		Use:   "train",
		Short: "One training step: forward, cross-entropy, backward, AdamW (one model a run measures its memory)",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b.workload = "train"
			for _, threads := range b.threads {
				for _, name := range models {
					if err := b.train(name, threads, half); err != nil {
						return fmt.Errorf("%s: %w", name, err)
					}
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&half, "bf16", false, "round the operands of matrix products to bfloat16")
	c.Flags().StringSliceVar(&models, "models", nets.Names(), "networks")
	return c
}

func (b *bench) train(name string, threads int, half bool) error {
	dtype, opts := precision(half, "bf16-autocast")
	net, err := nets.Build(name, true)
	if err != nil {
		return err
	}
	shape := fmt.Sprintf("%s batch %d", name, net.Batch)
	if !b.wanted(shape, dtype) {
		return nil
	}
	start := time.Now()
	s, err := nets.NewStepper(net, net.Batch, cpu.WithThreads(threads), opts)
	if err != nil {
		return err
	}
	if err := s.Step(); err != nil {
		return err
	}
	first := time.Since(start).Seconds()
	return b.run(threads, shape, dtype, float64(net.Batch), "samples/s", s.Step, func(l *line, median float64) {
		l.FirstS, l.PeakMiB = first, peakMiB()
		l.GFLOPS = 2 * float64(s.MACs) / median / 1e9
	})
}

// precision is the options of a run, and what the peers call it.
func precision(half bool, name string) (dtype string, opts program.Options) {
	if half {
		return name, program.Options{Precision: accel.BFloat16}
	}
	return "f32", program.Options{}
}
