package conv

import (
	"fmt"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// layers are the convolutions of LeNet-5 and ResNet-20 at their training batches.
var layers = []struct {
	name                         string
	n, c, m, in, k, stride, pads int
}{
	{"lenet1", 128, 1, 20, 28, 5, 1, 0},
	{"lenet2", 128, 20, 50, 12, 5, 1, 0},
	{"res3-16", 64, 3, 16, 32, 3, 1, 1},
	{"res16", 64, 16, 16, 32, 3, 1, 1},
	{"res16-32", 64, 16, 32, 32, 3, 2, 1},
	{"res32", 64, 32, 32, 16, 3, 1, 1},
	{"res32-64", 64, 32, 64, 16, 3, 2, 1},
	{"res64", 64, 64, 64, 8, 3, 1, 1},
}

// BenchmarkLayers reports multiply-adds as two operations, those of padding
// included.
func BenchmarkLayers(b *testing.B) {
	for _, l := range layers {
		for _, batch := range []int{1, l.n} {
			two := func(v int) []int { return []int{v, v} }
			spec := Spec{N: batch, C: l.c, M: l.m, In: two(l.in), Kernel: two(l.k), Strides: two(l.stride), PadsBegin: two(l.pads), PadsEnd: two(l.pads)}
			for _, level := range []isa.Level{isa.AVX2, isa.AVX512} {
				if !isa.Has(level) {
					continue
				}
				p, err := plan(spec, byLevel(level))
				if err != nil {
					b.Fatal(err)
				}
				for _, threads := range []int{1, 2} {
					passes(b, p, fmt.Sprintf("layer=%s/batch=%d/impl=%s/threads=%d", l.name, batch, level, threads), threads)
				}
			}
		}
	}
}

// passes measures forward with packed weights, and the gradients.
func passes(b *testing.B, p *Plan, name string, threads int) {
	pool := par.New(threads)
	defer pool.Close()
	in := newInputs(p)
	y, dx, dw := make([]float32, p.YLen()), make([]float32, p.XLen()), make([]float32, p.WLen())
	packed := make([]float32, p.PackedLen())
	p.PackWeights(packed, in.w)
	scratch := make([]float32, max(p.ForwardScratch(threads), p.DataScratch(threads), p.WeightsScratch(threads)))
	for _, pass := range []struct {
		name string
		run  func()
	}{
		{"forward", func() { p.ForwardPacked(pool, y, in.x, packed, nil, nil, scratch) }},
		{"data", func() { p.BackwardData(pool, dx, in.dy, in.w, scratch) }},
		{"weights", func() { p.BackwardWeights(pool, dw, in.dy, in.x, scratch) }},
	} {
		b.Run(name+"/pass="+pass.name, func(b *testing.B) {
			for b.Loop() {
				pass.run()
			}
			b.ReportMetric(2*float64(p.MACs())*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
