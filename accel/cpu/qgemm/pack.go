package qgemm

import (
	"fmt"
	"unsafe"
)

// PackedLen is the number of int32 that PackB writes.
func (p *Plan) PackedLen() int { return p.panels * (p.quads + 1) * nr }

// PackB lays B out for Run, once for many products:
//
//	[panel][quad][column of 32][4 k] int8, then [panel][column of 32] int32
//
// the shifted elements b', and their sums over k; 0 beyond B's edges. The layout
// is the same at every level of isa and does not depend on M or on A.
func (p *Plan) PackB(dst []int32, b []uint8) {
	s := &p.spec
	rows, cols := s.K, s.N
	if s.TransB {
		rows, cols = cols, rows
	}
	if len(dst) < p.PackedLen() || len(b) < span(rows, cols, s.LDB) {
		panic(fmt.Sprintf("qgemm.PackB: lengths %d of dst, %d of b; want at least %d and %d", len(dst), len(b), p.PackedLen(), span(rows, cols, s.LDB)))
	}
	var flip uint8
	if !s.BSigned {
		flip = 0x80
	}
	clear(p.sums(dst, 0, p.panels))
	if !s.TransB {
		p.packRows(dst, b, flip)
	}
	for j := range p.panels {
		panel, sums := dst[j*p.quads*nr:][:p.quads*nr], p.sums(dst, j, 1)
		switch n := min(nr, s.N-j*nr); {
		case s.TransB:
			p.packColumns(panel, sums, b[j*nr*s.LDB:], n, flip)
		case n < nr:
			p.packEdge(panel, sums, b[j*nr:], n, flip)
		}
	}
}

// sums is where packed has the sums of the columns of n panels.
func (p *Plan) sums(packed []int32, panel, n int) []int32 {
	return packed[p.panels*p.quads*nr+panel*nr:][:n*nr]
}

// quad packs four bytes, the first lowest, and adds their sum.
func quad(b0, b1, b2, b3 uint8, sum *int32) int32 {
	*sum += int32(int8(b0)) + int32(int8(b1)) + int32(int8(b2)) + int32(int8(b3))
	return int32(uint32(b0) | uint32(b1)<<8 | uint32(b2)<<16 | uint32(b3)<<24)
}

// packRows packs the panels of row-major B that have 32 columns.
func (p *Plan) packRows(dst []int32, b []uint8, flip uint8) {
	var zero [nr]uint8
	for i := range zero {
		zero[i] = flip // becomes 0
	}
	s := &p.spec
	for j := range s.N / nr {
		for q := range p.quads {
			var rows [4][]uint8
			for i := range rows {
				rows[i] = zero[:]
				if k := 4*q + i; k < s.K {
					rows[i] = b[k*s.LDB+j*nr:][:nr]
				}
			}
			p.im.packQuad(dst[(j*p.quads+q)*nr:][:nr], rows[0], rows[1], rows[2], rows[3], flip, p.sums(dst, j, 1))
		}
	}
}

func packQuad(dst []int32, r0, r1, r2, r3 []uint8, flip uint8, sums []int32) {
	r0, r1, r2, r3 = r0[:nr], r1[:nr], r2[:nr], r3[:nr]
	for c := range dst {
		dst[c] = quad(r0[c]^flip, r1[c]^flip, r2[c]^flip, r3[c]^flip, &sums[c])
	}
}

// packEdge packs the last n < 32 columns.
func (p *Plan) packEdge(panel, sums []int32, b []uint8, n int, flip uint8) {
	clear(panel)
	for k := range p.spec.K {
		row, bytes := b[k*p.spec.LDB:][:n], quadBytes(panel, k/4)
		for c, v := range row {
			bytes[4*c+k%4] = v ^ flip
			sums[c] += int32(int8(v ^ flip))
		}
	}
}

// packColumns packs n columns that are stored as rows.
func (p *Plan) packColumns(panel, sums []int32, b []uint8, n int, flip uint8) {
	clear(panel)
	for c := range n {
		col, sum := b[c*p.spec.LDB:][:p.spec.K], &sums[c]
		for len(col) >= 4 {
			panel[(p.spec.K-len(col))/4*nr+c] = quad(col[0]^flip, col[1]^flip, col[2]^flip, col[3]^flip, sum)
			col = col[4:]
		}
		for i, v := range col {
			quadBytes(panel, p.quads-1)[4*c+i] = v ^ flip
			*sum += int32(int8(v ^ flip))
		}
	}
}

// quadBytes is one quad of a panel as bytes.
func quadBytes(panel []int32, q int) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(&panel[q*nr])), 4*nr)
}
