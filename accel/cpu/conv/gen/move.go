//go:build ignore

package main

import "fmt"

// flush moves rows to places step apart. R8 dst, R9 src, R10 res or nil; CX
// floats left.
func flush(a *asm, v vector, step int) {
	a.text(fmt.Sprintf("flush%sx%d", v.name, step), "flushArgs", 0)
	per := v.size / 4 / step // floats of src a vector
	for i, f := range []string{"bias", "lo", "hi"} {
		a.p("VBROADCASTSS flushArgs_%s(DI), %s%d", f, v.reg, i)
	}
	for i, f := range []string{"dst", "src", "res", "rows", "dstPitch", "srcPitch"} {
		a.p("MOVQ flushArgs_%s(DI), %s", f, pointers[i])
	}
	a.p("MOVQ flushArgs_n(DI), BX")
	a.p("ANDQ $%d, BX", per-1) // of the last vector
	a.p("MOVQ flushArgs_n(DI), R15")
	a.p("SUBQ BX, R15")
	flushMasks(a, v, step, per)
	a.label("row")
	a.p("XORQ SI, SI") // offset in src
	a.p("MOVQ R15, CX")
	a.p("TESTQ CX, CX")
	a.p("JZ tail")
	a.label("full")
	flushVector(a, v, step, "full", true)
	a.p("ADDQ $%d, SI", 4*per)
	a.p("SUBQ $%d, CX", per)
	a.p("JNZ full")
	a.label("tail")
	a.p("TESTQ BX, BX")
	a.p("JZ end")
	flushVector(a, v, step, "tail", false)
	a.label("end")
	a.p("ADDQ R12, R8")
	a.p("ADDQ R13, R9")
	a.p("TESTQ R10, R10")
	a.p("JZ nores")
	a.p("ADDQ R12, R10")
	a.label("nores")
	a.p("DECQ R11")
	a.p("JNZ row")
	a.ret()
}

// flushMasks sets K1 or Y14 to the lanes of a full vector, and K2 or Y15 to
// those of the last, which has BX floats; K3 or Y13 to those that are read.
func flushMasks(a *asm, v vector, step, per int) {
	if v == avx512 {
		laneMask(a, "BX", "K3")
		a.p("MOVL $%d, DX", []int{0, 0xffff, 0x5555}[step])
		a.p("KMOVW DX, K1")
		a.p("MOVQ BX, SI")
		a.p("IMULQ $%d, SI", step)
		laneMask(a, "SI", "K2")
		a.p("KANDW K1, K2, K2")
		return
	}
	maskVector(a, "BX", "laneMask", 4, "Y13")
	if step == 1 {
		a.p("VMOVUPS Y13, Y15")
		return
	}
	a.p("VMOVUPS ·evenMask(SB), Y14")
	maskVector(a, "BX", "evenMask", 8, "Y15")
}

// flushVector moves one vector, at SI bytes in src.
func flushVector(a *asm, v vector, step int, name string, full bool) {
	x := v.reg + "3"
	to := fmt.Sprintf("(SI*%d)", step)
	switch {
	case v == avx512 && step == 1 && full:
		a.p("VMOVUPS (R9)(SI*1), Z3")
	case v == avx512 && step == 1:
		a.p("VMOVUPS.Z (R9)(SI*1), K3, Z3")
	case v == avx512 && full:
		a.p("VPMOVZXDQ (R9)(SI*1), Z3")
	case v == avx512:
		a.p("VMOVUPS.Z (R9)(SI*1), K3, Y3")
		a.p("VPMOVZXDQ Y3, Z3")
	case step == 1 && full:
		a.p("VMOVUPS (R9)(SI*1), Y3")
	case step == 1:
		a.p("VMASKMOVPS (R9)(SI*1), Y13, Y3")
	case full:
		a.p("VPMOVZXDQ (R9)(SI*1), Y3")
	default:
		a.p("VMASKMOVPS (R9)(SI*1), X13, X3")
		a.p("VPMOVZXDQ X3, Y3")
	}
	a.p("VADDPS %s0, %s, %s", v.reg, x, x)
	a.p("TESTQ R10, R10")
	a.p("JZ %sPlain", name)
	k, m := map[bool]string{true: "K1", false: "K2"}[full], map[bool]string{true: "Y14", false: "Y15"}[full]
	switch {
	case full && step == 1:
		a.p("VADDPS (R10)%s, %s, %s", to, x, x)
	case v == avx512:
		a.p("VADDPS (R10)%s, Z3, %s, Z3", to, k)
	default:
		a.p("VMASKMOVPS (R10)%s, %s, Y4", to, m)
		a.p("VADDPS Y4, Y3, Y3")
	}
	a.label(name + "Plain")
	a.p("VMAXPS %s, %s1, %s", x, v.reg, x)
	a.p("VMINPS %s, %s2, %s", x, v.reg, x)
	switch {
	case full && step == 1:
		a.p("VMOVUPS %s, (R8)%s", x, to)
	case v == avx512:
		a.p("VMOVUPS Z3, %s, (R8)%s", k, to)
	default:
		a.p("VMASKMOVPS Y3, %s, (R8)%s", m, to)
	}
}

