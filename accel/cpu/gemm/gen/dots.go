//go:build ignore

package main

import "fmt"

// dots emits the product of a row with a matrix stored transposed: as many
// columns as a vector has lanes, whose chains run side by side. Squares of B are
// transposed in registers. Registers: R8 the row, R13 its step; SI, R9, R10, R11
// rows of B, DX and R12 their distance once and thrice, BX columns, CX the
// values of k left.
type dots struct {
	*file
	v vectors
}

var basesD = []string{"SI", "R9", "R10", "R11"}

func (d dots) sum() string { return d.v.r(d.v.floats() + 1) }

func (d dots) emit() {
	name := "dots" + d.v.level
	n := d.v.floats()
	d.text(name, "t", "tileArgs", fmt.Sprintf("%s multiplies a row with up to %d rows of B.", name, n))
	for _, x := range []struct {
		off int
		reg string
	}{{argA, "R8"}, {argStepA, "R13"}, {argB, "SI"}, {argStepB, "DX"}, {argK, "CX"}, {argTail, "BX"}} {
		d.p("MOVQ %d(AX), %s", x.off, x.reg)
	}
	strideBases(d.file, basesD, "DX", "R12", n)
	tile{d.file, d.v, tileShape{}}.zero(n + 1)
	d.p("CMPQ BX, $%d", n)
	d.p("JNE edge")
	d.label("loop")
	d.p("CMPQ CX, $%d", n)
	d.p("JLT edge")
	each(n, func(r int) { d.p("VMOVUPS %s, %s", d.row(r), d.v.r(r)) })
	d.addSquare(false)
	d.p("JMP loop")
	d.edge()
	d.label("sums")
	d.finish()
}

func (d dots) row(r int) string { return strided(basesD, "DX", "R12", r) }

// addSquare transposes the square and adds its products; short stops after CX of
// them.
func (d dots) addSquare(short bool) {
	n := d.v.floats()
	regs := transposeSquare(d.file, d.v)
	each(n, func(k int) {
		if short && k > 0 {
			d.p("CMPQ CX, $%d", k)
			d.p("JLE sums")
		}
		if d.v.level == "512" {
			d.p("VFMADD231PS.BCST (R8), %s, %s", regs[k], d.sum())
		} else {
			d.p("VBROADCASTSS (R8), Y%d", n+2)
			d.p("VFMADD231PS %s, Y%d, %s", regs[k], n+2, d.sum())
		}
		d.p("ADDQ R13, R8")
	})
	for i := 0; i*5 < n; i++ {
		d.p("ADDQ $%d, %s", d.v.bytes, basesD[i])
	}
	d.p("SUBQ $%d, CX", n)
}

// edge emits the loop for fewer columns than lanes and for the last values of k.
func (d dots) edge() {
	n := d.v.floats()
	d.label("edge")
	d.p("TESTQ CX, CX")
	d.p("JLE sums")
	maskFirst(d.file, d.v, "DI", fmt.Sprintf("Y%d", n+3))
	each(n, func(r int) { tile{d.file, d.v, tileShape{}}.zero(r) })
	each(n, func(r int) {
		if r > 0 {
			d.p("CMPQ BX, $%d", r)
			d.p("JLE loaded")
		}
		if d.v.level == "512" {
			d.p("VMOVUPS.Z %s, K1, Z%d", d.row(r), r)
		} else {
			d.p("VMASKMOVPS %s, Y%d, Y%d", d.row(r), n+3, r)
		}
	})
	d.label("loaded")
	d.addSquare(true)
	d.p("JMP edge")
}

// finish scales, adds C and stores, all by masks: there is one vector.
func (d dots) finish() {
	d.p("MOVQ BX, CX")
	mask := fmt.Sprintf("Y%d", d.v.floats()+3)
	maskFirst(d.file, d.v, "DI", mask)
	d.p("MOVQ %d(AX), DI", argC)
	d.p("MOVL %d(AX), DX", argFlags)
	d.p("TESTL $%d, DX", flagScale)
	d.p("JEQ scaled")
	d.p("VBROADCASTSS %d(AX), %s", argAlpha, d.v.r(0))
	d.p("VMULPS %s, %s, %s", d.v.r(0), d.sum(), d.sum())
	d.label("scaled")
	d.p("TESTL $%d, DX", flagAdd)
	d.p("JEQ store")
	if d.v.level == "512" {
		d.p("VADDPS (DI), %s, K1, %s", d.sum(), d.sum())
		d.label("store")
		d.p("VMOVUPS %s, K1, (DI)", d.sum())
	} else {
		d.p("VMASKMOVPS (DI), %s, Y0", mask)
		d.p("VADDPS Y0, %s, %s", d.sum(), d.sum())
		d.label("store")
		d.p("VMASKMOVPS %s, %s, (DI)", d.sum(), mask)
	}
	d.p("VZEROUPPER")
	d.p("RET")
}
