package vec

import (
	"fmt"
	"testing"
)

// eachLevel runs f as a benchmark at every level that this process may use.
func eachLevel(b *testing.B, name string, bytes int, f func()) {
	for _, l := range levels() {
		b.Run(fmt.Sprintf("impl=%s/%s", l, name), func(b *testing.B) {
			defer lower(l)()
			b.SetBytes(int64(bytes))
			for b.Loop() {
				f()
			}
		})
	}
}

// The bytes are those that must move: each operand once.

func BenchmarkUnary(b *testing.B) {
	for _, n := range []int{512 * 1536, 8 << 20} {
		x, y := normals(n, 1), make([]float32, n)
		for _, c := range []struct {
			name string
			f    func(dst, x []float32)
		}{{"copy", func(dst, x []float32) { copy(dst, x) }}, {"relu", Relu}, {"gelu", Gelu}, {"geluTanh", GeluTanh}, {"exp", Exp}, {"tanh", Tanh}} {
			eachLevel(b, fmt.Sprintf("f=%s/n=%d", c.name, n), 8*n, func() { c.f(y, x) })
		}
	}
}

func BenchmarkSoftmax(b *testing.B) {
	for _, s := range [][2]int{{12288, 128}, {4096, 1024}, {128, 30522}} {
		rows, cols := s[0], s[1]
		x, y := normals(rows*cols, 1), make([]float32, rows*cols)
		eachLevel(b, fmt.Sprintf("rows=%d/cols=%d", rows, cols), 8*rows*cols, func() { SoftmaxRows(y, x, rows, cols) })
	}
}

func BenchmarkLayerNorm(b *testing.B) {
	for _, s := range [][2]int{{1024, 384}, {4096, 768}} {
		rows, cols := s[0], s[1]
		n := rows * cols
		x, dy, y, dx := normals(n, 1), normals(n, 2), make([]float32, n), make([]float32, n)
		gamma, beta := normals(cols, 3), normals(cols, 4)
		dgamma, dbeta := make([]float32, cols), make([]float32, cols)
		mean, invstd := make([]float32, rows), make([]float32, rows)
		forward := func() { LayerNormRows(y, mean, invstd, x, gamma, beta, 1e-12, rows, cols) }
		eachLevel(b, fmt.Sprintf("pass=fwd/rows=%d/cols=%d", rows, cols), 8*n, forward)
		eachLevel(b, fmt.Sprintf("pass=fwd+bwd/rows=%d/cols=%d", rows, cols), 20*n, func() {
			forward()
			LayerNormGradRows(dx, dgamma, dbeta, dy, x, gamma, mean, invstd, rows, cols)
		})
	}
}

func BenchmarkAdamW(b *testing.B) {
	const n = 10_000_000
	p, g, m, v := normals(n, 1), normals(n, 2), make([]float32, n), make([]float32, n)
	c := &AdamWConfig{Rate: 1e-3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.01, Correction1: 0.1, Correction2: 0.001}
	eachLevel(b, fmt.Sprintf("n=%d", n), 28*n, func() { AdamW(p, g, m, v, c) })
}

func BenchmarkReduce(b *testing.B) {
	for _, n := range []int{4096, 1 << 20} {
		x, y := normals(n, 1), normals(n, 2)
		var s float64
		eachLevel(b, fmt.Sprintf("f=sumSquares/n=%d", n), 4*n, func() { s += SumSquares(x) })
		eachLevel(b, fmt.Sprintf("f=dot/n=%d", n), 8*n, func() { s += Dot(x, y) })
		eachLevel(b, fmt.Sprintf("f=max/n=%d", n), 4*n, func() { s += float64(Max(x)) })
	}
}
