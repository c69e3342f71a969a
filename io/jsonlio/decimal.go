package jsonlio

import (
	"math"
	"math/big"
	"math/bits"
	"sync"
)

// The powers of ten that float64 numbers of up to 19 digits need.
const (
	minPower = -342
	maxPower = 308
)

// tens are the powers of ten that are float64 exactly.
var tens = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// power is the first 128 bits, rounded down, of a power of five; its highest bit is set.
type power struct{ hi, lo uint64 }

// powers are those of 5^minPower to 5^maxPower.
var powers = sync.OnceValue(func() *[maxPower - minPower + 1]power {
	var table [maxPower - minPower + 1]power
	for i := range table {
		e := int64(minPower + i)
		five := new(big.Int).Exp(big.NewInt(5), big.NewInt(max(e, -e)), nil)
		if e < 0 { // 2^n / 5^-e has 128 bits
			n := uint(five.BitLen() + 127)
			five = new(big.Int).Quo(new(big.Int).Lsh(big.NewInt(1), n), five)
		}
		if n := five.BitLen() - 128; n >= 0 {
			five.Rsh(five, uint(n))
		} else {
			five.Lsh(five, uint(-n))
		}
		table[i] = power{new(big.Int).Rsh(five, 64).Uint64(), new(big.Int).And(five, new(big.Int).SetUint64(math.MaxUint64)).Uint64()}
	}
	return &table
})

// decimal is the float64 nearest to mantissa·10^exponent, ties to even. It says no where it
// cannot tell quickly: near a tie, below the normal numbers, above the largest.
//
// The method is Lemire's (Number Parsing at a Gigabyte per Second, 2021): the product with the first 64 or
// 128 bits of the power of five gives the bits of the result, unless what was cut off could change them.
func decimal(mantissa uint64, exponent int) (float64, bool) {
	switch {
	case mantissa == 0:
		return 0, true
	case mantissa < 1<<53 && exponent >= -22 && exponent <= 22:
		if exponent < 0 {
			return float64(mantissa) / tens[-exponent], true
		}
		return float64(mantissa) * tens[exponent], true // both exact: one rounding
	case exponent < minPower || exponent > maxPower:
		return 0, false
	}
	zeros := bits.LeadingZeros64(mantissa)
	m := mantissa << zeros
	ten := &powers()[exponent-minPower]
	hi, lo := bits.Mul64(m, ten.hi)
	if hi&0x1ff == 0x1ff { // 9 bits are cut off: what is below could carry into the result
		more, _ := bits.Mul64(m, ten.lo)
		var carry uint64
		lo, carry = bits.Add64(lo, more, 0)
		hi += carry
		if hi&0x1ff == 0x1ff && lo+1 == 0 {
			return 0, false
		}
	}
	top := int(hi >> 63)
	fraction := hi >> (9 + top) // 54 bits: the result's 53 and one to round by
	if fraction&3 == 1 && lo == 0 && hi&(1<<(9+top)-1) == 0 {
		return 0, false // a tie, perhaps
	}
	fraction = (fraction + fraction&1) >> 1
	// 217706·e/2^16 is floor(e·log2(10)); 1023 is the bias, 63 the place of the highest bit.
	biased := 217706*exponent>>16 + 1023 + 63 + top - zeros
	if fraction == 1<<53 {
		fraction >>= 1
		biased++
	}
	if biased < 1 || biased > 2046 {
		return 0, false
	}
	return math.Float64frombits(uint64(biased)<<52 | fraction&(1<<52-1)), true
}
