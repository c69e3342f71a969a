package qgemm

import (
	"unsafe"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

//go:generate go run ./gen/main.go

func available() []impl {
	list := []impl{portable}
	if isa.Has(isa.AVX2) {
		list = append(list, impl{
			name: "avx2", rows: 6, wide: true,
			tile:  func(rows int, t *tileArgs) { tilesAVX2[rows](t) },
			rank1: rank1AVX2, finishF: finishFAVX2, finish8: finish8AVX2,
			copyRow: copyRowVector, widenRow: widenRowVector, packQuad: packQuadVector,
		})
	}
	if isa.VNNI {
		list = append(list, impl{
			name: "vnni", rows: maxRows,
			tile:  func(rows int, t *tileArgs) { tilesVNNI[rows](t) },
			rank1: rank1AVX512, finishF: finishFAVX512, finish8: finish8AVX512,
			copyRow: copyRowVector, widenRow: widenRowVector, packQuad: packQuadVector,
		})
	}
	return list
}

func packQuadVector(dst []int32, r0, r1, r2, r3 []uint8, flip uint8, sums []int32) {
	_, _ = dst[nr-1], sums[nr-1]
	packQuadAVX2(&dst[0], &r0[:nr][0], &r1[:nr][0], &r2[:nr][0], &r3[:nr][0], &sums[0], uint64(flip)*0x0101010101010101)
}

func copyRowVector(dst, src []uint8, flip uint8) (sum int32) {
	n := len(src) &^ 31
	if n > 0 {
		sum = int32(copyRowAVX2(&dst[0], &src[0], n, uint64(flip)*0x0101010101010101))
	}
	return sum + copyRow(dst[n:], src[n:], flip)
}

func widenRowVector(dst []int16, src []uint8, flip uint8) (sum int32) {
	n := len(src) &^ 31
	if n > 0 {
		sum = int32(widenRowAVX2(&dst[0], (*int8)(unsafe.Pointer(&src[0])), n, uint64(flip)*0x0101010101010101))
	}
	return sum + widenRow(dst[n:], src[n:], flip)
}

//go:noescape
func copyRowAVX2(dst, src *uint8, n int, flip uint64) (sum int64)

//go:noescape
func widenRowAVX2(dst *int16, src *int8, n int, flip uint64) (sum int64)

//go:noescape
func packQuadAVX2(dst *int32, r0, r1, r2, r3 *uint8, sums *int32, flip uint64)

//go:noescape
func rank1AVX2(f *finishArgs)

//go:noescape
func rank1AVX512(f *finishArgs)

//go:noescape
func finishFAVX2(f *finishArgs)

//go:noescape
func finishFAVX512(f *finishArgs)

//go:noescape
func finish8AVX2(f *finishArgs)

//go:noescape
func finish8AVX512(f *finishArgs)
