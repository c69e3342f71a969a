package main

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/millrace-go/millrace/accel/cpu/par"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

func elementwiseCommand(b *bench) *cobra.Command {
	return &cobra.Command{
		Use:   "elementwise",
		Short: "GELU, softmax, LayerNorm forward and backward, AdamW, and a copy to compare with",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b.workload = "elementwise"
			for _, threads := range b.threads {
				pool := par.New(threads)
				if err := b.elementwise(pool); err != nil {
					return err
				}
				pool.Close()
			}
			return nil
		},
	}
}

// tiled calls f for parts of n units, as the device's kernels do.
type tiled struct {
	f       func(from, to int)
	n, part int
}

func (t *tiled) Do(tile, _ int) { t.f(tile*t.part, min(tile*t.part+t.part, t.n)) }

func over(pool *par.Pool, n, part int, f func(from, to int)) func() error {
	t := &tiled{f, n, part}
	return func() error { pool.For((n+part-1)/part, t); return nil }
}

const part = 32 << 10 // elements a tile

func (b *bench) elementwise(pool *par.Pool) error {
	for _, c := range []struct {
		n     int
		label string
	}{{512 * 1536, "512x1536"}, {8 << 20, "8388608"}} {
		x, y := random(1, c.n), floats(c.n)
		for _, k := range []struct {
			name string
			f    func(dst, x []float32)
		}{{"copy", func(dst, x []float32) { copy(dst, x) }}, {"gelu-erf", vec.Gelu}, {"gelu-tanh", vec.GeluTanh}} {
			call := over(pool, c.n, part, func(from, to int) { k.f(y[from:to], x[from:to]) })
			if err := b.run(pool.Threads(), k.name+" "+c.label, "f32", 8*float64(c.n)/1e9, "GB/s", call, nil); err != nil {
				return err
			}
		}
	}
	for _, s := range [][2]int{{8 * 12 * 128, 128}, {4096, 1024}, {128, 30522}} {
		rows, cols := s[0], s[1]
		x, y := random(1, rows*cols), floats(rows*cols)
		call := over(pool, rows, max(1, part/cols), func(from, to int) { vec.SoftmaxRows(y[from*cols:to*cols], x[from*cols:to*cols], to-from, cols) })
		if err := b.run(pool.Threads(), fmt.Sprintf("softmax %dx%d", rows, cols), "f32", 8*float64(rows*cols)/1e9, "GB/s", call, nil); err != nil {
			return err
		}
	}
	for _, s := range [][2]int{{1024, 384}, {4096, 768}} {
		if err := b.layerNorm(pool, s[0], s[1]); err != nil {
			return err
		}
	}
	return b.adamW(pool, 10_000_000)
}

func (b *bench) layerNorm(pool *par.Pool, rows, cols int) error {
	n := rows * cols
	x, y, dy, dx := random(1, n), floats(n), random(2, n), floats(n)
	gain, bias, mean, inv := random(3, cols), random(4, cols), floats(rows), floats(rows)
	forward := over(pool, rows, max(1, part/cols), func(from, to int) {
		vec.LayerNormRows(y[from*cols:to*cols], mean[from:to], inv[from:to], x[from*cols:to*cols], gain, bias, 1e-12, to-from, cols)
	})
	if err := b.run(pool.Threads(), fmt.Sprintf("layernorm-fwd %dx%d", rows, cols), "f32", 8*float64(n)/1e9, "GB/s", forward, nil); err != nil {
		return err
	}
	const blocks = 16 // the sums of the gains' gradients are kept by block of rows
	per := (rows + blocks - 1) / blocks
	dgain, dbias := floats(blocks*cols), floats(blocks*cols)
	backward := over(pool, rows, per, func(from, to int) {
		i := from / per * cols
		clear(dgain[i : i+cols])
		clear(dbias[i : i+cols])
		vec.LayerNormGradRows(dx[from*cols:to*cols], dgain[i:i+cols], dbias[i:i+cols], dy[from*cols:to*cols], x[from*cols:to*cols], gain, mean[from:to], inv[from:to], to-from, cols)
	})
	both := func() error {
		if err := forward(); err != nil {
			return err
		}
		if err := backward(); err != nil {
			return err
		}
		for i := 1; i < blocks; i++ {
			vec.Add(dgain[:cols], dgain[:cols], dgain[i*cols:(i+1)*cols])
			vec.Add(dbias[:cols], dbias[:cols], dbias[i*cols:(i+1)*cols])
		}
		return nil
	}
	return b.run(pool.Threads(), fmt.Sprintf("layernorm-fwd+bwd %dx%d", rows, cols), "f32", 20*float64(n)/1e9, "GB/s", both, nil)
}

func (b *bench) adamW(pool *par.Pool, n int) error {
	p, g, m, v := random(1, n), random(2, n), floats(n), floats(n)
	steps := 0
	var c vec.AdamWConfig
	update := over(pool, n, part, func(from, to int) { vec.AdamW(p[from:to], g[from:to], m[from:to], v[from:to], &c) })
	return b.run(pool.Threads(), fmt.Sprintf("adamw %d", n), "f32", 28*float64(n)/1e9, "GB/s", func() error {
		steps++
		c = vec.AdamWConfig{
			Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01,
			Correction1: 1 - math.Pow(0.9, float64(steps)), Correction2: 1 - math.Pow(0.999, float64(steps)),
		}
		return update()
	}, nil)
}
