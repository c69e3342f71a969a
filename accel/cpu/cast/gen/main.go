//go:build ignore

// Command gen writes cast_amd64.s: each kernel for AVX2 and for AVX-512. The
// count of elements is a multiple of 16; a main loop does 64 at a time.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
)

var out bytes.Buffer

func p(format string, args ...any) { fmt.Fprintf(&out, "\t"+format+"\n", args...) }

// kernel is one function: dst in DI, src in SI, count in CX. setup runs once;
// body does 16 elements from element i on, using registers from r on.
type kernel struct {
	name     string
	args     string // bytes of arguments after dst, src and n
	size     int    // bytes of all arguments
	dst, src int    // bytes of an element
	setup    func(isa)
	body     func(v isa, i int)
}

// isa is the vector length: 8 or 16 lanes of 32 bits.
type isa struct {
	suffix string
	reg    string
	lanes  int
}

var (
	avx2   = isa{"AVX2", "Y", 8}
	avx512 = isa{"AVX512", "Z", 16}
)

// r names register i at full length, half its lower half, quarter that's half.
func (v isa) r(i int) string { return fmt.Sprintf("%s%d", v.reg, i) }
func (v isa) half(i int) string {
	if v.lanes == 16 {
		return fmt.Sprintf("Y%d", i)
	}
	return fmt.Sprintf("X%d", i)
}

// each runs f for every vector of the 16 elements from i on.
func (v isa) each(i int, f func(e int)) {
	for e := i; e < i+16; e += v.lanes {
		f(e)
	}
}

func (k kernel) emit(v isa) {
	fmt.Fprintf(&out, "\n// func %s%s%s\nTEXT ·%s%s(SB), NOSPLIT, $0-%d\n", k.name, v.suffix, k.args, k.name, v.suffix, k.size)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ src+8(FP), SI")
	p("MOVQ n+16(FP), CX")
	k.setup(v)
	k.loop(v, "main", 64)
	k.loop(v, "rest", 16)
	p("VZEROUPPER")
	p("RET")
}

func (k kernel) loop(v isa, label string, step int) {
	fmt.Fprintf(&out, "%s:\n", label)
	p("CMPQ CX, $%d", step)
	p("JLT %sDone", label)
	for i := 0; i < step; i += 16 {
		k.body(v, i)
	}
	p("ADDQ $%d, DI", step*k.dst)
	p("ADDQ $%d, SI", step*k.src)
	p("SUBQ $%d, CX", step)
	p("JMP %s", label)
	fmt.Fprintf(&out, "%sDone:\n", label)
}

func nothing(isa) {}

// constant puts a 32-bit pattern into all lanes of register r.
func constant(v isa, r int, bits uint32) {
	p("MOVL $0x%08x, AX", bits)
	p("VMOVD AX, X%d", r)
	p("VPBROADCASTD X%d, %s", r, v.r(r))
}

func f16ToF32(v isa, i int) {
	v.each(i, func(e int) {
		p("VCVTPH2PS %d(SI), %s", 2*e, v.r(0))
		p("VMOVUPS %s, %d(DI)", v.r(0), 4*e)
	})
}

func f32ToF16(v isa, i int) {
	v.each(i, func(e int) {
		p("VMOVUPS %d(SI), %s", 4*e, v.r(0))
		p("VCVTPS2PH $0, %s, %d(DI)", v.r(0), 2*e)
	})
}

func bf16ToF32(v isa, i int) {
	v.each(i, func(e int) {
		p("VPMOVZXWD %d(SI), %s", 2*e, v.r(0))
		p("VPSLLD $16, %s, %s", v.r(0), v.r(0))
		p("VMOVUPS %s, %d(DI)", v.r(0), 4*e)
	})
}

func bf16Constants(v isa) {
	constant(v, 13, 0x7fff)
	constant(v, 14, 1)
	constant(v, 15, 0x40)
}

// f32ToBF16 adds half a unit less one, and one more where the result is odd;
// NaNs are cut instead and made quiet.
func f32ToBF16(v isa, i int) {
	v.each(i, func(e int) {
		p("VMOVUPS %d(SI), %s", 4*e, v.r(0))
		p("VPSRLD $16, %s, %s", v.r(0), v.r(1))
		if v.lanes == 16 {
			p("VPANDD %s, %s, %s", v.r(14), v.r(1), v.r(2))
		} else {
			p("VPAND %s, %s, %s", v.r(14), v.r(1), v.r(2))
		}
		p("VPADDD %s, %s, %s", v.r(13), v.r(2), v.r(2))
		p("VPADDD %s, %s, %s", v.r(0), v.r(2), v.r(2))
		p("VPSRLD $16, %s, %s", v.r(2), v.r(2))
		if v.lanes == 16 {
			p("VCMPPS $3, Z0, Z0, K1")
			p("VPORD Z15, Z1, K1, Z2")
			p("VPMOVDW Z2, %d(DI)", 2*e)
			return
		}
		p("VPOR Y15, Y1, Y1")
		p("VCMPPS $3, Y0, Y0, Y3")
		p("VBLENDVPS Y3, Y1, Y2, Y2")
		narrow16(2, 2*e)
	})
}

