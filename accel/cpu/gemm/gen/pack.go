//go:build ignore

package main

import "fmt"

// Offsets in packArgs.
const (
	packDst, packSrc, packStride, packK, packN, packPanel = 0, 8, 16, 24, 32, 40
)

func writePacks(f *file) {
	writeLanes(f)
	for _, v := range []vectors{zmm, ymm} {
		copyRows{f, v, 32}.emit()
		copyRows{f, v, 16}.emit()
		copyPanels{f, v}.emit()
		transpose{f, v}.emit()
	}
}

// copyRows copies k rows of n ≤ width floats, and pads them with zeros.
// Registers: DI destination, SI source, DX its stride, CX the rows left.
type copyRows struct {
	*file
	v     vectors
	width int
}

func (c copyRows) emit() {
	name := fmt.Sprintf("copy%sx%d", c.v.level, c.width)
	c.text(name, "p", "packArgs", fmt.Sprintf("%s copies rows of up to %d floats.", name, c.width))
	c.p("MOVQ %d(AX), DI", packDst)
	c.p("MOVQ %d(AX), SI", packSrc)
	c.p("MOVQ %d(AX), DX", packStride)
	c.p("MOVQ %d(AX), R8", packN)
	c.p("MOVQ %d(AX), CX", packK)
	vecs := c.width / c.v.floats()
	each(vecs, func(i int) { c.mask(i) })
	c.p("TESTQ CX, CX")
	c.p("JEQ done")
	c.label("loop")
	for off := 0; off < c.width*4; off += 64 {
		c.p("PREFETCHT0 %d(SI)(DX*8)", off)
	}
	each(vecs, func(i int) { c.load(i) })
	each(vecs, func(i int) { c.p("VMOVUPS %s, %d(DI)", c.v.r(i), i*c.v.bytes) })
	c.p("ADDQ DX, SI")
	c.p("ADDQ $%d, DI", c.width*4)
	c.p("DECQ CX")
	c.p("JNE loop")
	c.label("done")
	c.p("VZEROUPPER")
	c.p("RET")
}

// copyPanels copies k rows into several whole panels at once: row after row, so
// that memory is read as it lies. Registers: DI destination of a row, SI source,
// DX its stride, CX the rows left, R8 panels, R9 and R10 place in the row of the
// destination and the source, R11 the panels left, R12 the distance of panels.
type copyPanels struct {
	*file
	v vectors
}

func (c copyPanels) emit() {
	const ahead = 4 // rows, for prefetching
	name := "copyPanels" + c.v.level
	c.text(name, "p", "packArgs", name+" copies rows of n panels.")
	for _, x := range []struct {
		off int
		reg string
	}{{packDst, "DI"}, {packSrc, "SI"}, {packStride, "DX"}, {packK, "CX"}, {packN, "R8"}, {packPanel, "R12"}} {
		c.p("MOVQ %d(AX), %s", x.off, x.reg)
	}
	c.label("row")
	c.p("MOVQ DI, R9")
	c.p("MOVQ SI, R10")
	c.p("MOVQ R8, R11")
	c.label("panel")
	vecs := panelBytes / c.v.bytes
	for off := 0; off < panelBytes; off += 64 {
		c.p("PREFETCHT0 %d(R10)(DX*%d)", off, ahead)
	}
	each(vecs, func(i int) { c.p("VMOVUPS %d(R10), %s", i*c.v.bytes, c.v.r(i)) })
	each(vecs, func(i int) { c.p("VMOVUPS %s, %d(R9)", c.v.r(i), i*c.v.bytes) })
	c.p("ADDQ $%d, R10", panelBytes)
	c.p("ADDQ R12, R9")
	c.p("DECQ R11")
	c.p("JNE panel")
	c.p("ADDQ DX, SI")
	c.p("ADDQ $%d, DI", panelBytes)
	c.p("DECQ CX")
	c.p("JNE row")
	c.p("VZEROUPPER")
	c.p("RET")
}

