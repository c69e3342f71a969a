package exactsum

import (
	"math"
	"math/big"
)

// magnitude returns the sum's sign and its absolute value as digits of 32
// bits, lowest first; s is unchanged.
func (s *Sum) magnitude() (neg bool, digits [limbs]uint32) {
	t := *s
	t.carry()
	if t.limb[limbs-1] < 0 {
		neg = true
		for i := range t.limb {
			t.limb[i] = -t.limb[i]
		}
		t.carry()
	}
	for i, v := range t.limb {
		digits[i] = uint32(v)
	}
	return neg, digits
}

// Finite says whether only finite values were added.
func (s *Sum) Finite() bool { return s.special == 0 }

// Float64 is the sum rounded once, to the nearest float64, ties to even. It
// is infinite if the sum is out of range, and 0 for an empty sum.
func (s *Sum) Float64() float64 {
	if s.special != 0 {
		return s.specialValue()
	}
	f, _ := s.bigFloat().Float64()
	return f
}

func (s *Sum) specialValue() float64 {
	switch s.special {
	case sawPosInf:
		return math.Inf(1)
	case sawNegInf:
		return math.Inf(-1)
	}
	return math.NaN()
}

// scaled is the sum times 2^bias, an integer.
func (s *Sum) scaled() *big.Int {
	neg, digits := s.magnitude()
	buf := make([]byte, 4*limbs)
	for i, d := range digits {
		at := len(buf) - 4*i - 4
		buf[at], buf[at+1], buf[at+2], buf[at+3] = byte(d>>24), byte(d>>16), byte(d>>8), byte(d)
	}
	n := new(big.Int).SetBytes(buf)
	if neg {
		n.Neg(n)
	}
	return n
}

// bigFloat is the sum without rounding; it must be finite.
func (s *Sum) bigFloat() *big.Float {
	n := s.scaled()
	f := new(big.Float).SetPrec(uint(max(n.BitLen(), 64))).SetInt(n)
	return f.SetMantExp(f, -bias)
}

// Mean is the mean of n values with the given sum, rounded once. It is NaN
// if n is 0, and as IEEE 754 has it if the sum is not finite.
func Mean(sum *Sum, n int64) float64 {
	if n <= 0 {
		return math.NaN()
	}
	if !sum.Finite() {
		return sum.specialValue()
	}
	den := new(big.Int).Lsh(big.NewInt(n), bias)
	f, _ := new(big.Rat).SetFrac(sum.scaled(), den).Float64()
	return f
}

// Variance is the population variance (divided by n, not n-1) of n values
// with the given sum and sum of squares, rounded once:
//
//	(n*Σx² - (Σx)²) / n²
//
// It is NaN if n is 0 or a value was not finite, +Inf if it is out of range.
func Variance(sum, squares *Sum, n int64) float64 {
	v := variance(sum, squares, n)
	if v == nil {
		return math.NaN()
	}
	f, _ := v.Float64()
	return f
}

// StdDev is the population standard deviation, the root of the unrounded
// variance: it is finite where every value is, though the variance may not be.
func StdDev(sum, squares *Sum, n int64) float64 {
	v := variance(sum, squares, n)
	if v == nil {
		return math.NaN()
	}
	if v.Sign() == 0 {
		return 0
	}
	root := new(big.Float).SetPrec(256).SetRat(v)
	f, _ := root.Sqrt(root).Float64()
	return f
}

// variance is exact; nil if there is none.
func variance(sum, squares *Sum, n int64) *big.Rat {
	if n <= 0 || !sum.Finite() || !squares.Finite() {
		return nil
	}
	// sum is S/2^bias and squares Q/2^bias, so n*Σx² - (Σx)² is
	// (n*Q*2^bias - S²) / 2^(2 bias).
	s, bn := sum.scaled(), big.NewInt(n)
	num := new(big.Int).Mul(bn, squares.scaled())
	num.Lsh(num, bias)
	num.Sub(num, s.Mul(s, s))
	den := new(big.Int).Mul(bn, bn)
	return new(big.Rat).SetFrac(num, den.Lsh(den, 2*bias))
}

// Rat is the sum without rounding; it panics if the sum is not finite.
func (s *Sum) Rat() *big.Rat {
	if !s.Finite() {
		panic("exactsum.Sum.Rat: of a sum that is not finite")
	}
	return new(big.Rat).SetFrac(s.scaled(), new(big.Int).Lsh(big.NewInt(1), bias))
}
