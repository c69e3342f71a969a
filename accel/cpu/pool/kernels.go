package pool

import "github.com/millrace-go/millrace/accel/cpu/isa"

// kernels are the inner loops of one instruction set; those that are nil have
// only the general form.
type kernels struct {
	sum          func(x *float32, n int) float32 // in 16 lanes
	maxPairs     func(a *pairArgs)
	maxPairsGrad func(a *pairArgs)
}

func choose() *kernels { return byLevel(isa.Best()) }
