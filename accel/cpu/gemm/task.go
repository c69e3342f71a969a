package gemm

import "github.com/millrace-go/millrace/accel/cpu/isa"

// task is a part of C, for one worker.
type task struct {
	*call
	core                 *product
	level                isa.Level
	a, b, packed, c, res []float32
	scratch              []float32
	row0, row1           int // of the core product
	col0, col1           int
	ldc                  int
}

// Do computes one part of C, block of k after block of k.
func (c *call) Do(i, worker int) {
	t := c.task(i, worker)
	core := t.core
	if core.swapped {
		t.gather()
	}
	for k := 0; k == 0 || k < core.k; k += KC {
		t.block(k, min(KC, core.k-k))
	}
	if core.swapped {
		t.scatter()
	}
}

func (c *call) task(i, worker int) task {
	s, core, g := &c.plan.spec, &c.plan.core, &c.grid
	t := task{call: c, core: core, level: c.plan.level, ldc: s.LDC}
	row := i % g.rowTasks
	col := i / g.rowTasks % g.colTasks
	batch := i / g.rowTasks / g.colTasks
	t.row0, t.col0 = row*g.rows, col*g.cols
	t.row1, t.col1 = min(t.row0+g.rows, core.m), min(t.col0+g.cols, core.n)
	t.scratch = c.op.Scratch[worker*core.scratch:][:core.scratch]
	t.a, t.b, t.c = c.op.A[batch*s.StrideA:], nil, c.op.C[batch*s.StrideC:]
	if s.Residual {
		t.res = c.op.Residual[batch*s.StrideC:]
	}
	if c.op.Packed == nil {
		t.b = c.op.B[batch*s.StrideB:]
	} else if t.packed = c.op.Packed; s.StrideB != 0 {
		t.packed = t.packed[batch*PackedPanels(s.K, s.N):]
	}
	return t
}

// block adds the products of kc values from k.
func (t *task) block(k, kc int) {
	s := &t.plan.spec
	full := Block{K: kc, N: t.col1 - t.col0, StepB: NR, PanelB: kc * NR, Alpha: s.Alpha, Add: s.Accumulate || k > 0}
	var rest Block // columns of a direct B that do not fill a panel
	switch {
	case kc == 0:
	case t.packed != nil && !t.core.swapped:
		full.B = t.packed[k*roundUp(t.core.n, NR)+t.col0*kc:]
	case t.core.direct:
		t.direct(&full, &rest, k)
	case t.core.dots:
		t.dots(&full, k)
		return
	default:
		t.pack(&full, k)
	}
	t.strips(k, &full, &rest)
}

// right is the operand that is read in vectors, from row k and the task's first
// column; left the one that is broadcast, from row i and value k.
func (t *task) right(k int) []float32 {
	x, core := t.b, t.core
	if core.swapped {
		x = t.a
	}
	if core.transB {
		return x[t.col0*core.ldb+k:]
	}
	return x[k*core.ldb+t.col0:]
}

func (t *task) left(i, k int) strip {
	x, core := t.a, t.core
	if core.swapped {
		x = t.b
		if t.packed != nil {
			return strip{a: t.packed[k*NR+i:], row: 1, step: NR}
		}
	}
	return strip{a: x[i*core.rowA+k*core.stepA:], row: core.rowA, step: core.stepA}
}

// direct reads B where it lies, but for the last columns.
func (t *task) direct(full, rest *Block, k int) {
	b, ld := t.right(k), t.core.ldb
	*rest = *full
	rest.N = full.N % NR
	full.N -= rest.N
	full.B, full.StepB, full.PanelB = b, ld, NR
	if rest.N > 0 {
		rest.B = t.scratch[:full.K*NR]
		packRows(t.level, rest.B, b[full.N:], ld, full.K, rest.N)
	}
}

// dots multiplies a single row with a B stored transposed, without packing it.
func (t *task) dots(b *Block, k int) {
	left := t.left(0, k)
	b.M, b.A, b.RowA, b.StepA = 1, left.a, left.row, left.step
	b.B, b.StepB = t.right(k), t.core.ldb
	b.C, b.LDC = t.tileC(0)
	b.dots(t.level)
	if k+KC >= t.core.k && !t.core.swapped {
		t.finish(0, 1, t.col0, t.col1-t.col0)
	}
}

