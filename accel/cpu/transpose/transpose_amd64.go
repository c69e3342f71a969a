package transpose

import "github.com/millrace-go/millrace/accel/cpu/isa"

//go:generate go run ./gen/main.go

// squares does the first r rows and c columns, both multiples of a square's side
// or zero.
func (m impl) squares(dst, src []uint32, rows, cols, dy, dx int) (r, c int) {
	side, strip := 8, stripAVX2
	if m == impl(isa.AVX512) {
		side, strip = 16, stripAVX512
	}
	if rows < side || cols < side {
		return 0, 0
	}
	r, c = rows/side*side, cols/side*side
	for i := 0; i < r; i += side {
		strip(&dst[i*dy], &src[i], 4*dy, 4*dx, c/side)
	}
	return r, c
}

// stripAVX2 writes n squares of 8 × 8 side by side; dy and dx are in bytes.
//
//go:noescape
func stripAVX2(dst, src *uint32, dy, dx, n int)

// stripAVX512 writes n squares of 16 × 16 side by side; dy and dx are in bytes.
//
//go:noescape
func stripAVX512(dst, src *uint32, dy, dx, n int)
