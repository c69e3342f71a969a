//go:build ignore

package main

import "fmt"

// squares transforms vectors of squares whose source lies in pieces of 4, 8 or
// 16 neighbours. SI points to the vector's pieces, R12 and R13 to the channel's
// source and destination, R15 to an element's destination; BX is the pitch of
// rows, DX the way to the odd columns, CX vectors left.
func squares(a *asm, v vector, piece int) {
	a.text(fmt.Sprintf("squares%sx%d", v.name, piece), "squareArgs", map[string]int{"512": 8, "2": 520}[v.name])
	n := v.size / 4 / piece
	a.p("MOVQ squareArgs_src(DI), R12")
	a.p("MOVQ squareArgs_dst(DI), R13")
	a.p("MOVQ squareArgs_rowPitch(DI), BX")
	a.p("MOVQ squareArgs_odd(DI), DX")
	a.p("MOVQ squareArgs_chans(DI), AX")
	a.p("MOVQ AX, chans-8(SP)")
	if v == avx512 {
		for k, bits := range map[int][]int{16: nil, 8: {0xff00}, 4: {0xf0, 0xf00, 0xf000}}[piece] {
			a.p("MOVL $%#x, AX", bits)
			a.p("KMOVW AX, K%d", k+1)
		}
	}
	a.label("channel")
	a.p("MOVQ squareArgs_quads(DI), SI")
	a.p("MOVQ squareArgs_vecs(DI), CX")
	if v == avx2 {
		a.p("ADDQ CX, CX")
	}
	a.p("MOVQ R13, R15")
	a.label("vector")
	for i := range n {
		a.p("MOVQ %d(SI), %s", 8*i*piece/4, pointers[i])
		a.p("ADDQ R12, %s", pointers[i])
	}
	a.p("ADDQ $%d, SI", v.size/2)
	if v == avx512 {
		squares512(a, piece, n)
	} else {
		squares2(a, n)
	}
	a.p("DECQ CX")
	a.p("JNZ vector")
	a.p("ADDQ squareArgs_chanPitch(DI), R12")
	a.p("ADDQ squareArgs_pitch(DI), R13")
	a.p("DECQ chans-8(SP)")
	a.p("JNZ channel")
	a.ret()
}

// fold is Bᵀ times the column in[0] to in[3], to out.
func fold(a *asm, in, out [4]string) {
	a.p("VSUBPS %s, %s, %s", in[2], in[0], out[0])
	a.p("VADDPS %s, %s, %s", in[2], in[1], out[1])
	a.p("VSUBPS %s, %s, %s", in[1], in[2], out[2])
	a.p("VSUBPS %s, %s, %s", in[3], in[1], out[3])
}

// storeElement stores a register to R15 and moves AX, its copy, to the next
// element; the last moves R15 to the next vector.
func storeElement(a *asm, v vector, reg string, first bool) {
	if first {
		a.p("MOVQ R15, AX")
	}
	a.p("VMOVUPS %s, (AX)", reg)
	a.p("ADDQ squareArgs_elemPitch(DI), AX")
}

// squares512 holds a square in Z0 to Z15, by rows, and its columns' transform
// in Z16 to Z31.
func squares512(a *asm, piece, n int) {
	z := func(first, i, j int) string { return fmt.Sprintf("Z%d", first+4*i+j) }
	for i := range 4 {
		for j := range 4 {
			odd := []string{"", "(DX*1)"}[j%2]
			a.p("VMOVUPS %d(R8)%s, %s%d", 4*(j/2), odd, map[int]string{4: "X", 8: "Y", 16: "Z"}[piece], 4*i+j)
			for k := 1; k < n; k++ {
				a.p("VMOVUPS %d(%s)%s, K%d, %s", 4*(j/2)-4*k*piece, pointers[k], odd, k, z(0, i, j))
			}
		}
		for k := range n {
			a.p("ADDQ BX, %s", pointers[k])
		}
	}
	for j := range 4 {
		fold(a, [4]string{z(0, 0, j), z(0, 1, j), z(0, 2, j), z(0, 3, j)}, [4]string{z(16, 0, j), z(16, 1, j), z(16, 2, j), z(16, 3, j)})
	}
	for i := range 4 {
		out := [4]string{z(0, i, 0), z(0, i, 1), z(0, i, 2), z(0, i, 3)}
		fold(a, [4]string{z(16, i, 0), z(16, i, 1), z(16, i, 2), z(16, i, 3)}, out)
		for j, reg := range out {
			storeElement(a, avx512, reg, i+j == 0)
		}
	}
	a.p("ADDQ $64, R15")
}

