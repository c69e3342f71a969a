package bgemm

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// ScratchLen is the number of float32 that Run needs as scratch.
func (p *Plan) ScratchLen() int {
	n := p.spec.M * p.stride / 4
	if !p.spec.Prepacked {
		n += (p.PackedLen() + 1) / 2
	}
	return n
}

// Run computes the product. The result does not depend on the pool's threads.
func (p *Plan) Run(pool *par.Pool, op Operands) {
	p.check(&op)
	if p.spec.M == 0 || p.spec.N == 0 {
		return
	}
	c := p.take()
	c.begin(op, pool.Threads())
	if !p.spec.Prepacked {
		pool.For((p.panels+packPanels-1)/packPanels, (*packer)(c))
	}
	if c.copies {
		pool.For((p.spec.M+copyRows-1)/copyRows, (*copier)(c))
	}
	c.grid(pool.Threads())
	pool.For(c.blocks*c.groups, c)
	c.op, c.packed = Operands{}, nil
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

func (p *Plan) check(op *Operands) {
	s := &p.spec
	wantA, wantB := s.spans()
	pick := func(single bool, f []float32, h []uint16) int {
		if single {
			return len(f)
		}
		return len(h)
	}
	b := pick(s.B32, op.B, op.BH)
	if s.Prepacked {
		b, wantB = len(op.Packed), p.PackedLen()
	}
	bias := 0
	if s.Bias {
		bias = s.N
	}
	for _, x := range [...]struct {
		name      string
		got, want int
	}{
		{"A", pick(s.A32, op.A, op.AH), wantA}, {"B", b, wantB}, {"C", pick(s.C32, op.C, op.CH), span(s.M, s.N, s.LDC)},
		{"Bias", len(op.Bias), bias}, {"Scratch", len(op.Scratch), p.ScratchLen()},
	} {
		if x.got < x.want {
			panic(fmt.Sprintf("bgemm.Run: length %d of %s, want at least %d", x.got, x.name, x.want))
		}
	}
}

// call is one Run.
type call struct {
	plan   *Plan
	op     Operands
	packed []uint16
	copies bool // A is copied to scratch
	a      unsafe.Pointer
	lda    int // bytes

	blocks, rows   int // of A, and the rows of each but the last
	groups, panels int // of B's panels, and the panels of each but the last

	noBias, lastBias [nr]float32 // no bias, and that of a panel that is not whole
	work             []worker
}

// worker is the memory of one thread.
type worker struct {
	part
	sums    [maxRows * nr]float32 // of a tile that is not in C yet
	waiting []float32             // of all tiles of a part, if K takes several turns
	result  [maxRows * nr]float32 // or uint16, in the first halves of the rows
	tile    tileArgs
	finish  finishArgs
}

// begin prepares what all tiles share.
func (c *call) begin(op Operands, threads int) {
	p := c.plan
	s := &p.spec
	c.op, c.packed = op, op.Packed
	if len(c.work) < threads {
		c.work = make([]worker, threads)
	}
	if !s.Prepacked && p.PackedLen() > 0 {
		c.packed = unsafe.Slice((*uint16)(unsafe.Pointer(&op.Scratch[s.M*p.stride/4])), p.PackedLen())
	}
	c.copies = s.TransA || s.A32 || p.core.wide || s.K%2 == 1 || 2*s.LDA%4096 == 0
	if c.copies {
		c.a, c.lda = unsafe.Pointer(unsafe.SliceData(op.Scratch)), p.stride
	} else {
		c.a, c.lda = unsafe.Pointer(unsafe.SliceData(op.AH)), 2*s.LDA
	}
	if s.Bias && s.N%nr > 0 {
		c.lastBias = c.noBias
		copy(c.lastBias[:], op.Bias[s.N/nr*nr:s.N])
	}
}

// A tile takes at most maxSteps steps over k at a time, so that its rows of A
// and its panel of B stay near; then the other tiles of the block and strip
// have their turn, and the sums wait.
//
// blockBytes is how much of A a block has for those steps. stripBytes is how much
// of B stays in the second-level cache while the tiles of a block pass by, where C
// is larger than smallC or sums wait: some panels, so that a tile's rows of C lie
// together with the next tile's. A smaller C is made panel by panel.
const (
	maxSteps   = 512
	blockBytes = 384 << 10
	stripBytes = 256 << 10
	smallC     = 256 << 10
)

// grid cuts the work in blocks of rows and groups of panels.
func (c *call) grid(threads int) {
	p := c.plan
	tile := p.core.rows
	rows := max(blockBytes/max(min(c.lda, maxSteps*4), 1)/tile, 1) * tile
	tiles := (p.spec.M + tile - 1) / tile
	if threads > 1 { // at least two blocks a thread, where there are as many tiles
		rows = min(rows, max(tiles/(2*threads), 1)*tile)
	}
	c.rows = rows
	c.blocks = (p.spec.M + rows - 1) / rows
	c.groups = 1
	if want := 4 * threads; threads > 1 && c.blocks < want {
		c.groups = min((want+c.blocks-1)/c.blocks, p.panels)
	}
	c.panels = (p.panels + c.groups - 1) / c.groups
	c.groups = (p.panels + c.panels - 1) / c.panels
}

// part is the work at hand: a block of rows by a strip of panels.
type part struct {
	from, to    int // rows
	first, last int // panels
	step, steps int // of k, this time
	begin, end  bool
}

// Do computes one block of rows by one group of panels.
func (c *call) Do(task, id int) {
	p := c.plan
	block, group := task/c.groups, task%c.groups
	w := &c.work[id]
	w.from, w.to = block*c.rows, min((block+1)*c.rows, p.spec.M)
	end := min((group+1)*c.panels, p.panels)
	strip := 1
	if p.steps > maxSteps || (w.to-w.from)*p.spec.LDC*4 > smallC {
		strip = max(stripBytes/max(min(p.steps, maxSteps)*p.panelLen()*2/max(p.steps, 1), 1), 1)
	}
	if n := (w.to - w.from) * strip * nr; p.steps > maxSteps && len(w.waiting) < n {
		w.waiting = make([]float32, n)
	}
	for j := group * c.panels; j < end; j += strip {
		w.first, w.last = j, min(j+strip, end)
		for w.step = 0; w.step == 0 || w.step < p.steps; w.step += maxSteps {
			w.steps = min(maxSteps, p.steps-w.step)
			w.begin, w.end = w.step == 0, w.step+w.steps == p.steps
			c.tiles(w)
		}
	}
}

// tiles computes the part at hand.
func (c *call) tiles(w *worker) {
	high := w.to - w.from
	n := (high + c.plan.core.rows - 1) / c.plan.core.rows
	for t := range n { // of nearly equal heights
		top, end := w.from+high*t/n, w.from+high*(t+1)/n
		for j := w.first; j < w.last; j++ {
			c.tile(w, j, top, end-top)
		}
	}
}

// tile computes rows from top on of one panel's columns.
func (c *call) tile(w *worker, j, top, rows int) {
	p := c.plan
	s := &p.spec
	n, at := min(nr, s.N-j*nr), top*s.LDC+j*nr
	t := &w.tile
	t.a, t.lda = unsafe.Add(c.a, top*c.lda+w.step*p.size()*s.Type.group()), c.lda
	t.b, t.steps = unsafe.Pointer(unsafe.SliceData(c.packed[j*p.panelLen()+w.step*nr*s.Type.group():])), w.steps
	t.more = 1
	if w.begin {
		t.more = 0
	}
	plain := s.C32 && !s.Accumulate && !s.Bias && !s.Clip
	src, lds := w.sums[:], nr
	switch {
	case plain && n == nr:
		src, lds = c.op.C[at:], s.LDC
	case p.steps > maxSteps:
		lds = (w.last - w.first) * nr
		src = w.waiting[(top-w.from)*lds+(j-w.first)*nr:]
	}
	t.c, t.ldc = &src[0], lds*4
	p.core.tile(rows, t)
	switch {
	case !w.end, plain && n == nr:
	case plain:
		copyTile(c.op.C[at:], s.LDC, src, lds, rows, n)
	default:
		w.finish.src, w.finish.lds, w.finish.rows = &src[0], lds*4, rows
		c.finish(w, j, at, n)
	}
}

func copyTile[T any](dst []T, ldd int, src []T, lds, rows, cols int) {
	for i := range rows {
		copy(dst[i*ldd:][:cols], src[i*lds:])
	}
}

// finish turns the sums of a tile into results, from element at of C on.
func (c *call) finish(w *worker, j, at, n int) {
	s, im, f := &c.plan.spec, c.plan.im, &w.finish
	f.bias, f.lo, f.hi = &c.noBias[0], float32(math.Inf(-1)), float32(math.Inf(1))
	if s.Bias && n == nr {
		f.bias = &c.op.Bias[j*nr]
	} else if s.Bias {
		f.bias = &c.lastBias[0]
	}
	if s.Clip {
		f.lo, f.hi = s.Lo, s.Hi
	}
	f.dst, f.ldd = unsafe.Pointer(&w.result), nr*4
	if !s.C32 {
		c.narrow(w, at, n)
		return
	}
	run := im.finish
	if s.Accumulate {
		run = im.addTo
	}
	if n == nr {
		f.dst, f.ldd = unsafe.Pointer(&c.op.C[at]), s.LDC*4
		run(f)
		return
	}
	if s.Accumulate {
		copyTile(w.result[:], nr, c.op.C[at:], s.LDC, f.rows, n)
	}
	run(f)
	copyTile(c.op.C[at:], s.LDC, w.result[:], nr, f.rows, n)
}

// narrow finishes a tile of 16-bit results.
func (c *call) narrow(w *worker, at, n int) {
	s, f := &c.plan.spec, &w.finish
	if n == nr {
		f.dst, f.ldd = unsafe.Pointer(&c.op.CH[at]), s.LDC*2
	}
	c.plan.im.narrow[s.Type](f)
	if n < nr {
		copyTile(c.op.CH[at:], s.LDC, unsafe.Slice((*uint16)(f.dst), 2*len(w.result)), 2*nr, f.rows, n)
	}
}
