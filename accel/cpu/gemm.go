package cpu

// Sizes of the blocks that gemm works in. They are part of no result: an
// element of C is one chain of additions in k order whatever they are.
const (
	tileM  = 4   // rows of C in registers
	tileN  = 4   // columns of C in registers
	blockK = 256 // a packed panel of 4 x 256 floats is 4 KiB: a few fit the first cache
	blockN = 512 // a packed block of B is 512 KiB: it fits the second cache
)

// gemm computes C = op(A)·op(B), or C += if add. C is m x n, op(A) is m x k,
// op(B) is k x n, all row-major without gaps; ta says that A is stored as k x m,
// tb that B is stored as n x k.
//
// Each element is ((c + a₀b₀) + a₁b₁) + …, every product and sum rounded to
// float32, c zero unless add. So a row of C depends on its row of A and on B
// alone, not on m: a batch may be cut anywhere.
//
// pack is scratch of at least packLen(m, n, k) floats.
func gemm(c, a, b []float32, m, n, k int, ta, tb, add bool, pack []float32) {
	if m == 0 || n == 0 {
		return
	}
	if !add {
		clear(c[:m*n])
	}
	if m < tileM && !ta {
		gemmThin(c, a, b, m, n, k, tb)
		return
	}
	for j := 0; j < n; j += blockN {
		nb := min(blockN, n-j)
		for p := 0; p < k; p += blockK {
			kb := min(blockK, k-p)
			bp := pack[:roundUp(nb, tileN)*kb]
			packB(bp, b, p, j, kb, nb, n, k, tb)
			ap := pack[len(bp) : len(bp)+tileM*kb]
			for i := 0; i < m; i += tileM {
				packA(ap, a, i, p, min(tileM, m-i), kb, m, k, ta)
				gemmRow(c[i*n+j:], ap, bp, min(tileM, m-i), nb, n, kb)
			}
		}
	}
}

// packLen is the scratch that gemm needs, in floats.
func packLen(m, n, k int) int {
	return min(k, blockK) * (min(roundUp(n, tileN), blockN) + tileM)
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// gemmThin is gemm for a few rows, where packing B would cost more than it saves.
func gemmThin(c, a, b []float32, m, n, k int, tb bool) {
	for i := range m {
		row, out := a[i*k:i*k+k], c[i*n:i*n+n]
		if tb {
			for j := range out {
				s := out[j]
				col := b[j*k : j*k+k]
				for p, v := range row[:len(col)] {
					s += float32(v * col[p])
				}
				out[j] = s
			}
			continue
		}
		for p, v := range row {
			axpy(out, v, b[p*n:p*n+n])
		}
	}
}

// axpy adds v·x to y, which has the same length.
func axpy(y []float32, v float32, x []float32) {
	x = x[:len(y)]
	for len(x) >= 4 && len(y) >= 4 {
		y[0] += float32(v * x[0])
		y[1] += float32(v * x[1])
		y[2] += float32(v * x[2])
		y[3] += float32(v * x[3])
		x, y = x[4:], y[4:]
	}
	for i := range y {
		y[i] += float32(v * x[i])
	}
}

// gemmRow updates up to tileM rows of C, nb columns wide, with leading dimension ldc.
func gemmRow(c, ap, bp []float32, mb, nb, ldc, kb int) {
	for j := 0; j < nb; j += tileN {
		panel := bp[j*kb : j*kb+tileN*kb]
		if mb == tileM && nb-j >= tileN {
			micro(c[j:], ldc, ap, panel)
			continue
		}
		var tile [tileM * tileN]float32
		w := min(tileN, nb-j)
		for i := range mb {
			copy(tile[i*tileN:], c[i*ldc+j:i*ldc+j+w])
		}
		micro(tile[:], tileN, ap, panel)
		for i := range mb {
			copy(c[i*ldc+j:i*ldc+j+w], tile[i*tileN:])
		}
	}
}
