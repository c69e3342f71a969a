package gemm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// benchShapes are M, K, N: squares, layers of transformers, matrix times
// vector, and attention (with a batch).
var benchShapes = [][3]int{
	{128, 128, 128}, {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048},
	{128, 768, 768}, {128, 768, 3072}, {512, 384, 1536}, {512, 1536, 384}, {1, 768, 768}, {8, 1024, 1024}, {1024, 1024, 1},
}

func BenchmarkRun(b *testing.B) {
	for _, x := range benchShapes {
		for _, l := range levels() {
			for _, how := range []string{"packed", "rows", "columns"} {
				for _, threads := range []int{1, 2} {
					b.Run(fmt.Sprintf("shape=%dx%dx%d/impl=%s/b=%s/threads=%d", x[0], x[1], x[2], l, how, threads), func(b *testing.B) {
						s := Spec{M: x[0], K: x[1], N: x[2], TransB: how == "columns"}
						plan, err := newPlan(s, l)
						if err != nil {
							b.Fatal(err)
						}
						p := newProblem(b, rand.New(rand.NewPCG(1, 1)), s)
						p.op.Scratch = make([]float32, plan.ScratchLen(threads))
						if how == "packed" {
							p.op.Packed = make([]float32, plan.PackedLen())
							plan.PackB(p.op.Packed, p.op.B)
						}
						pool := par.New(threads)
						defer pool.Close()
						for b.Loop() {
							plan.Run(pool, p.op)
						}
						b.ReportMetric(2*float64(s.M*s.N*s.K)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
					})
				}
			}
		}
	}
}
