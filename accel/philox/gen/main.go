//go:build ignore

// Command gen writes philox_amd64.s: each kernel for AVX2 and for AVX-512.
//
// A block of the generator takes one 64-bit lane of four registers, a word in
// the lower half of each; the upper halves hold leftovers, which VPMULUDQ does
// not read.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
)

var out bytes.Buffer

func p(format string, args ...any) { fmt.Fprintf(&out, "\t"+format+"\n", args...) }

func label(name string) { fmt.Fprintln(&out, name+":") }

// isa is the vector length, in 64-bit lanes.
type isa struct {
	suffix, reg string
	lanes       int
}

func (v isa) r(i int) string { return fmt.Sprintf("%s%d", v.reg, i) }

func (v isa) text(name, args string, size int) {
	fmt.Fprintf(&out, "\n// func %s%s%s\nTEXT ·%s%s(SB), NOSPLIT, $0-%d\n", name, v.suffix, args, name, v.suffix, size)
}

func done() {
	p("VZEROUPPER")
	p("RET")
}

// The registers of fill: two sets of four words and two spare ones that take
// part in the renaming, then the key and constants.
const (
	k0, k1, w0, w1, m0, m1 = 10, 11, 12, 13, 14, 15
)

// set is the registers of the words of some blocks.
type set [4]int

// round does one round on a set; spare registers are exchanged for others.
func (v isa) round(s *set, spare *[2]int) {
	t0, t1 := spare[0], spare[1]
	p("VPMULUDQ %s, %s, %s", v.r(m0), v.r(s[0]), v.r(t0))
	p("VPMULUDQ %s, %s, %s", v.r(m1), v.r(s[2]), v.r(t1))
	p("VPSRLQ $32, %s, %s", v.r(t1), v.r(s[0]))
	p("VPSRLQ $32, %s, %s", v.r(t0), v.r(s[2]))
	if v.lanes == 8 {
		p("VPTERNLOGQ $0x96, %s, %s, %s", v.r(k0), v.r(s[1]), v.r(s[0]))
		p("VPTERNLOGQ $0x96, %s, %s, %s", v.r(k1), v.r(s[3]), v.r(s[2]))
	} else {
		p("VPXOR %s, %s, %s", v.r(k0), v.r(s[1]), v.r(s[1]))
		p("VPXOR %s, %s, %s", v.r(k1), v.r(s[3]), v.r(s[3]))
		p("VPXOR %s, %s, %s", v.r(s[1]), v.r(s[0]), v.r(s[0]))
		p("VPXOR %s, %s, %s", v.r(s[3]), v.r(s[2]), v.r(s[2]))
	}
	spare[0], spare[1] = s[1], s[3]
	s[1], s[3] = t1, t0
}

// start loads the counters of a set: blocks AX + those of the lanes.
func (v isa) start(s set, first int) {
	p("LEAQ %d(AX), BX", first)
	p("VMOVQ BX, X%d", s[0])
	p("VPBROADCASTQ X%d, %s", s[0], v.r(s[0]))
	p("VPADDQ lanes%s<>(SB), %s, %s", v.suffix, v.r(s[0]), v.r(s[0]))
	p("VPSRLQ $32, %s, %s", v.r(s[0]), v.r(s[1]))
	p("VPBROADCASTQ id+24(FP), %s", v.r(s[2]))
	p("VPSRLQ $32, %s, %s", v.r(s[2]), v.r(s[3]))
}

// store writes the words of a set, block after block. The lanes are numbered so
// that the lower and the upper halves of 128 bits make two runs of blocks.
func (v isa) store(s set, spare [2]int, offset int) {
	t0, t1 := v.r(spare[0]), v.r(spare[1])
	for i := 0; i < 4; i += 2 { // words i and i+1 to one lane, in register s[i]
		p("VPSLLQ $32, %s, %s", v.r(s[i+1]), t0)
		p("VPSLLQ $32, %s, %s", v.r(s[i]), v.r(s[i]))
		p("VPSRLQ $32, %s, %s", v.r(s[i]), v.r(s[i]))
		if v.lanes == 8 {
			p("VPORQ %s, %s, %s", t0, v.r(s[i]), v.r(s[i]))
		} else {
			p("VPOR %s, %s, %s", t0, v.r(s[i]), v.r(s[i]))
		}
	}
	p("VPUNPCKLQDQ %s, %s, %s", v.r(s[2]), v.r(s[0]), t0)
	p("VPUNPCKHQDQ %s, %s, %s", v.r(s[2]), v.r(s[0]), t1)
	p("VMOVUPS %s, %d(DI)", t0, offset)
	p("VMOVUPS %s, %d(DI)", t1, offset+8*v.lanes)
}

func (v isa) constant(r int, bits uint32) {
	p("MOVL $0x%08x, BX", bits)
	p("VMOVQ BX, X%d", r)
	p("VPBROADCASTQ X%d, %s", r, v.r(r))
}

