package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/gemm"
	"github.com/millrace-go/millrace/accel/cpu/par"
	"github.com/millrace-go/millrace/accel/philox"
)

// products are M, K and N of the peers' script.
var products = [][3]int{
	{128, 128, 128}, {256, 256, 256}, {512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048},
	{128, 768, 768}, {128, 768, 3072}, {512, 384, 1536}, {512, 1536, 384}, {1, 768, 768},
}

func gemmCommand(b *bench) *cobra.Command {
	return &cobra.Command{
		Use:   "gemm",
		Short: "Matrix products: float32 with plain and with packed weights",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b.workload = "gemm"
			for _, threads := range b.threads {
				pool := par.New(threads)
				for _, p := range products {
					if err := b.gemmF32(pool, p[0], p[1], p[2]); err != nil {
						return err
					}
				}
				pool.Close()
			}
			return nil
		},
	}
}

func (b *bench) gemmF32(pool *par.Pool, m, k, n int) error {
	plan, err := gemm.New(gemm.Spec{M: m, N: n, K: k})
	if err != nil {
		return err
	}
	op := gemm.Operands{C: make([]float32, m*n), A: random(1, m*k), B: random(2, k*n), Scratch: floats(plan.ScratchLen(pool.Threads()))}
	work := 2 * float64(m) * float64(k) * float64(n) / 1e9
	shape := fmt.Sprintf("%dx%dx%d", m, k, n)
	call := func() error { plan.Run(pool, op); return nil }
	if err := b.run(pool.Threads(), shape, "f32-plain", work, "GFLOP/s", call, nil); err != nil {
		return err
	}
	op.Packed = floats(plan.PackedLen())
	plan.PackB(op.Packed, op.B)
	return b.run(pool.Threads(), shape, "f32", work, "GFLOP/s", call, nil)
}

func floats(n int) []float32 { return accel.View[float32](accel.Aligned(4 * n)) }

func random(stream uint64, n int) []float32 {
	x := floats(n)
	philox.Stream{Key: 1, ID: stream}.Normal(x, 0)
	return x
}
