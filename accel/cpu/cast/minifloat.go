package cast

import (
	"fmt"
	"math"
)

// Minifloat is a floating-point type of 8 or 4 bits, one element a byte.
// Micikevicius et al., https://arxiv.org/abs/2209.05433 (E4M3FN, E5M2); Noune
// et al., https://arxiv.org/abs/2206.02915 (the FNUZ types, which have one
// zero, one NaN and no infinities); OCP Microscaling Formats 1.0 (E8M0, E2M1).
type Minifloat uint8

// The types, named as ONNX names them.
const (
	Float8E4M3FN Minifloat = iota
	Float8E4M3FNUZ
	Float8E5M2
	Float8E5M2FNUZ
	Float8E8M0 // a power of two: no sign, no zero
	Float4E2M1 // no NaN, no infinities; codes 0 to 15
)

// layout is how a type's codes are made. Codes without the sign are in the
// order of the magnitudes they stand for.
type layout struct {
	name      string
	man, bias int
	greatest  uint8 // the greatest finite magnitude
	inf       uint8 // what stands for infinity: NaN if there is none
	nan       uint8
	sign      uint8
	fnuz      bool
}

var layouts = [...]layout{
	Float8E4M3FN:   {"float8e4m3fn", 3, 7, 0x7e, 0x7f, 0x7f, 0x80, false},
	Float8E4M3FNUZ: {"float8e4m3fnuz", 3, 8, 0x7f, 0x80, 0x80, 0x80, true},
	Float8E5M2:     {"float8e5m2", 2, 15, 0x7b, 0x7c, 0x7e, 0x80, false},
	Float8E5M2FNUZ: {"float8e5m2fnuz", 2, 16, 0x7f, 0x80, 0x80, 0x80, true},
	Float8E8M0:     {"float8e8m0", 0, 127, 0xfe, 0xff, 0xff, 0, false},
	Float4E2M1:     {"float4e2m1", 1, 1, 0x7, 0x7, 0x8, 0x8, false},
}

// String is the ONNX name of the type.
func (f Minifloat) String() string {
	if int(f) >= len(layouts) {
		return fmt.Sprintf("minifloat(%d)", uint8(f))
	}
	return layouts[f].name
}

// values are the float32 values of all codes.
var values = func() (t [len(layouts)][256]float32) {
	for f := range t {
		for c := range t[f] {
			t[f][c] = layouts[f].value(uint8(c))
		}
	}
	return t
}()

// value decodes one code.
func (l *layout) value(code uint8) float32 {
	mag := code &^ l.sign
	if l.sign == 0x8 { // the upper half of a 4-bit code's byte means nothing
		mag &= 0x7
	}
	var v float64
	switch {
	case l.fnuz && code == l.nan:
		v = math.NaN()
	case mag > l.greatest && mag == l.inf && l.inf != l.nan:
		v = math.Inf(1)
	case mag > l.greatest:
		v = math.NaN()
	case l.sign == 0: // E8M0
		v = math.Ldexp(1, int(mag)-l.bias)
	case mag>>l.man == 0:
		v = math.Ldexp(float64(mag), 1-l.bias-l.man)
	default:
		man := int(mag)&(1<<l.man-1) | 1<<l.man
		v = math.Ldexp(float64(man), int(mag>>l.man)-l.bias-l.man)
	}
	if code&l.sign != 0 {
		v = -v
	}
	return float32(v)
}

// Value is the value of a code. Of a 4-bit code the upper half of the byte is
// ignored.
func (f Minifloat) Value(code uint8) float32 { return values[f][code] }

// Decode widens codes, exactly.
func (f Minifloat) Decode(dst []float32, src []uint8) {
	sameLen(len(dst), len(src))
	t := &values[f]
	for i, c := range src {
		dst[i] = t[c]
	}
}

