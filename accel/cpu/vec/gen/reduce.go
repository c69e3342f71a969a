//go:build ignore

package main

import (
	"fmt"
	"math"
)

// sumOf is a definition of a sum in float64: 16 lanes, which are two registers
// of AVX-512 and four of AVX2. term gets the elements of one register, already
// float64, and adds to acc; lanes beyond the end hold zeros, and a term that is
// not zero for them is cleared by zero.
func sumOf(name, slices, scalar string, term func(k *kernel, acc *val, e []*val, mean *val, zero func(*val) *val)) definition {
	s := signature{name: name, params: slices + " []float32", result: "float64"}
	if scalar != "" {
		s.params += "; " + scalar + " float64"
	}
	return definition{s, func(k *kernel) {
		k.row("n")
		if k.arch == avx512 {
			k.text("KSHIFTRW $8, K1, K2")
		}
		p := k.pointers(slices)
		acc := make([]*val, 2*k.groups())
		for i := range acc {
			acc[i] = k.pin()
		}
		k.clear(acc)
		var mean *val
		if scalar != "" {
			mean = k.raw(k.pin(), "VBROADCASTSD "+k.file.arg(name, scalar)+", {d}")
		}
		k.pass(func(l *lane) {
			for i := range 2 { // of a register of float32, the halves
				part := 2*l.half + i
				var e []*val
				for _, r := range p {
					e = append(e, l.wide(r, part))
				}
				term(k, acc[part], e, mean, func(v *val) *val { return l.zeroWide(v, part) })
			}
		})
		k.storeSum(acc)
	}}
}

// wide loads half a register of float32 and converts it to float64.
func (l *lane) wide(p string, part int) *val {
	width := 2 * l.lanes // bytes
	at := fmt.Sprintf("%d(%s)(AX*1)", 64*l.block+width*part, p)
	switch {
	case !l.masked:
		return l.op("VCVTPS2PD " + at + ", {d}")
	case l.arch == avx512:
		return l.op("VCVTPS2PD {0:Y}, {d}", l.op(fmt.Sprintf("VMOVUPS.Z %s, K%d, {d:Y}", at, part+1)))
	}
	m := l.op(fmt.Sprintf("VMOVUPS %d(DX), {d:X}", width*part))
	return l.op("VCVTPS2PD {0:X}, {d}", l.op("VMASKMOVPS "+at+", {0:X}, {d:X}", m))
}

// zeroWide clears the lanes of float64 beyond the end.
func (l *lane) zeroWide(v *val, part int) *val {
	switch {
	case !l.masked:
		return v
	case l.arch == avx512:
		return l.op(fmt.Sprintf("VMOVAPD.Z {0}, K%d, {d}", part+1), v)
	}
	m := l.op(fmt.Sprintf("VPMOVSXDQ %d(DX), {d}", 2*l.lanes*part))
	return l.op("VANDPD {0}, {1}, {d}", m, v)
}

// storeSum adds the lanes, i to i+8, then i to i+4, i+2 and i+1, and returns that.
func (k *kernel) storeSum(acc []*val) {
	var y *val
	if k.arch == avx512 {
		z := k.op("VADDPD {1}, {0}, {d}", acc[0], acc[1])
		y = k.op("VADDPD {1:Y}, {0:Y}, {d:Y}", z, k.op("VEXTRACTF64X4 $1, {0}, {d:Y}", z))
	} else {
		y = k.op("VADDPD {1}, {0}, {d}", k.op("VADDPD {1}, {0}, {d}", acc[0], acc[2]), k.op("VADDPD {1}, {0}, {d}", acc[1], acc[3]))
	}
	x := k.op("VADDPD {1:X}, {0:X}, {d:X}", y, k.op("VEXTRACTF128 $1, {0:Y}, {d:X}", y))
	x = k.op("VADDSD {1:X}, {0:X}, {d:X}", x, k.op("VPERMILPD $1, {0:X}, {d:X}", x))
	k.raw(nil, "VMOVSD {0:X}, "+k.file.arg(k.name, "ret"), x)
}

// extremeOf is a definition of Max or Min. The instruction loses NaN, so the
// sums of a second set of registers, 0 but for NaN elements, tell of them.
func extremeOf(name, op string, worst float64) definition {
	s := signature{name: name, params: "x []float32", result: "float32"}
	return definition{s, func(k *kernel) {
		k.row("n")
		p := k.pointers("x")
		best, bad := k.accumulators(), k.accumulators()
		k.fill(best, k.constant(worst))
		k.clear(bad)
		k.pass(func(l *lane) {
			x := l.orElse(l.load(p[0]), k.constant(worst))
			k.raw(best[l.half], op+" {0}, {d}, {d}", x)
			k.into(bad[l.half], k.sel(k.cmp(unordered, x, x), x, bad[l.half]))
		})
		nan := k.reduce("VADDPS", bad)
		y := k.sel(k.cmp(unordered, nan, nan), nan, k.reduce(op, best))
		k.raw(nil, "VMOVSS {0:X}, "+k.file.arg(k.name, "ret"), y)
	}}
}

var reductions = []definition{
	sumOf("sum", "x", "", func(k *kernel, acc *val, e []*val, _ *val, _ func(*val) *val) {
		k.raw(acc, "VADDPD {0}, {d}, {d}", e[0])
	}),
	sumOf("sumAbs", "x", "", func(k *kernel, acc *val, e []*val, _ *val, _ func(*val) *val) {
		k.raw(acc, "VADDPD {0}, {d}, {d}", k.absWide(e[0]))
	}),
	sumOf("sumSquares", "x", "", func(k *kernel, acc *val, e []*val, _ *val, _ func(*val) *val) {
		k.raw(acc, "VFMADD231PD {0}, {0}, {d}", e[0])
	}),
	sumOf("dot", "x, y", "", func(k *kernel, acc *val, e []*val, _ *val, _ func(*val) *val) {
		k.raw(acc, "VFMADD231PD {0}, {1}, {d}", e[0], e[1])
	}),
	sumOf("sumDiffSquares", "x", "mean", func(k *kernel, acc *val, e []*val, mean *val, zero func(*val) *val) {
		d := zero(k.op("VSUBPD {1}, {0}, {d}", e[0], mean))
		k.raw(acc, "VADDPD {0}, {d}, {d}", k.op("VMULPD {0}, {0}, {d}", d))
	}),
	extremeOf("maxOf", "VMAXPS", math.Inf(-1)),
	extremeOf("minOf", "VMINPS", math.Inf(1)),
}

// absWide clears the sign bits of float64.
func (k *kernel) absWide(v *val) *val {
	return k.op("VPSRLQ $1, {0}, {d}", k.op("VPSLLQ $1, {0}, {d}", v))
}
