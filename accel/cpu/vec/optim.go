package vec

import "math"

// AdamWConfig holds the numbers of one AdamW step.
type AdamWConfig struct {
	Rate         float64 // learning rate
	Beta1, Beta2 float64 // decay of the mean and of the mean of squares
	Eps          float64
	WeightDecay  float64 // 0 gives Adam
	// Correction1 and Correction2 are 1-Beta1ᵗ and 1-Beta2ᵗ at step t = 1, 2, …
	Correction1, Correction2 float64
	// GradScale multiplies the gradient first: clipping by the global norm, or
	// undoing the scaling of a loss. Zero means 1.
	GradScale float64
}

// AdamW makes one step on parameters p with gradients g, and updates the mean m
// and the mean of squares v, in one pass:
//
//	m ← m + (1-Beta1)·(g-m)
//	v ← Beta2·v + (1-Beta2)·g²
//	p ← p·(1-Rate·WeightDecay) - Rate/Correction1 · m/(√v·1/√Correction2 + Eps)
//
// See Loshchilov & Hutter, https://arxiv.org/abs/1711.05101; the order of the
// operations is PyTorch's. The scalars are computed in float64 and rounded once.
func AdamW(p, g, m, v []float32, c *AdamWConfig) {
	same3(p, g, m)
	same(p, v)
	s := [...]float32{
		float32(gradScale(c.GradScale)),
		float32(1 - c.Beta1),
		float32(c.Beta2), float32(1 - c.Beta2),
		float32(1 - c.Rate*c.WeightDecay),
		float32(c.Rate / c.Correction1),
		float32(1 / math.Sqrt(c.Correction2)), float32(c.Eps),
	}
	adamW(p, g, m, v, &s)
}

// MomentumConfig holds the numbers of one step of gradient descent with
// momentum.
type MomentumConfig struct {
	Rate        float64 // learning rate
	Momentum    float64
	WeightDecay float64 // of the L2 kind: added to the gradient
	GradScale   float64 // multiplies the gradient first; zero means 1
	Nesterov    bool
}

// Momentum makes one step on parameters p with gradients g, and updates the
// velocity u, which starts at zero, as PyTorch's SGD does without dampening:
//
//	d ← g + WeightDecay·p
//	u ← Momentum·u + d
//	p ← p - Rate·u, with Nesterov p - Rate·(d + Momentum·u)
func Momentum(p, g, u []float32, c *MomentumConfig) {
	same3(p, g, u)
	s := [...]float32{
		float32(gradScale(c.GradScale)), float32(c.WeightDecay), float32(c.Momentum), float32(c.Rate),
	}
	if c.Nesterov {
		nesterov(p, g, u, &s)
		return
	}
	momentum(p, g, u, &s)
}

// LionConfig holds the numbers of one Lion step.
type LionConfig struct {
	Rate         float64 // learning rate
	Beta1, Beta2 float64 // weights of the old mean in the step and in the new mean
	WeightDecay  float64
	GradScale    float64 // multiplies the gradient first; zero means 1
}

// Lion makes one step on parameters p with gradients g, and updates the mean m:
//
//	p ← p·(1-Rate·WeightDecay) - Rate·sign(Beta1·m + (1-Beta1)·g)
//	m ← Beta2·m + (1-Beta2)·g
//
// sign(0) is 0, sign(NaN) NaN. See Chen et al., https://arxiv.org/abs/2302.06675.
func Lion(p, g, m []float32, c *LionConfig) {
	same3(p, g, m)
	s := [...]float32{
		float32(gradScale(c.GradScale)),
		float32(c.Beta1), float32(1 - c.Beta1), float32(c.Beta2), float32(1 - c.Beta2),
		float32(1 - c.Rate*c.WeightDecay), float32(c.Rate),
	}
	lion(p, g, m, &s)
}

func gradScale(s float64) float64 {
	if s == 0 {
		return 1
	}
	return s
}
