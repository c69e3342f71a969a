//go:build ignore

package main

import (
	"fmt"
	"strings"
)

// The general registers: AX is the offset of the current vector in its row, BX
// the bytes of a row's full groups of 16, CX the elements left, DX the address
// of the AVX2 masks for those. The pointers follow; R14 belongs to Go.
var pointerRegs = []string{"DI", "SI", "R8", "R9", "R10", "R11", "R12", "R13"}

// lane is where the body of a loop stands: a group of 16 elements is one
// register of AVX-512 and two of AVX2, of which it is the half-th.
type lane struct {
	*kernel
	half   int
	block  int  // which of the groups done at once
	masked bool // the group is not full
	mask   *val // of AVX2, if it is loaded
}

// load reads a vector at pointer p; lanes beyond the row's end are 0.
func (l *lane) load(p string) *val {
	at := l.address(p)
	switch {
	case !l.masked:
		return l.op("VMOVUPS " + at + ", {d}")
	case l.arch == avx512:
		return l.op("VMOVUPS.Z " + at + ", K1, {d}")
	}
	return l.op("VMASKMOVPS "+at+", {0}, {d}", l.tail())
}

// store writes a vector to pointer p, but not beyond the row's end.
func (l *lane) store(p string, v *val) {
	at := l.address(p)
	switch {
	case !l.masked:
		l.raw(nil, "VMOVUPS {0}, "+at, v)
	case l.arch == avx512:
		l.raw(nil, "VMOVUPS {0}, K1, "+at, v)
	default:
		l.raw(nil, "VMASKMOVPS {1}, {0}, "+at, l.tail(), v)
	}
}

func (l *lane) address(p string) string {
	return fmt.Sprintf("%d(%s)(AX*1)", 64*l.block+4*l.lanes*l.half, p)
}

// tail is AVX2's mask of the elements before the row's end.
func (l *lane) tail() *val {
	if l.mask == nil {
		l.mask = l.op(fmt.Sprintf("VMOVUPS %d(DX), {d}", l.half*32))
	}
	return l.mask
}

// orElse is v, with other in the lanes beyond the row's end.
func (l *lane) orElse(v, other *val) *val {
	switch {
	case !l.masked:
		return v
	case l.arch == avx512:
		return l.op("VBLENDMPS {0}, {1}, K1, {d}", v, other)
	}
	return l.op("VBLENDVPS {2}, {0}, {1}, {d}", v, other, l.tail())
}

// orZero is v, with 0 in the lanes beyond the row's end.
func (l *lane) orZero(v *val) *val {
	switch {
	case !l.masked:
		return v
	case l.arch == avx512:
		return l.op("VMOVAPS.Z {0}, K1, {d}", v)
	}
	return l.and(l.tail(), v)
}

// groups is the number of registers that hold 16 elements.
func (k *kernel) groups() int { return 16 / k.lanes }

// text adds a line without vector registers.
func (k *kernel) text(format string, args ...any) {
	k.raw(nil, fmt.Sprintf(format, args...))
}

// row is the number of elements that pass walks over: it sets BX, CX, DX and
// the masks from the argument called name.
func (k *kernel) row(name string) {
	k.text("MOVQ %s, CX", k.file.arg(k.name, name))
	k.text("MOVQ CX, BX")
	k.text("ANDQ $15, CX")
	k.text("ANDQ $-16, BX")
	k.text("SHLQ $2, BX")
	if k.arch == avx512 { // whose functions have the constants at DX
		k.text("MOVL $1, AX")
		k.text("SHLL CX, AX")
		k.text("DECL AX")
		k.text("KMOVW AX, K1")
		return
	}
	k.file.masks = true
	k.text("LEAQ tailMasks<>+64(SB), DX")
	k.text("LEAQ (CX*4), AX")
	k.text("SUBQ AX, DX")
}

// pass walks over a row, body being the work on one vector. The main loop does
// several vectors at once, their instructions in turns: the processor sees no
// further than some hundred instructions, fewer than hide the latency of a long
// polynomial.
func (k *kernel) pass(body func(*lane)) {
	single, tail, done := k.label("single"), k.label("tail"), k.label("done")
	blocks := k.blocks
	if k.length(body) < 10 {
		blocks = 1
	}
	k.text("XORQ AX, AX")
	if blocks > 1 {
		extra := 64 * (blocks - 1)
		loop, skip := k.label("loop"), k.label("skip")
		k.text("SUBQ $%d, BX", extra)
		k.text("CMPQ AX, BX")
		k.text("JGE %s", skip)
		k.text("PCALIGN $32")
		k.text("%s:", loop)
		k.turns(blocks, body)
		k.text("ADDQ $%d, AX", extra+64)
		k.text("CMPQ AX, BX")
		k.text("JLT %s", loop)
		k.text("%s:", skip)
		k.text("ADDQ $%d, BX", extra)
	}
	k.text("CMPQ AX, BX")
	k.text("JGE %s", tail)
	k.text("PCALIGN $32")
	k.text("%s:", single)
	k.turns(1, body)
	k.text("ADDQ $64, AX")
	k.text("CMPQ AX, BX")
	k.text("JLT %s", single)
	k.text("%s:", tail)
	k.text("TESTQ CX, CX")
	k.text("JEQ %s", done)
	for h := range k.groups() {
		body(&lane{kernel: k, half: h, masked: true})
	}
	k.text("%s:", done)
}