// narrow16 stores the low words of the 8 lanes of register r, all below 2¹⁶.
func narrow16(r, offset int) {
	p("VEXTRACTI128 $1, Y%d, X12", r)
	p("VPACKUSDW X12, X%d, X%d", r, r)
	p("VMOVDQU X%d, %d(DI)", r, offset)
}

func f64ToF32(v isa, i int) {
	for e := i; e < i+16; e += v.lanes / 2 {
		if v.lanes == 16 {
			p("VCVTPD2PS %d(SI), Y0", 8*e)
			p("VMOVUPS Y0, %d(DI)", 4*e)
		} else {
			p("VCVTPD2PSY %d(SI), X0", 8*e)
			p("VMOVUPS X0, %d(DI)", 4*e)
		}
	}
}

func f32ToF64(v isa, i int) {
	for e := i; e < i+16; e += v.lanes / 2 {
		p("VCVTPS2PD %d(SI), %s", 4*e, v.r(0))
		p("VMOVUPS %s, %d(DI)", v.r(0), 8*e)
	}
}

// quantum loads the struct of that name.
func quantum(v isa) {
	p("MOVQ q+24(FP), DX")
	p("VBROADCASTSS (DX), %s", v.r(8))
	p("VBROADCASTSS 4(DX), %s", v.r(9))
	p("VBROADCASTSS 8(DX), %s", v.r(10))
	p("VPBROADCASTD 12(DX), %s", v.r(11))
}

// code leaves the code of 1 element a lane in register 0; VMAXPS gives
// the operand written first, the bound, where the other is NaN.
func code(v isa, e int) {
	p("VMOVUPS %d(SI), %s", 4*e, v.r(0))
	p("VDIVPS %s, %s, %s", v.r(8), v.r(0), v.r(0))
	p("VMAXPS %s, %s, %s", v.r(9), v.r(0), v.r(0))
	p("VMINPS %s, %s, %s", v.r(10), v.r(0), v.r(0))
	p("VCVTPS2DQ %s, %s", v.r(0), v.r(0))
	p("VPADDD %s, %s, %s", v.r(11), v.r(0), v.r(0))
}

func quantum8(v isa) {
	quantum(v)
	constant(v, 13, 0xff)
}

func quantize8(v isa, i int) {
	v.each(i, func(e int) {
		code(v, e)
		if v.lanes == 16 {
			p("VPMOVDB Z0, %d(DI)", e)
			return
		}
		p("VPAND Y13, Y0, Y0")
		p("VEXTRACTI128 $1, Y0, X12")
		p("VPACKUSDW X12, X0, X0")
		p("VPACKUSWB X0, X0, X0")
		p("VMOVQ X0, %d(DI)", e)
	})
}

func quantum16(v isa) {
	quantum(v)
	constant(v, 13, 0xffff)
}

func quantize16(v isa, i int) {
	v.each(i, func(e int) {
		code(v, e)
		if v.lanes == 16 {
			p("VPMOVDW Z0, %d(DI)", 2*e)
			return
		}
		p("VPAND Y13, Y0, Y0")
		narrow16(0, 2*e)
	})
}

func scaleZero(v isa) {
	p("VBROADCASTSS scale+24(FP), %s", v.r(8))
	p("MOVL zero+28(FP), AX")
	p("VMOVD AX, X9")
	p("VPBROADCASTD X9, %s", v.r(9))
}

// dequantize widens with the instruction given, from elements of size bytes.
func dequantize(widen string, size int) func(v isa, i int) {
	return func(v isa, i int) {
		v.each(i, func(e int) {
			p("%s %d(SI), %s", widen, size*e, v.r(0))
			p("VPSUBD %s, %s, %s", v.r(9), v.r(0), v.r(0))
			p("VCVTDQ2PS %s, %s", v.r(0), v.r(0))
			p("VMULPS %s, %s, %s", v.r(8), v.r(0), v.r(0))
			p("VMOVUPS %s, %d(DI)", v.r(0), 4*e)
		})
	}
}

