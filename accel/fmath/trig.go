package fmath

import (
	"math"
	"math/bits"
)

// twoOverPi holds 64 zero bits and then the first 1344 bits of 2/π, enough for
// the largest float64.
var twoOverPi = [...]uint64{
	0,
	0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
	0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
	0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
	0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
	0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab, 0xf0cfbc209af4361d,
	0xa9e391615ee61b08,
}

// Sin returns the sine of x, within 2 ulp; of an infinity, NaN.
func Sin(x float64) float64 {
	if math.Abs(x) <= math.Pi/4 {
		return sinSmall(x)
	}
	if math.IsInf(x, 0) || x != x {
		return math.NaN()
	}
	q, r := quadrant(math.Abs(x))
	if x < 0 {
		return -turn(q, r)
	}
	return turn(q, r)
}

// Cos returns the cosine of x, within 2 ulp; of an infinity, NaN.
func Cos(x float64) float64 {
	if math.Abs(x) <= math.Pi/4 {
		return cosSmall(x)
	}
	if math.IsInf(x, 0) || x != x {
		return math.NaN()
	}
	q, r := quadrant(math.Abs(x))
	return turn(q+1, r)
}

// turn is sin(q·π/2 + r).
func turn(q uint64, r float64) float64 {
	switch q % 4 {
	case 0:
		return sinSmall(r)
	case 1:
		return cosSmall(r)
	case 2:
		return -sinSmall(r)
	}
	return -cosSmall(r)
}

// quadrant returns q mod 4 and r with x = q·π/2 + r, |r| <= π/4, for x > π/4.
// It is the method of Payne & Hanek (1983): with x = m·2ᵉ, only 192 bits of
// 2/π matter to x·2/π modulo 4, those from 2^(2-e) down; the rest counts less
// than 2⁻¹³⁷, where the fraction is above 2⁻⁶².
func quadrant(x float64) (q uint64, r float64) {
	b := math.Float64bits(x)
	e := int(b>>52) - 1023 - 52
	m := b&(1<<52-1) | 1<<52
	at := e - 2 + 64
	w0, w1, w2 := bits2OverPi(at), bits2OverPi(at+64), bits2OverPi(at+128)

	// p is m·w modulo 2¹⁹², a number of 2 bits before and 190 after the point.
	h2, p2 := bits.Mul64(m, w2)
	h1, p1 := bits.Mul64(m, w1)
	p1, carry := bits.Add64(p1, h2, 0)
	p0, _ := bits.Add64(m*w0, h1, carry)

	q = p0 >> 62
	f0, f1, f2 := p0<<2|p1>>62, p1<<2|p2>>62, p2<<2
	negative := f0>>63 == 1
	if negative { // above one half: the next quadrant, less 1 - f
		q++
		var borrow uint64
		f2, borrow = bits.Sub64(0, f2, 0)
		f1, borrow = bits.Sub64(0, f1, borrow)
		f0, _ = bits.Sub64(0, f0, borrow)
	}
	f := float64(f0)*0x1p-64 + float64(f1)*0x1p-128
	if f0>>11 == 0 { // the sum above would round away what follows
		f += float64(f2) * 0x1p-192
	}
	r = f * (math.Pi / 2)
	if negative {
		r = -r
	}
	return q, r
}

// bits2OverPi are 64 bits of the table, from bit at.
func bits2OverPi(at int) uint64 {
	i, s := at/64, uint(at%64)
	return twoOverPi[i]<<s | twoOverPi[i+1]>>(64-s)
}

// sinTaylor and cosTaylor hold (-1)ⁿ/(2n+1)! and (-1)ⁿ/(2n)!, the highest
// first; at π/4 the first terms left out are below 2⁻⁶⁰.
var (
	sinTaylor = [...]float64{
		1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800,
		1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6,
	}
	cosTaylor = [...]float64{
		-1.0 / 6402373705728000, 1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600,
		-1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24,
	}
)

func sinSmall(x float64) float64 {
	if math.Abs(x) < 0x1p-27 {
		return x // keeps -0
	}
	z := float64(x * x)
	return x + float64(float64(x*z)*horner(sinTaylor[:], z))
}

// cosSmall keeps what 1 - x²/2 rounds away.
func cosSmall(x float64) float64 {
	z := float64(x * x)
	half := float64(0.5 * z)
	w := 1 - half
	return w + ((1 - w) - half + float64(float64(z*z)*horner(cosTaylor[:], z)))
}