// length is the number of instructions of a body.
func (k *kernel) length(body func(*lane)) int {
	rest := k.code
	defer func() { k.code = rest }()
	k.code = nil
	body(&lane{kernel: k})
	return len(k.code)
}

// turns does blocks groups of 16 at once.
func (k *kernel) turns(blocks int, body func(*lane)) {
	rest := k.code
	var parts [][]ins
	for i := range blocks * k.groups() {
		k.code = nil
		body(&lane{kernel: k, half: i % k.groups(), block: i / k.groups()})
		parts = append(parts, k.code)
	}
	k.code = rest
	if !k.mixed {
		for _, p := range parts {
			k.code = append(k.code, p...)
		}
		return
	}
	for i := range parts[0] {
		for _, p := range parts {
			k.code = append(k.code, p[i])
		}
	}
}

// rows repeats body for each row; the pointers named in step go from row to
// row, those in next from number to number.
func (k *kernel) rows(step, next []string, body func()) {
	count := k.file.arg(k.name, "rows")
	loop, done := k.label("row"), k.label("end")
	k.text("%s:", loop)
	k.text("DECQ %s", count)
	k.text("JLT %s", done)
	body()
	for _, p := range step {
		k.text("ADDQ BX, %s", p)
		k.text("LEAQ (%s)(CX*4), %s", p, p)
	}
	for _, p := range next {
		k.text("ADDQ $4, %s", p)
	}
	k.text("JMP %s", loop)
	k.text("%s:", done)
}

// pointers loads the pointer arguments and returns their registers.
func (k *kernel) pointers(names string) []string {
	list := strings.Fields(strings.ReplaceAll(names, ",", ""))
	for i, n := range list {
		k.text("MOVQ %s, %s", k.file.arg(k.name, n), pointerRegs[i])
	}
	return pointerRegs[:len(list)]
}

// scalar is a float32 argument in all lanes.
func (k *kernel) scalar(name string) *val {
	return k.raw(k.pin(), "VBROADCASTSS "+k.file.arg(k.name, name)+", {d}")
}

// accumulators pins one register for each part of a group of 16.
func (k *kernel) accumulators() []*val {
	var a []*val
	for range k.groups() {
		a = append(a, k.pin())
	}
	return a
}

// fill sets accumulators to v, and clear sets them to 0.
func (k *kernel) fill(acc []*val, v *val) {
	for _, a := range acc {
		k.into(a, v)
	}
}

func (k *kernel) clear(acc []*val) {
	for _, a := range acc {
		k.raw(a, "VXORPS {d:X}, {d:X}, {d:X}")
	}
}

// reduce combines the 16 lanes by op, "VADDPS", "VMAXPS" or "VMINPS": lane i
// with i+8, the results i with i+4, then i+2, then i+1. All lanes of the result
// hold it.
func (k *kernel) reduce(op string, acc []*val) *val {
	var y *val
	if k.arch == avx512 {
		hi := k.op("VEXTRACTF64X4 $1, {0}, {d:Y}", acc[0])
		y = k.op(op+" {0:Y}, {1:Y}, {d:Y}", hi, acc[0])
	} else {
		y = k.op(op+" {0:Y}, {1:Y}, {d:Y}", acc[1], acc[0])
	}
	hi := k.op("VEXTRACTF128 $1, {0:Y}, {d:X}", y)
	x := k.op(op+" {0:X}, {1:X}, {d:X}", hi, y)
	hi = k.op("VPERMILPS $0x4e, {0:X}, {d:X}", x)
	x = k.op(op+" {0:X}, {1:X}, {d:X}", hi, x)
	hi = k.op("VPERMILPS $0xb1, {0:X}, {d:X}", x)
	x = k.op(op+" {0:X}, {1:X}, {d:X}", hi, x)
	return k.op("VBROADCASTSS {0:X}, {d}", x)
}
