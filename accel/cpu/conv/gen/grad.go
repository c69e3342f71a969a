//go:build ignore

package main

import "fmt"

// dyRow is the address of row r of dy: SI the first, BX the pitch, R15 three
// pitches.
func dyRow(r, plus int) string {
	at := []string{"(SI)", "(SI)(BX*1)", "(SI)(BX*2)", "(SI)(R15*1)", "(SI)(BX*4)"}[r]
	if plus != 0 {
		at = fmt.Sprint(plus) + at
	}
	return at
}

// gradSetup loads the pointers of the columns and the pitch of dy.
func gradSetup(a *asm, kr int) {
	a.p("MOVQ gradArgs_x(DI), AX")
	a.p("MOVQ gradArgs_koff(DI), CX")
	for j := range kr {
		a.p("MOVQ %d(CX), %s", 8*j, pointers[j])
		a.p("ADDQ AX, %s", pointers[j])
	}
	a.p("MOVQ gradArgs_dyPitch(DI), BX")
	a.p("LEAQ (BX)(BX*2), R15")
	a.p("MOVQ gradArgs_dy(DI), AX")
	a.p("MOVQ AX, dy-8(SP)")
}

// grad512 is a kernel of mr rows and kr columns. R8… columns, CX the table, DI
// steps left, AX and DX the segments.
func grad512(a *asm, mr, kr int) {
	a.text(fmt.Sprintf("grad512x%dx%d", mr, kr), "gradArgs", 8)
	gradSetup(a, kr)
	upperHalf(a)
	for i := range mr * kr {
		zero(a, avx512, fmt.Sprintf("Z%d", i))
	}
	a.p("MOVQ gradArgs_tab(DI), CX")
	a.p("MOVQ gradArgs_n(DI), DI")
	a.label("step")
	a.p("MOVQ gradStep_x0(CX), AX")
	a.p("MOVQ gradStep_x1(CX), DX")
	a.p("MOVQ gradStep_dy(CX), SI")
	a.p("ADDQ dy-8(SP), SI")
	a.p("ADDQ $gradStep__size, CX")
	for r := range mr {
		a.p("VMOVUPS %s, Z%d", dyRow(r, 0), mr*kr+r)
	}
	spare := 32 - mr*kr - mr
	for j := range kr {
		x := mr*kr + mr + j%min(spare, 4)
		a.p("VMOVUPS (%s)(AX*1), Y%d", pointers[j], x)
		a.p("VMOVUPS -32(%s)(DX*1), K2, Z%d", pointers[j], x)
		for r := range mr {
			a.p("VFMADD231PS Z%d, Z%d, Z%d", mr*kr+r, x, r*kr+j)
		}
	}
	a.p("DECQ DI")
	a.p("JNZ step")
	a.p("MOVQ a+0(FP), DI")
	laneMask(a, "gradArgs_cols(DI)", "K1")
	a.p("MOVQ gradArgs_dst(DI), R8")
	a.p("MOVQ gradArgs_dstPitch(DI), R9")
	for r := range mr {
		for j := range kr {
			a.p("VEXTRACTF32X8 $1, Z%d, Y30", r*kr+j)
			a.p("VADDPS Y30, Y%d, Y%d", r*kr+j, j)
		}
		fours(a, "VEXTRACTF32X4", 0, 30)
		a.p("VHADDPS Y%d, Y4, Y4", kr-1)
		a.p("VHADDPS Y4, Y4, Y4")
		a.p("VEXTRACTF32X4 $1, Y4, X30")
		a.p("VADDPS X30, X4, X4")
		a.p("VINSERTF128 $1, X4, Y0, Y0")
		a.p("VMOVUPS.Z (R8), K1, Y1")
		a.p("VADDPS Y1, Y0, Y0")
		a.p("VMOVUPS Y0, K1, (R8)")
		a.p("ADDQ R9, R8")
	}
	a.ret()
}

// fours leaves the sums of Y(first) to Y(first+3) in the lanes of X(first).
func fours(a *asm, extract string, first, tmp int) {
	a.p("VHADDPS Y%d, Y%d, Y%d", first+1, first, first)
	a.p("VHADDPS Y%d, Y%d, Y%d", first+3, first+2, first+2)
	a.p("VHADDPS Y%d, Y%d, Y%d", first+2, first, first)
	a.p("%s $1, Y%d, X%d", extract, first, tmp)
	a.p("VADDPS X%d, X%d, X%d", tmp, first, first)
}

// grad2 is the same for AVX2: it goes through the steps twice, for the lower
// and for the upper eight lanes, and adds the two.
func grad2(a *asm, mr, kr int) {
	n := mr * kr
	a.text(fmt.Sprintf("grad2x%dx%d", mr, kr), "gradArgs", 8+32*n)
	gradSetup(a, kr)
	for half := range 2 {
		for i := range n {
			zero(a, avx2, fmt.Sprintf("Y%d", i))
		}
		a.p("MOVQ a+0(FP), DI")
		a.p("MOVQ gradArgs_tab(DI), CX")
		a.p("MOVQ gradArgs_n(DI), DI")
		a.label(fmt.Sprintf("step%d", half))
		a.p("MOVQ gradStep_x%d(CX), AX", half)
		a.p("MOVQ gradStep_dy(CX), SI")
		a.p("ADDQ dy-8(SP), SI")
		a.p("ADDQ $gradStep__size, CX")
		for r := range mr {
			a.p("VMOVUPS %s, Y%d", dyRow(r, 32*half), n+r)
		}
		for j := range kr {
			a.p("VMOVUPS (%s)(AX*1), Y15", pointers[j])
			for r := range mr {
				a.p("VFMADD231PS Y%d, Y15, Y%d", n+r, r*kr+j)
			}
		}
		a.p("DECQ DI")
		a.p("JNZ step%d", half)
		for i := range n {
			if half == 0 {
				a.p("VMOVUPS Y%d, low-%d(SP)", i, 8+32*(i+1))
			} else {
				a.p("VADDPS low-%d(SP), Y%d, Y%d", 8+32*(i+1), i, i)
			}
		}
	}
	a.p("MOVQ a+0(FP), DI")
	maskVector(a, "gradArgs_cols(DI)", "laneMask", 4, "Y15")
	a.p("MOVQ gradArgs_dst(DI), R8")
	a.p("MOVQ gradArgs_dstPitch(DI), R9")
	for r := range mr {
		fours(a, "VEXTRACTF128", r*kr, 14)
		a.p("VMASKMOVPS (R8), X15, X13")
		a.p("VADDPS X13, X%d, X13", r*kr)
		a.p("VMASKMOVPS X13, X15, (R8)")
		a.p("ADDQ R9, R8")
	}
	a.ret()
}

// maskVector loads the lanes for count elements of width bytes from a table of
// eight lanes that are on and eight that are off. It uses AX and CX.
func maskVector(a *asm, count, table string, width int, reg string) {
	a.p("MOVQ %s, CX", count)
	a.p("LEAQ ·%s+32(SB), AX", table)
	a.p("IMULQ $%d, CX", width)
	a.p("SUBQ CX, AX")
	a.p("VMOVUPS (AX), %s", reg)
}
