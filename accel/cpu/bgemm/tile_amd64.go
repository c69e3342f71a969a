package bgemm

import (
	"github.com/millrace-go/millrace/accel/cpu/isa"
)

//go:generate go run ./gen/main.go

func available() []impl {
	list := []impl{portable}
	if !isa.Has(isa.AVX2) {
		return list
	}
	narrow := impl{
		name: "avx2",
		cores: [2]core{
			{rows: 6, wide: true, tile: func(rows int, t *tileArgs) { tilesBF16AVX2[rows](t) }},
			{rows: 6, wide: true, tile: func(rows int, t *tileArgs) { tilesF16AVX2[rows](t) }},
		},
		finish: finishAVX2, addTo: addToAVX2, narrow: [2]func(f *finishArgs){toBF16AVX2, toF16AVX2},
		pairs16: interleave16, pairs32: interleave32,
		turn: turn{columns32AVX2, columns16AVX2, rows32AVX2, rows16AVX2},
	}
	list = append(list, narrow)
	if !isa.Has(isa.AVX512) {
		return list
	}
	full := narrow
	full.name = "avx512"
	full.cores[Float16] = core{rows: maxRows, wide: true, tile: func(rows int, t *tileArgs) { tilesF16AVX512[rows](t) }}
	full.finish, full.addTo, full.narrow = finishAVX512, addToAVX512, [2]func(f *finishArgs){toBF16AVX512, toF16AVX512}
	if isa.BF16 {
		full.cores[BFloat16] = core{rows: maxRows, tile: func(rows int, t *tileArgs) { tilesBF16[rows](t) }}
	}
	return append(list, full)
}

func interleave16(dst, r0, r1 []uint16) { pairs16AVX2(&dst[:2*nr][0], &r0[:nr][0], &r1[:nr][0]) }

func interleave32(dst []uint16, r0, r1 []float32) {
	pairs32AVX2(&dst[:2*nr][0], &r0[:nr][0], &r1[:nr][0])
}

// The fifth argument is for a signature like that of the rows.

//go:noescape
func columns32AVX2(dst *uint16, src *float32, ld, n, _ int)

//go:noescape
func columns16AVX2(dst, src *uint16, ld, n, _ int)

//go:noescape
func rows32AVX2(dst *uint16, src *float32, ld, n, to int)

//go:noescape
func rows16AVX2(dst, src *uint16, ld, n, to int)

//go:noescape
func pairs16AVX2(dst, r0, r1 *uint16)

//go:noescape
func pairs32AVX2(dst *uint16, r0, r1 *float32)

//go:noescape
func finishAVX2(f *finishArgs)

//go:noescape
func finishAVX512(f *finishArgs)

//go:noescape
func addToAVX2(f *finishArgs)

//go:noescape
func addToAVX512(f *finishArgs)

//go:noescape
func toBF16AVX2(f *finishArgs)

//go:noescape
func toBF16AVX512(f *finishArgs)

//go:noescape
func toF16AVX2(f *finishArgs)

//go:noescape
func toF16AVX512(f *finishArgs)
