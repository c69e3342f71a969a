//go:build ignore

package main

import "math"

// Numbers of the range reduction x = n·ln 2 + r. ln 2 is split in two; with a
// fused multiply-add, x - n·ln2High is exact.
const (
	ln2High = 0x1.62e43p-1
	ln2Low  = -0x1.05c61p-29
	// magic pushes the fraction out of a float32: x + magic is magic plus x
	// rounded to an integer, which are also the low bits of its representation.
	magic = 0x1.8p23
)

// reduced is x = n·ln 2 + r, |r| <= ½ ln 2; t is n + magic.
type reduced struct{ t, n, r *val }

func (k *kernel) reduced(x *val) reduced {
	d := k.rounded(x)
	r := k.fnma(d.n, k.constant(ln2High), x)
	d.r = k.fnma(d.n, k.constant(ln2Low), r)
	return d
}

// rounded finds n alone.
func (k *kernel) rounded(x *val) reduced {
	t := k.fma(x, k.constant(math.Log2E), k.constant(magic))
	return reduced{t: t, n: k.sub(t, k.constant(magic))}
}

// expSmall is eʳ for |r| <= ½ ln 2: the minimax polynomial of degree 6, whose
// relative error is below 2⁻²⁷.
func (k *kernel) expSmall(r *val) *val {
	return k.poly(r, 0x1.6a537ap-10, 0x1.123664p-7, 0x1.55589ap-5, 0x1.555494p-3, 0x1.fffffcp-2, 1, 1)
}

// scale is y·2ⁿ, rounded once, for y in [2⁻²⁰, 2²⁰]. Without VSCALEFPS the power
// is two factors, the first of which cannot leave the normal numbers.
func (k *kernel) scale(y *val, x reduced) *val {
	if k.arch == avx512 {
		return k.op("VSCALEFPS {1}, {0}, {d}", y, x.n)
	}
	n := k.subInt(x.t, k.constant(magic))
	n1 := k.sar(n, 1)
	n2 := k.subInt(n, n1)
	y = k.mul(y, k.addInt(k.shl(n1, 23), k.constant(1)))
	return k.mul(y, k.addInt(k.shl(n2, 23), k.constant(1)))
}

// scaleNear is scale for |n| < 100.
func (k *kernel) scaleNear(y *val, x reduced) *val {
	if k.arch == avx512 {
		return k.scale(y, x)
	}
	return k.mul(y, k.addInt(k.shl(x.t, 23), k.constant(1)))
}

// The arguments beyond which eˣ is surely 0 or infinite.
const (
	expLow  = -104.5
	expHigh = 89
)

// exp is eˣ; NaN stays NaN through the clamps, being the second operand.
func (k *kernel) exp(x *val) *val {
	return k.expNegative(k.min(k.constant(expHigh), x))
}

// expNegative is eˣ for x <= expHigh.
func (k *kernel) expNegative(x *val) *val {
	r := k.reduced(k.max(k.constant(expLow), x))
	return k.scale(k.expSmall(r.r), r)
}

// expNear is eˣ for |x| <= 60.
func (k *kernel) expNear(x *val) *val {
	r := k.reduced(x)
	return k.scaleNear(k.expSmall(r.r), r)
}

// expMinusAbs is exp(-|x|).
func (k *kernel) expMinusAbs(x *val) *val {
	return k.expNegative(k.or(x, k.integer(signBit)))
}

// tiny is a number below whose absolute value f(x) rounds to x, for a function
// f(x) = x + c·x² + … with |c| <= ½.
const tiny = 0x1p-25

// expm1 is eˣ-1 = 2ⁿ·p + (2ⁿ-1) with p = eʳ-1, a minimax polynomial of degree 7
// with a relative error below 2⁻³¹. It works with 2ⁿ⁻¹, which does not overflow.
func (k *kernel) expm1(x *val) *val {
	c := k.max(k.constant(-20), k.min(k.constant(expHigh), x))
	d := k.reduced(c)
	q := k.poly(d.r, 0x1.9e6f02p-13, 0x1.6d3a3ep-10, 0x1.1112dap-7, 0x1.5554f8p-5, 0x1.555554p-3, 0.5)
	p := k.fma(k.mul(d.r, d.r), q, d.r)
	half := k.addInt(k.shl(d.t, 23), k.constant(0.5))
	y := k.fma(p, half, k.sub(half, k.constant(0.5)))
	y = k.add(y, y)
	return k.sel(k.cmp(less, k.abs(x), k.constant(tiny)), x, y)
}

