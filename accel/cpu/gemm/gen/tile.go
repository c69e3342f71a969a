//go:build ignore

package main

import (
	"bytes"
	"fmt"
)

// panelBytes is a row of a panel of B: NR floats.
const panelBytes = 32 * 4

// tileShape is a tile of C in registers: rows, and vectors of columns.
type tileShape struct{ rows, vecs int }

// shapes lists the tiles of an instruction set. The widest ones are for few
// rows, where B is read once and many chains of FMAs hide their latency.
func shapes(v vectors) []tileShape {
	var out []tileShape
	add := func(rows, vecs int) {
		for r := 1; r <= rows; r++ {
			out = append(out, tileShape{r, vecs})
		}
	}
	if v.level == "512" {
		add(14, 1)
		add(14, 2)
		add(6, 4)
		add(1, 8)
	} else {
		add(6, 1)
		add(6, 2)
		add(2, 4)
		add(1, 8)
	}
	return out
}

func (s tileShape) name(v vectors) string {
	return fmt.Sprintf("tile%sx%dx%d", v.level, s.rows, s.vecs)
}

// Offsets in tileArgs.
const (
	argA, argB, argC       = 0, 8, 16
	argRowA, argStepA      = 24, 32
	argStepB, argPanelB    = 40, 48
	argLDC, argK, argTail  = 56, 64, 72
	argFlags, argAlpha     = 80, 84
	argNext, argNextStep   = 88, 96
	argNextRow             = 104
	flagAdd, flagScale     = 1, 2
	maskOnes, maskOnesSize = 8, 16
)

// strided returns the operand of row i of a matrix whose base pointers, five
// rows apart, are in bases, with the distance of rows in s and thrice it in s3.
func strided(bases []string, s, s3 string, i int) string {
	b := bases[i/5]
	switch i % 5 {
	case 0:
		return fmt.Sprintf("(%s)", b)
	case 3:
		return fmt.Sprintf("(%s)(%s*1)", b, s3)
	}
	return fmt.Sprintf("(%s)(%s*%d)", b, s, i%5)
}

// strideBases sets the base pointers for n rows from the first, and s3 from s.
func strideBases(f *file, bases []string, s, s3 string, n int) {
	f.p("LEAQ (%s)(%s*2), %s", s, s, s3)
	for i := 1; i*5 < n; i++ {
		f.p("LEAQ (%s)(%s*4), %s", bases[i-1], s, bases[i])
		f.p("ADDQ %s, %s", s, bases[i])
	}
}

// tile emits one micro-kernel. Registers: R8-R10 rows of A, R11 and R12 their
// distance once and thrice, R13 a step of A, SI B, DX a step of B, BX and DI the
// distance of panels once and thrice, CX the steps left.
type tile struct {
	*file
	v vectors
	s tileShape
}

var basesA = []string{"R8", "R9", "R10"}

func (t tile) acc(r, c int) string { return t.v.r(r*t.s.vecs + c) }

// memB is the operand of vector c of the current row of B.
func (t tile) memB(c int) string {
	perPanel := panelBytes / t.v.bytes
	off := c % perPanel * t.v.bytes
	switch c / perPanel {
	case 0:
		return fmt.Sprintf("%d(SI)", off)
	case 3:
		return fmt.Sprintf("%d(SI)(DI*1)", off)
	default:
		return fmt.Sprintf("%d(SI)(BX*%d)", off, c/perPanel)
	}
}

func (t tile) emit() {
	t.text(t.s.name(t.v), "t", "tileArgs",
		fmt.Sprintf("%s computes a tile of %d rows and %d vectors of columns.", t.s.name(t.v), t.s.rows, t.s.vecs))
	t.prefetchC()
	t.load()
	each(t.s.rows*t.s.vecs, func(i int) { t.zero(i) })
	t.p("SUBQ $2, CX")
	t.p("JLT rest")
	t.label("loop")
	t.step()
	t.step()
	t.p("SUBQ $2, CX")
	t.p("JGE loop")
	t.label("rest")
	t.p("ADDQ $2, CX")
	t.p("JEQ sums")
	t.step()
	t.label("sums")
	t.finish()
}

