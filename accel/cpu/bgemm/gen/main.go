//go:build ignore

// Command gen writes tile_amd64.s and tiles_amd64.go: the tile kernels for each
// number of rows, and the kernels before and after them.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"log"
	"os"
)

var out, decls bytes.Buffer

func p(format string, args ...any) { fmt.Fprintf(&out, "\t"+format+"\n", args...) }

func label(name string) { fmt.Fprintln(&out, name+":") }

func text(name, args string, frame, size int) {
	fmt.Fprintf(&out, "\n// func %s%s\nTEXT ·%s(SB), NOSPLIT, $%d-%d\n", name, args, name, frame, size)
}

func done() {
	p("VZEROUPPER")
	p("RET")
}

// The offsets of tileArgs and finishArgs.
const (
	tC, tLDC, tA, tLDA, tB, tSteps, tMore          = 0, 8, 16, 24, 32, 40, 48
	fSrc, fRows, fDst, fLDD, fBias, fLo, fHi, fLDS = 0, 8, 16, 24, 32, 40, 44, 48
)

// row is the address of row r of A: R8 to R12 point to every third row, DX is
// the distance between rows.
func row(r, offset int) string {
	base := fmt.Sprintf("%d(R%d)", offset, 8+r/3)
	switch r % 3 {
	case 1:
		return base + "(DX*1)"
	case 2:
		return base + "(DX*2)"
	}
	return base
}

// tileStart loads the arguments and the bases of rows.
func tileStart(name string, rows, frame int) {
	text(name, "(t *tileArgs)", frame, 8)
	fmt.Fprintf(&decls, "\n//go:noescape\nfunc %s(t *tileArgs)\n", name)
	p("MOVQ t+0(FP), R13")
	for _, f := range []struct {
		at  int
		reg string
	}{{tC, "DI"}, {tLDC, "BX"}, {tA, "R8"}, {tLDA, "DX"}, {tB, "SI"}} {
		p("MOVQ %d(R13), %s", f.at, f.reg)
	}
	for i := 1; i <= (rows-1)/3; i++ {
		p("LEAQ (R%d)(DX*2), R%d", 7+i, 8+i)
		p("ADDQ DX, R%d", 8+i)
	}
}

func advance(rows, bytes int) {
	for i := 0; i <= (rows-1)/3; i++ {
		p("ADDQ $%d, R%d", bytes, 8+i)
	}
}

// begin sets the sums to 0, or to what is in C already: rows of two vectors of
// bytes each, from an offset of C's rows on.
func begin(rows int, reg string, bytes, offset int) {
	suffix := fmt.Sprint(offset)
	p("CMPQ %d(R13), $0", tMore)
	p("JNE more%s", suffix)
	for i := range 2 * rows {
		p("VXORPS %s%d, %s%d, %s%d", reg, i, reg, i, reg, i)
	}
	p("JMP go%s", suffix)
	label("more" + suffix)
	p("MOVQ DI, CX")
	for r := range rows {
		for j := range 2 {
			p("VMOVUPS %d(CX), %s%d", offset+bytes*j, reg, 2*r+j)
		}
		if r < rows-1 {
			p("ADDQ BX, CX")
		}
	}
	label("go" + suffix)
}

func prefetch(rows int) {
	p("MOVQ DI, CX")
	for r := range rows { // the lines of C, while the sums are made
		p("PREFETCHT0 (CX)")
		p("PREFETCHT0 64(CX)")
		if r < rows-1 {
			p("ADDQ BX, CX")
		}
	}
}

// loop runs step for unroll steps at a time, then for one at a time; bytesA and
// bytesB are what a step moves on.
func loop(rows, unroll, bytesA, bytesB int, step func(i int)) {
	p("MOVQ %d(R13), CX", tSteps)
	p("SUBQ $%d, CX", unroll)
	p("JLT rest")
	label("main")
	for i := range unroll {
		step(i)
	}
	p("ADDQ $%d, SI", unroll*bytesB)
	advance(rows, unroll*bytesA)
	p("SUBQ $%d, CX", unroll)
	p("JGE main")
	label("rest")
	p("ADDQ $%d, CX", unroll)
	p("JZ store")
	label("one")
	step(0)
	p("ADDQ $%d, SI", bytesB)
	advance(rows, bytesA)
	p("DECQ CX")
	p("JNZ one")
	label("store")
}

