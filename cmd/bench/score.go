package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/nets"
	"github.com/millrace-go/millrace/model/onnx"
	"github.com/millrace-go/millrace/model/program"
)

// scoreKinds are the ONNX files of a model: their endings and what the peers call them.
var scoreKinds = []struct{ ending, dtype string }{{"onnx", "f32"}, {"dynamic.onnx", "int8-dynamic"}, {"qdq.onnx", "int8-qdq"}}

func scoreCommand(b *bench) *cobra.Command {
	var dir string
	var models []string
	var batches []int
	var half bool
	c := &cobra.Command{
		Use:   "score",
		Short: "Inference of the ONNX files that the peers' export_models.py wrote to a folder",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b.workload = "score"
			for _, threads := range b.threads {
				for _, name := range models {
					for _, kind := range scoreKinds {
						dtype, opts := kind.dtype, program.Options{}
						if half && dtype == "f32" {
							dtype, opts = precision(true, "bf16")
						}
						if err := b.score(filepath.Join(dir, name+"."+kind.ending), name, dtype, threads, batches, opts); err != nil {
							return err
						}
					}
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&half, "bf16", false, "round the operands of the float32 files' matrix products to bfloat16")
	c.Flags().StringVar(&dir, "dir", ".", "folder of the ONNX files")
	c.Flags().StringSliceVar(&models, "models", []string{"mlp", "resnet20", "lenet5", "minilm"}, "networks")
	c.Flags().IntSliceVar(&batches, "batches", []int{1, 8, 64, 1024}, "rows of a call")
	return c
}

func (b *bench) score(path, name, dtype string, threads int, batches []int, opts program.Options) error {
	net, err := nets.Build(name, false)
	if err != nil {
		return err
	}
	var p *program.Program
	for _, rows := range batches {
		shape := fmt.Sprintf("%s batch %d", name, rows)
		if !b.wanted(shape, dtype) || rows == 1024 && (name == "resnet20" || name == "minilm") {
			continue
		}
		start := time.Now()
		if p == nil {
			m, err := onnx.Import(path, onnx.Options{})
			if err != nil {
				return err
			}
			p = program.New(m.Graph, cpu.WithThreads(threads), opts)
		}
		in, _ := net.Inputs(rows, 1)
		out, err := p.Run(in...)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		first := time.Since(start).Seconds()
		exec, err := p.Compiled(in...)
		if err != nil {
			return err
		}
		call := func() error { return exec.RunInto(out, in) }
		more := func(l *line, _ float64) { l.FirstS = first }
		if err := b.run(threads, shape, dtype, float64(rows), "samples/s", call, more); err != nil {
			return err
		}
	}
	return nil
}
