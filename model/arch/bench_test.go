package arch_test

import (
	"fmt"
	"testing"

	"gorgonia.org/tensor"

	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/arch"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/model/precision"
)

// digits is the network of examples/digits.
var digits = arch.Config{Name: "convnet", Image: []int{1, 8, 8}, Channels: []int{16, 32}, Hidden: []int{64}}

func digitsBatch(n int) nn.Batch {
	x := make([]float32, n*64)
	labels := make([]int32, n)
	for i := range x {
		x[i] = float32(i*7%17) / 16
	}
	for i := range labels {
		labels[i] = int32(i % 10)
	}
	return nn.Batch{N: n, Labels: labels, Inputs: map[string]*tensor.Dense{
		"features": tensor.New(tensor.WithShape(n, 64), tensor.WithBacking(x)),
	}}
}

// BenchmarkStep is one forward and backward pass of the digits network.
func BenchmarkStep(b *testing.B) {
	m, err := arch.Build(digits, []nn.Input{{Name: "features", DType: "float32", Shape: []int{64}}}, 10)
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 32, 256} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			tr, err := m.NewTrainer(cpu.New(), precision.FP32)
			if err != nil {
				b.Fatal(err)
			}
			params, batch := m.Init(1), digitsBatch(n)
			grads := params.Zeros()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tr.Gradients(params, grads, batch, nil, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPredict is scoring with the digits network.
func BenchmarkPredict(b *testing.B) {
	m, err := arch.Build(digits, []nn.Input{{Name: "features", DType: "float32", Shape: []int{64}}}, 10)
	if err != nil {
		b.Fatal(err)
	}
	p, err := m.NewPredictor(cpu.New())
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 256} {
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			params, batch, probs := m.Init(1), digitsBatch(n), make([]float32, n*10)
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Predict(params, batch, probs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
