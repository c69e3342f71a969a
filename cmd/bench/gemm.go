package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/bgemm"
	"github.com/millrace-go/millrace/accel/cpu/cast"
	"github.com/millrace-go/millrace/accel/cpu/gemm"
	"github.com/millrace-go/millrace/accel/cpu/par"
	"github.com/millrace-go/millrace/accel/cpu/qgemm"
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
		Short: "Matrix products: float32 with plain and with packed weights, bfloat16, int8",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b.workload = "gemm"
			for _, threads := range b.threads {
				pool := par.New(threads)
				for _, p := range products {
					for _, f := range []func(*par.Pool, int, int, int) error{b.gemmF32, b.gemmBF16, b.gemmInt8} {
						if err := f(pool, p[0], p[1], p[2]); err != nil {
							return err
						}
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

// gemmBF16 multiplies bfloat16 matrices, the second packed beforehand, with float32 sums.
func (b *bench) gemmBF16(pool *par.Pool, m, k, n int) error {
	plan, err := bgemm.New(bgemm.Spec{M: m, N: n, K: k, Type: bgemm.BFloat16, Prepacked: true, C32: true})
	if err != nil {
		return err
	}
	op := bgemm.Operands{C: floats(m * n), AH: make([]uint16, m*k), Packed: make([]uint16, plan.PackedLen()), Scratch: floats(plan.ScratchLen())}
	cast.F32ToBF16(op.AH, random(1, m*k))
	w := make([]uint16, k*n)
	cast.F32ToBF16(w, random(2, k*n))
	plan.PackB(op.Packed, nil, w)
	return b.run(pool.Threads(), fmt.Sprintf("%dx%dx%d", m, k, n), "bf16", 2*float64(m)*float64(k)*float64(n)/1e9, "GFLOP/s", func() error { plan.Run(pool, op); return nil }, nil)
}

// gemmInt8 multiplies uint8 by int8, the second packed beforehand, to int32.
func (b *bench) gemmInt8(pool *par.Pool, m, k, n int) error {
	plan, err := qgemm.New(qgemm.Spec{M: m, N: n, K: k, BSigned: true})
	if err != nil {
		return err
	}
	op := qgemm.Operands{C: make([]int32, m*n), A: bytesOf(1, m*k), Packed: make([]int32, plan.PackedLen()), Scratch: make([]int32, plan.ScratchLen())}
	plan.PackB(op.Packed, bytesOf(2, k*n))
	return b.run(pool.Threads(), fmt.Sprintf("%dx%dx%d", m, k, n), "int8", 2*float64(m)*float64(k)*float64(n)/1e9, "GOP/s", func() error { plan.Run(pool, op); return nil }, nil)
}

func bytesOf(stream uint64, n int) []uint8 {
	words, out := make([]uint32, n), make([]uint8, n)
	philox.Stream{Key: 1, ID: stream}.Bits(words, 0)
	for i, w := range words {
		out[i] = uint8(w)
	}
	return out
}

func floats(n int) []float32 { return accel.View[float32](accel.Aligned(4 * n)) }

func random(stream uint64, n int) []float32 {
	x := floats(n)
	philox.Stream{Key: 1, ID: stream}.Normal(x, 0)
	return x
}
