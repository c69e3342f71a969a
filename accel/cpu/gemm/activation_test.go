package gemm

import "math"

// activate is the reference of the activations.
func activate(e *Epilogue, x float64) float64 {
	switch e.Act {
	case Relu:
		return math.Max(x, 0)
	case Clip:
		return math.Min(math.Max(x, float64(e.Lo)), float64(e.Hi))
	case Gelu:
		return x * 0.5 * math.Erfc(-x/math.Sqrt2)
	case GeluTanh:
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	case Sigmoid:
		return 1 / (1 + math.Exp(-x))
	case Tanh:
		return math.Tanh(x)
	case Silu:
		return x / (1 + math.Exp(-x))
	}
	return x
}
