package pool

import (
	"unsafe"

	"github.com/millrace-go/millrace/accel/cpu/isa"
)

// kernels are the inner loops of one instruction set; those that are nil have
// only the general form.
type kernels struct {
	sum          func(x *float32, n int) float32    // in 16 lanes
	fill         func(x *float32, n int, v float32) // sets n elements to v
	maxPairs     func(a *pairArgs)
	maxPairsGrad func(a *pairArgs)
	maxLine      [3]func(a *lineArgs) // by step; the Go form does the others
	sumLine      [3]func(a *lineArgs)
}

func choose() *kernels { return byLevel(isa.Best()) }

// portable are the kernels in plain Go.
var portable = kernels{sum: sumGo, fill: fillGo}

func sumGo(x *float32, n int) float32 {
	var v [16]float32
	for i, f := range unsafe.Slice(x, n) {
		v[i%len(v)] += f
	}
	for i := range 8 { // lanes 8 apart, then neighbours, pairs and fours
		v[i] += v[i+8]
	}
	return ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]))
}

func fillGo(x *float32, n int, v float32) {
	s := unsafe.Slice(x, n)
	for i := range s {
		s[i] = v
	}
}
