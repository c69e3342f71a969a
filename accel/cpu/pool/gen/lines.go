//go:build ignore

package main

import "fmt"

// line takes one tap into n outputs of a row, whose elements of x are step
// apart: y = max(y, x) with indices, or y += x. R8 is x, R10 y, R11 idx or nil,
// CX outputs left, SI the offset in y, AX the index of the first element. Y10
// and Y11 or K3 and K4 are the lanes of x in the last vector, Y12 or K5 those of
// y; register 13 holds the indices of a vector's elements from its first.
func line(a *asm, reg string, op string, step int) {
	name := fmt.Sprintf("%sLine%sx%d", op, map[string]string{"Z": "512", "Y": "2"}[reg], step)
	fmt.Fprintf(a, "\n// func %s(a *lineArgs)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, name)
	a.p("MOVQ a+0(FP), DI")
	for _, f := range [][2]string{{"x", "R8"}, {"y", "R10"}, {"idx", "R11"}, {"n", "CX"}} {
		a.p("MOVQ lineArgs_%s(DI), %s", f[0], f[1])
	}
	per := map[string]int{"Z": 16, "Y": 8}[reg]
	lineMasks(a, reg, per, step)
	a.p("MOVQ lineArgs_at(DI), AX")
	a.p("XORQ SI, SI")
	a.p("SUBQ $%d, CX", per)
	a.p("JLT tail")
	a.label("full")
	lineVector(a, reg, op, step, true)
	a.p("ADDQ $%d, SI", 4*per)
	a.p("ADDQ $%d, AX", step*per)
	a.p("SUBQ $%d, CX", per)
	a.p("JGE full")
	a.label("tail")
	a.p("ADDQ $%d, CX", per)
	a.p("JZ end")
	lineVector(a, reg, op, step, false)
	a.label("end")
	a.ret()
}

// lineMasks sets the lanes of the last vector, and the indices. Of step 2 the
// last element of x has no neighbour behind it.
func lineMasks(a *asm, reg string, per, step int) {
	a.p("MOVQ CX, DX")
	a.p("ANDQ $%d, CX", per-1)
	if reg == "Z" {
		laneMask(a, "K5")
		a.p("ADDQ CX, CX")
		a.p("DECQ CX")
		a.p("XORQ R9, R9")
		a.p("CMPQ CX, R9")
		a.p("CMOVQLT R9, CX")
		laneMask(a, "K3")
		a.p("SHRQ $16, BX")
		a.p("KMOVW BX, K4")
		a.p("MOVL $0x7fff, BX")
		a.p("KMOVW BX, K6")
	} else {
		maskVector(a, "CX", "Y12")
		a.p("ADDQ CX, CX")
		a.p("DECQ CX")
		a.p("XORQ R9, R9")
		a.p("CMPQ CX, R9")
		a.p("CMOVQLT R9, CX")
		a.p("MOVQ $8, BX")
		a.p("CMPQ CX, BX")
		a.p("CMOVQLT CX, BX")
		maskVector(a, "BX", "Y10")
		a.p("SUBQ BX, CX")
		maskVector(a, "CX", "Y11")
		a.p("MOVQ $7, BX")
		maskVector(a, "BX", "Y14")
	}
	a.p("MOVQ DX, CX")
	a.p("VMOVDQU%s ·evenIndex(SB), %s13", map[string]string{"Z": "32"}[reg], reg)
	if step == 1 {
		a.p("VPSRLD $1, %s13, %s13", reg, reg)
	}
}

// lineLoad reads a vector of x to register 4.
func lineLoad(a *asm, reg string, step int, full bool) {
	switch {
	case reg == "Z" && step == 1 && full:
		a.p("VMOVUPS (R8)(SI*1), Z4")
	case reg == "Z" && step == 1:
		a.p("VMOVUPS.Z (R8)(SI*1), K5, Z4")
	case reg == "Z":
		if full {
			a.p("VMOVUPS (R8)(SI*2), Z0")
			a.p("VMOVUPS.Z 64(R8)(SI*2), K6, Z1")
		} else {
			a.p("VMOVUPS.Z (R8)(SI*2), K3, Z0")
			a.p("VMOVUPS.Z 64(R8)(SI*2), K4, Z1")
		}
		a.p("VMOVDQA32 Z13, Z4")
		a.p("VPERMI2PS Z1, Z0, Z4")
	case step == 1:
		move(a, full, false, "(R8)(SI*1)", "Y12", "Y4")
	default:
		move(a, full, false, "(R8)(SI*2)", "Y10", "Y0")
		move(a, false, false, "32(R8)(SI*2)", map[bool]string{true: "Y14", false: "Y11"}[full], "Y1")
		a.p("VSHUFPS $0x88, Y1, Y0, Y4")
		a.p("VPERMPD $0xd8, Y4, Y4")
	}
}

// lineVector does one vector.
func lineVector(a *asm, reg, op string, step int, full bool) {
	lineLoad(a, reg, step, full)
	load := func(ptr, to string) {
		if reg == "Y" {
			move(a, full, false, fmt.Sprintf("(%s)(SI*1)", ptr), "Y12", to)
		} else if full {
			a.p("VMOVUPS (%s)(SI*1), %s", ptr, to)
		} else {
			a.p("VMOVUPS.Z (%s)(SI*1), K5, %s", ptr, to)
		}
	}
	store := func(name, ptr, number string) {
		if reg == "Y" {
			store2(a, full, name, ptr, number)
		} else {
			store512(a, full, name, "Z"+number, ptr, "K5")
		}
	}
	load("R10", reg+"5")
	if op == "sum" {
		a.p("VADDPS %s4, %s5, %s5", reg, reg, reg)
		store("sum", "R10", "5")
		return
	}
	plain := fmt.Sprintf("plain%t", full)
	if reg == "Z" {
		a.p("VCMPPS $30, Z5, Z4, K1") // greater
		a.p("VCMPPS $3, Z4, Z4, K2")
		a.p("KORW K1, K2, K1")
		a.p("TESTQ R11, R11")
		a.p("JZ %s", plain)
		load("R11", "Z6")
		a.p("VPMOVD2M Z6, K2") // -1: no element yet
		a.p("KORW K1, K2, K1")
		a.p("VPBROADCASTD AX, Z7")
		a.p("VPADDD Z13, Z7, K1, Z6")
		store("index", "R11", "6")
		a.label(plain)
		a.p("VMOVAPS Z4, K1, Z5")
	} else {
		a.p("VCMPPS $30, Y5, Y4, Y0")
		a.p("VCMPPS $3, Y4, Y4, Y1")
		a.p("VORPS Y0, Y1, Y0")
		a.p("TESTQ R11, R11")
		a.p("JZ %s", plain)
		load("R11", "Y6")
		a.p("VORPS Y6, Y0, Y0") // the sign of -1: no element yet
		a.p("VMOVD AX, X7")
		a.p("VPBROADCASTD X7, Y7")
		a.p("VPADDD Y13, Y7, Y7")
		a.p("VBLENDVPS Y0, Y7, Y6, Y6")
		store("index", "R11", "6")
		a.label(plain)
		a.p("VBLENDVPS Y0, Y4, Y5, Y5")
	}
	store("maximum", "R10", "5")
}
