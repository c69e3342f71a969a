package qgemm

import (
	"fmt"
	"unsafe"

	"github.com/millrace-go/millrace/accel/cpu/par"
)

// ScratchLen is the number of int32 that Run needs as scratch.
func (p *Plan) ScratchLen() int {
	return p.spec.M*p.stride/4 + 2*p.spec.M + p.panels*nr
}

// smallProduct is the multiplications below which a product is not shared: it
// takes about 10 µs, and waking a thread half of that.
const smallProduct = 1 << 22

// Run computes the product. The result does not depend on the pool's threads.
// To compute a batch of small products, call Run without a pool in the tiles of
// a par.Body, each with its own scratch.
func (p *Plan) Run(pool *par.Pool, op Operands) {
	p.check(&op)
	if p.spec.M == 0 || p.spec.N == 0 {
		return
	}
	if p.spec.M*p.spec.N*p.spec.K < p.small {
		pool = nil
	}
	c := p.idle.Take()
	c.plan = p
	c.begin(op, pool.Threads())
	if c.copies {
		pool.For((p.spec.M+copyRows-1)/copyRows, (*copier)(c))
	}
	c.grid(pool.Threads())
	pool.For(c.blocks*c.groups, c)
	p.give(c)
}

// give takes a call back, without its hold on the operands.
func (p *Plan) give(c *call) {
	c.op, c.a, c.rowz, c.rowsum, c.negzb = Operands{}, nil, nil, nil, nil
	for i := range c.work {
		c.work[i].tile, c.work[i].finish = tileArgs{}, finishArgs{}
	}
	p.idle.Give(c)
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
