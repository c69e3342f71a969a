package bgemm

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/cast"
)

// PackedLen is the number of uint16 that PackB writes.
func (p *Plan) PackedLen() int { return p.panels * p.panelLen() }

func (p *Plan) panelLen() int { return p.rowLen() * nr }

// PackB lays B out for Run, once for many products:
//
//	[panel][pair of k][column of 32][2]     bfloat16
//	[panel][k][column of 32]                float16
//
// with 0 beyond B's edges. b is B if it is float32, else bh. The layout is the same
// at every level of isa and does not depend on M or on A.
func (p *Plan) PackB(dst []uint16, b []float32, bh []uint16) {
	_, want := p.spec.spans()
	got := len(bh)
	if p.spec.B32 {
		got = len(b)
	}
	if len(dst) < p.PackedLen() || got < want {
		panic(fmt.Sprintf("bgemm.PackB: lengths %d of dst, %d of B; want at least %d and %d", len(dst), got, p.PackedLen(), want))
	}
	for j := 0; j < p.panels; j += packPanels {
		p.pack(dst, b, bh, j, min(j+packPanels, p.panels))
	}
}

// pack packs panels from to to.
func (p *Plan) pack(dst []uint16, b []float32, bh []uint16, from, to int) {
	s := &p.spec
	if to*nr > s.N || s.TransB {
		clear(dst[from*p.panelLen() : to*p.panelLen()])
	}
	if s.TransB {
		for j := from; j < to; j++ {
			p.packColumns(dst[j*p.panelLen():][:p.panelLen()], b, bh, j*nr, min(nr, s.N-j*nr))
		}
		return
	}
	for k := 0; k < s.K; k += s.Type.group() {
		for j := from; j < to; j++ {
			n, at := min(nr, s.N-j*nr), k*s.LDB+j*nr
			step := dst[j*p.panelLen()+k*nr:][:s.Type.group()*nr]
			if s.Type == Float16 {
				s.half(step[:n], b, bh, at)
			} else {
				p.packPair(step, b, bh, at, n, k+1 < s.K)
			}
		}
	}
}

// half reads elements of B from at on, rounded if they are float32.
func (s *Spec) half(dst []uint16, b []float32, bh []uint16, at int) {
	switch {
	case !s.B32:
		copy(dst, bh[at:])
	case s.Type == Float16:
		cast.F32ToF16(dst, b[at:at+len(dst)])
	default:
		cast.F32ToBF16(dst, b[at:at+len(dst)])
	}
}

// packPair interleaves n columns of two rows, or of one and zeros.
func (p *Plan) packPair(dst []uint16, b []float32, bh []uint16, at, n int, two bool) {
	s := &p.spec
	switch whole := n == nr && two; {
	case whole && s.B32:
		p.im.pairs32(dst, b[at:][:nr], b[at+s.LDB:][:nr])
	case whole:
		p.im.pairs16(dst, bh[at:][:nr], bh[at+s.LDB:][:nr])
	default:
		p.packEdge(dst, b, bh, at, n, two)
	}
}

// packEdge is packPair where there are fewer than 32 columns or two rows.
func (p *Plan) packEdge(dst []uint16, b []float32, bh []uint16, at, n int, two bool) {
	var rows [2][nr]uint16
	p.spec.half(rows[0][:n], b, bh, at)
	if two {
		p.spec.half(rows[1][:n], b, bh, at+p.spec.LDB)
	}
	for i, v := range rows[0] {
		dst[2*i], dst[2*i+1] = v, rows[1][i]
	}
}

func pairs16(dst, r0, r1 []uint16) {
	for i, v := range r0[:nr] {
		dst[2*i], dst[2*i+1] = v, r1[i]
	}
}

func pairs32(dst []uint16, r0, r1 []float32) {
	for i, v := range r0[:nr] {
		dst[2*i], dst[2*i+1] = cast.ToBF16(v), cast.ToBF16(r1[i])
	}
}

// packColumns packs n columns from column j on that are stored as rows.
func (p *Plan) packColumns(panel []uint16, b []float32, bh []uint16, j, n int) {
	c, k := p.turnColumns(panel, b, bh, j, n)
	p.packBlock(panel, b, bh, j, 0, c, k)
	p.packBlock(panel, b, bh, j, c, n, 0)
}

// turnColumns packs as many of the columns, and of their elements, as the
// assembly does.
func (p *Plan) turnColumns(panel []uint16, b []float32, bh []uint16, j, n int) (columns, elements int) {
	s, blocks := &p.spec, p.spec.K/16
	if s.Type != BFloat16 || p.im.turn.columns32 == nil || blocks == 0 {
		return 0, 0
	}
	c := 0
	for ; c+8 <= n; c += 8 {
		if at := (j + c) * s.LDB; s.B32 {
			p.im.turn.columns32(&panel[2*c], &b[at], 4*s.LDB, blocks, 0)
		} else {
			p.im.turn.columns16(&panel[2*c], &bh[at], 2*s.LDB, blocks, 0)
		}
	}
	return c, 16 * blocks
}

// packBlock packs columns from to to, their elements from first on.
func (p *Plan) packBlock(panel []uint16, b []float32, bh []uint16, j, from, to, first int) {
	s := &p.spec
	var part [256]uint16
	for c := from; c < to; c++ {
		for k0 := first; k0 < s.K; k0 += len(part) {
			col := part[:min(len(part), s.K-k0)]
			s.half(col, b, bh, (j+c)*s.LDB+k0)
			if s.Type == Float16 {
				for i, v := range col {
					panel[(k0+i)*nr+c] = v
				}
				continue
			}
			for i, v := range col { // pairs lie together
				panel[(k0+i)&^1*nr+2*c+i&1] = v
			}
		}
	}
}
