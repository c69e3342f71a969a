package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// levels are those this process may use.
func levels() []isa.Level {
	var out []isa.Level
	for _, l := range []isa.Level{isa.Portable, isa.AVX2, isa.AVX512} {
		if isa.Has(l) {
			out = append(out, l)
		}
	}
	return out
}

func normals(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

var nan32 = float32(math.NaN())

func nans(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = nan32
	}
	return x
}

// sameBits reports the first index where the bits differ, or -1.
func sameBits(a, b []float32) int {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return i
		}
	}
	return -1
}

func TestPackingIsALayout(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, k := range []int{1, 7, 8, 9, 15, 16, 17, 31, 33, 100} {
		for _, n := range []int{1, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 50, 97} {
			ld := n + 3
			b := normals(r, k*ld)
			bt := nans(n * (k + 2))
			for i := range k {
				for j := range n {
					bt[j*(k+2)+i] = b[i*ld+j]
				}
			}
			for _, l := range levels() {
				for _, trans := range []bool{false, true} {
					dst := nans(PackedPanels(k, n) + 16)
					if trans {
						packColumns(l, dst[:len(dst)-16], bt[:(n-1)*(k+2)+k], k+2, k, n)
					} else {
						packRows(l, dst[:len(dst)-16], b[:(k-1)*ld+n], ld, k, n)
					}
					checkPanels(t, fmt.Sprintf("%s k=%d n=%d trans=%v", l, k, n, trans), dst, b, ld, k, n)
				}
			}
		}
	}
}

func checkPanels(t *testing.T, name string, dst, b []float32, ld, k, n int) {
	t.Helper()
	size := PackedPanels(k, n)
	for at, got := range dst[:size] {
		i, j := at%(k*NR)/NR, at/(k*NR)*NR+at%NR
		var want float32
		if j < n {
			want = b[i*ld+j]
		}
		if got != want {
			t.Fatalf("%s: row %d column %d: got %g, want %g", name, i, j, got, want)
		}
	}
	for _, x := range dst[size:] {
		if x == x {
			t.Fatalf("%s: wrote beyond the end", name)
		}
	}
}

// TestBlock: A row by row and k by k, B in panels and as a matrix, several blocks
// of K, against the sums in float64.
func TestBlock(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, x := range [][3]int{{1, 1, 1}, {5, 70, 20}, {14, 32, 384}, {31, 100, 900}} {
		m, n, k := x[0], x[1], x[2]
		wide := (n + NR - 1) / NR * NR
		b, c := normals(r, k*wide), nans(m*(n+1)+guard)
		for _, trans := range []bool{false, true} {
			for _, packed := range []bool{false, true} {
				a, rowA, stepA := normals(r, m*k), k, 1
				if trans {
					rowA, stepA = 1, m
				}
				for at := 0; at < k; at += KC {
					kc := min(KC, k-at)
					blk := Block{A: a[at*stepA:], B: b[at*wide:], C: c, RowA: rowA, StepA: stepA, StepB: wide, PanelB: NR, LDC: n + 1, M: m, N: n, K: kc, Alpha: 0.5, Add: at > 0}
					if packed {
						blk.B, blk.StepB, blk.PanelB = nans(PackedPanels(kc, n)), NR, kc*NR
						PackRows(blk.B, b[at*wide:], wide, kc, n)
					}
					blk.Run()
				}
				for i := range m {
					for j := range n + 1 {
						var want, size float64
						for p := range k {
							prod := 0.5 * float64(a[i*rowA+p*stepA]) * float64(b[p*wide+j%wide])
							want, size = want+prod, size+math.Abs(prod)
						}
						got := float64(c[i*(n+1)+j])
						tol := float64(2*min(k, KC)+k/KC+4) * 0x1p-24 * size
						if diff := math.Abs(got - want); j < n && !(diff <= tol) || j == n && !math.IsNaN(got) {
							t.Fatalf("%dx%dx%d trans=%v packed=%v: C[%d,%d] = %g, want %g; a gap must stay NaN", m, k, n, trans, packed, i, j, got, want)
						}
					}
				}
			}
		}
	}
}

func TestShortBlocksPanic(t *testing.T) {
	f := func(n int) []float32 { return make([]float32, n) }
	for name, do := range map[string]func(){
		"A": func() {
			(&Block{A: f(5), B: f(96), C: f(4), RowA: 3, StepA: 1, StepB: NR, LDC: 2, M: 2, N: 2, K: 3, Alpha: 1}).Run()
		},
		"B": func() {
			(&Block{A: f(6), B: f(95), C: f(4), RowA: 3, StepA: 1, StepB: NR, LDC: 2, M: 2, N: 2, K: 3, Alpha: 1}).Run()
		},
		"C": func() {
			(&Block{A: f(6), B: f(96), C: f(3), RowA: 3, StepA: 1, StepB: NR, LDC: 2, M: 2, N: 2, K: 3, Alpha: 1}).Run()
		},
		"size":   func() { (&Block{M: -1}).Run() },
		"rows":   func() { PackRows(f(64), f(5), 3, 2, 3) },
		"panels": func() { PackRows(f(63), f(6), 3, 2, 3) },
		"ld":     func() { PackColumns(f(64), f(9), 1, 2, 3) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			do()
		}()
	}
}

// BenchmarkBlock is the innermost product on operands in cache.
func BenchmarkBlock(b *testing.B) {
	for _, l := range levels() {
		for _, m := range []int{1, 2, 3, 4, 6, 12, 13, 14, 128} {
			for _, n := range []int{128} {
				b.Run(fmt.Sprintf("impl=%s/m=%d/n=%d", l, m, n), func(b *testing.B) {
					k := KC
					r := rand.New(rand.NewPCG(1, 1))
					blk := Block{A: normals(r, m*k), B: normals(r, k*n), C: make([]float32, m*n), RowA: k, StepA: 1, StepB: NR, PanelB: k * NR, LDC: n, M: m, N: n, K: k, Alpha: 1}
					for b.Loop() {
						blk.run(l)
					}
					b.ReportMetric(float64(b.N)*2*float64(m*n*k)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}
