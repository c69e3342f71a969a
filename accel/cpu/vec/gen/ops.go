//go:build ignore

package main

import "fmt"

// The operations on vectors that both instruction sets have.

func (k *kernel) add(a, b *val) *val { return k.bin("VADDPS", true, a, b) }
func (k *kernel) sub(a, b *val) *val { return k.bin("VSUBPS", false, a, b) }
func (k *kernel) mul(a, b *val) *val { return k.bin("VMULPS", true, a, b) }
func (k *kernel) div(a, b *val) *val { return k.bin("VDIVPS", false, a, b) }

// min is a < b ? a : b, and max a > b ? a : b: b if either is NaN.
func (k *kernel) min(a, b *val) *val { return k.bin("VMINPS", false, a, b) }
func (k *kernel) max(a, b *val) *val { return k.bin("VMAXPS", false, a, b) }

func (k *kernel) and(a, b *val) *val { return k.bin("VANDPS", true, a, b) }
func (k *kernel) or(a, b *val) *val  { return k.bin("VORPS", true, a, b) }
func (k *kernel) xor(a, b *val) *val { return k.bin("VXORPS", true, a, b) }

func (k *kernel) addInt(a, b *val) *val { return k.bin("VPADDD", true, a, b) }
func (k *kernel) subInt(a, b *val) *val { return k.bin("VPSUBD", false, a, b) }

// shl and sar shift integers; sar keeps the sign.
func (k *kernel) shl(a *val, n int) *val { return k.op(fmt.Sprintf("VPSLLD $%d, {0}, {d}", n), a) }
func (k *kernel) sar(a *val, n int) *val { return k.op(fmt.Sprintf("VPSRAD $%d, {0}, {d}", n), a) }

func (k *kernel) sqrt(a *val) *val { return k.op("VSQRTPS {0}, {d}", a) }

// toFloat converts integers.
func (k *kernel) toFloat(a *val) *val { return k.op("VCVTDQ2PS {0}, {d}", a) }

// fma is a·b+c, fnma c-a·b, fms a·b-c, rounded once.
func (k *kernel) fma(a, b, c *val) *val  { return k.fused("VFMADD", a, b, c) }
func (k *kernel) fnma(a, b, c *val) *val { return k.fused("VFNMADD", a, b, c) }
func (k *kernel) fms(a, b, c *val) *val  { return k.fused("VFMSUB", a, b, c) }

// The ways to round to an integer.
const (
	toEven = 8 + iota
	toFloor
	toCeil
)

func (k *kernel) round(a *val, mode int) *val {
	if k.arch == avx512 {
		return k.op(fmt.Sprintf("VRNDSCALEPS $%d, {0}, {d}", mode), a)
	}
	return k.op(fmt.Sprintf("VROUNDPS $%d, {0}, {d}", mode), a)
}

const signBit = -1 << 31

func (k *kernel) abs(a *val) *val { return k.and(a, k.integer(0x7fffffff)) }
func (k *kernel) neg(a *val) *val { return k.xor(a, k.integer(signBit)) }

// sign keeps the sign bit alone.
func (k *kernel) sign(a *val) *val { return k.and(a, k.integer(signBit)) }

// The comparisons, as VCMPPS numbers them; none raises an exception for NaN,
// and only those called not… and unordered hold for one.
const (
	equal           = 0
	notEqual        = 4
	less            = 17
	lessEqual       = 18
	unordered       = 3
	notLessEqual    = 22
	notGreaterEqual = 25
	greater         = 30
	greaterEqual    = 29
)

// cmp returns a mask of lanes.
func (k *kernel) cmp(predicate int, a, b *val) *val {
	m := k.bin(fmt.Sprintf("VCMPPS $%d, ", predicate), false, a, b)
	m.mask = k.arch == avx512
	return m
}

// negative is the mask of the lanes whose sign bit is set, in a vector: a mask
// register would occupy the unit that multiplies.
func (k *kernel) negative(a *val) *val {
	if k.arch == avx2 {
		return a // VBLENDVPS looks at the sign bits alone
	}
	return k.sar(a, 31)
}

// sel is a where the mask is set, and b elsewhere.
func (k *kernel) sel(mask, a, b *val) *val {
	switch {
	case k.arch == avx2:
		return k.op("VBLENDVPS {0}, {1}, {2}, {d}", mask, a, b)
	case mask.mask:
		return k.op("VBLENDMPS {1}, {2}, {0}, {d}", mask, a, b)
	}
	return k.op("VMOVAPS {0}, {d}\n\tVPTERNLOGD $0xca, {2}, {1}, {d}", mask, a, b)
}

// keep is a where the mask is set, and 0 elsewhere.
func (k *kernel) keep(mask, a *val) *val {
	if k.arch == avx2 {
		return k.and(mask, a)
	}
	return k.op("VMOVAPS.Z {1}, {0}, {d}", mask, a)
}

// poly evaluates a polynomial by Horner's rule, the highest coefficient first.
func (k *kernel) poly(x *val, c ...float64) *val {
	y := k.constant(c[0])
	for _, v := range c[1:] {
		y = k.fma(y, x, k.constant(v))
	}
	return y
}

// into copies a temporary to a pinned register.
func (k *kernel) into(pinned, v *val) { k.raw(pinned, "VMOVAPS {0}, {d}", v) }