// mask makes the mask of vector i: K1 and up, or Y8 and up.
func (c copyRows) mask(i int) {
	if c.v.level == "512" {
		if i == 0 {
			c.p("MOVQ R8, CX")
			c.p("MOVQ $1, BX")
			c.p("SHLQ CX, BX")
			c.p("DECQ BX")
			c.p("MOVQ %d(AX), CX", packK)
		} else {
			c.p("SHRQ $16, BX")
		}
		c.p("KMOVW BX, K%d", i+1)
		return
	}
	clampLanes(c.file, i, "R8")
	c.p("VMOVDQU (BX), Y%d", 8+i)
}

// clampLanes points BX at the mask of min(max(n-8i, 0), 8) lanes; R9 to R11 are
// spoilt.
func clampLanes(f *file, i int, n string) {
	f.p("MOVQ %s, R9", n)
	f.p("SUBQ $%d, R9", 8*i)
	f.p("XORQ R10, R10")
	f.p("CMPQ R9, R10")
	f.p("CMOVQLT R10, R9")
	f.p("MOVQ $8, R10")
	f.p("CMPQ R9, R10")
	f.p("CMOVQGT R10, R9")
	f.p("LEAQ lanes<>+%d(SB), BX", maskOnes*4)
	f.p("SHLQ $2, R9")
	f.p("SUBQ R9, BX")
}

func (c copyRows) load(i int) {
	if c.v.level == "512" {
		c.p("VMOVUPS.Z %d(SI), K%d, Z%d", i*64, i+1, i)
		return
	}
	c.p("VMASKMOVPS %d(SI), Y%d, Y%d", i*32, 8+i, i)
}

// transpose copies n rows of k floats, as many rows as a vector has lanes, into
// columns of a panel. Registers: DI destination, SI and R8-R10 rows of the
// source, DX and R11 their distance once and thrice, CX the floats left, R12 n.
type transpose struct {
	*file
	v vectors
}

var basesT = []string{"SI", "R8", "R9", "R10"}

func (t transpose) emit() {
	name := "transpose" + t.v.level
	t.text(name, "p", "packArgs", fmt.Sprintf("%s writes %d rows as columns.", name, t.v.floats()))
	t.p("MOVQ %d(AX), DI", packDst)
	t.p("MOVQ %d(AX), SI", packSrc)
	t.p("MOVQ %d(AX), DX", packStride)
	t.p("MOVQ %d(AX), CX", packK)
	t.p("MOVQ %d(AX), R12", packN)
	strideBases(t.file, basesT, "DX", "R11", t.v.floats())
	t.p("CMPQ R12, $%d", t.v.floats())
	t.p("JNE edge")
	t.label("loop")
	t.p("CMPQ CX, $%d", t.v.floats())
	t.p("JLT edge")
	each(t.v.floats(), func(r int) {
		t.p("VMOVUPS %s, %s", t.row(r), t.v.r(r))
		t.p("PREFETCHT0 320%s", t.row(r)) // five lines ahead
	})
	regs := transposeSquare(t.file, t.v)
	each(t.v.floats(), func(r int) { t.store(regs[r], r) })
	t.next()
	t.p("JMP loop")
	t.edge()
}

func (t transpose) row(r int) string { return strided(basesT, "DX", "R11", r) }

func (t transpose) store(reg string, r int) { t.p("VMOVUPS %s, %d(DI)", reg, r*panelBytes) }

func (t transpose) next() {
	for i := 0; i*5 < t.v.floats(); i++ {
		t.p("ADDQ $%d, %s", t.v.bytes, basesT[i])
	}
	t.p("ADDQ $%d, DI", t.v.floats()*panelBytes)
	t.p("SUBQ $%d, CX", t.v.floats())
}

