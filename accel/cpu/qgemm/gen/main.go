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

func text(name, args string, size int) {
	fmt.Fprintf(&out, "\n// func %s%s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", name, args, name, size)
}

func done() {
	p("VZEROUPPER")
	p("RET")
}

// The offsets of tileArgs and finishArgs.
const (
	tC, tLDC, tA, tLDA, tB, tQuads, tSums, tRowz               = 0, 8, 16, 24, 32, 40, 48, 56
	fSrc, fRows, fDst, fLDD, fBias, fScale, fOffset, fRowScale = 0, 8, 16, 24, 32, 40, 48, 56
	fRowsum, fNegzb, fLo, fHi, fZero                           = 64, 72, 80, 84, 88
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
func tileStart(name string, rows int) {
	text(name, "(t *tileArgs)", 8)
	fmt.Fprintf(&decls, "\n//go:noescape\nfunc %s(t *tileArgs)\n", name)
	p("MOVQ t+0(FP), R13")
	for _, f := range []struct {
		at  int
		reg string
	}{{tC, "DI"}, {tLDC, "BX"}, {tA, "R8"}, {tLDA, "DX"}, {tB, "SI"}, {tRowz, "AX"}} {
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

// ways is between how many sets of accumulators the quads take turns: with few
// rows several, since VPDPBUSD has a latency.
func ways(rows int) int {
	switch {
	case rows <= 3:
		return 4
	case rows <= 7:
		return 2
	}
	return 1
}

// acc is the accumulator of row r and vector j of a set.
func acc(rows, set, r, j int) string { return fmt.Sprintf("Z%d", 2*(set*rows+r)+j) }

// vnni makes a tile of rows by 32 columns.
func vnni(rows int) {
	tileStart(fmt.Sprintf("tile%dVNNI", rows), rows)
	vnniBegin(rows)
	p("MOVQ %d(R13), CX", tQuads)
	p("SUBQ $4, CX")
	p("JLT rest")
	label("main")
	for q := range 4 {
		vnniQuad(rows, q)
	}
	p("ADDQ $512, SI")
	advance(rows, 16)
	p("SUBQ $4, CX")
	p("JGE main")
	label("rest")
	p("ADDQ $4, CX")
	p("JZ store")
	label("one")
	vnniQuad(rows, 0)
	p("ADDQ $128, SI")
	advance(rows, 4)
	p("DECQ CX")
	p("JNZ one")
	label("store")
	vnniStore(rows)
	done()
}

// vnniBegin starts the first set of accumulators with rowz*sums, the others with
// 0, and fetches the lines of C.
func vnniBegin(rows int) {
	p("MOVQ %d(R13), CX", tSums)
	p("VMOVDQU32 (CX), Z28")
	p("VMOVDQU32 64(CX), Z29")
	for r := range rows {
		for j := range 2 {
			p("VPMULLD.BCST %d(AX), Z%d, %s", 4*r, 28+j, acc(rows, 0, r, j))
		}
	}
	for i := 2 * rows; i < 2*rows*ways(rows); i++ {
		p("VPXORD Z%d, Z%d, Z%d", i, i, i)
	}
	p("MOVQ DI, CX")
	for r := range rows {
		p("PREFETCHT0 (CX)")
		p("PREFETCHT0 64(CX)")
		if r < rows-1 {
			p("ADDQ BX, CX")
		}
	}
}

// vnniQuad adds the products of one quad.
func vnniQuad(rows, q int) {
	p("VMOVDQU32 %d(SI), Z28", 128*q)
	p("VMOVDQU32 %d(SI), Z29", 128*q+64)
	for r := range rows {
		a := 30 + r%2
		p("VPBROADCASTD %s, Z%d", row(r, 4*q), a)
		p("VPDPBUSD Z28, Z%d, %s", a, acc(rows, q%ways(rows), r, 0))
		p("VPDPBUSD Z29, Z%d, %s", a, acc(rows, q%ways(rows), r, 1))
	}
}

// vnniStore adds the sets and writes the tile.
func vnniStore(rows int) {
	for r := range rows {
		for j := range 2 {
			for half := ways(rows) / 2; half > 0; half /= 2 {
				for w := range half {
					p("VPADDD %s, %s, %s", acc(rows, w+half, r, j), acc(rows, w, r, j), acc(rows, w, r, j))
				}
			}
			p("VMOVDQU32 %s, %d(DI)", acc(rows, 0, r, j), 64*j)
		}
		p("ADDQ BX, DI")
	}
}

// avx2 makes a tile of rows by 32 columns, 16 at a time. A is int16, each four
// elements in the order 0, 2, 1, 3: the bytes 0 and 2 of a quad of B become the
// 16-bit halves of a lane by two shifts, and the bytes 1 and 3 by one.
func avx2(rows int) {
	tileStart(fmt.Sprintf("tile%dAVX2", rows), rows)
	for half := range 2 {
		if half == 1 { // back to the start, 16 columns on
			tileReload(rows)
		}
		p("MOVQ %d(R13), CX", tSums)
		for r := range rows {
			p("VPBROADCASTD %d(AX), Y14", 4*r)
			for j := range 2 {
				p("VPMULLD %d(CX), Y14, Y%d", 64*half+32*j, 2*r+j)
			}
		}
		p("MOVQ %d(R13), CX", tQuads)
		p("TESTQ CX, CX")
		p("JZ store%d", half)
		label(fmt.Sprintf("loop%d", half))
		avx2Quad(rows)
		p("ADDQ $128, SI")
		advance(rows, 8)
		p("DECQ CX")
		p("JNZ loop%d", half)
		label(fmt.Sprintf("store%d", half))
		for r := range rows {
			for j := range 2 {
				p("VMOVDQU Y%d, %d(DI)", 2*r+j, 32*j)
			}
			p("ADDQ BX, DI")
		}
	}
	done()
}

// avx2Quad adds the products of one quad by 16 columns.
func avx2Quad(rows int) {
	for part := range 2 {
		for j := range 2 {
			p("VMOVDQU %d(SI), Y%d", 32*j, 12+j)
			if part == 0 {
				p("VPSLLW $8, Y%d, Y%d", 12+j, 12+j)
			}
			p("VPSRAW $8, Y%d, Y%d", 12+j, 12+j)
		}
		for r := range rows {
			p("VPBROADCASTD %s, Y14", row(r, 4*part))
			for j := range 2 {
				p("VPMADDWD Y%d, Y14, Y15", 12+j)
				p("VPADDD Y15, Y%d, Y%d", 2*r+j, 2*r+j)
			}
		}
	}
}

// tileReload goes back to the start of A, and to the second half of B and C.
func tileReload(rows int) {
	p("MOVQ %d(R13), DI", tC)
	p("ADDQ $64, DI")
	p("MOVQ %d(R13), SI", tB)
	p("ADDQ $64, SI")
	p("MOVQ %d(R13), CX", tQuads)
	p("SHLQ $3, CX")
	for i := 0; i <= (rows-1)/3; i++ {
		p("SUBQ CX, R%d", 8+i)
	}
}

// isa is the vector length, in lanes of 32 bits.
type isa struct {
	suffix, reg string
	lanes       int
}

func (v isa) r(i int) string { return fmt.Sprintf("%s%d", v.reg, i) }

// rows runs body for every vector of every row of a finishArgs, whose bytes of
// a result are size.
func (v isa) rows(name string, setup func(), each func(offset int), next func()) {
	text(name+v.suffix, "(f *finishArgs)", 8)
	p("MOVQ f+0(FP), R13")
	p("MOVQ %d(R13), SI", fSrc)
	p("MOVQ %d(R13), CX", fRows)
	setup()
	label("row")
	for e := 0; e < 32; e += v.lanes {
		each(e)
	}
	p("ADDQ $128, SI")
	next()
	p("DECQ CX")
	p("JNZ row")
	done()
}

func (v isa) move() string { return map[int]string{8: "VMOVDQU", 16: "VMOVDQU32"}[v.lanes] }

func rank1(v isa) {
	vectors := 32 / v.lanes
	v.rows("rank1", func() {
		p("MOVQ %d(R13), AX", fRowsum)
		p("MOVQ %d(R13), BX", fNegzb)
		for i := range vectors {
			p("%s %d(BX), %s", v.move(), 4*v.lanes*i, v.r(i))
		}
		p("VPBROADCASTD (AX), %s", v.r(8))
	}, func(e int) {
		p("VPMULLD %s, %s, %s", v.r(e/v.lanes), v.r(8), v.r(9))
		p("VPADDD %d(SI), %s, %s", 4*e, v.r(9), v.r(9))
		p("%s %s, %d(SI)", v.move(), v.r(9), 4*e)
		if e+v.lanes == 32 {
			p("ADDQ $4, AX")
		}
	}, func() {
		p("CMPQ CX, $1")
		p("JEQ last") // there is no row scale beyond the last
		p("VPBROADCASTD (AX), %s", v.r(8))
		label("last")
	})
}

// finish computes v and stores it by the function given. VMAXPS gives the operand
// written first where one is NaN: the bound if v is to be rounded, else v.
func finish(v isa, name string, rounds bool, setup func(), store func(e int)) {
	v.rows(name, func() {
		for _, f := range []struct {
			at  int
			reg string
		}{{fDst, "DI"}, {fLDD, "DX"}, {fBias, "R8"}, {fScale, "R9"}, {fOffset, "R10"}, {fRowScale, "R11"}} {
			p("MOVQ %d(R13), %s", f.at, f.reg)
		}
		p("VBROADCASTSS %d(R13), %s", fLo, v.r(8))
		p("VBROADCASTSS %d(R13), %s", fHi, v.r(9))
		setup()
	}, func(e int) {
		if e == 0 {
			p("VBROADCASTSS (R11), %s", v.r(10))
		}
		p("%s %d(SI), %s", v.move(), 4*e, v.r(0))
		p("VPADDD %d(R8), %s, %s", 4*e, v.r(0), v.r(0))
		p("VCVTDQ2PS %s, %s", v.r(0), v.r(0))
		p("VMULPS %d(R9), %s, %s", 4*e, v.r(0), v.r(0))
		p("VMULPS %s, %s, %s", v.r(10), v.r(0), v.r(0))
		p("VADDPS %d(R10), %s, %s", 4*e, v.r(0), v.r(0))
		for i, op := range []string{"VMAXPS", "VMINPS"} {
			if rounds {
				p("%s %s, %s, %s", op, v.r(8+i), v.r(0), v.r(0))
			} else {
				p("%s %s, %s, %s", op, v.r(0), v.r(8+i), v.r(0))
			}
		}
		store(e)
	}, func() {
		p("ADDQ DX, DI")
		p("ADDQ $4, R11")
	})
}

func finishF(v isa) {
	finish(v, "finishF", false, func() {}, func(e int) { p("VMOVUPS %s, %d(DI)", v.r(0), 4*e) })
}

func finish8(v isa) {
	finish(v, "finish8", true, func() {
		p("VPBROADCASTD %d(R13), %s", fZero, v.r(11))
		if v.lanes == 8 {
			p("MOVL $0xff, AX")
			p("VMOVD AX, X12")
			p("VPBROADCASTD X12, Y12")
		}
	}, func(e int) {
		p("VCVTPS2DQ %s, %s", v.r(0), v.r(0))
		p("VPADDD %s, %s, %s", v.r(11), v.r(0), v.r(0))
		if v.lanes == 16 {
			p("VPMOVDB Z0, %d(DI)", e)
			return
		}
		p("VPAND Y12, Y0, Y0")
		p("VEXTRACTI128 $1, Y0, X1")
		p("VPACKUSDW X1, X0, X0")
		p("VPACKUSWB X0, X0, X0")
		p("VMOVQ X0, %d(DI)", e)
	})
}

// sum adds the lanes of 64 bits in register 0 and returns them.
func sum() {
	p("VEXTRACTI128 $1, Y0, X1")
	p("VPADDQ X1, X0, X0")
	p("VPSHUFD $0x4e, X0, X1")
	p("VPADDQ X1, X0, X0")
	p("VMOVQ X0, sum+32(FP)")
	done()
}

func copyStart(name, args string) {
	text(name, args, 40)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ src+8(FP), SI")
	p("MOVQ n+16(FP), CX")
	p("VPBROADCASTQ flip+24(FP), Y2")
	p("VPXOR Y0, Y0, Y0")
	p("VPXOR Y3, Y3, Y3")
}

func copyRow() {
	copyStart("copyRowAVX2", "(dst, src *uint8, n int, flip uint64) (sum int64)")
	for _, step := range []int{128, 32} {
		label(fmt.Sprintf("loop%d", step))
		p("CMPQ CX, $%d", step)
		p("JLT done%d", step)
		for i := 0; i < step; i += 32 {
			r := 4 + i/32
			p("VPXOR %d(SI), Y2, Y%d", i, r)
			p("VMOVDQU Y%d, %d(DI)", r, i)
			p("VPSADBW Y3, Y%d, Y%d", r, r)
			p("VPADDQ Y%d, Y0, Y0", r)
		}
		p("ADDQ $%d, SI", step)
		p("ADDQ $%d, DI", step)
		p("SUBQ $%d, CX", step)
		p("JMP loop%d", step)
		label(fmt.Sprintf("done%d", step))
	}
	sum()
}

func widenRow() {
	fmt.Fprintln(&out)
	p("DATA order<>+0(SB)/8, $0x0705060403010200 // bytes 0, 2, 1, 3 of every four")
	p("DATA order<>+8(SB)/8, $0x0f0d0e0c0b090a08")
	p("GLOBL order<>(SB), RODATA|NOPTR, $16")
	copyStart("widenRowAVX2", "(dst *int16, src *int8, n int, flip uint64) (sum int64)")
	p("VBROADCASTI128 order<>(SB), Y4")
	label("loop")
	p("VPXOR (SI), Y2, Y1")
	p("VPSADBW Y3, Y1, Y5")
	p("VPADDQ Y5, Y0, Y0")
	p("VPSHUFB Y4, Y1, Y1")
	p("VPMOVZXBW X1, Y5")
	p("VEXTRACTI128 $1, Y1, X1")
	p("VPMOVZXBW X1, Y1")
	p("VMOVDQU Y5, (DI)")
	p("VMOVDQU Y1, 32(DI)")
	p("ADDQ $32, SI")
	p("ADDQ $64, DI")
	p("SUBQ $32, CX")
	p("JNZ loop")
	sum()
}

// packQuad interleaves four rows of 32 bytes and adds the sums of each column's
// four bytes. Unpacking works within 128 bits, so each result holds the columns
// from c on in its lower half and those from c+16 on in its upper half.
func packQuad() {
	text("packQuadAVX2", "(dst *int32, r0, r1, r2, r3 *uint8, sums *int32, flip uint64)", 56)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ sums+40(FP), SI")
	p("VPBROADCASTQ flip+48(FP), Y8")
	for i := range 4 {
		p("MOVQ r%d+%d(FP), AX", i, 8+8*i)
		p("VPXOR (AX), Y8, Y%d", i)
	}
	p("VPUNPCKLBW Y1, Y0, Y4")
	p("VPUNPCKHBW Y1, Y0, Y5")
	p("VPUNPCKLBW Y3, Y2, Y6")
	p("VPUNPCKHBW Y3, Y2, Y7")
	p("VPUNPCKLWD Y6, Y4, Y0")
	p("VPUNPCKHWD Y6, Y4, Y1")
	p("VPUNPCKLWD Y7, Y5, Y2")
	p("VPUNPCKHWD Y7, Y5, Y3")
	p("VPCMPEQB Y9, Y9, Y9")
	p("VPABSB Y9, Y10 // bytes of 1")
	p("VPABSW Y9, Y11 // words of 1")
	for i := range 4 {
		p("VMOVDQU X%d, %d(DI)", i, 16*i)
		p("VEXTRACTI128 $1, Y%d, %d(DI)", i, 64+16*i)
		p("VPMADDUBSW Y%d, Y10, Y4", i)
		p("VPMADDWD Y11, Y4, Y4")
		p("VEXTRACTI128 $1, Y4, X5")
		p("VPADDD %d(SI), X4, X4", 16*i)
		p("VPADDD %d(SI), X5, X5", 64+16*i)
		p("VMOVDQU X4, %d(SI)", 16*i)
		p("VMOVDQU X5, %d(SI)", 64+16*i)
	}
	done()
}

// table writes the array of the tile kernels of one kind by rows.
func table(kind string, rows int) {
	fmt.Fprintf(&decls, "\n// tiles%s has the tile kernel of each number of rows.\nvar tiles%s = [...]func(t *tileArgs){nil", kind, kind)
	for r := range rows {
		fmt.Fprintf(&decls, ", tile%d%s", r+1, kind)
	}
	fmt.Fprintln(&decls, "}")
}

func main() {
	fmt.Fprintln(&out, "// Written by gen/main.go. DO NOT EDIT.\n\n#include \"textflag.h\"")
	fmt.Fprintln(&decls, "// Code generated by gen/main.go. DO NOT EDIT.\n\npackage qgemm")
	table("VNNI", 14)
	table("AVX2", 6)
	for r := range 14 {
		vnni(r + 1)
	}
	for r := range 6 {
		avx2(r + 1)
	}
	for _, v := range []isa{{"AVX2", "Y", 8}, {"AVX512", "Z", 16}} {
		rank1(v)
		finishF(v)
		finish8(v)
	}
	copyRow()
	widenRow()
	packQuad()
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
