//go:build !amd64

package gemm

import "github.com/millrace-go/millrace/accel/cpu/isa"

func tileFor(isa.Level, int) (rows, vecs, lanes int) { return 4, NR, 1 }

func (b *Block) run(isa.Level) { b.portable() }

func (b *Block) dots(isa.Level) { panic("gemm: dots without assembly") }

func packRows(_ isa.Level, dst, b []float32, ldb, k, n int) {
	for j := 0; j < n; j += NR {
		copyRows(dst[j*k:], b[j:], ldb, k, min(NR, n-j), NR)
	}
}

func packColumns(_ isa.Level, dst, b []float32, ldb, k, n int) {
	for j := 0; j < n; j += NR {
		transposeRows(dst[j*k:], b[j*ldb:], ldb, k, min(NR, n-j))
	}
}

func copyColumns(_ isa.Level, dst, src []float32, ld, k, n int) {
	copyRows(dst, src, ld, k, n, stripRows)
}

func (f *finisher) assembly(isa.Level) { f.portable() }