// addSetup begins the loops of addTaps: rows, vectors of a row, places of a
// vector. R8 dst, R9 src, R10 the row's places, R11 the vector's offset in
// bytes, R12 its masks; SI a place.
func addSetup(a *asm, name string) {
	a.text(name, "addArgs", 16)
	a.p("MOVQ addArgs_dst(DI), R8")
	a.p("MOVQ addArgs_src(DI), R9")
	a.p("MOVQ addArgs_rowOff(DI), R10")
	a.p("MOVQ addArgs_tapPitch(DI), R15")
	a.p("MOVQ addArgs_rows(DI), AX")
	a.p("MOVQ AX, rows-8(SP)")
	a.label("row")
	a.p("XORQ R11, R11")
	a.p("MOVQ addArgs_mask(DI), R12")
	a.p("MOVQ addArgs_vecs(DI), AX")
	a.p("MOVQ AX, vecs-16(SP)")
	a.label("vector")
	a.p("MOVQ R10, DX")
}

// addPlaces is the loop over places and taps: add emits one tap, with its
// address in SI and its mask at BX.
func addPlaces(a *asm, add func()) {
	a.p("JMP check")
	a.label("place")
	a.p("ADDQ R9, SI")
	a.p("ADDQ R11, SI")
	a.p("MOVQ R12, BX")
	a.p("MOVQ addArgs_kw(DI), CX")
	a.label("tap")
	add()
	a.p("ADDQ $64, BX")
	a.p("ADDQ R15, SI")
	a.p("DECQ CX")
	a.p("JNZ tap")
	a.label("check")
	a.p("MOVQ (DX), SI")
	a.p("ADDQ $8, DX")
	a.p("TESTQ SI, SI")
	a.p("JGE place")
}

// addEnd closes the loops.
func addEnd(a *asm) {
	a.p("MOVQ addArgs_kw(DI), CX") // to the next vector's masks
	a.p("SHLQ $6, CX")
	a.p("ADDQ CX, R12")
	a.p("ADDQ $64, R11")
	a.p("DECQ vecs-16(SP)")
	a.p("JNZ vector")
	a.p("MOVQ DX, R10")
	a.p("ADDQ addArgs_dstPitch(DI), R8")
	a.p("DECQ rows-8(SP)")
	a.p("JNZ row")
	a.ret()
}

func addTaps512(a *asm) {
	addSetup(a, "addTaps512")
	a.p("VPTERNLOGD $255, Z1, Z1, Z1")
	a.p("VPXORD Z0, Z0, Z0")
	addPlaces(a, func() {
		a.p("VPTESTMD (BX), Z1, K1")
		a.p("VMOVUPS.Z (SI), K1, Z2")
		a.p("VADDPS Z2, Z0, Z0")
	})
	a.p("VMOVUPS Z0, (R8)(R11*1)")
	addEnd(a)
}

func addTaps2(a *asm) {
	addSetup(a, "addTaps2")
	a.p("VXORPS Y0, Y0, Y0")
	a.p("VXORPS Y1, Y1, Y1")
	addPlaces(a, func() {
		for i := range 2 {
			a.p("VMOVUPS %d(BX), Y2", 32*i)
			a.p("VMASKMOVPS %d(SI), Y2, Y3", 32*i)
			a.p("VADDPS Y3, Y%d, Y%d", i, i)
		}
	})
	a.p("VMOVUPS Y0, (R8)(R11*1)")
	a.p("VMOVUPS Y1, 32(R8)(R11*1)")
	addEnd(a)
}

