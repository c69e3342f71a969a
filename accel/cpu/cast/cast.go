// Package cast converts slices between floating-point types and quantizes them.
//
// Every conversion rounds once, to nearest even, keeps subnormals, infinities
// and signed zeros, and makes every NaN a quiet NaN of the same sign with the
// payload's leading bits. A float16 or bfloat16 element is the uint16 of its
// bits, an 8-bit or 4-bit one a uint8.
//
// The implementations give the same bits on every level, portable Go included:
// all of this arithmetic is exact or rounded once by IEEE 754.
//
// A dst shorter or longer than its src is a programmer's mistake and panics.
// dst and src must not overlap.
package cast

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// impl is one implementation. Its bulk methods may leave a tail undone; they
// return how many elements are done. They are no function values, so that
// slices of a caller's stack stay there.
type impl isa.Level

// impls lists the implementations this process may use, plain Go first; best is
// the last.
var (
	impls = available()
	best  = impls[len(impls)-1]
)

func available() []impl {
	var list []impl
	for l := isa.Portable; isa.Has(l); l++ {
		list = append(list, impl(l))
	}
	return list
}

// String is the name of the level.
func (m impl) String() string { return isa.Level(m).String() }

func sameLen(dst, src int) {
	if dst != src {
		panic(fmt.Sprintf("cast: dst has %d elements, src %d", dst, src))
	}
}

// F16ToF32 widens float16, exactly.
func F16ToF32(dst []float32, src []uint16) { best.widenF16(dst, src) }

func (m impl) widenF16(dst []float32, src []uint16) {
	sameLen(len(dst), len(src))
	for i := m.f16ToF32(dst, src); i < len(src); i++ {
		dst[i] = FromF16(src[i])
	}
}

// F32ToF16 rounds to float16.
func F32ToF16(dst []uint16, src []float32) { best.roundF16(dst, src) }

func (m impl) roundF16(dst []uint16, src []float32) {
	sameLen(len(dst), len(src))
	for i := m.f32ToF16(dst, src); i < len(src); i++ {
		dst[i] = ToF16(src[i])
	}
}

// BF16ToF32 widens bfloat16, exactly; signaling NaNs stay as they are, since
// nothing is computed.
func BF16ToF32(dst []float32, src []uint16) { best.widenBF16(dst, src) }

func (m impl) widenBF16(dst []float32, src []uint16) {
	sameLen(len(dst), len(src))
	for i := m.bf16ToF32(dst, src); i < len(src); i++ {
		dst[i] = FromBF16(src[i])
	}
}

// F32ToBF16 rounds to bfloat16.
func F32ToBF16(dst []uint16, src []float32) { best.roundBF16(dst, src) }

func (m impl) roundBF16(dst []uint16, src []float32) {
	sameLen(len(dst), len(src))
	for i := m.f32ToBF16(dst, src); i < len(src); i++ {
		dst[i] = ToBF16(src[i])
	}
}

// F64ToF32 rounds to float32.
func F64ToF32(dst []float32, src []float64) { best.roundF32(dst, src) }

func (m impl) roundF32(dst []float32, src []float64) {
	sameLen(len(dst), len(src))
	for i := m.f64ToF32(dst, src); i < len(src); i++ {
		dst[i] = float32(src[i])
	}
}

// F32ToF64 widens float32, exactly.
func F32ToF64(dst []float64, src []float32) { best.widenF32(dst, src) }

func (m impl) widenF32(dst []float64, src []float32) {
	sameLen(len(dst), len(src))
	for i := m.f32ToF64(dst, src); i < len(src); i++ {
		dst[i] = float64(src[i])
	}
}

// F64ToF16 rounds to float16, once.
func F64ToF16(dst []uint16, src []float64) {
	sameLen(len(dst), len(src))
	for i, v := range src {
		dst[i] = ToF16(toOdd(v))
	}
}

// F64ToBF16 rounds to bfloat16, once.
func F64ToBF16(dst []uint16, src []float64) {
	sameLen(len(dst), len(src))
	for i, v := range src {
		dst[i] = ToBF16(toOdd(v))
	}
}
