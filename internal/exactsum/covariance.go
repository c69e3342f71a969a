package exactsum

import (
	"math"
	"math/big"
)

// Covariance is the population covariance (divided by n, not n-1) of n pairs
// with the given sums of the one, the other and the product, rounded once:
//
//	(n*Σxy - Σx*Σy) / n²
//
// It is NaN if n is 0 or a value was not finite, infinite if it is out of range.
func Covariance(x, y, products *Sum, n int64) float64 {
	if n <= 0 || !x.Finite() || !y.Finite() || !products.Finite() {
		return math.NaN()
	}
	// The sums are X, Y and P over 2^bias: see variance.
	bn := big.NewInt(n)
	num := new(big.Int).Mul(bn, products.scaled())
	num.Lsh(num, bias)
	num.Sub(num, new(big.Int).Mul(x.scaled(), y.scaled()))
	den := new(big.Int).Mul(bn, bn)
	f, _ := new(big.Rat).SetFrac(num, den.Lsh(den, 2*bias)).Float64()
	return f
}