// dot is VDPBF16PS b, a, acc, which the assembler lacks: EVEX.512.F3.0F38.W0 52 /r.
// Registers are zmm numbers.
func dot(b, a, acc int) {
	not := func(bit int) int { return bit&1 ^ 1 }
	p0 := not(acc>>3)<<7 | not(b>>4)<<6 | not(b>>3)<<5 | not(acc>>4)<<4 | 2
	p1 := (a&15^15)<<3 | 4 | 2
	p2 := 2<<5 | not(a>>4)<<3
	modrm := 3<<6 | acc&7<<3 | b&7
	p("BYTE $0x62; BYTE $0x%02x; BYTE $0x%02x; BYTE $0x%02x; BYTE $0x52; BYTE $0x%02x // VDPBF16PS Z%d, Z%d, Z%d", p0, p1, p2, modrm, b, a, acc)
}

// bf16 makes a tile of rows by 32 columns from pairs.
func bf16(rows int) {
	acc := func(r, j int) int { return 2*r + j }
	tileStart(fmt.Sprintf("tile%dBF16", rows), rows, 0)
	begin(rows, "Z", 64, 0)
	prefetch(rows)
	loop(rows, 4, 4, 128, func(i int) {
		p("VMOVDQU32 %d(SI), Z28", 128*i)
		p("VMOVDQU32 %d(SI), Z29", 128*i+64)
		for r := range rows {
			a := 30 + r%2
			p("VPBROADCASTD %s, Z%d", row(r, 4*i), a)
			dot(28, a, acc(r, 0))
			dot(29, a, acc(r, 1))
		}
	})
	storeTile(rows, "Z", 2, 64, 0)
	done()
}

// storeTile writes vectors of bytes each, beginning at an offset of C's rows.
func storeTile(rows int, reg string, vectors, bytes, offset int) {
	for r := range rows {
		for j := range vectors {
			p("VMOVUPS %s%d, %d(DI)", reg, vectors*r+j, offset+bytes*j)
		}
		if r < rows-1 {
			p("ADDQ BX, DI")
		}
	}
}

// bf16AVX2 makes the same from float32 copies of A, 16 columns at a time, the
// second of each pair first, as VDPBF16PS does: subnormals are flushed.
func bf16AVX2(rows int) {
	tileStart(fmt.Sprintf("tile%dBF16AVX2", rows), rows, 16)
	p("STMXCSR 0(SP)")
	p("MOVL 0(SP), AX")
	p("ORL $0x8040, AX // flush to zero, denormals are zero")
	p("MOVL AX, 8(SP)")
	p("LDMXCSR 8(SP)")
	p("MOVL $0xffff0000, AX")
	p("VMOVD AX, X15")
	p("VPBROADCASTD X15, Y15")
	halves(rows, 128, 8, func() {
		for part := range 2 {
			for j := range 2 {
				if part == 0 {
					p("VPAND %d(SI), Y15, Y%d", 32*j, 12+j)
				} else {
					p("VMOVDQU %d(SI), Y%d", 32*j, 12+j)
					p("VPSLLD $16, Y%d, Y%d", 12+j, 12+j)
				}
			}
			fma(rows, 4-4*part)
		}
	})
	p("LDMXCSR 0(SP)")
	done()
}

// fma adds the products of A at an offset and the vectors 12 and 13.
func fma(rows, offset int) {
	for r := range rows {
		p("VBROADCASTSS %s, Y14", row(r, offset))
		for j := range 2 {
			p("VFMADD231PS Y%d, Y14, Y%d", 12+j, 2*r+j)
		}
	}
}

// halves makes the two halves of a tile, of 16 columns each. A step moves B on
// by bytesB, half of them for each half, and A by bytesA.
func halves(rows, bytesB, bytesA int, step func()) {
	for half := range 2 {
		if half == 1 { // back to the start, 16 columns on
			p("MOVQ %d(R13), DI", tC)
			p("MOVQ %d(R13), SI", tB)
			p("ADDQ $%d, SI", bytesB/2)
			p("MOVQ %d(R13), CX", tSteps)
			p("IMULQ $%d, CX", bytesA)
			for i := 0; i <= (rows-1)/3; i++ {
				p("SUBQ CX, R%d", 8+i)
			}
		}
		begin(rows, "Y", 32, 64*half)
		p("MOVQ %d(R13), CX", tSteps)
		p("TESTQ CX, CX")
		p("JZ store%d", half)
		label(fmt.Sprintf("loop%d", half))
		step()
		p("ADDQ $%d, SI", bytesB)
		advance(rows, bytesA)
		p("DECQ CX")
		p("JNZ loop%d", half)
		label(fmt.Sprintf("store%d", half))
		storeTile(rows, "Y", 2, 32, 64*half)
	}
}