// Encode rounds to nearest even. Where the rounded magnitude is greater than the
// type's greatest, the result is that greatest if saturate is set, and else
// infinity, or NaN in a type without infinities; Float4E2M1 always saturates
// and makes -0 of NaN, 0 of a negative one. This is ONNX's Cast. Float8E8M0 rounds as EncodeE8M0
// with RoundUp does, the default of ONNX.
func (f Minifloat) Encode(dst []uint8, src []float32, saturate bool) {
	if f == Float8E8M0 {
		EncodeE8M0(dst, src, saturate, RoundUp)
		return
	}
	sameLen(len(dst), len(src))
	l := &layouts[f]
	for i, v := range src {
		dst[i] = l.code(float64(v), saturate)
	}
}

// EncodeF64 is Encode from float64, with a single rounding. For Float8E8M0 the
// elements are rounded to float32 first, as ONNX has it.
func (f Minifloat) EncodeF64(dst []uint8, src []float64, saturate bool) {
	sameLen(len(dst), len(src))
	l := &layouts[f]
	for i, v := range src {
		if f == Float8E8M0 {
			dst[i] = codeE8M0(float32(v), saturate, RoundUp)
		} else {
			dst[i] = l.code(v, saturate)
		}
	}
}

// code encodes one value.
func (l *layout) code(x float64, saturate bool) uint8 {
	b := math.Float64bits(x)
	sign := uint8(b>>63) * l.sign
	switch {
	case x != x && l.fnuz:
		return l.nan
	case x != x:
		return l.nan ^ sign
	}
	exp := max(int(b>>52&0x7ff)-1023, 1-l.bias)
	if exp > 16 { // infinite or too great for every type
		return l.over(sign, saturate)
	}
	// units is |x| in units of the last place, at most 2^(man+1): the product is
	// exact, for subnormal float64 are far below every type's least.
	units := math.RoundToEven(math.Abs(x) * math.Float64frombits(uint64(1023-exp+l.man)<<52))
	mag := (exp+l.bias-1)<<l.man + int(units)
	if mag > int(l.greatest) {
		return l.over(sign, saturate)
	}
	return l.signed(uint8(mag), sign)
}

func (l *layout) over(sign uint8, saturate bool) uint8 {
	if saturate {
		return l.signed(l.greatest, sign)
	}
	return l.signed(l.inf, sign)
}

// signed adds the sign, where the code may have one.
func (l *layout) signed(code, sign uint8) uint8 {
	if code == 0 && l.fnuz {
		return 0
	}
	return code | sign
}

// Rounding says how EncodeE8M0 rounds.
type Rounding uint8

// The roundings of ONNX's Cast to float8e8m0.
const (
	RoundUp      Rounding = iota // to the next power of two that is not less
	RoundDown                    // towards zero
	RoundNearest                 // half of the way and more goes up
)

// EncodeE8M0 rounds magnitudes to powers of two; the sign is dropped, zero
// becomes 2⁻¹²⁷, the least code. Of float32's subnormals the fraction field is
// what is rounded, as in ONNX's reference: all but 0 round up to 2⁻¹²⁶. Infinities and NaN become NaN. What rounds up
// beyond 2¹²⁷ becomes that if saturate is set, else NaN.
func EncodeE8M0(dst []uint8, src []float32, saturate bool, r Rounding) {
	sameLen(len(dst), len(src))
	for i, v := range src {
		dst[i] = codeE8M0(v, saturate, r)
	}
}

func codeE8M0(x float32, saturate bool, r Rounding) uint8 {
	b := math.Float32bits(x)
	exp, man := uint8(b>>23), b&0x7fffff
	if exp == 0xff {
		return 0xff
	}
	var up bool
	switch r {
	case RoundUp:
		up = man != 0
	case RoundNearest:
		up = man > 0x400000 || man == 0x400000 && exp > 0
	}
	if up && !(saturate && exp == 0xfe) {
		exp++
	}
	return exp
}
