package optim

import (
	"fmt"
	"math"
)

// AdamWConfig are the settings of AdamW.
type AdamWConfig struct {
	Schedule              Schedule
	Beta1, Beta2, Epsilon float64
	WeightDecay           float64 // on tensors of two dimensions and more
	ClipNorm              float64 // of the global gradient norm; 0 does not clip
}

// AdamW is the chain clip, Adam, decay, learning rate.
func AdamW(c AdamWConfig) (Transform, error) {
	switch {
	case c.Schedule == nil:
		return nil, fmt.Errorf("optim.AdamW: no schedule")
	case !(c.Beta1 >= 0 && c.Beta1 < 1), !(c.Beta2 >= 0 && c.Beta2 < 1):
		return nil, fmt.Errorf("optim.AdamW: betas %v and %v, want 0 <= beta < 1", c.Beta1, c.Beta2)
	case !(float32(c.Epsilon) > 0):
		return nil, fmt.Errorf("optim.AdamW: epsilon %v, want more than 0, also as a float32", c.Epsilon)
	case !(c.WeightDecay >= 0), !(c.ClipNorm >= 0):
		return nil, fmt.Errorf("optim.AdamW: weight decay %v and clip norm %v, want at least 0", c.WeightDecay, c.ClipNorm)
	}
	limit := c.ClipNorm
	if limit == 0 {
		limit = math.Inf(1) // still finds gradients that are not finite
	}
	return Chain(
		ClipByGlobalNorm(limit),
		ScaleByAdam(c.Beta1, c.Beta2, c.Epsilon),
		AddDecayedWeights(c.WeightDecay, Matrices),
		ScaleByLearningRate(c.Schedule),
	), nil
}
