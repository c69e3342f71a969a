package optim

import "fmt"

// Schedule is a learning rate by step, which counts from 0. Schedules compute
// in float64 with every rounding written out: the same rates on every CPU.
type Schedule func(step int64) float64

// Constant is the same rate at every step.
func Constant(rate float64) Schedule { return func(int64) float64 { return rate } }

// Linear goes from the rate from at step 0 to the rate to at step steps, where it stays:
//
//	from + (to-from) * min(step, steps)/steps
//
// It is PyTorch's LinearLR and serves as warm-up and as decay. It panics if steps < 1.
func Linear(from, to float64, steps int64) Schedule {
	mustCount("optim.Linear", steps)
	return func(step int64) float64 {
		if step >= steps {
			return to
		}
		return from + float64((to-from)*(float64(step)/float64(steps)))
	}
}

// Cosine goes from the rate from at step 0 along half a cosine to the rate to at
// step steps, where it stays:
//
//	to + (from-to) * (1 + cos(π min(step, steps)/steps))/2
//
// It is PyTorch's CosineAnnealingLR up to that step; that one then rises again.
// See Loshchilov & Hutter, https://arxiv.org/abs/1608.03983. It panics if steps < 1.
func Cosine(from, to float64, steps int64) Schedule {
	mustCount("optim.Cosine", steps)
	return func(step int64) float64 {
		if step >= steps {
			return to
		}
		return annealCosine(from, to, float64(step)/float64(steps))
	}
}

// annealCosine is the point done, 0 <= done <= 1, of half a cosine.
func annealCosine(from, to, done float64) float64 {
	return to + float64((from-to)*float64(0.5*(1+cosPi(done))))
}

// Step multiplies rate by factor after every so many steps:
//
//	rate * factor^⌊step/every⌋
//
// It is PyTorch's StepLR. It panics if every < 1.
func Step(rate, factor float64, every int64) Schedule {
	mustCount("optim.Step", every)
	return func(step int64) float64 { return float64(rate * power(factor, step/every)) }
}

// Exponential multiplies rate by factor after each step: rate * factor^step. It
// is PyTorch's ExponentialLR.
func Exponential(rate, factor float64) Schedule { return Step(rate, factor, 1) }

// Join follows one schedule after another: schedules[i] from step
// boundaries[i-1] on (schedules[0] from the beginning) to the next boundary,
// each with its own steps counted from 0. It is PyTorch's SequentialLR. It
// panics unless there is one boundary fewer than schedules and they increase
// from 1 or more.
func Join(schedules []Schedule, boundaries []int64) Schedule {
	if len(boundaries) != len(schedules)-1 {
		panic(fmt.Sprintf("optim.Join: %d boundaries between %d schedules", len(boundaries), len(schedules)))
	}
	last := int64(0)
	for _, b := range boundaries {
		if b <= last {
			panic(fmt.Sprintf("optim.Join: boundaries %v, want them to increase from 1 or more", boundaries))
		}
		last = b
	}
	return func(step int64) float64 {
		i, begin := 0, int64(0)
		for i < len(boundaries) && step >= boundaries[i] {
			begin = boundaries[i]
			i++
		}
		return schedules[i](step - begin)
	}
}

// WarmupCosine rises linearly to peak over the first warmup steps (the first
// step has peak/warmup, step warmup-1 and step warmup have peak) and then falls
// along half a cosine to zero at step total, where it stays. See Loshchilov & Hutter,
// https://arxiv.org/abs/1608.03983.
func WarmupCosine(peak float64, warmup, total int64) Schedule {
	return func(step int64) float64 {
		switch {
		case step < warmup:
			return warmingUp(peak, step, warmup)
		case step >= total:
			return 0
		}
		done := float64(step-warmup) / float64(total-warmup)
		return float64(peak * float64(0.5*(1+cosPi(done))))
	}
}

// WarmupLinear rises as WarmupCosine does and then falls linearly to zero at
// step total, where it stays: the schedule of BERT's fine-tuning.
func WarmupLinear(peak float64, warmup, total int64) Schedule {
	return func(step int64) float64 {
		switch {
		case step < warmup:
			return warmingUp(peak, step, warmup)
		case step >= total:
			return 0
		}
		return float64(peak*float64(total-step)) / float64(total-warmup)
	}
}

// warmingUp is the rate of a step of the warm-up, the first of which is not 0.
func warmingUp(peak float64, step, warmup int64) float64 {
	return float64(peak*float64(step+1)) / float64(warmup)
}

func mustCount(who string, steps int64) {
	if steps < 1 {
		panic(fmt.Sprintf("%s: %d steps, want at least 1", who, steps))
	}
}