// logOnePlus is log(1+f) + e·ln 2 for 1+f between √½ and √2: f - f²/2 + f³·q with
// q of degree 7; its relative error is below 2⁻²⁷.
func (k *kernel) logOnePlus(f, e *val) *val {
	q := k.poly(f, -0x1.38c97cp-4, 0x1.055efp-3, -0x1.0d8262p-3, 0x1.22d92cp-3,
		-0x1.547288p-3, 0x1.99a01cp-3, -0x1.000226p-2, 0x1.555554p-2)
	z := k.mul(f, f)
	y := k.fma(e, k.constant(ln2Low), k.mul(k.mul(f, z), q))
	y = k.add(k.fnma(z, k.constant(0.5), y), f)
	return k.fma(e, k.constant(ln2High), y)
}

// rootHalf is the representation of √½, from which exponents are counted.
const rootHalf = 0x3f3504f3

// exponent is floor(log₂(x/√½)), as an integer, for a normal x > 0.
func (k *kernel) exponent(x *val) *val { return k.sar(k.subInt(x, k.integer(rootHalf)), 23) }

// logEdges puts in the results where x is infinite, atZero, or below or NaN.
func (k *kernel) logEdges(x, y, atZero *val) *val {
	inf := k.constant(math.Inf(1))
	y = k.sel(k.cmp(equal, x, inf), inf, y)
	y = k.sel(k.cmp(equal, x, atZero), k.constant(math.Inf(-1)), y)
	return k.sel(k.cmp(notGreaterEqual, x, atZero), k.integer(0x7fc00000), y)
}

// log first multiplies the subnormal numbers by 2²³.
func (k *kernel) log(x *val) *val {
	small := k.cmp(less, x, k.constant(0x1p-126))
	n := k.sel(small, k.mul(x, k.constant(0x1p23)), x)
	e := k.exponent(n)
	m := k.subInt(n, k.shl(e, 23))
	fe := k.sub(k.toFloat(e), k.keep(small, k.constant(23)))
	return k.logEdges(x, k.logOnePlus(k.sub(m, k.constant(1)), fe), k.constant(0))
}

// log1p is log(1+x): with e the exponent of 1+x as rounded, f = x·2⁻ᵉ + (2⁻ᵉ-1) is
// rounded once. It works with 2²⁻ᵉ, which is never subnormal.
func (k *kernel) log1p(x *val) *val {
	e := k.exponent(k.add(x, k.constant(1)))
	s := k.subInt(k.constant(4), k.shl(e, 23))
	f := k.fma(k.mul(x, k.constant(0.25)), s, k.fms(s, k.constant(0.25), k.constant(1)))
	y := k.logOnePlus(f, k.toFloat(e))
	y = k.sel(k.cmp(less, k.abs(x), k.constant(tiny)), x, y)
	return k.logEdges(x, y, k.constant(-1))
}

// log1pUnit is log(1+x) for 0 <= x <= 1.
func (k *kernel) log1pUnit(x *val) *val {
	e := k.exponent(k.add(x, k.constant(1)))
	s := k.subInt(k.constant(1), k.shl(e, 23))
	return k.logOnePlus(k.fma(x, s, k.sub(s, k.constant(1))), k.toFloat(e))
}

// tanh is x + x³·p(x²) up to 0.625, with a relative error of p below 2⁻²⁷, and
// 1 - 2/(exp(2|x|)+1) above.
func (k *kernel) tanh(x *val) *val {
	a := k.abs(x)
	z := k.mul(a, a)
	p := k.poly(z, -0x1.7864b2p-8, 0x1.52cb5ep-6, -0x1.b85a3ap-5, 0x1.110844p-3, -0x1.55553ap-2)
	near := k.fma(k.mul(a, z), p, a)
	e := k.expNear(k.min(k.constant(30), k.add(a, a)))
	far := k.sub(k.constant(1), k.div(k.constant(2), k.add(e, k.constant(1))))
	y := k.sel(k.cmp(less, a, k.constant(0.625)), near, far)
	return k.or(y, k.sign(x))
}

// erf is x + x·p(x²) up to 0.925, and 1 - exp(q(|x|)) above, q the minimax
// polynomial of log erfc; the relative errors are below 2⁻²⁵ and 2⁻²⁸.
func (k *kernel) erf(x *val) *val {
	a := k.abs(x)
	p := k.poly(k.mul(a, a), -0x1.386cap-11, 0x1.46d85p-8, -0x1.b67bdp-6, 0x1.ce1984p-4, -0x1.8126e2p-2, 0x1.06eba6p-3)
	near := k.fma(p, a, a)
	t := k.min(k.constant(3.95), a)
	q := k.poly(t, -0x1.78d112p-17, 0x1.52795cp-12, -0x1.dd6ba8p-9, 0x1.85512p-6, -0x1.b32568p-4, -0x1.45328ep-1, -0x1.0778dcp-3)
	far := k.sub(k.constant(1), k.expNear(k.fms(q, t, t)))
	y := k.sel(k.cmp(less, a, k.constant(0.925)), near, far)
	return k.or(y, k.sign(x))
}