// pack copies B into panels in scratch.
func (t *task) pack(full *Block, k int) {
	full.B = t.scratch[:PackedPanels(full.K, full.N)]
	if t.core.transB {
		packColumns(t.level, full.B, t.right(k), t.core.ldb, full.K, full.N)
	} else {
		packRows(t.level, full.B, t.right(k), t.core.ldb, full.K, full.N)
	}
}

// strips multiplies the rows of A, as many at a time as a tile has, with the
// prepared columns of B.
func (t *task) strips(k int, full, rest *Block) {
	core := t.core
	tiles := (t.row1 - t.row0 + core.rows - 1) / core.rows
	for i, at := 0, t.row0; i < tiles; i++ {
		m := (t.row1-at-1)/(tiles-i) + 1 // rows divided evenly
		full.M, full.next = m, strip{}
		if full.K > 0 {
			t.place(full, t.left(at, k))
			if i+1 < tiles {
				full.next = t.left(at+m, k)
				full.next.rows = (t.row1-at-m-1)/(tiles-i-1) + 1
			}
		}
		full.C, full.LDC = t.tileC(at)
		if full.N > 0 {
			full.run(t.level)
		}
		if rest.N > 0 {
			rest.M, rest.A, rest.RowA, rest.StepA = m, full.A, full.RowA, full.StepA
			rest.C, rest.LDC = full.C[full.N:], full.LDC
			rest.run(t.level)
		}
		if k+KC >= core.k && !core.swapped {
			t.finish(at, m, t.col0, t.col1-t.col0)
		}
		at += m
	}
}

// place points b.A at a strip, copied if its lines would evict each other.
func (t *task) place(b *Block, s strip) {
	b.A, b.RowA, b.StepA = s.a, s.row, s.step
	if !t.core.copyA {
		return
	}
	b.A = t.scratch[t.core.offA:t.core.offC]
	if s.step == 1 {
		b.RowA = stripRow
		for i := range b.M {
			copy(b.A[i*stripRow:], s.a[i*s.row:][:b.K])
		}
		return
	}
	b.RowA, b.StepA = 1, stripRows
	copyColumns(t.level, b.A, s.a, s.step, b.K, b.M)
}

// tileC is C, or the scratch for its transpose, from row at of the core product.
func (t *task) tileC(at int) ([]float32, int) {
	if !t.core.swapped {
		return t.c[at*t.ldc+t.col0:], t.ldc
	}
	cols := t.col1 - t.col0
	return t.scratch[t.core.offC+at*cols:], cols
}

// gather copies rows of a narrow C into columns of scratch, to add to them.
func (t *task) gather() {
	if !t.plan.spec.Accumulate {
		return
	}
	cols := t.col1 - t.col0
	for i := t.row0; i < t.row1; i++ {
		dst := t.scratch[t.core.offC+i*cols:][:cols]
		for j := range dst {
			dst[j] = t.c[(t.col0+j)*t.ldc+i]
		}
	}
}

// scatter copies them back, and finishes the rows.
func (t *task) scatter() {
	cols := t.col1 - t.col0
	for i := t.row0; i < t.row1; i++ {
		src := t.scratch[t.core.offC+i*cols:][:cols]
		for j, x := range src {
			t.c[(t.col0+j)*t.ldc+i] = x
		}
	}
	t.finish(t.col0, cols, t.row0, t.row1-t.row0)
}

// finish applies the epilogue to rows of C.
func (t *task) finish(row, rows, col, cols int) {
	s := &t.plan.spec
	if s.Epilogue.none() {
		return
	}
	at := row*t.ldc + col
	f := finisher{epilogue: &s.Epilogue, c: t.c[at:], ld: t.ldc, rows: rows, cols: cols}
	switch s.Bias {
	case BiasColumns:
		f.bias = t.op.Bias[col:]
	case BiasRows:
		f.bias = t.op.Bias[row:]
	}
	if s.Residual {
		f.residual = t.res[at:]
	}
	f.run(t.level)
}