// copyRows writes channels of rows of vectors of eight floats, step 1 or 2. R13
// and R15 are the channel's dst and src, R8 and R9 the row's, R10 rows left, R11
// the way to the odd columns; BX, SI and DX the offsets in mask, src and dst; CX
// vectors left, of which AVX-512 takes two at a time.
func copyRows(a *asm, v vector, step int) {
	a.text(fmt.Sprintf("copyRows%sx%d", v.name, step), "copyArgs", 8)
	a.p("MOVQ copyArgs_dst(DI), R13")
	a.p("MOVQ copyArgs_src(DI), R15")
	a.p("ADDQ copyArgs_first(DI), R15")
	a.p("MOVQ copyArgs_odd(DI), R11")
	a.p("MOVQ copyArgs_mask(DI), BX")
	a.p("MOVQ copyArgs_chans(DI), AX")
	a.p("MOVQ AX, chans-8(SP)")
	zero(a, v, v.reg+"14")
	if v == avx512 {
		a.p("VPTERNLOGD $255, Z31, Z31, Z31")
		a.p("VMOVUPS ·evenIndex(SB), Z30")
		a.p("VPADDD ·ones(SB), Z30, Z29")
	}
	a.label("channel")
	a.p("MOVQ R13, R8")
	a.p("MOVQ R15, R9")
	zeroRows(a, v, step, "top")
	rowLoop(a, v, "rows", func(reg string) { copyVector(a, v, reg, step) }, func() { a.p("ADDQ copyArgs_srcPitch(DI), R9") })
	zeroRows(a, v, step, "bottom")
	a.p("ADDQ copyArgs_dstChan(DI), R13")
	a.p("ADDQ copyArgs_srcChan(DI), R15")
	a.p("DECQ chans-8(SP)")
	a.p("JNZ channel")
	a.ret()
}

// rowLoop does as many rows as field says: each calls vector for its vectors,
// and then end.
func rowLoop(a *asm, v vector, field string, vector func(reg string), end func()) {
	a.p("MOVQ copyArgs_%s(DI), R10", field)
	a.p("TESTQ R10, R10")
	a.p("JZ %sDone", field)
	a.label(field + "Row")
	a.p("MOVQ copyArgs_vecs(DI), CX")
	a.p("XORQ SI, SI")
	a.p("XORQ DX, DX")
	if v == avx512 {
		a.p("SUBQ $2, CX")
		a.p("JLT %sLast", field)
		a.label(field + "Two")
		vector("Z")
		a.p("SUBQ $2, CX")
		a.p("JGE %sTwo", field)
		a.label(field + "Last")
		a.p("ADDQ $2, CX")
		a.p("JZ %sEnd", field)
	}
	a.label(field + "One")
	vector("Y")
	a.p("DECQ CX")
	a.p("JNZ %sOne", field)
	a.label(field + "End")
	a.p("ADDQ copyArgs_dstPitch(DI), R8")
	end()
	a.p("DECQ R10")
	a.p("JNZ %sRow", field)
	a.label(field + "Done")
}

// zeroRows writes rows of zeros.
func zeroRows(a *asm, v vector, step int, field string) {
	rowLoop(a, v, field, func(reg string) {
		a.p("LEAQ (R8)(DX*1), R12")
		a.p("VMOVUPS %s14, (R12)", reg)
		if step == 2 {
			a.p("VMOVUPS %s14, (R12)(R11*1)", reg)
		}
		a.p("ADDQ $%d, DX", map[string]int{"Z": 64, "Y": 32}[reg])
	}, func() {})
}

// copyVector copies one register reg of dst, or two for step 2.
func copyVector(a *asm, v vector, reg string, step int) {
	size := map[string]int{"Z": 64, "Y": 32}[reg]
	for i := range step {
		if v == avx512 {
			a.p("VPTESTMD %d(BX)(SI*1), %s31, K1", size*i, reg)
			a.p("VMOVUPS.Z %d(R9)(SI*1), K1, %s%d", size*i, reg, i)
		} else {
			a.p("VMOVUPS %d(BX)(SI*1), Y2", size*i)
			a.p("VMASKMOVPS %d(R9)(SI*1), Y2, Y%d", size*i, i)
		}
	}
	switch {
	case step == 1:
		a.p("VMOVUPS %s0, (R8)(DX*1)", reg)
	case v == avx512:
		for i, index := range []string{"30", "29"} {
			a.p("VMOVAPS %s%s, %s%d", reg, index, reg, 2+i)
			a.p("VPERMI2PS %s1, %s0, %s%d", reg, reg, reg, 2+i)
		}
	default:
		a.p("VSHUFPS $0x88, Y1, Y0, Y2")
		a.p("VSHUFPS $0xdd, Y1, Y0, Y3")
		a.p("VPERMPD $0xd8, Y2, Y2")
		a.p("VPERMPD $0xd8, Y3, Y3")
	}
	if step == 2 {
		a.p("LEAQ (R8)(DX*1), R12")
		a.p("VMOVUPS %s2, (R12)", reg)
		a.p("VMOVUPS %s3, (R12)(R11*1)", reg)
	}
	a.p("ADDQ $%d, DX", size)
	a.p("ADDQ $%d, SI", size*step)
}