// squares2 keeps the columns' transform on the stack.
func squares2(a *asm, n int) {
	frame := func(i, j int) string { return fmt.Sprintf("s-%d(SP)", 520-32*(4*i+j)) }
	in, out := [4]string{"Y0", "Y1", "Y2", "Y3"}, [4]string{"Y4", "Y5", "Y6", "Y7"}
	a.p("LEAQ (BX)(BX*2), R10")
	for _, j := range []int{0, 2, 1, 3} {
		if j == 1 {
			for k := range n {
				a.p("ADDQ DX, %s", pointers[k])
			}
		}
		for i, row := range []string{"", "(BX*1)", "(BX*2)", "(R10*1)"} {
			if n == 1 {
				a.p("VMOVUPS %d(R8)%s, Y%d", 4*(j/2), row, i)
				continue
			}
			a.p("VMOVUPS %d(R8)%s, X%d", 4*(j/2), row, i)
			a.p("VINSERTF128 $1, %d(R9)%s, Y%d, Y%d", 4*(j/2), row, i, i)
		}
		fold(a, in, out)
		for i, reg := range out {
			a.p("VMOVUPS %s, %s", reg, frame(i, j))
		}
	}
	for i := range 4 {
		for j, reg := range in {
			a.p("VMOVUPS %s, %s", frame(i, j), reg)
		}
		fold(a, in, out)
		for j, reg := range out {
			storeElement(a, avx2, reg, i+j == 0)
		}
	}
	a.p("ADDQ $32, R15")
}

// unfold is Aᵀ times the column in[0] to in[3], to out; in[1] is lost.
func unfold(a *asm, in [4]string, out [2]string) {
	a.p("VADDPS %s, %s, %s", in[1], in[0], out[0])
	a.p("VADDPS %s, %s, %s", in[2], out[0], out[0])
	a.p("VSUBPS %s, %s, %s", in[2], in[1], in[1])
	a.p("VSUBPS %s, %s, %s", in[3], in[1], out[1])
}

// unsquare transforms back. R8 is the channel's sums, R9 the vector's, R15 a
// column's; R10 the channel's dst, R11 its res or nil, R12 its bias, R13 the
// places of fours, CX fours left; BX the pitch of
// elements, SI twelve of them, DX the pitch of dst's rows.
func unsquare(a *asm, v vector) {
	a.text("unsquare"+v.name, "unsquareArgs", 8)
	for i, f := range []string{"src", "", "dst", "res", "bias"} {
		if f != "" {
			a.p("MOVQ unsquareArgs_%s(DI), %s", f, pointers[i])
		}
	}
	a.p("MOVQ unsquareArgs_elemPitch(DI), BX")
	a.p("LEAQ (BX)(BX*2), SI")
	a.p("SHLQ $2, SI")
	a.p("MOVQ unsquareArgs_rowPitch(DI), DX")
	a.p("MOVQ unsquareArgs_chans(DI), AX")
	a.p("MOVQ AX, chans-8(SP)")
	last := v.regs - 1
	a.p("VBROADCASTSS unsquareArgs_lo(DI), %s%d", v.reg, last)
	a.p("VBROADCASTSS unsquareArgs_hi(DI), %s%d", v.reg, last-1)
	if v == avx512 {
		a.p("VMOVUPS ·zipIndex(SB), Z27")
		a.p("VMOVUPS ·zipIndex+64(SB), Z28")
	}
	a.label("channel")
	a.p("VBROADCASTSS (R12), %s%d", v.reg, last-2)
	a.p("MOVQ R8, R9")
	a.p("MOVQ unsquareArgs_outs(DI), R13")
	a.p("MOVQ unsquareArgs_quads(DI), CX")
	a.label("vector")
	unsquareVector(a, v, fmt.Sprintf("%s%d", v.reg, last-2))
	storeFours(a, v)
	a.p("ADDQ $%d, R9", v.size)
	a.p("ADDQ $%d, R13", v.size/2)
	a.p("SUBQ $%d, CX", v.size/16)
	a.p("JGT vector")
	a.p("ADDQ unsquareArgs_pitch(DI), R8")
	a.p("ADDQ unsquareArgs_chanPitch(DI), R10")
	a.p("ADDQ unsquareArgs_biasStep(DI), R12")
	a.p("TESTQ R11, R11")
	a.p("JZ nores")
	a.p("ADDQ unsquareArgs_chanPitch(DI), R11")
	a.label("nores")
	a.p("DECQ chans-8(SP)")
	a.p("JNZ channel")
	a.ret()
}

