// Package transpose writes the transpose of a matrix.
//
//	dst[i·dy + j] = src[j·dx + i] for i < rows, j < cols
//
// The elements are words of 32 bits, whatever they mean. What lies in dst between
// the rows stays as it is. Both matrices are walked in squares of 16 × 16, or 8 × 8,
// that are turned in registers, so that each cache line is touched once: see
// Eklundh, "A fast computer method for matrix transposing", IEEE Transactions on
// Computers C-21 (1972).
package transpose

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// impl is an implementation, one for each level of isa.
type impl isa.Level

// best is the one that this process uses.
var best = impl(isa.Best())

// available lists the implementations that this process may use, portable first.
func available() []impl {
	var out []impl
	for l := isa.Portable; isa.Has(l); l++ {
		out = append(out, impl(l))
	}
	return out
}

// String is the name of the level.
func (m impl) String() string { return isa.Level(m).String() }

// Words transposes. It panics if a slice is too short, or if rows of dst
// overlap.
func Words(dst, src []uint32, rows, cols, dy, dx int) {
	best.words(dst, src, rows, cols, dy, dx)
}

func (m impl) words(dst, src []uint32, rows, cols, dy, dx int) {
	if rows == 0 || cols == 0 {
		return
	}
	if rows < 0 || cols < 0 || dy < cols || dx < 0 || len(dst) < (rows-1)*dy+cols || len(src) < (cols-1)*dx+rows {
		panic(fmt.Sprintf("transpose: %d × %d words with strides %d and %d in slices of %d and %d", rows, cols, dy, dx, len(dst), len(src)))
	}
	if m == 0 {
		plain(dst, src, rows, cols, dy, dx)
		return
	}
	r, c := m.squares(dst, src, rows, cols, dy, dx)
	(m - 1).rest(dst, src, r, c, rows, cols, dy, dx) // may hold smaller squares
}

// rest transposes all but the first r rows and c columns.
func (m impl) rest(dst, src []uint32, r, c, rows, cols, dy, dx int) {
	if c < cols {
		m.words(dst[c:], src[c*dx:], r, cols-c, dy, dx)
	}
	if r < rows {
		m.words(dst[r*dy:], src[r:], rows-r, cols, dy, dx)
	}
}

// plain is the definition.
func plain(dst, src []uint32, rows, cols, dy, dx int) {
	for i := range rows {
		at := i
		for j := range dst[i*dy : i*dy+cols] {
			dst[i*dy+j] = src[at]
			at += dx
		}
	}
}
