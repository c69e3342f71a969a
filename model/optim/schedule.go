package optim

import "math"

// Schedule is a learning rate by step, which counts from 0.
type Schedule func(step int64) float64

// Constant is the same rate at every step.
func Constant(rate float64) Schedule { return func(int64) float64 { return rate } }

// WarmupCosine rises linearly to peak over the first warmup steps (the first
// step has peak/warmup, step warmup-1 and step warmup have peak) and then falls
// along half a cosine to zero at step total, where it stays. See Loshchilov & Hutter,
// https://arxiv.org/abs/1608.03983.
func WarmupCosine(peak float64, warmup, total int64) Schedule {
	return func(step int64) float64 {
		switch {
		case step < warmup:
			return float64(peak*float64(step+1)) / float64(warmup)
		case step >= total:
			return 0
		}
		done := float64(step-warmup) / float64(total-warmup)
		return float64(peak * float64(0.5*(1+cosPi(done))))
	}
}

// cosPi is cos(πx) for 0 <= x <= 1, within 2 units in the last place of 1. Not
// math.Cos, whose multiply-adds a compiler may fuse on some CPUs.
func cosPi(x float64) float64 {
	switch {
	case x > 0.5:
		return -cosPi(1 - x)
	case x > 0.25:
		return sinTaylor(float64(math.Pi * (0.5 - x)))
	}
	return cosTaylor(float64(math.Pi * x))
}

// cosTaylor and sinTaylor are Taylor series for |x| <= π/4, where the first
// term left out is below 2^-60.
func cosTaylor(x float64) float64 {
	y := float64(x * x)
	s := 1.0
	for k := 18; k >= 2; k -= 2 {
		s = 1 - float64(float64(y*s)/float64(k*(k-1)))
	}
	return s
}

func sinTaylor(x float64) float64 {
	y := float64(x * x)
	s := 1.0
	for k := 19; k >= 3; k -= 2 {
		s = 1 - float64(float64(y*s)/float64(k*(k-1)))
	}
	return float64(x * s)
}
