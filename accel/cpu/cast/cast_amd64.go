package cast

import "github.com/millrace-go/millrace/accel/cpu/isa"

//go:generate go run ./gen/main.go

func available() []impl {
	list := []impl{portable}
	if isa.Has(isa.AVX2) {
		list = append(list, implAVX2)
	}
	if isa.Has(isa.AVX512) {
		list = append(list, implAVX512)
	}
	return list
}

// block is the elements that the assembly does a multiple of.
const block = 16

// plain makes an implementation of an assembly kernel without parameters.
func plain[D, S any](f func(dst *D, src *S, n int)) func(dst []D, src []S) int {
	return func(dst []D, src []S) int {
		n := len(src) &^ (block - 1)
		if n > 0 {
			f(&dst[0], &src[0], n)
		}
		return n
	}
}

func quantized[D any](f func(dst *D, src *float32, n int, q *quantum)) func(dst []D, src []float32, q *quantum) int {
	return func(dst []D, src []float32, q *quantum) int {
		n := len(src) &^ (block - 1)
		if n > 0 {
			f(&dst[0], &src[0], n, q)
		}
		return n
	}
}

func scaled[S any](f func(dst *float32, src *S, n int, scale float32, zero int32)) func([]float32, []S, float32, int32) int {
	return func(dst []float32, src []S, scale float32, zero int32) int {
		n := len(src) &^ (block - 1)
		if n > 0 {
			f(&dst[0], &src[0], n, scale, zero)
		}
		return n
	}
}

func bounded(f func(dst, src *float32, n int)) func(x []float32, b *[2]float32) int {
	return func(x []float32, b *[2]float32) int {
		n := len(x) &^ (block - 1)
		if n > 0 {
			f(&b[0], &x[0], n)
		}
		return n
	}
}

var implAVX2 = impl{
	name:          "avx2",
	f16ToF32:      plain(f16ToF32AVX2),
	f32ToF16:      plain(f32ToF16AVX2),
	bf16ToF32:     plain(bf16ToF32AVX2),
	f32ToBF16:     plain(f32ToBF16AVX2),
	f64ToF32:      plain(f64ToF32AVX2),
	f32ToF64:      plain(f32ToF64AVX2),
	quantize8:     quantized(quantize8AVX2),
	quantize16:    quantized(quantize16AVX2),
	dequantizeU8:  scaled(dequantizeU8AVX2),
	dequantizeS8:  scaled(dequantizeS8AVX2),
	dequantizeU16: scaled(dequantizeU16AVX2),
	dequantizeS16: scaled(dequantizeS16AVX2),
	bounds:        bounded(boundsAVX2),
}

var implAVX512 = impl{
	name:          "avx512",
	f16ToF32:      plain(f16ToF32AVX512),
	f32ToF16:      plain(f32ToF16AVX512),
	bf16ToF32:     plain(bf16ToF32AVX512),
	f32ToBF16:     plain(f32ToBF16AVX512),
	f64ToF32:      plain(f64ToF32AVX512),
	f32ToF64:      plain(f32ToF64AVX512),
	quantize8:     quantized(quantize8AVX512),
	quantize16:    quantized(quantize16AVX512),
	dequantizeU8:  scaled(dequantizeU8AVX512),
	dequantizeS8:  scaled(dequantizeS8AVX512),
	dequantizeU16: scaled(dequantizeU16AVX512),
	dequantizeS16: scaled(dequantizeS16AVX512),
	bounds:        bounded(boundsAVX512),
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
