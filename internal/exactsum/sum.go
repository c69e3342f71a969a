// Package exactsum adds float64 values, products and squares without any
// rounding, so that a sum is the same bits for any order of adding and any
// tree of merges.
//
// A Sum is a fixed-point number that spans the whole range of a product of
// two float64 values, 2^-2148 to 2^2048, and 2^63 of the largest of them, in
// limbs of 32 bits kept in int64 (a superaccumulator: Kulisch, "Computer
// Arithmetic and Validity"; the limbs with room for lazy carries follow Neal,
// "Fast exact summation using small and large superaccumulators",
// https://arxiv.org/abs/1505.05571; here the limbs span products too).
package exactsum

import (
	"math"
	"math/bits"
)

const (
	limbBits = 32
	// bias is the weight of the lowest bit: 2^-bias, the square of the
	// smallest subnormal 2^-1074.
	bias = 2148
	// limbs covers bias + 2048 bits of a product, 63 bits of count and a sign.
	limbs = 134
	// maxPending is how often a limb can take a digit below 2^32 and stay
	// below 2^62, so that a merge of two Sums cannot overflow either.
	maxPending = 1 << 29
)

// Sum is an exact sum. The zero value is an empty sum. It is not safe for
// concurrent use; copying it copies the sum.
//
// Values that are not finite are remembered: the sum is then NaN or infinite
// as IEEE 754 addition would have it.
type Sum struct {
	limb    [limbs]int64
	pending uint32 // additions since the last carry, each below 2^32 a limb
	special uint8
}

const (
	sawPosInf = 1 << iota
	sawNegInf
	sawNaN
)

// Add adds x.
func (s *Sum) Add(x float64) { s.add(x, 0) }

// AddN adds n times x, as n calls of Add would.
func (s *Sum) AddN(x float64, n uint64) {
	for ; n != 0; n &= n - 1 {
		s.add(x, bits.TrailingZeros64(n))
	}
}

// AddSquare adds the exact x*x.
func (s *Sum) AddSquare(x float64) { s.addProduct(x, x, 0) }

// AddSquareN adds n times the exact x*x.
func (s *Sum) AddSquareN(x float64, n uint64) {
	for ; n != 0; n &= n - 1 {
		s.addProduct(x, x, bits.TrailingZeros64(n))
	}
}

// AddProduct adds the exact a*b.
func (s *Sum) AddProduct(a, b float64) { s.addProduct(a, b, 0) }

// add adds x * 2^scale.
func (s *Sum) add(x float64, scale int) {
	m, e, ok := split(x)
	if !ok {
		s.addSpecial(x)
		return
	}
	s.tick()
	pos := uint(e + scale + bias)
	i, sh := pos/limbBits, pos%limbBits
	neg := int64(math.Float64bits(x)) >> 63 // 0 or -1
	lo, hi := m<<sh, m>>(64-sh)
	l := (*[3]int64)(s.limb[i : i+3])
	l[0] += (int64(lo&math.MaxUint32) ^ neg) - neg
	l[1] += (int64(lo>>32) ^ neg) - neg
	l[2] += (int64(hi) ^ neg) - neg
}

// addProduct adds a * b * 2^scale.
func (s *Sum) addProduct(a, b float64, scale int) {
	ma, ea, oka := split(a)
	mb, eb, okb := split(b)
	if !oka || !okb {
		s.addSpecial(a * b)
		return
	}
	s.tick()
	p1, p0 := bits.Mul64(ma, mb) // below 2^106
	pos := uint(ea + eb + scale + bias)
	i, sh := pos/limbBits, pos%limbBits
	neg := (int64(math.Float64bits(a)) ^ int64(math.Float64bits(b))) >> 63
	w0 := p0 << sh
	w1 := p1<<sh | p0>>(64-sh)
	w2 := p1 >> (64 - sh)
	l := (*[5]int64)(s.limb[i : i+5])
	l[0] += (int64(w0&math.MaxUint32) ^ neg) - neg
	l[1] += (int64(w0>>32) ^ neg) - neg
	l[2] += (int64(w1&math.MaxUint32) ^ neg) - neg
	l[3] += (int64(w1>>32) ^ neg) - neg
	l[4] += (int64(w2) ^ neg) - neg
}

// split returns m and e with |x| = m * 2^e, and false if x is not finite.
func split(x float64) (m uint64, e int, ok bool) {
	b := math.Float64bits(x)
	m = b & (1<<52 - 1)
	switch e = int(b >> 52 & 0x7ff); e {
	case 0x7ff:
		return 0, 0, false
	case 0:
		return m, -1074, true
	}
	return m | 1<<52, e - 1075, true
}

// tick counts an addition and carries before a limb could overflow.
func (s *Sum) tick() {
	s.pending++
	if s.pending >= maxPending {
		s.carry()
	}
}

// carry brings every limb but the last into [0, 2^32), keeping the value; the
// last limb holds the sign.
func (s *Sum) carry() {
	var c int64
	for i := range s.limb[:limbs-1] {
		v := s.limb[i] + c
		s.limb[i] = v & math.MaxUint32
		c = v >> limbBits
	}
	s.limb[limbs-1] += c
	s.pending = 1 // the carried limbs count as one addition
}

func (s *Sum) addSpecial(x float64) {
	switch {
	case math.IsInf(x, 1):
		s.special |= sawPosInf
	case math.IsInf(x, -1):
		s.special |= sawNegInf
	default:
		s.special |= sawNaN
	}
}

// Merge adds the sum o, which is unchanged.
func (s *Sum) Merge(o *Sum) {
	if s.pending+o.pending >= maxPending {
		s.carry()
	}
	for i, v := range o.limb {
		s.limb[i] += v
	}
	s.pending += o.pending
	s.special |= o.special
	if s.pending >= maxPending {
		s.carry()
	}
}
