package pool

import "github.com/millrace-go/millrace/accel/cpu/isa"

//go:generate go run ./gen/main.go ./gen/lines.go

// The tables below are read by the assembly, which the check cannot see.
//
//lint:file-ignore U1000 read by the assembly

// laneMask is a table for masks of vectors: eight lanes that are on, then eight
// that are off.
var laneMask = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// evenIndex are the places of the even elements in two vectors.
var evenIndex = [16]int32{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30}

// zipIndex are the places that interleave two vectors: the first two halves,
// and then the second.
var zipIndex = [32]int32{
	0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
	8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31,
}

var avx512 = kernels{
	sum: sumLanes, fill: fillLanes, maxPairs: maxPairs512, maxPairsGrad: maxPairsGrad512,
	maxLine: [3]func(*lineArgs){1: maxLine512x1, 2: maxLine512x2},
	sumLine: [3]func(*lineArgs){1: sumLine512x1, 2: sumLine512x2},
}

var avx2 = kernels{
	sum: sumLanes, fill: fillLanes, maxPairs: maxPairs2, maxPairsGrad: maxPairsGrad2,
	maxLine: [3]func(*lineArgs){1: maxLine2x1, 2: maxLine2x2},
	sumLine: [3]func(*lineArgs){1: sumLine2x1, 2: sumLine2x2},
}

// byLevel returns the kernels of an instruction set.
func byLevel(l isa.Level) *kernels {
	return [...]*kernels{isa.Portable: &portable, isa.AVX2: &avx2, isa.AVX512: &avx512}[l]
}

//go:noescape
func sumLanes(x *float32, n int) float32

//go:noescape
func fillLanes(x *float32, n int, v float32)

//go:noescape
func maxPairs512(a *pairArgs)

//go:noescape
func maxPairs2(a *pairArgs)

//go:noescape
func maxPairsGrad512(a *pairArgs)

//go:noescape
func maxPairsGrad2(a *pairArgs)

//go:noescape
func maxLine512x1(a *lineArgs)

//go:noescape
func sumLine512x1(a *lineArgs)

//go:noescape
func maxLine512x2(a *lineArgs)

//go:noescape
func sumLine512x2(a *lineArgs)

//go:noescape
func maxLine2x1(a *lineArgs)

//go:noescape
func sumLine2x1(a *lineArgs)

//go:noescape
func maxLine2x2(a *lineArgs)

//go:noescape
func sumLine2x2(a *lineArgs)