// bounds widens the range at dst by the 16-element blocks at src. VMINPS gives
// the operand written first, the bound so far, where the other is NaN.
func bounds(v isa) {
	fmt.Fprintf(&out, "\n// func bounds%s(dst, src *float32, n int)\nTEXT ·bounds%s(SB), NOSPLIT, $0-24\n", v.suffix, v.suffix)
	p("MOVQ dst+0(FP), DI")
	p("MOVQ src+8(FP), SI")
	p("MOVQ n+16(FP), CX")
	vectors := 16 / v.lanes * 2 // 32 elements a turn: the last 16 may come twice
	for i := range vectors {
		p("VBROADCASTSS (DI), %s", v.r(i))
		p("VBROADCASTSS 4(DI), %s", v.r(4+i))
	}
	fmt.Fprintln(&out, "loop:")
	p("XORQ DX, DX")
	p("CMPQ CX, $32")
	p("JLT last")
	p("MOVQ $64, DX")
	fmt.Fprintln(&out, "last:")
	for i := range vectors {
		address := fmt.Sprintf("%d(SI)", 4*v.lanes*i)
		if i >= vectors/2 {
			address = fmt.Sprintf("%d(SI)(DX*1)", 4*v.lanes*(i-vectors/2))
		}
		p("VMOVUPS %s, %s", address, v.r(8+i))
		p("VMINPS %s, %s, %s", v.r(i), v.r(8+i), v.r(i))
		p("VMAXPS %s, %s, %s", v.r(4+i), v.r(8+i), v.r(4+i))
	}
	p("ADDQ $128, SI")
	p("SUBQ $32, CX")
	p("JGT loop")
	fold(v, vectors)
	p("VZEROUPPER")
	p("RET")
}

// fold brings the bounds of all lanes and vectors together.
func fold(v isa, vectors int) {
	for _, op := range []struct {
		name string
		at   int
	}{{"VMINPS", 0}, {"VMAXPS", 4}} {
		for i := 1; i < vectors; i++ {
			p("%s %s, %s, %s", op.name, v.r(op.at+i), v.r(op.at), v.r(op.at))
		}
		if v.lanes == 16 {
			p("VEXTRACTF64X4 $1, Z%d, Y8", op.at)
			p("%s Y8, Y%d, Y%d", op.name, op.at, op.at)
		}
		p("VEXTRACTF128 $1, Y%d, X8", op.at)
		p("%s X8, X%d, X%d", op.name, op.at, op.at)
		p("VPSHUFD $0x4e, X%d, X8", op.at)
		p("%s X8, X%d, X%d", op.name, op.at, op.at)
		p("VPSHUFD $0xb1, X%d, X8", op.at)
		p("%s X8, X%d, X%d", op.name, op.at, op.at)
		p("VMOVSS X%d, %d(DI)", op.at, op.at)
	}
}

func main() {
	const scaled, plain, quantized = ", n int, scale float32, zero int32)", ", n int)", ", n int, q *quantum)"
	kernels := []kernel{
		{"f16ToF32", "(dst *float32, src *uint16" + plain, 24, 4, 2, nothing, f16ToF32},
		{"f32ToF16", "(dst *uint16, src *float32" + plain, 24, 2, 4, nothing, f32ToF16},
		{"bf16ToF32", "(dst *float32, src *uint16" + plain, 24, 4, 2, nothing, bf16ToF32},
		{"f32ToBF16", "(dst *uint16, src *float32" + plain, 24, 2, 4, bf16Constants, f32ToBF16},
		{"f64ToF32", "(dst *float32, src *float64" + plain, 24, 4, 8, nothing, f64ToF32},
		{"f32ToF64", "(dst *float64, src *float32" + plain, 24, 8, 4, nothing, f32ToF64},
		{"quantize8", "(dst *uint8, src *float32" + quantized, 32, 1, 4, quantum8, quantize8},
		{"quantize16", "(dst *uint16, src *float32" + quantized, 32, 2, 4, quantum16, quantize16},
		{"dequantizeU8", "(dst *float32, src *uint8" + scaled, 32, 4, 1, scaleZero, dequantize("VPMOVZXBD", 1)},
		{"dequantizeS8", "(dst *float32, src *uint8" + scaled, 32, 4, 1, scaleZero, dequantize("VPMOVSXBD", 1)},
		{"dequantizeU16", "(dst *float32, src *uint16" + scaled, 32, 4, 2, scaleZero, dequantize("VPMOVZXWD", 2)},
		{"dequantizeS16", "(dst *float32, src *uint16" + scaled, 32, 4, 2, scaleZero, dequantize("VPMOVSXWD", 2)},
	}
	fmt.Fprintln(&out, "// Written by gen/main.go. DO NOT EDIT.\n\n#include \"textflag.h\"")
	for _, v := range []isa{avx2, avx512} {
		for _, k := range kernels {
			k.emit(v)
		}
		bounds(v)
	}
	if err := os.WriteFile("cast_amd64.s", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}
