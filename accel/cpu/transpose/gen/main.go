//go:build ignore

// Command gen writes transpose_amd64.s: strips of squares, turned in registers by
// exchanging words, then pairs of words, then the 128-bit lanes of pairs of rows.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
)

var out bytes.Buffer

func p(format string, args ...any) { fmt.Fprintf(&out, "\t"+format+"\n", args...) }

// strip writes one function. Row k of the square is in register k; the second
// half of the registers, from side on, takes turns with the first.
func strip(name, reg string, side int, turn func(r func(i int) string)) {
	r := func(i int) string { return fmt.Sprintf("%s%d", reg, i) }
	fmt.Fprintf(&out, "\n// func %s(dst, src *uint32, dy, dx, n int)\nTEXT ·%s(SB), NOSPLIT, $0-40\n", name, name)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ src+8(FP), SI")
	p("MOVQ dy+16(FP), R8")
	p("MOVQ dx+24(FP), R9")
	p("MOVQ n+32(FP), CX")
	fmt.Fprintln(&out, "square:")
	for k := range side {
		p("VMOVUPS (SI), %s", r(k))
		p("ADDQ R9, SI")
	}
	turn(r)
	p("MOVQ DI, R10")
	for k := range side {
		p("VMOVUPS %s, (R10)", r(k))
		if k < side-1 {
			p("ADDQ R8, R10")
		}
	}
	p("ADDQ $%d, DI", 4*side)
	p("DECQ CX")
	p("JNZ square")
	p("VZEROUPPER")
	p("RET")
}

// lanes turns the 4 × 4 words in each 128-bit lane of four registers in each
// group, using the registers from side on: then register 4g+k holds, in lane L,
// column 4L+k of rows 4g to 4g+3.
func lanes(r func(i int) string, side int) {
	for k := 0; k < side; k += 2 {
		p("VUNPCKLPS %s, %s, %s", r(k+1), r(k), r(side+k))
		p("VUNPCKHPS %s, %s, %s", r(k+1), r(k), r(side+k+1))
	}
	for g := 0; g < side; g += 4 {
		t := side + g
		p("VUNPCKLPD %s, %s, %s", r(t+2), r(t), r(g))
		p("VUNPCKHPD %s, %s, %s", r(t+2), r(t), r(g+1))
		p("VUNPCKLPD %s, %s, %s", r(t+3), r(t+1), r(g+2))
		p("VUNPCKHPD %s, %s, %s", r(t+3), r(t+1), r(g+3))
	}
}

// turn8 joins the lanes of two groups.
func turn8(r func(i int) string) {
	lanes(r, 8)
	for k := range 4 {
		p("VPERM2F128 $0x31, %s, %s, %s", r(4+k), r(k), r(8+k))
		p("VPERM2F128 $0x20, %s, %s, %s", r(4+k), r(k), r(k))
		p("VMOVAPS %s, %s", r(8+k), r(4+k))
	}
}

// turn16 joins the lanes of four groups: the even and the odd ones of two
// groups first, then those of both pairs.
func turn16(r func(i int) string) {
	lanes(r, 16)
	for k := range 4 {
		for pair := range 2 {
			a, b, t := r(8*pair+k), r(8*pair+4+k), 16+4*k+2*pair
			p("VSHUFF32X4 $0x88, %s, %s, %s", b, a, r(t))
			p("VSHUFF32X4 $0xdd, %s, %s, %s", b, a, r(t+1))
		}
	}
	for k := range 4 {
		t := 16 + 4*k
		p("VSHUFF32X4 $0x88, %s, %s, %s", r(t+2), r(t), r(k))
		p("VSHUFF32X4 $0x88, %s, %s, %s", r(t+3), r(t+1), r(4+k))
		p("VSHUFF32X4 $0xdd, %s, %s, %s", r(t+2), r(t), r(8+k))
		p("VSHUFF32X4 $0xdd, %s, %s, %s", r(t+3), r(t+1), r(12+k))
	}
}

func main() {
	out.WriteString("// Written by gen/main.go. DO NOT EDIT.\n\n#include \"textflag.h\"\n")
	strip("stripAVX2", "Y", 8, turn8)
	strip("stripAVX512", "Z", 16, turn16)
	if err := os.WriteFile("transpose_amd64.s", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
