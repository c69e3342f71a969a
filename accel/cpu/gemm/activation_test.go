package gemm

import "math"

// actNames lists the activations that random Specs draw from.
var actNames = []string{"identity", "relu", "clip"}

// activate is the reference of the activations.
func activate(e *Epilogue, x float64) float64 {
	switch e.Act {
	case Relu:
		return math.Max(x, 0)
	case Clip:
		return math.Min(math.Max(x, float64(e.Lo)), float64(e.Hi))
	}
	return x
}
