package qgemm

import (
	"math"
	"unsafe"
)

// blockBytes is how much of A stays in the second-level cache while all panels
// of B pass by.
const blockBytes = 384 << 10

// stripBytes is how much of B stays there while the tiles of a block pass by,
// where C is too large for the cache: some panels, so that a tile's rows of C
// lie together with the next tile's. A smaller C is made panel by panel.
const (
	stripBytes = 256 << 10
	smallC     = 256 << 10
)

// grid cuts the work in blocks of rows and groups of panels.
func (c *call) grid(threads int) {
	p := c.plan
	tile := p.im.rows
	rows := max(blockBytes/max(c.lda, 1)/tile, 1) * tile
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

// Do computes one block of rows by one group of panels.
func (c *call) Do(task, id int) {
	block, group := task/c.groups, task%c.groups
	from, to := block*c.rows, min((block+1)*c.rows, c.plan.spec.M)
	tiles := (to - from + c.plan.im.rows - 1) / c.plan.im.rows
	w := &c.work[id]
	first, last := group*c.panels, min((group+1)*c.panels, c.plan.panels)
	strip := 1
	if (to-from)*c.plan.spec.LDC*4 > smallC {
		strip = max(stripBytes/max(c.plan.quads*4*nr, 1), 1)
	}
	for j0 := first; j0 < last; j0 += strip {
		for t := range tiles { // of nearly equal heights
			top, end := from+(to-from)*t/tiles, from+(to-from)*(t+1)/tiles
			for j := j0; j < min(j0+strip, last); j++ {
				c.tile(w, j, top, end-top)
			}
		}
	}
}

// tile computes rows from top on of one panel's columns.
func (c *call) tile(w *worker, j, top, rows int) {
	p := c.plan
	s := &p.spec
	n := min(nr, s.N-j*nr)
	t := &w.tile
	t.a, t.lda = unsafe.Add(c.a, top*c.lda), c.lda
	t.b, t.quads = unsafe.Pointer(unsafe.SliceData(c.op.Packed[j*p.quads*nr:])), p.quads
	t.sums = &p.sums(c.op.Packed, j, 1)[0]
	t.rowz = &c.same[0]
	if c.rowz != nil {
		t.rowz = &c.rowz[top]
	}
	t.c, t.ldc = &w.sums[0], nr*4
	direct := s.Out == Int32 && !c.sums && n == nr
	if direct {
		t.c, t.ldc = &c.op.C[top*s.LDC+j*nr], s.LDC*4
	}
	p.im.tile(rows, t)
	if direct {
		return
	}
	f := &w.finish
	f.src, f.rows = &w.sums[0], rows
	if c.sums {
		f.rowsum, f.negzb = &c.rowsum[top], &c.negzb[j*nr]
		p.im.rank1(f)
	}
	if s.Out == Int32 {
		copyTile(c.op.C[top*s.LDC+j*nr:], s.LDC, w.sums[:], rows, n)
		return
	}
	c.finish(w, j, top, rows, n)
}

func copyTile[T any](dst []T, ld int, tile []T, rows, cols int) {
	for i := range rows {
		copy(dst[i*ld:][:cols], tile[i*nr:])
	}
}

// finish turns the sums of a tile into results.
func (c *call) finish(w *worker, j, top, rows, n int) {
	s, op, f := &c.plan.spec, &c.op, &w.finish
	c.columns(f, j, n)
	f.rowScale = &c.ones[0]
	if len(op.RowScale) > 0 {
		f.rowScale = &op.RowScale[top]
	}
	at := top*s.LDC + j*nr
	if s.Out == Float32 {
		f.lo, f.hi = float32(math.Inf(-1)), float32(math.Inf(1))
		if s.Clip {
			f.lo, f.hi = s.Lo, s.Hi
		}
		f.dst, f.ldd = unsafe.Pointer(&w.result), nr*4
		if n == nr {
			f.dst, f.ldd = unsafe.Pointer(&op.CF[at]), s.LDC*4
		}
		c.plan.im.finishF(f)
		if n < nr {
			copyTile(op.CF[at:], s.LDC, unsafe.Slice((*float32)(f.dst), len(w.result)), rows, n)
		}
		return
	}
	lo, hi := s.Out.bounds()
	f.lo, f.hi, f.zero = float32(lo-op.Zero), float32(hi-op.Zero), op.Zero
	f.dst, f.ldd = unsafe.Pointer(&w.result), nr
	if n == nr {
		f.dst, f.ldd = unsafe.Pointer(&op.CQ[at]), s.LDC
	}
	c.plan.im.finish8(f)
	if n < nr {
		copyTile(op.CQ[at:], s.LDC, unsafe.Slice((*uint8)(f.dst), len(w.result)), rows, n)
	}
}

// columns points f to the parameters of panel j.
func (c *call) columns(f *finishArgs, j, n int) {
	op, from := &c.op, &c.plain
	if n < nr {
		from = &c.last
	}
	f.bias, f.scale, f.offset = &from.bias[0], &from.scale[0], &from.offset[0]
	if n < nr {
		return
	}
	if len(op.Bias) > 0 {
		f.bias = &op.Bias[j*nr]
	}
	if len(op.Scale) > 1 {
		f.scale = &op.Scale[j*nr]
	}
	if len(op.Offset) > 0 {
		f.offset = &op.Offset[j*nr]
	}
}
