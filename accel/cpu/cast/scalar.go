package cast

import "math"

// FromF16 is the value of the float16 with bits h.
func FromF16(h uint16) float32 {
	sign, exp, man := uint32(h&0x8000)<<16, uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch {
	case exp == 0: // zero or subnormal: man units of 2⁻²⁴
		return math.Float32frombits(math.Float32bits(float32(man)*0x1p-24) | sign)
	case exp == 0x1f && man == 0:
		return math.Float32frombits(sign | 0x7f800000)
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7fc00000 | man<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | man<<13)
}

// ToF16 is the bits of the float16 nearest to x, ties to even.
func ToF16(x float32) uint16 {
	b := math.Float32bits(x)
	sign, a := uint16(b>>16&0x8000), b&0x7fffffff
	switch {
	case a > 0x7f800000: // NaN
		return sign | 0x7e00 | uint16(a>>13&0x3ff)
	case a >= 0x477ff000: // 65520, the midpoint of the greatest float16 and 2¹⁶
		return sign | 0x7c00
	case a < 0x38800000: // below 2⁻¹⁴; 0.5 has the spacing of subnormals, 2⁻²⁴
		return sign | uint16(math.Float32bits(math.Float32frombits(a)+0.5)-0x3f000000)
	}
	a -= 112 << 23
	return sign | uint16((a+0xfff+a>>13&1)>>13)
}

// FromBF16 is the value of the bfloat16 with bits h.
func FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBF16 is the bits of the bfloat16 nearest to x, ties to even.
func ToBF16(x float32) uint16 {
	b := math.Float32bits(x)
	if b&0x7fffffff > 0x7f800000 { // NaN: the carry below could make it infinite
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// toOdd rounds x to a float32 whose last bit is set if anything was lost
// (Boldo & Melquiond, "Emulation of FMA and correctly rounded sums: proved
// algorithms using rounding to odd", 2008). Rounding that to a type of 22 bits
// or less gives what rounding x at once gives.
func toOdd(x float64) float32 {
	y := float32(x)
	if float64(y) == x || x != x {
		return y
	}
	b := math.Float32bits(y)
	if math.Abs(float64(y)) > math.Abs(x) { // rounded away from zero: step back
		b--
	}
	return math.Float32frombits(b | 1)
}
