package bgemm

import (
	"math"
	"unsafe"
)

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