// f16 makes a tile of rows by 32 columns from float32 copies of A.
func f16(rows int) {
	tileStart(fmt.Sprintf("tile%dF16AVX512", rows), rows, 0)
	begin(rows, "Z", 64, 0)
	prefetch(rows)
	loop(rows, 4, 4, 64, func(i int) {
		p("VCVTPH2PS %d(SI), Z28", 64*i)
		p("VCVTPH2PS %d(SI), Z29", 64*i+32)
		for r := range rows {
			p("VBROADCASTSS %s, Z%d", row(r, 4*i), 30+r%2)
			p("VFMADD231PS Z28, Z%d, Z%d", 30+r%2, 2*r)
			p("VFMADD231PS Z29, Z%d, Z%d", 30+r%2, 2*r+1)
		}
	})
	storeTile(rows, "Z", 2, 64, 0)
	done()
}

func f16AVX2(rows int) {
	tileStart(fmt.Sprintf("tile%dF16AVX2", rows), rows, 0)
	halves(rows, 64, 4, func() {
		p("VCVTPH2PS (SI), Y12")
		p("VCVTPH2PS 16(SI), Y13")
		fma(rows, 0)
	})
	done()
}

// isa is the vector length, in lanes of 32 bits.
type isa struct {
	suffix, reg string
	lanes       int
}

func (v isa) r(i int) string { return fmt.Sprintf("%s%d", v.reg, i) }

// finish computes the results of a tile and stores them by the function given,
// from register 0. VMAXPS gives the operand written first, the result, where
// it is NaN.
func finish(v isa, name string, add bool, setup func(), store func(e int)) {
	text(name+v.suffix, "(f *finishArgs)", 0, 8)
	p("MOVQ f+0(FP), R13")
	for _, f := range []struct {
		at  int
		reg string
	}{{fSrc, "SI"}, {fRows, "CX"}, {fDst, "DI"}, {fLDD, "DX"}, {fBias, "R8"}, {fLDS, "BX"}} {
		p("MOVQ %d(R13), %s", f.at, f.reg)
	}
	p("VBROADCASTSS %d(R13), %s", fLo, v.r(8))
	p("VBROADCASTSS %d(R13), %s", fHi, v.r(9))
	setup()
	label("row")
	for e := 0; e < 32; e += v.lanes {
		p("VMOVUPS %d(SI), %s", 4*e, v.r(0))
		if add {
			p("VADDPS %d(DI), %s, %s", 4*e, v.r(0), v.r(0))
		}
		p("VADDPS %d(R8), %s, %s", 4*e, v.r(0), v.r(0))
		p("VMAXPS %s, %s, %s", v.r(0), v.r(8), v.r(0))
		p("VMINPS %s, %s, %s", v.r(0), v.r(9), v.r(0))
		store(e)
	}
	p("ADDQ BX, SI")
	p("ADDQ DX, DI")
	p("DECQ CX")
	p("JNZ row")
	done()
}

// roundConstants and round are the rounding to bfloat16, as package cast has
// it: half a unit less one is added, and one more where the result is odd; NaNs
// are cut instead and made quiet. round leaves the bits in the upper half of
// each lane of register r, the lower half undefined, and uses r+1 to r+3.
func roundConstants(v isa) {
	for i, bits := range []uint32{0x7fff, 1, 0x400000} {
		p("MOVL $0x%x, AX", bits)
		p("VMOVD AX, X%d", 12+i)
		p("VPBROADCASTD X%d, %s", 12+i, v.r(12+i))
	}
}

