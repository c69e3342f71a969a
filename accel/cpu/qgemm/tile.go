package qgemm

import (
	"math"
	"unsafe"
)

// tileArgs is one tile of sums: rows of A by a panel of B. The assembly knows
// the offsets of the fields.
//
//	c[i][j] = rowz[i]*sums[j] + Σ_k a[i][k]*b[k][j]
type tileArgs struct {
	c     *int32         // 0
	ldc   int            // 8, in bytes
	a     unsafe.Pointer // 16, uint8 or, for a wide implementation, int16
	lda   int            // 24, in bytes
	b     unsafe.Pointer // 32, a packed panel
	quads int            // 40
	sums  *int32         // 48
	rowz  *int32         // 56
}

// finishArgs is what becomes of a tile of sums, 32 columns without gaps.
type finishArgs struct {
	src      *int32         // 0
	rows     int            // 8
	dst      unsafe.Pointer // 16
	ldd      int            // 24, in bytes
	bias     *int32         // 32, of 32 columns, as scale and offset are
	scale    *float32       // 40
	offset   *float32       // 48
	rowScale *float32       // 56
	rowsum   *int32         // 64
	negzb    *int32         // 72
	lo, hi   float32        // 80, 84
	zero     int32          // 88
}

// portable is plain Go.
var portable = impl{
	name: "portable", rows: 4, tile: portableTile,
	rank1: portableRank1, finishF: portableFinishF, finish8: portableFinish8,
	copyRow: copyRow, widenRow: widenRow, packQuad: packQuad,
}

func portableTile(rows int, t *tileArgs) {
	b := unsafe.Slice((*[nr][4]int8)(t.b), t.quads)
	sums, rowz := unsafe.Slice(t.sums, nr), unsafe.Slice(t.rowz, rows)
	for i := range rows {
		a := unsafe.Slice((*[4]uint8)(unsafe.Add(t.a, i*t.lda)), t.quads)
		var acc [nr]int32
		for j := range acc {
			acc[j] = rowz[i] * sums[j]
		}
		for q := range a {
			a0, a1, a2, a3 := int32(a[q][0]), int32(a[q][1]), int32(a[q][2]), int32(a[q][3])
			for j := range acc {
				w := &b[q][j]
				acc[j] += a0*int32(w[0]) + a1*int32(w[1]) + a2*int32(w[2]) + a3*int32(w[3])
			}
		}
		copy(unsafe.Slice((*int32)(unsafe.Add(unsafe.Pointer(t.c), i*t.ldc)), nr), acc[:])
	}
}

// portableRank1 subtracts the zero points of B: src[i][j] += rowsum[i]*negzb[j].
func portableRank1(f *finishArgs) {
	src, zb := unsafe.Slice(f.src, f.rows*nr), unsafe.Slice(f.negzb, nr)
	for i, s := range unsafe.Slice(f.rowsum, f.rows) {
		for j := range zb {
			src[i*nr+j] += s * zb[j]
		}
	}
}

// value is v of the package comment for element j of a row of sums.
func (f *finishArgs) value(row []int32, j int, rowScale float32) float32 {
	at := uintptr(j) * 4
	bias := *(*int32)(unsafe.Add(unsafe.Pointer(f.bias), at))
	scale := *(*float32)(unsafe.Add(unsafe.Pointer(f.scale), at))
	offset := *(*float32)(unsafe.Add(unsafe.Pointer(f.offset), at))
	return float32(float32(float32(row[j]+bias)*scale)*rowScale) + offset
}

func portableFinishF(f *finishArgs) {
	src := unsafe.Slice(f.src, f.rows*nr)
	for i, rs := range unsafe.Slice(f.rowScale, f.rows) {
		dst := unsafe.Slice((*float32)(unsafe.Add(f.dst, i*f.ldd)), nr)
		for j := range dst {
			v := f.value(src[i*nr:], j, rs)
			if f.lo > v {
				v = f.lo
			}
			if f.hi < v {
				v = f.hi
			}
			dst[j] = v
		}
	}
}

func portableFinish8(f *finishArgs) {
	src := unsafe.Slice(f.src, f.rows*nr)
	for i, rs := range unsafe.Slice(f.rowScale, f.rows) {
		dst := unsafe.Slice((*uint8)(unsafe.Add(f.dst, i*f.ldd)), nr)
		for j := range dst {
			v := f.value(src[i*nr:], j, rs)
			if !(v > f.lo) { // NaN as well
				v = f.lo
			}
			if !(v < f.hi) {
				v = f.hi
			}
			dst[j] = uint8(int32(math.RoundToEven(float64(v))) + f.zero)
		}
	}
}
