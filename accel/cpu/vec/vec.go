// Package vec has vectorised float32 functions on slices: elementwise
// functions and their gradients, reductions, softmax and normalisation of rows,
// and the update steps of optimizers.
//
// Every function runs in the calling goroutine and allocates nothing; to use
// more threads, give each a part of the slices. A call is assembly that the
// scheduler cannot interrupt, so cut slices of millions of elements anyway.
//
// Unless a comment says otherwise, all slices of a call have the same length,
// and a wrong length panics; dst may be the same slice as any input, but may
// not overlap one in another way.
//
// # Results
//
// The result for an element depends on the inputs of that element (or row)
// alone, not on its place in the slice. AVX-512 and AVX2 give the same bits:
// transcendental functions are polynomials of our own with fused multiply-adds,
// divisions and square roots are the exact instructions, and sums over a row use
// sixteen lanes and one tree, as sumLanes tells. The portable code computes
// in float64 and rounds once, so it may differ within the errors given; Sum,
// SumSquares, Dot and SumDiffSquares, the functions of one IEEE operation, and
// but for the sign of a zero Max and Min, give the same bits there too.
//
// An error of n ulp means n units in the last place of the exact result rounded
// to float32. NaN gives NaN, whatever its bits.
package vec

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// level is the instruction set in use; tests lower it.
var level = isa.Best()

// same panics unless b is as long as a.
func same(a, b []float32) {
	if len(a) != len(b) {
		panic(fmt.Sprintf("vec: slices of %d and %d elements, want equal lengths", len(a), len(b)))
	}
}

// matrix panics unless x holds rows rows of cols elements, at least one each.
func matrix(x []float32, rows, cols int) {
	if rows < 0 || cols < 1 || len(x) != rows*cols {
		panic(fmt.Sprintf("vec: slice of %d elements, want %d rows of %d", len(x), rows, cols))
	}
}

// vector panics unless x has n elements.
func vector(x []float32, n int) {
	if len(x) != n {
		panic(fmt.Sprintf("vec: slice of %d elements, want %d", len(x), n))
	}
}