func round(v isa, r int) {
	and, or := "VPAND", "VPOR"
	if v.lanes == 16 {
		and, or = "VPANDD", "VPORD"
	}
	p("VPSRLD $16, %s, %s", v.r(r), v.r(r+1))
	p("%s %s, %s, %s", and, v.r(13), v.r(r+1), v.r(r+1))
	p("VPADDD %s, %s, %s", v.r(12), v.r(r+1), v.r(r+1))
	p("VPADDD %s, %s, %s", v.r(r), v.r(r+1), v.r(r+1))
	p("%s %s, %s, %s", or, v.r(14), v.r(r), v.r(r+2))
	if v.lanes == 16 {
		p("VCMPPS $3, Z%d, Z%d, K1", r, r)
		p("VPBLENDMD Z%d, Z%d, K1, Z%d", r+2, r+1, r)
		return
	}
	p("VCMPPS $3, Y%d, Y%d, Y%d", r, r, r+3)
	p("VBLENDVPS Y%d, Y%d, Y%d, Y%d", r+3, r+2, r+1, r)
}

func toBF16(v isa) {
	finish(v, "toBF16", false, func() { roundConstants(v) }, func(e int) {
		round(v, 0)
		p("VPSRLD $16, %s, %s", v.r(0), v.r(0))
		if v.lanes == 16 {
			p("VPMOVDW Z0, %d(DI)", 2*e)
			return
		}
		p("VEXTRACTI128 $1, Y0, X1")
		p("VPACKUSDW X1, X0, X0")
		p("VMOVDQU X0, %d(DI)", 2*e)
	})
}

// pairs32 rounds two rows of 32 columns and interleaves them.
func pairs32(v isa) {
	text("pairs32"+v.suffix, "(dst *uint16, r0, r1 *float32)", 0, 24)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ r0+8(FP), SI")
	p("MOVQ r1+16(FP), DX")
	roundConstants(v)
	p("VPCMPEQD Y15, Y15, Y15")
	p("VPSLLD $16, Y15, Y15")
	for e := 0; e < 32; e += 8 {
		p("VMOVUPS %d(SI), Y0", 4*e)
		p("VMOVUPS %d(DX), Y4", 4*e)
		round(v, 0)
		round(v, 4)
		p("VPSRLD $16, Y0, Y0")
		p("VPAND Y15, Y4, Y4")
		p("VPOR Y4, Y0, Y0")
		p("VMOVDQU Y0, %d(DI)", 4*e)
	}
	done()
}

func pairs16() {
	text("pairs16AVX2", "(dst, r0, r1 *uint16)", 0, 24)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ r0+8(FP), SI")
	p("MOVQ r1+16(FP), DX")
	for e := 0; e < 32; e += 8 {
		p("VPMOVZXWD %d(SI), Y0", 2*e)
		p("VPMOVZXWD %d(DX), Y1", 2*e)
		p("VPSLLD $16, Y1, Y1")
		p("VPOR Y1, Y0, Y0")
		p("VMOVDQU Y0, %d(DI)", 4*e)
	}
	done()
}

// transpose8 turns the 8 x 8 matrix of 32-bit lanes in registers 0 to 7, into 8
// to 15.
func transpose8() {
	for i := 0; i < 8; i += 2 {
		p("VUNPCKLPS Y%d, Y%d, Y%d", i+1, i, 8+i)
		p("VUNPCKHPS Y%d, Y%d, Y%d", i+1, i, 9+i)
	}
	for i := 0; i < 8; i += 4 {
		for j := range 2 {
			p("VUNPCKLPD Y%d, Y%d, Y%d", 10+i+j, 8+i+j, i+2*j)
			p("VUNPCKHPD Y%d, Y%d, Y%d", 10+i+j, 8+i+j, i+2*j+1)
		}
	}
	for i := range 4 {
		p("VPERM2F128 $0x20, Y%d, Y%d, Y%d", 4+i, i, 8+i)
		p("VPERM2F128 $0x31, Y%d, Y%d, Y%d", 4+i, i, 12+i)
	}
}

// roundTo rounds 8 lanes of register r to bfloat16, which it leaves in their upper
// halves; it uses registers 8 to 11.
func roundTo(r int) {
	p("VMOVAPS Y%d, Y8", r)
	round(isa{"AVX2", "Y", 8}, 8)
	p("VMOVAPS Y8, Y%d", r)
}

func turnStart(name, args string) {
	text(name, args, 0, 40)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ src+8(FP), SI")
	p("MOVQ ld+16(FP), DX")
	p("MOVQ n+24(FP), CX")
}