// unsquareVector leaves the outputs of the squares at R9: of AVX-512 the first
// row in registers 4 and 5, the second in 6 and 7; of AVX2 in 4, 5 and 6, 7.
func unsquareVector(a *asm, v vector, bias string) {
	reg := func(i int) string { return fmt.Sprintf("%s%d", v.reg, i) }
	a.p("MOVQ R9, R15")
	for j := range 4 {
		for i, row := range []string{"", "(BX*4)", "(BX*8)", "(SI*1)"} {
			a.p("VMOVUPS (R15)%s, %s", row, reg(i))
		}
		unfold(a, [4]string{reg(0), reg(1), reg(2), reg(3)}, [2]string{reg(4 + j), reg(8 + j)})
		if j < 3 {
			a.p("ADDQ BX, R15")
		}
	}
	for i := range 2 {
		first := 4 + 4*i
		unfold(a, [4]string{reg(first), reg(first + 1), reg(first + 2), reg(first + 3)}, [2]string{reg(2 * i), reg(2*i + 1)})
	}
	for i := range 4 {
		a.p("VADDPS %s, %s, %s", bias, reg(i), reg(i))
	}
	for i := range 2 {
		y0, y1, lo, hi := 2*i, 2*i+1, 4+2*i, 5+2*i
		if v == avx512 {
			a.p("VMOVDQA32 Z27, Z%d", lo)
			a.p("VMOVDQA32 Z28, Z%d", hi)
			a.p("VPERMI2PS Z%d, Z%d, Z%d", y1, y0, lo)
			a.p("VPERMI2PS Z%d, Z%d, Z%d", y1, y0, hi)
			continue
		}
		a.p("VUNPCKLPS Y%d, Y%d, Y8", y1, y0)
		a.p("VUNPCKHPS Y%d, Y%d, Y9", y1, y0)
		a.p("VPERM2F128 $0x20, Y9, Y8, Y%d", lo)
		a.p("VPERM2F128 $0x31, Y9, Y8, Y%d", hi)
	}
}

// storeFours adds the residual, clamps and stores, eight outputs in two rows
// for each four squares that exist.
func storeFours(a *asm, v vector) {
	last := v.regs - 1
	for q := range v.size / 16 {
		if q > 0 {
			a.p("CMPQ CX, $%d", q)
			a.p("JLE stored")
		}
		a.p("MOVQ %d(R13), AX", 8*q)
		for i := range 2 {
			reg := 4 + 2*i + q
			if v == avx512 {
				reg = 8 + 4*i + q
				if q%2 == 1 {
					a.p("VEXTRACTF32X8 $1, Z%d, Y%d", 4+2*i+q/2, reg)
				} else {
					a.p("VMOVAPS Y%d, Y%d", 4+2*i+q/2, reg)
				}
			}
			skip := fmt.Sprintf("res%d%d", q, i)
			a.p("TESTQ R11, R11")
			a.p("JZ %s", skip)
			a.p("VADDPS (R11)(AX*1), Y%d, Y%d", reg, reg)
			a.label(skip)
			a.p("VMAXPS Y%d, Y%d, Y%d", reg, last, reg)
			a.p("VMINPS Y%d, Y%d, Y%d", reg, last-1, reg)
			a.p("VMOVUPS Y%d, (R10)(AX*1)", reg)
			if i == 0 {
				a.p("ADDQ DX, AX")
			}
		}
	}
	a.label("stored")
}

// spreadTaps transforms weights, eight at a time: n is a multiple of eight.
// Column j of g goes to registers 4j to 4j+3, Y12 is a half.
func spreadTaps(a *asm) {
	fmt.Fprintf(a, "\n// func spreadTaps(w unsafe.Pointer, step, n int)\nTEXT ·spreadTaps(SB), NOSPLIT, $0-24\n")
	a.p("MOVQ w+0(FP), SI")
	a.p("MOVQ step+8(FP), BX")
	a.p("MOVQ n+16(FP), CX")
	a.p("MOVL $0x3f000000, AX")
	a.p("VMOVD AX, X12")
	a.p("VPBROADCASTD X12, Y12")
	a.p("LEAQ (BX)(BX*2), DX")
	a.label("next")
	a.p("MOVQ SI, R8")
	for j := range 3 {
		t := [4]string{}
		for i := range t {
			t[i] = fmt.Sprintf("Y%d", 4*j+i)
		}
		for i, row := range []string{"", "(DX*1)", "(DX*2)"} {
			a.p("VMOVUPS (R8)%s, %s", row, t[[]int{0, 1, 3}[i]])
		}
		spreadColumn(a, t, "Y13")
		a.p("ADDQ BX, R8")
	}
	a.p("MOVQ SI, R8")
	for i := range 4 {
		t := [4]string{fmt.Sprintf("Y%d", i), fmt.Sprintf("Y%d", 4+i), "Y14", fmt.Sprintf("Y%d", 8+i)}
		spreadColumn(a, t, "Y13")
		for _, reg := range t {
			a.p("VMOVUPS %s, (R8)", reg)
			a.p("ADDQ BX, R8")
		}
	}
	a.p("ADDQ $32, SI")
	a.p("SUBQ $8, CX")
	a.p("JNZ next")
	a.ret()
}

// spreadColumn is G times the column t[0], t[1], t[3], to t.
func spreadColumn(a *asm, t [4]string, ends string) {
	a.p("VADDPS %s, %s, %s", t[3], t[0], ends)
	a.p("VSUBPS %s, %s, %s", t[1], ends, t[2])
	a.p("VADDPS %s, %s, %s", t[1], ends, t[1])
	a.p("VMULPS Y12, %s, %s", t[1], t[1])
	a.p("VMULPS Y12, %s, %s", t[2], t[2])
}
