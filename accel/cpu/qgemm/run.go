package qgemm

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// ScratchLen is the number of int32 that Run needs as scratch.
func (p *Plan) ScratchLen() int {
	return p.spec.M*p.stride/4 + 2*p.spec.M + p.panels*nr
}

// Run computes the product. The result does not depend on the pool's threads.
func (p *Plan) Run(pool *par.Pool, op Operands) {
	p.check(&op)
	if p.spec.M == 0 || p.spec.N == 0 {
		return
	}
	c := p.take()
	c.begin(op, pool.Threads())
	if c.copies {
		pool.For((p.spec.M+copyRows-1)/copyRows, (*copier)(c))
	}
	c.grid(pool.Threads())
	pool.For(c.blocks*c.groups, c)
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

func (p *Plan) check(op *Operands) {
	s := &p.spec
	out, results := len(op.C), span(s.M, s.N, s.LDC)
	switch s.Out {
	case Float32:
		out = len(op.CF)
	case Uint8, Int8:
		out = len(op.CQ)
	}
	if len(op.A) < span(s.M, s.K, s.LDA) || len(op.Packed) < p.PackedLen() || out < results || len(op.Scratch) < p.ScratchLen() {
		panic(fmt.Sprintf("qgemm.Run: lengths %d of A, %d of Packed, %d of C, %d of Scratch; want at least %d, %d, %d and %d",
			len(op.A), len(op.Packed), out, len(op.Scratch), span(s.M, s.K, s.LDA), p.PackedLen(), results, p.ScratchLen()))
	}
	oneOr("AZero", len(op.AZero), true, s.M)
	oneOr("BZero", len(op.BZero), true, s.N)
	if s.Out == Int32 {
		if op.Bias != nil || op.Scale != nil || op.RowScale != nil || op.Offset != nil {
			panic("qgemm.Run: an int32 result takes no bias, scale or offset")
		}
		return
	}
	oneOr("Scale", len(op.Scale), false, s.N)
	for _, x := range [...]struct {
		name      string
		got, want int
	}{{"Bias", len(op.Bias), s.N}, {"RowScale", len(op.RowScale), s.M}, {"Offset", len(op.Offset), s.N}} {
		if x.got != 0 && x.got != x.want {
			panic(fmt.Sprintf("qgemm.Run: %s has %d elements, want none or %d", x.name, x.got, x.want))
		}
	}
	lo, hi := s.Out.bounds()
	if s.Out != Float32 && (op.Zero < lo || op.Zero > hi) {
		panic(fmt.Sprintf("qgemm.Run: zero point %d, want %d to %d", op.Zero, lo, hi))
	}
}

func oneOr(name string, got int, none bool, many int) {
	if got != 1 && got != many && !(none && got == 0) {
		panic(fmt.Sprintf("qgemm.Run: %s has %d elements, want 1 or %d", name, got, many))
	}
}

// bounds are the least and the greatest code of an 8-bit result.
func (o Out) bounds() (lo, hi int32) {
	if o == Int8 {
		return -128, 127
	}
	return 0, 255
}

// call is one Run.
type call struct {
	plan   *Plan
	op     Operands
	copies bool // A is copied to scratch
	sums   bool // Σ a' is needed: some zb' is not 0
	a      unsafe.Pointer
	lda    int // bytes
	rowz   []int32
	rowsum []int32 // Σ a' - K za', once A is copied
	negzb  []int32 // -zb', padded to whole panels

	blocks, rows   int // of A, and the rows of each but the last
	groups, panels int // of B's panels, and the panels of each but the last

	same  [maxRows]int32   // -za' for every row, if there is one za
	ones  [maxRows]float32 // the row scales if there are none
	plain columns          // the parameters of columns that are one for all or absent
	last  columns          // those of the last panel, if it is not whole
	work  []worker
}

// columns are the parameters of 32 columns.
type columns struct {
	bias          [nr]int32
	scale, offset [nr]float32
}

// worker is the memory of one thread.
type worker struct {
	sums   [maxRows * nr]int32
	result [maxRows * nr]int32 // or float32, or the first bytes of it
	tile   tileArgs
	finish finishArgs
}

// begin prepares what all tiles share.
func (c *call) begin(op Operands, threads int) {
	p := c.plan
	s := &p.spec
	c.op = op
	if len(c.work) < threads {
		c.work = make([]worker, threads)
	}
	rest := op.Scratch[s.M*p.stride/4:]
	c.rowsum, c.rowz, c.negzb = rest[:s.M], rest[s.M:2*s.M], rest[2*s.M:][:p.panels*nr]
	c.zeros()
	direct := !s.ASigned && s.K%4 == 0 && s.LDA%4096 != 0
	c.copies = p.im.wide || c.sums || !direct
	if c.copies {
		c.a, c.lda = unsafe.Pointer(unsafe.SliceData(op.Scratch)), p.stride
	} else {
		c.a, c.lda = unsafe.Pointer(unsafe.SliceData(op.A)), s.LDA
	}
	if s.Out != Int32 {
		c.parameters()
	}
}

// zeros computes the shifted zero points.
func (c *call) zeros() {
	s, op := &c.plan.spec, &c.op
	switch {
	case len(op.AZero) > 1:
		for i, z := range op.AZero {
			c.rowz[i] = -shifted(z, s.ASigned, 0)
		}
	default:
		z := shifted(first(op.AZero), s.ASigned, 0)
		for i := range c.same {
			c.same[i] = -z
		}
		c.rowz = nil
	}
	c.sums = false
	if len(op.BZero) > 1 {
		for j, z := range op.BZero {
			c.negzb[j] = -shifted(z, s.BSigned, 128)
			c.sums = c.sums || c.negzb[j] != 0
		}
		clear(c.negzb[len(op.BZero):])
		return
	}
	z := shifted(first(op.BZero), s.BSigned, 128)
	c.sums = z != 0
	if c.sums {
		for j := range c.negzb {
			c.negzb[j] = -z
		}
	}
}

// shifted is the zero point with bits z as a' or b' have it: less is 0 for a',
// 128 for b'.
func shifted(z uint8, signed bool, less int32) int32 {
	if signed {
		return int32(int8(z)) + 128 - less
	}
	return int32(z) - less
}

func first(z []uint8) uint8 {
	if len(z) == 0 {
		return 0
	}
	return z[0]
}

// parameters prepares the columns' parameters for finish.
func (c *call) parameters() {
	op := &c.op
	for i := range c.ones {
		c.ones[i] = 1
	}
	if len(op.Scale) == 1 {
		for i := range c.plain.scale {
			c.plain.scale[i] = op.Scale[0]
		}
	}
	c.last = c.plain
	if from := c.plan.spec.N / nr * nr; from < c.plan.spec.N {
		if len(op.Scale) > 1 {
			copy(c.last.scale[:], op.Scale[from:])
		}
		if len(op.Bias) > 0 {
			copy(c.last.bias[:], op.Bias[from:])
		}
		if len(op.Offset) > 0 {
			copy(c.last.offset[:], op.Offset[from:])
		}
	}
}

// copyRows is how many rows of A one tile of the copier does.
const copyRows = 16

// copier copies A, shifted, and sums its rows.
type copier call

func (c *copier) Do(tile, _ int) {
	p := c.plan
	s := &p.spec
	var flip uint8
	if s.ASigned {
		flip = 0x80
	}
	for i := tile * copyRows; i < min((tile+1)*copyRows, s.M); i++ {
		src, to := c.op.A[i*s.LDA:][:s.K], unsafe.Add(c.a, i*c.lda)
		var sum int32
		if p.im.wide {
			sum = p.im.widenRow(unsafe.Slice((*int16)(to), 4*p.quads), src, flip)
		} else {
			sum = p.im.copyRow(unsafe.Slice((*uint8)(to), 4*p.quads), src, flip)
		}
		z := c.same[0]
		if c.rowz != nil {
			z = c.rowz[i]
		}
		c.rowsum[i] = sum + int32(s.K)*z
	}
}

// copyRow copies a row, with zeros up to the length of dst.
func copyRow(dst, src []uint8, flip uint8) (sum int32) {
	for k, v := range src {
		dst[k] = v ^ flip
		sum += int32(v ^ flip)
	}
	clear(dst[len(src):])
	return sum
}

// widenRow copies a row to int16, each four as elements 0, 2, 1, 3.
func widenRow(dst []int16, src []uint8, flip uint8) (sum int32) {
	clear(dst[max(len(dst)-4, 0):])
	for k, v := range src {
		dst[k&^3|k<<1&2|k>>1&1] = int16(v ^ flip)
		sum += int32(v ^ flip)
	}
	return sum
}

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