// columns packs 8 columns of B that are stored as rows, 16 elements of each at a
// time: pairs are 32-bit lanes.
func columns(name, args string, single bool) {
	turnStart(name, args)
	label("loop")
	if single {
		roundConstants(isa{"AVX2", "Y", 8})
	}
	p("MOVQ SI, AX")
	for r := range 8 {
		p("VMOVUPS (AX), Y%d", r)
		if single {
			p("VMOVUPS 32(AX), Y15")
			roundTo(r)
			roundTo(15)
			p("VPSRLD $16, Y%d, Y%d", r, r)
			p("VPSRLD $16, Y15, Y15")
			p("VPACKUSDW Y15, Y%d, Y%d", r, r)
			p("VPERMQ $0xd8, Y%d, Y%d", r, r)
		}
		p("ADDQ DX, AX")
	}
	transpose8()
	for r := range 8 {
		p("VMOVUPS Y%d, %d(DI)", 8+r, 128*r)
	}
	p("ADDQ $1024, DI")
	p("ADDQ $%d, SI", map[bool]int{false: 32, true: 64}[single])
	p("DECQ CX")
	p("JNZ loop")
	done()
}

// rows copies 8 rows of A that are stored as columns, 16 elements of each at a time.
func rows(name, args string, single bool) {
	turnStart(name, args)
	p("MOVQ to+32(FP), BX")
	label("loop")
	if single {
		roundConstants(isa{"AVX2", "Y", 8})
	}
	for r := range 8 {
		if single {
			p("VMOVUPS (SI), Y%d", r)
			p("VMOVUPS (SI)(DX*1), Y15")
			roundTo(r)
			roundTo(15)
			p("VPSRLD $16, Y%d, Y%d", r, r)
			p("VPSRLD $16, Y15, Y15")
		} else {
			p("VPMOVZXWD (SI), Y%d", r)
			p("VPMOVZXWD (SI)(DX*1), Y15")
		}
		p("VPSLLD $16, Y15, Y15")
		p("VPOR Y15, Y%d, Y%d", r, r)
		p("LEAQ (SI)(DX*2), SI")
	}
	transpose8()
	p("MOVQ DI, AX")
	for r := range 8 {
		p("VMOVUPS Y%d, (AX)", 8+r)
		p("ADDQ BX, AX")
	}
	p("ADDQ $32, DI")
	p("DECQ CX")
	p("JNZ loop")
	done()
}

// table writes the array of the tile kernels of one kind by rows, and them.
func table(kind string, rows int, kernel func(rows int)) {
	fmt.Fprintf(&decls, "\n// tiles%s has the tile kernel of each number of rows.\nvar tiles%s = [...]func(t *tileArgs){nil", kind, kind)
	for r := range rows {
		fmt.Fprintf(&decls, ", tile%d%s", r+1, kind)
	}
	fmt.Fprintln(&decls, "}")
	for r := range rows {
		kernel(r + 1)
	}
}

func main() {
	fmt.Fprintln(&out, "// Written by gen/main.go. DO NOT EDIT.\n\n#include \"textflag.h\"")
	fmt.Fprintln(&decls, "// Code generated by gen/main.go. DO NOT EDIT.\n\npackage bgemm")
	table("BF16", 14, bf16)
	table("BF16AVX2", 6, bf16AVX2)
	table("F16AVX512", 14, f16)
	table("F16AVX2", 6, f16AVX2)
	v256, v512 := isa{"AVX2", "Y", 8}, isa{"AVX512", "Z", 16}
	for _, v := range []isa{v256, v512} {
		nothing := func() {}
		single := func(e int) { p("VMOVUPS %s, %d(DI)", v.r(0), 4*e) }
		finish(v, "finish", false, nothing, single)
		finish(v, "addTo", true, nothing, single)
		finish(v, "toF16", false, nothing, func(e int) { p("VCVTPS2PH $0, %s, %d(DI)", v.r(0), 2*e) })
		toBF16(v)
	}
	pairs32(v256)
	pairs16()
	columns("columns32AVX2", "(dst *uint16, src *float32, ld, n, _ int)", true)
	columns("columns16AVX2", "(dst, src *uint16, ld, n, _ int)", false)
	rows("rows32AVX2", "(dst *uint16, src *float32, ld, n, to int)", true)
	rows("rows16AVX2", "(dst, src *uint16, ld, n, to int)", false)
	source, err := format.Source(decls.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	for name, data := range map[string][]byte{"tile_amd64.s": out.Bytes(), "tiles_amd64.go": source} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}
