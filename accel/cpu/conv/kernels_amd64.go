package conv

import (
	"unsafe"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

//go:generate go run ./gen/main.go ./gen/grad.go ./gen/move.go ./gen/wino.go

// The tables below are read by the assembly, which the check cannot see.
//
//lint:file-ignore U1000 read by the assembly

// laneMask and evenMask are tables for masks of vectors: eight lanes that are
// on, or of which every other is, then eight that are off.
var (
	laneMask = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}
	evenMask = [16]int32{-1, 0, -1, 0, -1, 0, -1, 0}
)

var avx512 = kernels{
	tiles: []*tileKernel{
		{mr: 8, vec: 16, run: []func(*tileArgs){tile512x8x1, tile512x8x2, tile512x8x3}},
		{mr: 10, vec: 16, run: []func(*tileArgs){tile512x10x1, tile512x10x2}},
		{mr: 4, vec: 16, run: []func(*tileArgs){tile512x4x1, tile512x4x2, tile512x4x3}},
		{mr: 1, vec: 16, run: []func(*tileArgs){tile512x1x1, tile512x1x2, tile512x1x3}},
	},
	grads: [][]*gradKernel{
		{{mr: 4, kr: 6, run: grad512x4x6}, {mr: 2, kr: 6, run: grad512x2x6}, {mr: 1, kr: 6, run: grad512x1x6}},
		{{mr: 5, kr: 5, run: grad512x5x5}, {mr: 2, kr: 5, run: grad512x2x5}, {mr: 1, kr: 5, run: grad512x1x5}},
	},
	copyRows: copyRows512x1, copyRows2: copyRows512x2,
	flush: flush512x1, flush2: flush512x2,
	addTaps: addTaps512,
	squares: map[int]func(*squareArgs){16: squares512x16, 8: squares512x8, 4: squares512x4}, unsquare: unsquare512, spread: spreadTaps,
}

var avx2 = kernels{
	tiles: []*tileKernel{
		{mr: 4, vec: 8, run: []func(*tileArgs){tile2x4x1, tile2x4x2, tile2x4x3}},
		{mr: 1, vec: 8, run: []func(*tileArgs){tile2x1x1, tile2x1x2, tile2x1x3}},
	},
	grads: [][]*gradKernel{
		{{mr: 3, kr: 4, run: grad2x3x4}, {mr: 2, kr: 4, run: grad2x2x4}, {mr: 1, kr: 4, run: grad2x1x4}},
	},
	copyRows: copyRows2x1, copyRows2: copyRows2x2,
	flush: flush2x1, flush2: flush2x2,
	addTaps: addTaps2,
	squares: map[int]func(*squareArgs){16: squares2x8, 8: squares2x8, 4: squares2x4}, unsquare: unsquare2, spread: spreadTaps,
}

// evenIndex are the places of the even elements in two vectors; those of the
// odd are one further.
var (
	evenIndex = [16]int32{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30}
	ones      = [16]int32{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}
)

// zipIndex are the places that interleave two vectors: the first two halves,
// and then the second.
var zipIndex = [32]int32{
	0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
	8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31,
}

// byLevel returns the kernels of an instruction set.
func byLevel(l isa.Level) *kernels {
	return [...]*kernels{isa.Portable: &portable, isa.AVX2: &avx2, isa.AVX512: &avx512}[l]
}

//go:noescape
func tile512x8x1(a *tileArgs)

//go:noescape
func tile512x8x2(a *tileArgs)

//go:noescape
func tile512x8x3(a *tileArgs)

//go:noescape
func tile512x10x1(a *tileArgs)

//go:noescape
func tile512x10x2(a *tileArgs)

//go:noescape
func tile512x4x1(a *tileArgs)

//go:noescape
func tile512x4x2(a *tileArgs)

//go:noescape
func tile512x4x3(a *tileArgs)

//go:noescape
func tile512x1x1(a *tileArgs)

//go:noescape
func tile512x1x2(a *tileArgs)

//go:noescape
func tile512x1x3(a *tileArgs)

//go:noescape
func tile2x4x1(a *tileArgs)

//go:noescape
func tile2x4x2(a *tileArgs)

//go:noescape
func tile2x4x3(a *tileArgs)

//go:noescape
func tile2x1x1(a *tileArgs)

//go:noescape
func tile2x1x2(a *tileArgs)

//go:noescape
func tile2x1x3(a *tileArgs)

//go:noescape
func grad512x4x6(a *gradArgs)

//go:noescape
func grad512x2x6(a *gradArgs)

//go:noescape
func grad512x1x6(a *gradArgs)

//go:noescape
func grad512x5x5(a *gradArgs)

//go:noescape
func grad512x2x5(a *gradArgs)

//go:noescape
func grad512x1x5(a *gradArgs)

//go:noescape
func grad2x3x4(a *gradArgs)

//go:noescape
func grad2x2x4(a *gradArgs)

//go:noescape
func grad2x1x4(a *gradArgs)

//go:noescape
func flush512x1(a *flushArgs)

//go:noescape
func flush512x2(a *flushArgs)

//go:noescape
func flush2x1(a *flushArgs)

//go:noescape
func flush2x2(a *flushArgs)

//go:noescape
func addTaps512(a *addArgs)

//go:noescape
func addTaps2(a *addArgs)

//go:noescape
func copyRows512x1(a *copyArgs)

//go:noescape
func copyRows512x2(a *copyArgs)

//go:noescape
func copyRows2x1(a *copyArgs)

//go:noescape
func copyRows2x2(a *copyArgs)

//go:noescape
func squares512x16(a *squareArgs)

//go:noescape
func squares512x8(a *squareArgs)

//go:noescape
func squares512x4(a *squareArgs)

//go:noescape
func squares2x8(a *squareArgs)

//go:noescape
func squares2x4(a *squareArgs)

//go:noescape
func unsquare512(a *unsquareArgs)

//go:noescape
func unsquare2(a *unsquareArgs)

//go:noescape
func spreadTaps(w unsafe.Pointer, step, n int)
