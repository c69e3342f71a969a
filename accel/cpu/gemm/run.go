package gemm

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/isa"
	"github.com/millrace-go/millrace/accel/cpu/par"
)

// call is one Run: the body of its tasks.
type call struct {
	plan *Plan
	op   Operands
	grid grid
}

// Run computes C. It panics if an operand is too short for the plan.
func (p *Plan) Run(pool *par.Pool, op Operands) {
	threads := pool.Threads()
	p.checkOperands(&op, threads)
	if p.spec.M == 0 || p.spec.N == 0 {
		return
	}
	c := p.take()
	c.op, c.grid = op, p.core.grid(p.spec.Batch, threads)
	pool.For(c.grid.tasks(), c)
	c.op = Operands{}
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
}

// take returns a call that no one uses.
func (p *Plan) take() *call {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return c
	}
	return &call{plan: p}
}

func (p *Plan) checkOperands(op *Operands, threads int) {
	l := p.lens
	if op.Packed != nil {
		l.b = 0
	} else {
		l.packed = 0
	}
	residual := 0
	if p.spec.Residual {
		residual = l.c
	}
	for _, x := range [...]struct {
		name      string
		got, want int
	}{
		{"A", len(op.A), l.a}, {"B", len(op.B), l.b}, {"C", len(op.C), l.c}, {"Packed", len(op.Packed), l.packed},
		{"Bias", len(op.Bias), l.bias}, {"Residual", len(op.Residual), residual}, {"Scratch", len(op.Scratch), p.ScratchLen(threads)},
	} {
		if x.got < x.want {
			panic(fmt.Sprintf("gemm.Run: %s has %d elements, want at least %d", x.name, x.got, x.want))
		}
	}
}

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
	core, s := t.core, &t.plan.spec
	full := Block{K: kc, N: t.col1 - t.col0, StepB: NR, PanelB: kc * NR, Alpha: s.Alpha, Add: s.Accumulate || k > 0}
	var tail Block // columns of a direct B that do not fill a panel
	right, packed := t.b, t.packed
	if core.swapped {
		right, packed = t.a, nil
	}
	switch {
	case kc == 0:
	case packed != nil:
		full.B = packed[k*roundUp(core.n, NR)+t.col0*kc:]
	case core.direct:
		tail = full
		tail.N = full.N % NR
		full.N -= tail.N
		at := k*core.ldb + t.col0
		full.B, full.StepB, full.PanelB = right[at:], core.ldb, NR
		if tail.N > 0 {
			tail.B = t.scratch[:kc*NR]
			packRows(t.level, tail.B, right[at+full.N:], core.ldb, kc, tail.N)
		}
	default:
		full.B = t.scratch[:PackedPanels(kc, full.N)]
		if core.transB {
			packColumns(t.level, full.B, right[t.col0*core.ldb+k:], core.ldb, kc, full.N)
		} else {
			packRows(t.level, full.B, right[k*core.ldb+t.col0:], core.ldb, kc, full.N)
		}
	}
	t.strips(k, &full, &tail)
}

// strips multiplies the rows of A, as many at a time as a tile has, with the
// prepared columns of B.
func (t *task) strips(k int, full, tail *Block) {
	core := t.core
	tiles := (t.row1 - t.row0 + core.rows - 1) / core.rows
	for i, at := 0, t.row0; i < tiles; i++ {
		m := (t.row1-at-1)/(tiles-i) + 1 // rows divided evenly
		full.M = m
		t.strip(full, at, k)
		full.C, full.LDC = t.tileC(at)
		full.run(t.level)
		if tail.N > 0 {
			tail.M, tail.A, tail.RowA, tail.StepA = m, full.A, full.RowA, full.StepA
			tail.C, tail.LDC = full.C[full.N:], full.LDC
			tail.run(t.level)
		}
		if k+KC >= core.k && !core.swapped {
			t.finish(at, m, t.col0, t.col1-t.col0)
		}
		at += m
	}
}

// strip points b.A at rows of A, copied if they would evict each other.
func (t *task) strip(b *Block, at, k int) {
	core := t.core
	if b.K == 0 {
		return
	}
	b.RowA, b.StepA = core.rowA, core.stepA
	left := t.a
	switch {
	case core.swapped && t.packed != nil:
		b.A, b.RowA, b.StepA = t.packed[k*NR+at:], 1, NR
		return
	case core.swapped:
		left = t.b
	}
	b.A = left[at*core.rowA+k*core.stepA:]
	if !core.copyA {
		return
	}
	strip := t.scratch[core.offA:core.offC]
	if core.stepA == 1 {
		for i := range b.M {
			copy(strip[i*stripRow:], b.A[i*core.rowA:][:b.K])
		}
		b.RowA = stripRow
	} else {
		copyColumns(t.level, strip, b.A, core.stepA, b.K, b.M)
		b.RowA, b.StepA = 1, stripRows
	}
	b.A = strip
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
