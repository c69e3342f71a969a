package gemm

import "github.com/millrace-go/millrace/accel/cpu/isa"

// packArgs is what the packing assembly is given.
type packArgs struct {
	dst, src *float32
	stride   int // bytes between rows of src
	k        int
	n        int // columns, or panels
	panel    int // bytes between panels
}

func packRows(level isa.Level, dst, b []float32, ldb, k, n int) {
	if k <= 0 {
		return
	}
	whole := 0
	if level != isa.Portable {
		whole = n / NR
		copyPanels(level, dst, b, ldb, k, whole)
	}
	for j := whole * NR; j < n; j += NR {
		copyPanel(level, dst[j*k:j*k+k*NR], b[j:], ldb, k, min(NR, n-j))
	}
}

// copyPanels copies k rows of whole panels.
func copyPanels(level isa.Level, dst, src []float32, ld, k, panels int) {
	if panels == 0 {
		return
	}
	p := packArgs{dst: &dst[0], src: &src[0], stride: ld * 4, k: k, n: panels, panel: k * NR * 4}
	if level == isa.AVX512 {
		copyPanels512(&p)
	} else {
		copyPanels256(&p)
	}
}

// copyPanel copies k rows of n ≤ NR floats into a panel.
func copyPanel(level isa.Level, dst, src []float32, ld, k, n int) {
	if level == isa.Portable {
		copyRows(dst, src, ld, k, n, NR)
		return
	}
	p := packArgs{dst: &dst[0], src: &src[0], stride: ld * 4, k: k, n: n}
	if level == isa.AVX512 {
		copy512x32(&p)
	} else {
		copy256x32(&p)
	}
}

// copyColumns copies k rows of n ≤ 16 floats, 16 floats apart: a panel of Aᵀ.
func copyColumns(level isa.Level, dst, src []float32, ld, k, n int) {
	if level == isa.Portable {
		copyRows(dst, src, ld, k, n, 16)
		return
	}
	p := packArgs{dst: &dst[0], src: &src[0], stride: ld * 4, k: k, n: n}
	if level == isa.AVX512 {
		copy512x16(&p)
	} else {
		copy256x16(&p)
	}
}

func packColumns(level isa.Level, dst, b []float32, ldb, k, n int) {
	if k <= 0 {
		return
	}
	for j := 0; j < n; j += NR {
		transposePanel(level, dst[j*k:j*k+k*NR], b[j*ldb:], ldb, k, min(NR, n-j))
	}
}

// transposePanel writes n ≤ NR rows of k floats as the columns of a panel.
func transposePanel(level isa.Level, dst, src []float32, ld, k, n int) {
	if level == isa.Portable {
		transposeRows(dst, src, ld, k, n)
		return
	}
	lanes := 8
	if level == isa.AVX512 {
		lanes = 16
	}
	for i := 0; i < NR; i += lanes {
		rows := min(max(n-i, 0), lanes)
		p := packArgs{dst: &dst[i], stride: ld * 4, k: k, n: rows}
		if rows == 0 {
			zeroColumns(dst, i, k)
			return
		}
		p.src = &src[i*ld]
		if level == isa.AVX512 {
			transpose512(&p)
		} else {
			transpose256(&p)
		}
	}
}