func (t tile) zero(i int) {
	r := t.v.r(i)
	if t.v.level == "512" {
		t.p("VPXORD %s, %s, %s", r, r, r)
		return
	}
	t.p("VXORPS %s, %s, %s", r, r, r)
}

// prefetchC asks for the tile of C, which is needed when the sums are done.
func (t tile) prefetchC() {
	t.p("MOVQ %d(AX), DI", argC)
	t.p("MOVQ %d(AX), SI", argLDC)
	each(t.s.rows, func(r int) {
		for off := 0; off < t.s.vecs*t.v.bytes; off += 64 {
			t.p("PREFETCHT0 %d(DI)", off)
		}
		if r+1 < t.s.rows {
			t.p("ADDQ SI, DI")
		}
	})
}

func (t tile) load() {
	t.p("MOVQ %d(AX), R8", argA)
	t.p("MOVQ %d(AX), R11", argRowA)
	t.p("MOVQ %d(AX), R13", argStepA)
	t.p("MOVQ %d(AX), SI", argB)
	t.p("MOVQ %d(AX), DX", argStepB)
	t.p("MOVQ %d(AX), CX", argK)
	if t.prefetches() {
		t.p("MOVQ %d(AX), BX", argNextStep)
		t.p("MOVQ %d(AX), DI", argNextRow)
		t.p("MOVQ %d(AX), AX", argNext)
	} else {
		t.p("MOVQ %d(AX), BX", argPanelB)
		t.p("LEAQ (BX)(BX*2), DI")
	}
	strideBases(t.file, basesA, "R11", "R12", t.s.rows)
}

// prefetches reports whether the tile asks for the rows of A that come next,
// with AX, BX and DI. It does where it lies within one panel of B.
func (t tile) prefetches() bool { return t.s.vecs == 2 }

// step adds the products of one k.
func (t tile) step() {
	if t.prefetches() {
		t.p("PREFETCHT1 (AX)")
		t.p("PREFETCHT1 (AX)(DI*1)")
		t.p("ADDQ BX, AX")
	}
	used := t.s.rows * t.s.vecs
	direct := t.s.rows == 1 // B is used once: straight from memory
	if !direct {
		each(t.s.vecs, func(c int) { t.p("VMOVUPS %s, %s", t.memB(c), t.v.r(used+c)) })
		used += t.s.vecs
	}
	spare := t.v.n - used
	each(t.s.rows, func(r int) {
		a := t.v.r(used + r%min(spare, 4))
		t.p("VBROADCASTSS %s, %s", strided(basesA, "R11", "R12", r), a)
		each(t.s.vecs, func(c int) {
			b := t.memB(c)
			if !direct {
				b = t.v.r(t.s.rows*t.s.vecs + c)
			}
			t.p("VFMADD231PS %s, %s, %s", b, a, t.acc(r, c))
		})
	})
	t.p("ADDQ DX, SI")
	for i := 0; i*5 < t.s.rows; i++ {
		t.p("ADDQ R13, %s", basesA[i])
	}
}

// finish scales the sums, adds C if asked, and stores.
func (t tile) finish() {
	if t.prefetches() {
		t.p("MOVQ t+0(FP), AX")
	}
	t.p("MOVL %d(AX), DX", argFlags)
	t.p("MOVQ %d(AX), SI", argLDC)
	t.p("MOVQ %d(AX), CX", argTail)
	t.p("TESTL $%d, DX", flagScale)
	t.p("JEQ scaled")
	t.scale()
	t.label("scaled")
	t.p("CMPQ CX, $%d", t.v.floats())
	t.p("JNE partial")
	t.update("full", false)
	t.label("partial")
	t.mask()
	t.update("part", true)
}

func (t tile) scale() {
	alpha := t.v.r(t.s.rows * t.s.vecs)
	t.p("VBROADCASTSS %d(AX), %s", argAlpha, alpha)
	each(t.s.rows*t.s.vecs, func(i int) { t.p("VMULPS %s, %s, %s", alpha, t.v.r(i), t.v.r(i)) })
}

