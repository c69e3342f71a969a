package nets

import (
	"fmt"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu"
	"github.com/millrace-go/millrace/model/program"
)

// BenchmarkStep is one training step at the usual batch.
func BenchmarkStep(b *testing.B) {
	for _, name := range Names() {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("net=%s/threads=%d", name, threads), func(b *testing.B) {
				net, err := Build(name, true)
				if err != nil {
					b.Fatal(err)
				}
				s, err := NewStepper(net, net.Batch, cpu.WithThreads(threads), program.Options{})
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if err := s.Step(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(2*float64(s.MACs)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
