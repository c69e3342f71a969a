package cast

import "github.com/millrace-go/millrace/accel/cpu/isa"

//go:generate go run ./gen/main.go

// block is the elements that the assembly does a multiple of.
const block = 16

// The levels of isa as implementations.
const (
	avx2   = impl(isa.AVX2)
	avx512 = impl(isa.AVX512)
)

func (m impl) f16ToF32(dst []float32, src []uint16) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		f16ToF32AVX512(&dst[0], &src[0], n)
	default:
		f16ToF32AVX2(&dst[0], &src[0], n)
	}
	return n
}

func (m impl) f32ToF16(dst []uint16, src []float32) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		f32ToF16AVX512(&dst[0], &src[0], n)
	default:
		f32ToF16AVX2(&dst[0], &src[0], n)
	}
	return n
}

func (m impl) bf16ToF32(dst []float32, src []uint16) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		bf16ToF32AVX512(&dst[0], &src[0], n)
	default:
		bf16ToF32AVX2(&dst[0], &src[0], n)
	}
	return n
}

func (m impl) f32ToBF16(dst []uint16, src []float32) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		f32ToBF16AVX512(&dst[0], &src[0], n)
	default:
		f32ToBF16AVX2(&dst[0], &src[0], n)
	}
	return n
}

func (m impl) f64ToF32(dst []float32, src []float64) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		f64ToF32AVX512(&dst[0], &src[0], n)
	default:
		f64ToF32AVX2(&dst[0], &src[0], n)
	}
	return n
}

func (m impl) f32ToF64(dst []float64, src []float32) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		f32ToF64AVX512(&dst[0], &src[0], n)
	default:
		f32ToF64AVX2(&dst[0], &src[0], n)
	}
	return n
}

func (m impl) quantize8(dst []uint8, src []float32, q *quantum) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		quantize8AVX512(&dst[0], &src[0], n, q)
	default:
		quantize8AVX2(&dst[0], &src[0], n, q)
	}
	return n
}

func (m impl) quantize16(dst []uint16, src []float32, q *quantum) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		quantize16AVX512(&dst[0], &src[0], n, q)
	default:
		quantize16AVX2(&dst[0], &src[0], n, q)
	}
	return n
}

func (m impl) dequantizeU8(dst []float32, src []uint8, scale float32, zero int32) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		dequantizeU8AVX512(&dst[0], &src[0], n, scale, zero)
	default:
		dequantizeU8AVX2(&dst[0], &src[0], n, scale, zero)
	}
	return n
}

func (m impl) dequantizeS8(dst []float32, src []uint8, scale float32, zero int32) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		dequantizeS8AVX512(&dst[0], &src[0], n, scale, zero)
	default:
		dequantizeS8AVX2(&dst[0], &src[0], n, scale, zero)
	}
	return n
}

func (m impl) dequantizeU16(dst []float32, src []uint16, scale float32, zero int32) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		dequantizeU16AVX512(&dst[0], &src[0], n, scale, zero)
	default:
		dequantizeU16AVX2(&dst[0], &src[0], n, scale, zero)
	}
	return n
}

func (m impl) dequantizeS16(dst []float32, src []uint16, scale float32, zero int32) int {
	n := len(src) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		dequantizeS16AVX512(&dst[0], &src[0], n, scale, zero)
	default:
		dequantizeS16AVX2(&dst[0], &src[0], n, scale, zero)
	}
	return n
}

func (m impl) bounds(x []float32, b *[2]float32) int {
	n := len(x) &^ (block - 1)
	switch {
	case m < avx2 || n == 0:
		return 0
	case m == avx512:
		boundsAVX512(&b[0], &x[0], n)
	default:
		boundsAVX2(&b[0], &x[0], n)
	}
	return n
}

//go:noescape
func f16ToF32AVX2(dst *float32, src *uint16, n int)

//go:noescape
func f32ToF16AVX2(dst *uint16, src *float32, n int)

//go:noescape
func bf16ToF32AVX2(dst *float32, src *uint16, n int)

//go:noescape
func f32ToBF16AVX2(dst *uint16, src *float32, n int)

//go:noescape
func f64ToF32AVX2(dst *float32, src *float64, n int)

//go:noescape
func f32ToF64AVX2(dst *float64, src *float32, n int)

//go:noescape
func quantize8AVX2(dst *uint8, src *float32, n int, q *quantum)

//go:noescape
func quantize16AVX2(dst *uint16, src *float32, n int, q *quantum)

//go:noescape
func dequantizeU8AVX2(dst *float32, src *uint8, n int, scale float32, zero int32)

//go:noescape
func dequantizeS8AVX2(dst *float32, src *uint8, n int, scale float32, zero int32)

//go:noescape
func dequantizeU16AVX2(dst *float32, src *uint16, n int, scale float32, zero int32)

//go:noescape
func dequantizeS16AVX2(dst *float32, src *uint16, n int, scale float32, zero int32)

//go:noescape
func boundsAVX2(dst, src *float32, n int)

//go:noescape
func f16ToF32AVX512(dst *float32, src *uint16, n int)

//go:noescape
func f32ToF16AVX512(dst *uint16, src *float32, n int)

//go:noescape
func bf16ToF32AVX512(dst *float32, src *uint16, n int)

//go:noescape
func f32ToBF16AVX512(dst *uint16, src *float32, n int)

//go:noescape
func f64ToF32AVX512(dst *float32, src *float64, n int)

//go:noescape
func f32ToF64AVX512(dst *float64, src *float32, n int)

//go:noescape
func quantize8AVX512(dst *uint8, src *float32, n int, q *quantum)

//go:noescape
func quantize16AVX512(dst *uint16, src *float32, n int, q *quantum)

//go:noescape
func dequantizeU8AVX512(dst *float32, src *uint8, n int, scale float32, zero int32)

//go:noescape
func dequantizeS8AVX512(dst *float32, src *uint8, n int, scale float32, zero int32)

//go:noescape
func dequantizeU16AVX512(dst *float32, src *uint16, n int, scale float32, zero int32)

//go:noescape
func dequantizeS16AVX512(dst *float32, src *uint16, n int, scale float32, zero int32)

//go:noescape
func boundsAVX512(dst, src *float32, n int)