// mask makes K1, or the ymm after the sums, cover CX lanes.
func (t tile) mask() {
	if t.v.level == "512" {
		t.p("MOVL $1, BX")
		t.p("SHLL CX, BX")
		t.p("DECL BX")
		t.p("KMOVW BX, K1")
		return
	}
	t.p("LEAQ lanes<>+%d(SB), BX", maskOnes*4)
	t.p("SHLQ $2, CX")
	t.p("SUBQ CX, BX")
	t.p("VMOVDQU (BX), %s", t.maskReg())
}

func (t tile) maskReg() string { return t.v.r(t.s.rows * t.s.vecs) }

func (t tile) update(name string, masked bool) {
	t.p("TESTL $%d, DX", flagAdd)
	t.p("JEQ %sStore", name)
	t.rows(func(r, c int, mem string) {
		switch {
		case !masked || c+1 < t.s.vecs:
			t.p("VADDPS %s, %s, %s", mem, t.acc(r, c), t.acc(r, c))
		case t.v.level == "512":
			t.p("VADDPS %s, %s, K1, %s", mem, t.acc(r, c), t.acc(r, c))
		default:
			spare := t.v.r(t.s.rows*t.s.vecs + 1)
			t.p("VMASKMOVPS %s, %s, %s", mem, t.maskReg(), spare)
			t.p("VADDPS %s, %s, %s", spare, t.acc(r, c), t.acc(r, c))
		}
	})
	t.label("%sStore", name)
	t.rows(func(r, c int, mem string) {
		switch {
		case !masked || c+1 < t.s.vecs:
			t.p("VMOVUPS %s, %s", t.acc(r, c), mem)
		case t.v.level == "512":
			t.p("VMOVUPS %s, K1, %s", t.acc(r, c), mem)
		default:
			t.p("VMASKMOVPS %s, %s, %s", t.acc(r, c), t.maskReg(), mem)
		}
	})
	t.p("VZEROUPPER")
	t.p("RET")
}

// rows visits the vectors of the tile of C.
func (t tile) rows(visit func(r, c int, mem string)) {
	t.p("MOVQ %d(AX), DI", argC)
	each(t.s.rows, func(r int) {
		each(t.s.vecs, func(c int) { visit(r, c, fmt.Sprintf("%d(DI)", c*t.v.bytes)) })
		if r+1 < t.s.rows {
			t.p("ADDQ SI, DI")
		}
	})
}

func writeTiles(f *file, v vectors) {
	if v.level == "256" {
		writeLanes(f)
	}
	for _, s := range shapes(v) {
		tile{f, v, s}.emit()
	}
	dots{f, v}.emit()
}

// writeLanes emits eight lanes of ones and eight of zeros: a mask of n lanes
// starts n lanes before the zeros.
func writeLanes(f *file) {
	f.asm.WriteByte('\n')
	for i := range maskOnesSize {
		x := 0
		if i < maskOnes {
			x = 0xffffffff
		}
		fmt.Fprintf(&f.asm, "DATA lanes<>+%d(SB)/4, $%#x\n", i*4, x)
	}
	fmt.Fprintf(&f.asm, "GLOBL lanes<>(SB), RODATA|NOPTR, $%d\n", maskOnesSize*4)
}

// writeDispatch writes Go functions that call the tile of a shape. A call
// through a table would make the arguments escape to the heap.
func writeDispatch(w *bytes.Buffer) {
	for _, v := range []vectors{zmm, ymm} {
		fmt.Fprintf(w, "// tile%s calls the tile of the given shape.\nfunc tile%s(t *tileArgs, rows, vecs int) {\n", v.level, v.level)
		fmt.Fprintf(w, "switch vecs<<4 | rows {\n")
		for _, s := range shapes(v) {
			fmt.Fprintf(w, "case %d:\n%s(t)\n", s.vecs<<4|s.rows, s.name(v))
		}
		fmt.Fprintf(w, "default:\nbadTile(rows, vecs)\n}\n}\n\n")
	}
}
