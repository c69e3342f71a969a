//go:build ignore

package main

import "fmt"

// Offsets in rowArgs, and its flags.
const (
	rowC, rowBias, rowEach, rowRes        = 0, 8, 16, 24
	rowLDC, rowLDR, rowRows, rowN         = 32, 40, 48, 56
	rowFlags, rowLo, rowHi                = 64, 68, 72
	flagBias, flagEach, flagRes, flagClip = 1, 2, 4, 8
)

// finishRows adds bias and residual to rows of C and clips them. Registers: DI a
// row of C, SI one of the residual, R9 the bias of columns, R10 of rows, BX the
// byte within a row, CX the bytes of whole vectors in one.
type finishRows struct {
	*file
	v vectors
}

func writeRows(f *file) {
	writeLanes(f)
	for _, v := range []vectors{zmm, ymm} {
		finishRows{f, v}.emit()
	}
}

func (f finishRows) emit() {
	name := "finishRows" + f.v.level
	f.text(name, "r", "rowArgs", name+" adds bias and residual to rows of C and clips them.")
	for _, x := range []struct {
		off int
		reg string
	}{{rowC, "DI"}, {rowRes, "SI"}, {rowBias, "R9"}, {rowEach, "R10"}, {rowRows, "R8"}, {rowN, "CX"}, {rowLDC, "R12"}, {rowLDR, "R13"}} {
		f.p("MOVQ %d(AX), %s", x.off, x.reg)
	}
	f.p("MOVL %d(AX), DX", rowFlags)
	f.p("VBROADCASTSS %d(AX), %s", rowLo, f.v.r(1))
	f.p("VBROADCASTSS %d(AX), %s", rowHi, f.v.r(2))
	f.tailMask()
	f.label("row")
	f.p("TESTL $%d, DX", flagEach)
	f.p("JEQ start")
	f.p("VBROADCASTSS (R10), %s", f.v.r(3))
	f.p("ADDQ $4, R10")
	f.label("start")
	f.p("XORQ BX, BX")
	f.p("TESTQ CX, CX")
	f.p("JEQ tail")
	f.label("loop")
	f.vector(false)
	f.p("ADDQ $%d, BX", f.v.bytes)
	f.p("CMPQ BX, CX")
	f.p("JLT loop")
	f.label("tail")
	f.p("TESTQ R11, R11")
	f.p("JEQ next")
	f.vector(true)
	f.label("next")
	f.p("ADDQ R12, DI")
	f.p("ADDQ R13, SI")
	f.p("DECQ R8")
	f.p("JNE row")
	f.p("VZEROUPPER")
	f.p("RET")
}

// tailMask splits CX floats into CX bytes of whole vectors and R11 floats, whose
// mask is K1 or Y7.
func (f finishRows) tailMask() {
	f.p("MOVQ CX, R11")
	f.p("ANDQ $%d, R11", f.v.floats()-1)
	f.p("SUBQ R11, CX")
	f.p("SHLQ $2, CX")
	if f.v.level == "512" {
		f.p("MOVQ CX, R15")
		f.p("MOVQ R11, CX")
		f.p("MOVL $1, BX")
		f.p("SHLL CX, BX")
		f.p("DECL BX")
		f.p("KMOVW BX, K1")
		f.p("MOVQ R15, CX")
		return
	}
	f.p("LEAQ lanes<>+%d(SB), BX", maskOnes*4)
	f.p("SHLQ $2, R11")
	f.p("SUBQ R11, BX")
	f.p("VMOVDQU (BX), Y7")
}

func (f finishRows) vector(masked bool) {
	name := "whole"
	if masked {
		name = "part"
	}
	y, x := f.v.r(0), f.v.r(4)
	f.load("(DI)(BX*1)", y, masked)
	f.skip(flagBias, name+"Each", func() {
		f.load("(R9)(BX*1)", x, masked)
		f.p("VADDPS %s, %s, %s", x, y, y)
	})
	f.skip(flagEach, name+"Res", func() { f.p("VADDPS %s, %s, %s", f.v.r(3), y, y) })
	f.skip(flagRes, name+"Clip", func() {
		f.load("(SI)(BX*1)", x, masked)
		f.p("VADDPS %s, %s, %s", x, y, y)
	})
	f.skip(flagClip, name+"Store", func() {
		f.p("VMAXPS %s, %s, %s", y, f.v.r(1), y) // NaN, and the zero of either sign, come from y
		f.p("VMINPS %s, %s, %s", y, f.v.r(2), y)
	})
	switch {
	case !masked:
		f.p("VMOVUPS %s, (DI)(BX*1)", y)
	case f.v.level == "512":
		f.p("VMOVUPS %s, K1, (DI)(BX*1)", y)
	default:
		f.p("VMASKMOVPS %s, Y7, (DI)(BX*1)", y)
	}
}

func (f finishRows) load(mem, reg string, masked bool) {
	switch {
	case !masked:
		f.p("VMOVUPS %s, %s", mem, reg)
	case f.v.level == "512":
		f.p("VMOVUPS.Z %s, K1, %s", mem, reg)
	default:
		f.p("VMASKMOVPS %s, Y7, %s", mem, reg)
	}
}

// skip emits do, to be run if the flag is set.
func (f finishRows) skip(flag int, label string, do func()) {
	f.p("TESTL $%d, DX", flag)
	f.p("JEQ %s", label)
	do()
	f.label("%s", fmt.Sprint(label))
}
