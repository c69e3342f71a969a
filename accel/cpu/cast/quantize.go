package cast

import (
	"fmt"
	"math"
)

// Range is the least and the greatest code of a quantized integer type.
type Range struct{ Lo, Hi int32 }

// The ranges of ONNX's quantized integers.
var (
	Uint8  = Range{0, 255}
	Int8   = Range{-128, 127}
	Uint16 = Range{0, 65535}
	Int16  = Range{-32768, 32767}
	Uint4  = Range{0, 15}
	Int4   = Range{-8, 7}
	Uint2  = Range{0, 3}
	Int2   = Range{-2, 1}
)

// quantum is how a slice is quantized: x/scale is clamped to [lo, hi], the
// range less the zero point, so that it rounds to an integer that fits.
type quantum struct {
	scale, lo, hi float32
	zero          int32
}

func newQuantum(scale float32, zero int32, r Range) quantum {
	if zero < r.Lo || zero > r.Hi {
		panic(fmt.Sprintf("cast: zero point %d, want %d to %d", zero, r.Lo, r.Hi))
	}
	return quantum{scale, float32(r.Lo - zero), float32(r.Hi - zero), zero}
}

// code is one element: clamping before rounding gives what clamping after
// gives, since the bounds are integers.
func (q *quantum) code(x float32) int32 {
	v := x / q.scale
	if !(v >= q.lo) { // NaN as well
		v = q.lo
	}
	if v > q.hi {
		v = q.hi
	}
	return int32(math.RoundToEven(float64(v))) + q.zero
}

// Quantize8 is ONNX's QuantizeLinear to codes of 8 bits or less:
//
//	dst[i] = saturate(round(src[i]/scale) + zero)
//
// with a true division, rounded to float32, and ties to even. Signed codes are
// written in two's complement. NaN becomes the least code. It panics if zero is
// not in r.
func Quantize8(dst []uint8, src []float32, scale float32, zero int32, r Range) {
	best.quantizeBytes(dst, src, scale, zero, r)
}

func (m impl) quantizeBytes(dst []uint8, src []float32, scale float32, zero int32, r Range) {
	sameLen(len(dst), len(src))
	q := newQuantum(scale, zero, r)
	for i := m.quantize8(dst, src, &q); i < len(src); i++ {
		dst[i] = uint8(q.code(src[i]))
	}
}

// Quantize16 is Quantize8 for codes of 16 bits.
func Quantize16(dst []uint16, src []float32, scale float32, zero int32, r Range) {
	best.quantizeWords(dst, src, scale, zero, r)
}

func (m impl) quantizeWords(dst []uint16, src []float32, scale float32, zero int32, r Range) {
	sameLen(len(dst), len(src))
	q := newQuantum(scale, zero, r)
	for i := m.quantize16(dst, src, &q); i < len(src); i++ {
		dst[i] = uint16(q.code(src[i]))
	}
}

// Quantize8Each is Quantize8 with a scale and a zero point for each element: the
// row of a matrix quantized by columns. A nil zeros means 0.
func Quantize8Each(dst []uint8, src, scales []float32, zeros []int32, r Range) {
	sameLen(len(dst), len(src))
	sameLen(len(scales), len(src))
	for i, x := range src {
		q := newQuantum(scales[i], zeroAt(zeros, i), r)
		dst[i] = uint8(q.code(x))
	}
}

func zeroAt(zeros []int32, i int) int32 {
	if zeros == nil {
		return 0
	}
	return zeros[i]
}

// DequantizeU8 is ONNX's DequantizeLinear: dst[i] = (src[i]-zero)·scale, the
// difference exact and the product rounded once.
func DequantizeU8(dst []float32, src []uint8, scale float32, zero int32) {
	best.widenU8(dst, src, scale, zero)
}

func (m impl) widenU8(dst []float32, src []uint8, scale float32, zero int32) {
	sameLen(len(dst), len(src))
	for i := m.dequantizeU8(dst, src, scale, zero); i < len(src); i++ {
		dst[i] = float32(int32(src[i])-zero) * scale
	}
}

// DequantizeS8 is DequantizeU8 for int8 codes, given by their bits.
func DequantizeS8(dst []float32, src []uint8, scale float32, zero int32) {
	best.widenS8(dst, src, scale, zero)
}

func (m impl) widenS8(dst []float32, src []uint8, scale float32, zero int32) {
	sameLen(len(dst), len(src))
	for i := m.dequantizeS8(dst, src, scale, zero); i < len(src); i++ {
		dst[i] = float32(int32(int8(src[i]))-zero) * scale
	}
}

// DequantizeU16 is DequantizeU8 for uint16 codes.
func DequantizeU16(dst []float32, src []uint16, scale float32, zero int32) {
	best.widenU16(dst, src, scale, zero)
}

func (m impl) widenU16(dst []float32, src []uint16, scale float32, zero int32) {
	sameLen(len(dst), len(src))
	for i := m.dequantizeU16(dst, src, scale, zero); i < len(src); i++ {
		dst[i] = float32(int32(src[i])-zero) * scale
	}
}

// DequantizeS16 is DequantizeU8 for int16 codes, given by their bits.
func DequantizeS16(dst []float32, src []uint16, scale float32, zero int32) {
	best.widenS16(dst, src, scale, zero)
}

func (m impl) widenS16(dst []float32, src []uint16, scale float32, zero int32) {
	sameLen(len(dst), len(src))
	for i := m.dequantizeS16(dst, src, scale, zero); i < len(src); i++ {
		dst[i] = float32(int32(int16(src[i]))-zero) * scale
	}
}

// DequantizeS32 is DequantizeU8 for int32, as accumulators and biases have it;
// the difference wraps around, as int32 does.
func DequantizeS32(dst []float32, src []int32, scale float32, zero int32) {
	sameLen(len(dst), len(src))
	for i, v := range src {
		dst[i] = float32(v-zero) * scale
	}
}

// DynamicRange returns the scale and the zero point of ONNX's
// DynamicQuantizeLinear, which maps the smallest range that holds x and 0 to
// the codes 0 to 255. NaNs are passed over. Where that range is a point or
// empty the scale is 1.
func DynamicRange(x []float32) (scale float32, zero uint8) { return best.dynamicRange(x) }

func (m impl) dynamicRange(x []float32) (scale float32, zero uint8) {
	var b [2]float32 // bounds widens the range that it finds here
	for _, v := range x[m.bounds(x, &b):] {
		b[0], b[1] = min32(v, b[0]), max32(v, b[1])
	}
	if b[0] == b[1] {
		return 1, 0
	}
	scale = (b[1] - b[0]) / 255
	q := newQuantum(1, 0, Uint8)
	return scale, uint8(q.code(-b[0] / scale))
}

// min32 and max32 give b where a is NaN.
func min32(a, b float32) float32 {
	if a < b {
		return a
	}
	return b
}

func max32(a, b float32) float32 {
	if a > b {
		return a
	}
	return b
}
