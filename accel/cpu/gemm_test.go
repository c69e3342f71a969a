package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/millrace-go/millrace/accel/counter"
)

// randoms are n numbers in [-1, 1), the stream of a key.
func randoms(n int, key uint64) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(2*counter.Float64(key, uint64(i)) - 1)
	}
	return out
}

func nans(n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(math.NaN())
	}
	return out
}

// chain is the definition: one chain of rounded products and sums in k order.
func chain(c, a, b []float32, m, n, k int, ta, tb, add bool) {
	for i := range m {
		for j := range n {
			s := float32(0)
			if add {
				s = c[i*n+j]
			}
			for p := range k {
				ai, bi := i*k+p, p*n+j
				if ta {
					ai = p*m + i
				}
				if tb {
					bi = j*k + p
				}
				s += float32(a[ai] * b[bi])
			}
			c[i*n+j] = s
		}
	}
}

// sameBits reports the first element in which got differs from want.
func sameBits(t *testing.T, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("element %d: got %g (%#x), want %g (%#x)", i, got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

// TestGemm holds every path to the definition, bit for bit: sizes around the
// tile (4), the thin path (below 4 rows), blocks of k (256) and of n (512).
func TestGemm(t *testing.T) {
	sizes := [][3]int{{1, 1, 1}, {1, 5, 3}, {3, 4, 7}, {4, 4, 4}, {5, 3, 2}, {7, 9, 8}, {8, 8, 255}, {6, 5, 257}, {4, 513, 3}, {5, 516, 260}}
	for _, s := range sizes {
		m, n, k := s[0], s[1], s[2]
		for mode := range 8 {
			ta, tb, add := mode&1 != 0, mode&2 != 0, mode&4 != 0
			t.Run(fmt.Sprintf("%dx%dx%d/ta=%t/tb=%t/add=%t", m, n, k, ta, tb, add), func(t *testing.T) {
				a, b := randoms(m*k, 1), randoms(k*n, 2)
				want, got := nans(m*n), nans(m*n)
				if add {
					want, got = randoms(m*n, 3), randoms(m*n, 3)
				}
				chain(want, a, b, m, n, k, ta, tb, add)
				gemm(got, a, b, m, n, k, ta, tb, add, nans(packLen(m, n, k)))
				sameBits(t, got, want)
			})
		}
	}
}

// TestGemmRowsAlone cuts a batch of 64 rows in pieces: every row comes out the same.
func TestGemmRowsAlone(t *testing.T) {
	const n, k = 37, 129
	a, b := randoms(64*k, 1), randoms(k*n, 2)
	for _, tb := range []bool{false, true} {
		want := nans(64 * n)
		gemm(want, a, b, 64, n, k, false, tb, false, make([]float32, packLen(64, n, k)))
		for _, cut := range []int{1, 2, 7, 63} {
			got := nans(64 * n)
			for i := 0; i < 64; i += cut {
				m := min(cut, 64-i)
				gemm(got[i*n:], a[i*k:], b, m, n, k, false, tb, false, make([]float32, packLen(m, n, k)))
			}
			sameBits(t, got, want)
		}
	}
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range [][3]int{{32, 64, 128}, {32, 16, 144}, {16, 64, 9}, {1, 64, 128}, {256, 256, 256}, {512, 512, 512}} {
		m, n, k := s[0], s[1], s[2]
		for _, tb := range []bool{false, true} {
			b.Run(fmt.Sprintf("m=%d/n=%d/k=%d/tb=%t", m, n, k, tb), func(b *testing.B) {
				x, y, z := randoms(m*k, 1), randoms(k*n, 2), make([]float32, m*n)
				pack := make([]float32, packLen(m, n, k))
				for b.Loop() {
					gemm(z, x, y, m, n, k, false, tb, false, pack)
				}
				b.ReportMetric(float64(b.N)*float64(2*m*n*k)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
