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
	for j := range p.panels {
		panel, sums := dst[j*p.quads*nr:][:p.quads*nr], p.sums(dst, j)
		clear(sums)
		switch n := min(nr, s.N-j*nr); {
		case s.TransB:
			p.packColumns(panel, sums, b[j*nr*s.LDB:], n, flip)
		case n == nr:
			p.packRows(panel, sums, b[j*nr:], flip)
		default:
			p.packEdge(panel, sums, b[j*nr:], n, flip)
		}
	}
}

// sums is where packed has the sums of the columns of a panel.
func (p *Plan) sums(packed []int32, panel int) []int32 {
	return packed[p.panels*p.quads*nr+panel*nr:][:nr]
}

// quad packs four bytes, the first lowest, and adds their sum.
func quad(b0, b1, b2, b3 uint8, sum *int32) int32 {
	*sum += int32(int8(b0)) + int32(int8(b1)) + int32(int8(b2)) + int32(int8(b3))
	return int32(uint32(b0) | uint32(b1)<<8 | uint32(b2)<<16 | uint32(b3)<<24)
}

// packRows packs 32 whole columns of row-major B, whose panel b begins with.
func (p *Plan) packRows(panel, sums []int32, b []uint8, flip uint8) {
	var zero [nr]uint8
	for i := range zero {
		zero[i] = flip // becomes 0
	}
	for q := range p.quads {
		var rows [4][]uint8
		for i := range rows {
			if k := 4*q + i; k < p.spec.K {
				rows[i] = b[k*p.spec.LDB:][:nr]
			} else {
				rows[i] = zero[:]
			}
		}
		p.im.packQuad(panel[q*nr:][:nr], &rows, flip, sums)
	}
}

func packQuad(dst []int32, rows *[4][]uint8, flip uint8, sums []int32) {
	r0, r1, r2, r3 := rows[0][:nr], rows[1][:nr], rows[2][:nr], rows[3][:nr]
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
