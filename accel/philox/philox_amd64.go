package philox

import "github.com/millrace-go/millrace/accel/cpu/isa"

//go:generate go run ./gen/main.go

// The levels of isa as implementations.
const (
	avx2   = impl(isa.AVX2)
	avx512 = impl(isa.AVX512)
)

func (m impl) fill(dst []uint32, s Stream, block uint64) {
	switch {
	case len(dst) == 0:
	case m == avx512:
		fillAVX512(&dst[0], len(dst)/group, s.Key, s.ID, block)
	case m == avx2:
		fillAVX2(&dst[0], len(dst)/group, s.Key, s.ID, block)
	default:
		fillPortable(dst, s, block)
	}
}

// whole is how many of n elements the assembly does.
func (m impl) whole(n int) int {
	if m < avx2 {
		return 0
	}
	return n &^ 15
}

func (m impl) uniform(dst []float32, words []uint32) int {
	n := m.whole(len(words))
	switch {
	case n == 0:
	case m == avx512:
		uniformAVX512(&dst[0], &words[0], n)
	default:
		uniformAVX2(&dst[0], &words[0], n)
	}
	return n
}

func (m impl) keep(dst []uint8, words []uint32, drop uint32) int {
	n := m.whole(len(words))
	switch {
	case n == 0:
	case m == avx512:
		keepAVX512(&dst[0], &words[0], n, drop)
	default:
		keepAVX2(&dst[0], &words[0], n, drop)
	}
	return n
}

func (m impl) dropout(dst, src []float32, words []uint32, drop uint32, scale float32) int {
	n := m.whole(len(words))
	switch {
	case n == 0:
	case m == avx512:
		dropoutAVX512(&dst[0], &src[0], &words[0], n, drop, scale)
	default:
		dropoutAVX2(&dst[0], &src[0], &words[0], n, drop, scale)
	}
	return n
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
