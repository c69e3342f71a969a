package bgemm

import (
	"math"
	"unsafe"

	"github.com/millrace-go/millrace/accel/cpu/cast"
)

// copyRows is how many rows of A one tile of the copier does.
const copyRows = 16

// copier copies A to scratch, as the tile kernel takes it.
type copier call

func (c *copier) Do(tile, _ int) {
	p := c.plan
	s := &p.spec
	from, to := tile*copyRows, min((tile+1)*copyRows, s.M)
	if s.TransA {
		c.transpose(from, to)
		return
	}
	var half [256]uint16
	for i := from; i < to; i++ {
		if !p.core.wide {
			c.read(row[uint16](c, i)[:s.K], i*s.LDA)
			c.pad(i)
			continue
		}
		for k := 0; k < s.K; k += len(half) {
			n := min(len(half), s.K-k)
			c.put(i, k, c.read(half[:n], i*s.LDA+k))
		}
		c.pad(i)
	}
}

// read reads elements of A from at on, rounded if they are float32, and returns
// dst.
func (c *copier) read(dst []uint16, at int) []uint16 {
	switch s := &c.plan.spec; {
	case !s.A32:
		copy(dst, c.op.AH[at:])
	case s.Type == Float16:
		cast.F32ToF16(dst, c.op.A[at:][:len(dst)])
	default:
		cast.F32ToBF16(dst, c.op.A[at:][:len(dst)])
	}
	return dst
}

// row is a copied row, of rowLen elements.
func row[T any](c *copier, i int) []T {
	return unsafe.Slice((*T)(unsafe.Add(c.a, i*c.lda)), c.plan.rowLen())
}

// put writes elements of row i from k on.
func (c *copier) put(i, k int, half []uint16) {
	switch {
	case !c.plan.core.wide:
		copy(row[uint16](c, i)[k:], half)
	case c.plan.spec.Type == Float16:
		cast.F16ToF32(row[float32](c, i)[k:k+len(half)], half)
	default:
		cast.BF16ToF32(row[float32](c, i)[k:k+len(half)], half)
	}
}

// pad clears row i beyond K.
func (c *copier) pad(i int) {
	if c.plan.core.wide {
		clear(row[float32](c, i)[c.plan.spec.K:])
	} else {
		clear(row[uint16](c, i)[c.plan.spec.K:])
	}
}

// transpose copies rows from to to, which are columns of the stored A.
func (c *copier) transpose(from, to int) {
	i, k := c.turnRows(from, to)
	c.transposeBlock(from, i, k)
	c.transposeBlock(i, to, 0)
	for i := from; i < to; i++ {
		c.pad(i)
	}
}

// turnRows copies as many of the rows, and of their elements, as the assembly
// does.
func (c *copier) turnRows(from, to int) (end, elements int) {
	p := c.plan
	s, blocks := &p.spec, p.spec.K/16
	if p.core.wide || p.im.turn.rows32 == nil || blocks == 0 {
		return from, 0
	}
	i := from
	for ; i+8 <= to; i += 8 {
		dst := &row[uint16](c, i)[0]
		if s.A32 {
			p.im.turn.rows32(dst, &c.op.A[i], 4*s.LDA, blocks, c.lda)
		} else {
			p.im.turn.rows16(dst, &c.op.AH[i], 2*s.LDA, blocks, c.lda)
		}
	}
	return i, 16 * blocks
}

// transposeBlock copies rows from to to, their elements from first on, through a
// buffer of as many columns by some k.
func (c *copier) transposeBlock(from, to, first int) {
	const kc = 128
	var block [kc][copyRows]uint16
	var col [kc]uint16
	s := &c.plan.spec
	for k0 := first; k0 < s.K && from < to; k0 += kc {
		n := min(kc, s.K-k0)
		for k := range n {
			c.read(block[k][:to-from], (k0+k)*s.LDA+from)
		}
		for i := from; i < to; i++ {
			for k := range n {
				col[k] = block[k][i-from]
			}
			c.put(i, k0, col[:n])
		}
	}
}

// packPanels is how many panels of B one tile of the packer does, so that it
// reads more of a row than one panel has.
const packPanels = 4

// packer packs B.
type packer call

func (c *packer) Do(tile, _ int) {
	c.plan.pack(c.packed, c.op.B, c.op.BH, tile*packPanels, min((tile+1)*packPanels, c.plan.panels))
}

// flush is x, or zero of its sign if it is subnormal.
func flush(x float32) float32 {
	if b := math.Float32bits(x); b&0x7f800000 == 0 {
		return math.Float32frombits(b & 0x80000000)
	}
	return x
}
