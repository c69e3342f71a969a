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
	for j := range p.panels {
		p.packPanel(dst, b, bh, j)
	}
}

// packPanel packs panel j.
func (p *Plan) packPanel(dst []uint16, b []float32, bh []uint16, j int) {
	s := &p.spec
	panel, n := dst[j*p.panelLen():][:p.panelLen()], min(nr, s.N-j*nr)
	if n < nr || s.TransB {
		clear(panel)
	}
	switch {
	case s.K == 0:
	case s.TransB:
		p.packColumns(panel, b, bh, j*nr, n)
	case s.Type == Float16:
		for k := range s.K {
			s.half(panel[k*nr:][:n], b, bh, k*s.LDB+j*nr)
		}
	default:
		p.packPairs(panel, b, bh, j*nr, n)
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

// packPairs interleaves each two rows of n columns from column j on.
func (p *Plan) packPairs(panel []uint16, b []float32, bh []uint16, j, n int) {
	s := &p.spec
	var rows [2][nr]uint16
	for k := 0; k < s.K; k += 2 {
		to, at := panel[k*nr:][:2*nr], k*s.LDB+j
		switch whole := n == nr && k+1 < s.K; {
		case whole && s.B32:
			p.im.pairs32(to, b[at:][:nr], b[at+s.LDB:][:nr])
		case whole:
			p.im.pairs16(to, bh[at:][:nr], bh[at+s.LDB:][:nr])
		default:
			rows[1] = [nr]uint16{}
			for i := range min(2, s.K-k) {
				s.half(rows[i][:n], b, bh, at+i*s.LDB)
			}
			pairs16(to, rows[0][:], rows[1][:])
		}
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
	s := &p.spec
	var part [256]uint16
	for c := range n {
		for k0 := 0; k0 < s.K; k0 += len(part) {
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
