package bgemm

import (
	"fmt"
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

// smallProduct is the multiplications below which a product is not shared: it
// takes about 10 µs, and waking a thread half of that.
const smallProduct = 1 << 21

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
	if !p.spec.Prepacked {
		pool.For((p.panels+packPanels-1)/packPanels, (*packer)(c))
	}
	if c.copies {
		pool.For((p.spec.M+copyRows-1)/copyRows, (*copier)(c))
	}
	c.grid(pool.Threads())
	pool.For(c.blocks*c.groups, c)
	p.give(c)
}

// give takes a call back, without its hold on the operands.
func (p *Plan) give(c *call) {
	c.op, c.packed, c.a = Operands{}, nil, nil
	for i := range c.work {
		c.work[i].tile, c.work[i].finish = tileArgs{}, finishArgs{}
	}
	p.idle.Give(c)
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
