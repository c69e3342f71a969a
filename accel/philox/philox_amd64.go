package philox

import "github.com/millrace-go/millrace/accel/cpu/isa"

//go:generate go run ./gen/main.go

func available() []impl {
	list := []impl{portable}
	if isa.Has(isa.AVX2) {
		list = append(list, vector("avx2", fillAVX2, uniformAVX2, keepAVX2, dropoutAVX2))
	}
	if isa.Has(isa.AVX512) {
		list = append(list, vector("avx512", fillAVX512, uniformAVX512, keepAVX512, dropoutAVX512))
	}
	return list
}

// vector makes an implementation of assembly functions, which take a count of
// groups, or one of elements that is a multiple of 16.
func vector(name string,
	fill func(dst *uint32, groups int, key, id, block uint64),
	uniform func(dst *float32, words *uint32, n int),
	keep func(dst *uint8, words *uint32, n int, drop uint32),
	dropout func(dst, src *float32, words *uint32, n int, drop uint32, scale float32),
) impl {
	return impl{
		name: name,
		fill: func(dst []uint32, s Stream, block uint64) {
			if len(dst) > 0 {
				fill(&dst[0], len(dst)/group, s.Key, s.ID, block)
			}
		},
		uniform: func(dst []float32, words []uint32) int {
			n := len(words) &^ 15
			if n > 0 {
				uniform(&dst[0], &words[0], n)
			}
			return n
		},
		keep: func(dst []uint8, words []uint32, drop uint32) int {
			n := len(words) &^ 15
			if n > 0 {
				keep(&dst[0], &words[0], n, drop)
			}
			return n
		},
		dropout: func(dst, src []float32, words []uint32, drop uint32, scale float32) int {
			n := len(words) &^ 15
			if n > 0 {
				dropout(&dst[0], &src[0], &words[0], n, drop, scale)
			}
			return n
		},
	}
}

//go:noescape
func fillAVX2(dst *uint32, groups int, key, id, block uint64)

//go:noescape
func fillAVX512(dst *uint32, groups int, key, id, block uint64)

//go:noescape
func uniformAVX2(dst *float32, words *uint32, n int)

//go:noescape
func uniformAVX512(dst *float32, words *uint32, n int)

//go:noescape
func keepAVX2(dst *uint8, words *uint32, n int, drop uint32)

//go:noescape
func keepAVX512(dst *uint8, words *uint32, n int, drop uint32)

//go:noescape
func dropoutAVX2(dst, src *float32, words *uint32, n int, drop uint32, scale float32)

//go:noescape
func dropoutAVX512(dst, src *float32, words *uint32, n int, drop uint32, scale float32)