// gauss prepares exp(-c·a²) for a >= 0: s and low are the square rounded and the
// rest, so that the reduced argument keeps all digits.
func (k *kernel) gauss(a *val, c float64) reduced {
	h := k.mul(a, k.constant(-c))
	s := k.mul(h, a)
	low := k.fms(h, a, s)
	d := k.reduced(s)
	d.r = k.add(d.r, low)
	return d
}

// normal is Φ(-|x|) and exp(-x²/2): with a = |x| and
// q = (a-4)/(a+4), Φ(-a)·exp(a²/2)·(a+4) is a polynomial of degree 9 in q with a
// relative error below 2⁻²⁵. From a = 15 on all is 0.
func (k *kernel) normal(x *val) (tail, bell *val) {
	a := k.min(k.constant(15), k.abs(x))
	d := k.gauss(a, 0.5)
	e := k.expSmall(d.r)
	inv := k.div(k.constant(1), k.add(a, k.constant(4)))
	q := k.fnma(inv, k.constant(8), k.constant(1))
	s := k.poly(q, -0x1.0af292p-13, 0x1.896244p-13, 0x1.9b34bep-10, -0x1.cd6e76p-9, -0x1.ed42d8p-8,
		0x1.eed93ep-5, -0x1.7dffbep-3, 0x1.8c6d8ap-2, -0x1.373e3ap-1, 0x1.82b4bcp-1)
	return k.scale(k.mul(k.mul(e, s), inv), d), k.scale(e, d)
}

// gelu is max(x,0) - |x|·Φ(-|x|). Unlike normal it needs no division: with
// a = |x|, Φ(-a) is exp(-a²/2 + s), s the minimax polynomial of degree 10 of
// log(Φ(-a)·exp(a²/2)) for a <= 5.25, whose error is below 2⁻²⁴ up to 3 and
// 2⁻²¹ at the end; beyond, s keeps its last value. From a = 15 on it is 0. The
// low part of ln 2 counts less than 2⁻²⁴ and is left out.
func (k *kernel) gelu(x *val) *val {
	a := k.abs(x)
	s := k.poly(k.min(k.constant(5.25), a), -0x1.25fe46p-26, 0x1.11b816p-21, -0x1.b85e5ep-18, 0x1.83caa8p-15, -0x1.6097aap-13,
		-0x1.e9b79p-15, 0x1.40a978p-8, -0x1.2a3e4ep-5, 0x1.7425e8p-3, -0x1.9884b2p-1, -0x1.62e42ep-1)
	a = k.min(k.constant(15), a)
	h := k.mul(a, k.constant(-0.5))
	g := k.mul(h, a)
	low := k.fms(h, a, g)
	d := k.rounded(k.add(g, s))
	r := k.add(k.add(k.fnma(d.n, k.constant(ln2High), g), s), low)
	tail := k.scale(k.expSmall(r), d)
	positive := k.sub(x, k.min(x, k.constant(0))) // NaN for -Inf
	return k.fnma(a, tail, positive)
}

// normalCDF is Φ(x), given Φ(-|x|).
func (k *kernel) normalCDF(x, tail *val) *val {
	return k.sel(k.negative(x), tail, k.sub(k.constant(1), tail))
}

// logistic is t = exp(-|x|), 1/(1+t) and t/(1+t), from which come the sigmoid and
// its complement without loss of digits.
func (k *kernel) logistic(x *val) (t, far, near *val) {
	t = k.expMinusAbs(x)
	far = k.div(k.constant(1), k.add(t, k.constant(1)))
	return t, far, k.mul(t, far)
}

// timesSigmoid is a·Sigmoid(v), given exp(-|v|).
func (k *kernel) timesSigmoid(a, v, t *val) *val {
	num := k.sel(k.negative(v), k.mul(a, t), a)
	return k.div(num, k.add(t, k.constant(1)))
}

// The numbers of GeluTanh: 2u = x·(geluLinear + geluCubic·x²).
const (
	geluLinear = 2 * 0.7978845608028653558798921198687637
	geluCubic  = geluLinear * 0.044715
)