func fill(v isa) {
	fmt.Fprintln(&out)
	for i := range v.lanes {
		fmt.Fprintf(&out, "DATA lanes%s<>+%d(SB)/8, $%d\n", v.suffix, 8*i, i/2+i%2*v.lanes/2)
	}
	fmt.Fprintf(&out, "GLOBL lanes%s<>(SB), RODATA|NOPTR, $%d\n", v.suffix, 8*v.lanes)
	v.text("fill", "(dst *uint32, groups int, key, id, block uint64)", 40)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ groups+8(FP), CX")
	p("MOVQ block+32(FP), AX")
	v.constant(m0, 0xd2511f53)
	v.constant(m1, 0xcd9e8d57)
	v.constant(w0, 0x9e3779b9)
	v.constant(w1, 0xbb67ae85)
	turns := 16 / (2 * v.lanes) // of two sets, for the 16 blocks of a group
	if turns > 1 {
		p("SHLQ $%d, CX", turns/2)
	}
	label("loop")
	a, b, spare := set{0, 1, 2, 3}, set{4, 5, 6, 7}, [2]int{8, 9}
	v.start(a, 0)
	v.start(b, v.lanes)
	p("VPBROADCASTQ key+16(FP), %s", v.r(k0))
	p("VPSRLQ $32, %s, %s", v.r(k0), v.r(k1))
	for i := range 10 {
		if i > 0 { // the sum's upper halves are not read either
			p("VPADDD %s, %s, %s", v.r(w0), v.r(k0), v.r(k0))
			p("VPADDD %s, %s, %s", v.r(w1), v.r(k1), v.r(k1))
		}
		v.round(&a, &spare)
		v.round(&b, &spare)
	}
	v.store(a, spare, 0)
	v.store(b, spare, 16*v.lanes)
	p("ADDQ $%d, AX", 2*v.lanes)
	p("ADDQ $%d, DI", 32*v.lanes)
	p("DECQ CX")
	p("JNZ loop")
	done()
}

// loop runs body for each vector of 16 words at SI.
func loop(v isa, body func(offset int)) {
	label("loop")
	for e := 0; e < 16; e += 2 * v.lanes {
		body(e)
	}
	p("ADDQ $64, SI")
	p("SUBQ $16, CX")
	p("JNZ loop")
	done()
}

func uniform(v isa) {
	v.text("uniform", "(dst *float32, words *uint32, n int)", 24)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ words+8(FP), SI")
	p("MOVQ n+16(FP), CX")
	p("MOVL $0x33800000, AX // 2⁻²⁴")
	p("VMOVD AX, X1")
	p("VPBROADCASTD X1, %s", v.r(1))
	p("SUBQ SI, DI")
	loop(v, func(e int) {
		p("VMOVDQU%s %d(SI), %s", map[int]string{4: "", 8: "32"}[v.lanes], 4*e, v.r(0))
		p("VPSRLD $8, %s, %s", v.r(0), v.r(0))
		p("VCVTDQ2PS %s, %s", v.r(0), v.r(0))
		p("VMULPS %s, %s, %s", v.r(1), v.r(0), v.r(0))
		p("VMOVUPS %s, %d(DI)(SI*1)", v.r(0), 4*e)
	})
}

// below sets a mask of the lanes whose word is below the bound in register 1:
// K1, or register 0.
func below(v isa, e int) {
	if v.lanes == 8 {
		p("VMOVDQU32 %d(SI), Z0", 4*e)
		p("VPCMPUD $1, Z1, Z0, K1")
		return
	}
	p("VMOVDQU %d(SI), Y0", 4*e)
	p("VPMAXUD Y1, Y0, Y2") // not below where the greater of the two is the word
	p("VPCMPEQD Y2, Y0, Y0")
}

func keep(v isa) {
	v.text("keep", "(dst *uint8, words *uint32, n int, drop uint32)", 28)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ words+8(FP), SI")
	p("MOVQ n+16(FP), CX")
	p("MOVL drop+24(FP), AX")
	p("VMOVD AX, X1")
	p("VPBROADCASTD X1, %s", v.r(1))
	p("MOVL $1, AX")
	p("VMOVD AX, X3")
	p("VPBROADCASTD X3, %s", v.r(3))
	loop(v, func(e int) {
		below(v, e)
		if v.lanes == 8 {
			p("KNOTW K1, K1")
			p("VMOVDQA32.Z Z3, K1, Z0")
			p("VPMOVDB Z0, (DI)")
		} else {
			p("VPAND Y3, Y0, Y0")
			p("VEXTRACTI128 $1, Y0, X2")
			p("VPACKUSDW X2, X0, X0")
			p("VPACKUSWB X0, X0, X0")
			p("VMOVQ X0, (DI)")
		}
		p("ADDQ $%d, DI", 2*v.lanes)
	})
}

func dropout(v isa) {
	v.text("dropout", "(dst, src *float32, words *uint32, n int, drop uint32, scale float32)", 40)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ src+8(FP), DX")
	p("MOVQ words+16(FP), SI")
	p("MOVQ n+24(FP), CX")
	p("MOVL drop+32(FP), AX")
	p("VMOVD AX, X1")
	p("VPBROADCASTD X1, %s", v.r(1))
	p("VBROADCASTSS scale+36(FP), %s", v.r(3))
	p("SUBQ SI, DI")
	p("SUBQ SI, DX")
	loop(v, func(e int) {
		below(v, e)
		p("VMULPS %d(DX)(SI*1), %s, %s", 4*e, v.r(3), v.r(4))
		if v.lanes == 8 {
			p("KNOTW K1, K1")
			p("VMOVAPS.Z Z4, K1, Z4")
		} else {
			p("VPAND Y0, Y4, Y4")
		}
		p("VMOVUPS %s, %d(DI)(SI*1)", v.r(4), 4*e)
	})
}

func main() {
	fmt.Fprintln(&out, "// Written by gen/main.go. DO NOT EDIT.\n\n#include \"textflag.h\"")
	for _, v := range []isa{{"AVX2", "Y", 4}, {"AVX512", "Z", 8}} {
		fill(v)
		uniform(v)
		keep(v)
		dropout(v)
	}
	if err := os.WriteFile("philox_amd64.s", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