// edge emits the loop for fewer rows than lanes and for the last floats.
func (t transpose) edge() {
	n := t.v.floats()
	t.label("edge")
	t.p("TESTQ CX, CX")
	t.p("JLE done")
	maskFirst(t.file, t.v, "R13", "Y15")
	each(n, func(r int) { tile{t.file, t.v, tileShape{}}.zero(r) })
	each(n, func(r int) {
		if r > 0 {
			t.p("CMPQ R12, $%d", r)
			t.p("JLE loaded")
		}
		if t.v.level == "512" {
			t.p("VMOVUPS.Z %s, K1, Z%d", t.row(r), r)
		} else {
			t.p("VMASKMOVPS %s, Y15, Y%d", t.row(r), r)
		}
	})
	t.label("loaded")
	regs := transposeSquare(t.file, t.v)
	each(n, func(r int) {
		if r > 0 {
			t.p("CMPQ CX, $%d", r)
			t.p("JLE done")
		}
		t.store(regs[r], r)
	})
	t.next()
	t.p("JMP edge")
	t.label("done")
	t.p("VZEROUPPER")
	t.p("RET")
}

// maskFirst covers min(CX, lanes) lanes, CX > 0: K1, or a ymm register. It spoils
// a register and R15.
func maskFirst(f *file, v vectors, tmp, reg string) {
	f.p("MOVQ $%d, %s", v.floats(), tmp)
	f.p("CMPQ CX, %s", tmp)
	f.p("CMOVQLT CX, %s", tmp)
	if v.level == "256" {
		f.p("NEGQ %s", tmp)
		f.p("LEAQ lanes<>+%d(SB), R15", maskOnes*4)
		f.p("VMOVDQU (R15)(%s*4), %s", tmp, reg)
		return
	}
	f.p("MOVL $-1, R15")
	f.p("BZHIL %s, R15, R15", tmp)
	f.p("KMOVW R15, K1")
}

// transposeSquare transposes the vectors 0 to n-1, n being the lanes: first
// pairs of floats, then pairs of pairs, then lanes of 128 bits. It uses one
// register more, and returns which register holds each column.
func transposeSquare(f *file, v vectors) []string {
	n := v.floats()
	regs := make([]string, n)
	for i := range regs {
		regs[i] = v.r(i)
	}
	spare := v.r(n)
	// cross replaces registers i and j by op of both, for low and high halves.
	cross := func(low, high string, i, j int) {
		f.p("%s %s, %s, %s", low, regs[j], regs[i], spare)
		f.p("%s %s, %s, %s", high, regs[j], regs[i], regs[j])
		regs[i], spare = spare, regs[i]
	}
	for i := 0; i < n; i += 2 {
		cross("VUNPCKLPS", "VUNPCKHPS", i, i+1)
	}
	// A pair holds columns 0 and 1, then 2 and 3, of each lane for two rows.
	for i := 0; i < n; i += 4 {
		cross("VUNPCKLPD", "VUNPCKHPD", i, i+2)
		cross("VUNPCKLPD", "VUNPCKHPD", i+1, i+3)
		regs[i+1], regs[i+2] = regs[i+2], regs[i+1]
	}
	// Register 4q+j now holds, in its lane of 128 bits number l, column 4l+j
	// of rows 4q to 4q+3.
	if v.level == "256" {
		for j := range 4 {
			cross("VPERM2F128 $0x20,", "VPERM2F128 $0x31,", j, 4+j)
		}
		return regs
	}
	for j := range 8 {
		q := j/4*8 + j%4 // rows 0-7, then 8-15
		cross("VSHUFF32X4 $0x44,", "VSHUFF32X4 $0xee,", q, q+4)
	}
	for j := range 8 { // columns j and 4+j, then 8+j and 12+j
		cross("VSHUFF32X4 $0x88,", "VSHUFF32X4 $0xdd,", j, j+8)
	}
	// Register j holds column j, 8+j column 4+j, 4+j column 8+j.
	for j := range 4 {
		regs[4+j], regs[8+j] = regs[8+j], regs[4+j]
	}
	return regs
}
