package optim

import "math"

// AdamWConfig are the settings of AdamW, Adam and LAMB.
type AdamWConfig struct {
	Schedule              Schedule
	Beta1, Beta2, Epsilon float64
	WeightDecay           float64
	Decayed               Filter  // the tensors that decay; nil is Matrices
	ClipNorm              float64 // of the global gradient norm; 0 does not clip
}

func (c *AdamWConfig) check(who string) error {
	c.Decayed = orMatrices(c.Decayed)
	return firstError(
		checkCommon(who, c.Schedule, c.WeightDecay, c.ClipNorm),
		checkBetas(who, c.Beta1, c.Beta2),
		checkEpsilon(who, c.Epsilon))
}

// AdamW is the chain clip, Adam, decay, learning rate (Loshchilov & Hutter,
// https://arxiv.org/abs/1711.05101). It fails on settings out of range; its steps
// fail on gradients that are not finite.
func AdamW(c AdamWConfig) (Transform, error) {
	if err := c.check("optim.AdamW"); err != nil {
		return nil, err
	}
	return Chain(
		clipOrCheck(c.ClipNorm),
		ScaleByAdam(c.Beta1, c.Beta2, c.Epsilon),
		AddDecayedWeights(c.WeightDecay, c.Decayed),
		ScaleByLearningRate(c.Schedule),
	), nil
}

// Adam is AdamW with weight decay of the L2 kind, added to the gradients as
// PyTorch's Adam does: the chain clip, decay, Adam, learning rate.
func Adam(c AdamWConfig) (Transform, error) {
	if err := c.check("optim.Adam"); err != nil {
		return nil, err
	}
	return Chain(
		clipOrCheck(c.ClipNorm),
		AddDecayedWeights(c.WeightDecay, c.Decayed),
		ScaleByAdam(c.Beta1, c.Beta2, c.Epsilon),
		ScaleByLearningRate(c.Schedule),
	), nil
}

// LAMB is the chain clip, Adam, decay, trust ratio, learning rate (You et al.,
// https://arxiv.org/abs/1904.00962), for large batches; as optax defines it, which
// bounds neither norm.
func LAMB(c AdamWConfig) (Transform, error) {
	if err := c.check("optim.LAMB"); err != nil {
		return nil, err
	}
	return Chain(
		clipOrCheck(c.ClipNorm),
		ScaleByAdam(c.Beta1, c.Beta2, c.Epsilon),
		AddDecayedWeights(c.WeightDecay, c.Decayed),
		ScaleByTrustRatio(0, 1, 0),
		ScaleByLearningRate(c.Schedule),
	), nil
}

// clipOrCheck clips by a norm; without one, it still finds gradients that are not finite.
func clipOrCheck(norm float64) Transform {
	if norm == 0 {
		norm = math.Inf(1)
	}
	return ClipByGlobalNorm(norm)
}

func orMatrices(f Filter) Filter {
	if f == nil {
		return Matrices
	}
	return f
}
