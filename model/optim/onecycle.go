package optim

import "fmt"

// OneCycleConfig are the settings of OneCycle. The zero value of a field is its default.
type OneCycleConfig struct {
	MaxRate        float64
	Steps          int64   // of the whole run
	WarmupShare    float64 // of the steps that the rate rises; the default is 0.3
	DivFactor      float64 // the first rate is MaxRate/DivFactor; the default is 25
	FinalDivFactor float64 // the last rate is the first/FinalDivFactor; the default is 1e4
	Linear         bool    // straight lines instead of half cosines
	ThreePhase     bool    // fall back to the first rate as fast as it rose, then to the last
}

// OneCycle rises from a low rate to MaxRate and falls far below the first one
// (Smith & Topin, https://arxiv.org/abs/1708.07120), as PyTorch's OneCycleLR does:
// with share s and n steps the rate goes, along half a cosine or a line,
//
//	from MaxRate/DivFactor at step 0 to MaxRate at step s·n-1 (which may be a fraction)
//	ThreePhase: from there to MaxRate/DivFactor at step 2·s·n-2
//	from there to MaxRate/DivFactor/FinalDivFactor at step n-1, where it stays
//
// It fails if one of these spans is not longer than 0, or a number is negative or not finite.
func OneCycle(c OneCycleConfig) (Schedule, error) {
	for _, f := range []struct {
		value    *float64
		standard float64
	}{{&c.WarmupShare, 0.3}, {&c.DivFactor, 25}, {&c.FinalDivFactor, 1e4}} {
		if *f.value == 0 {
			*f.value = f.standard
		}
		if !(*f.value > 0) {
			return nil, fmt.Errorf("optim.OneCycle: warm-up share %v and factors %v and %v, want them above 0", c.WarmupShare, c.DivFactor, c.FinalDivFactor)
		}
	}
	low := c.MaxRate / c.DivFactor
	last := low / c.FinalDivFactor
	if !(c.MaxRate >= 0 && isFinite(c.MaxRate) && isFinite(low) && isFinite(last)) {
		return nil, fmt.Errorf("optim.OneCycle: rates %v, %v and %v, want finite ones that are not negative", low, c.MaxRate, last)
	}
	points := []cyclePoint{{0, low}, {float64(c.WarmupShare*float64(c.Steps)) - 1, c.MaxRate}}
	if c.ThreePhase {
		points = append(points, cyclePoint{float64(2*c.WarmupShare*float64(c.Steps)) - 2, low})
	}
	points = append(points, cyclePoint{float64(c.Steps - 1), last})
	for i := range points[1:] {
		if !(points[i].step < points[i+1].step) {
			return nil, fmt.Errorf("optim.OneCycle: a warm-up share of %v of %d steps: turning points at steps %v and %v, want them to increase",
				c.WarmupShare, c.Steps, points[i].step, points[i+1].step)
		}
	}
	return func(step int64) float64 { return cycleRate(points, float64(step), c.Linear) }, nil
}

// cyclePoint is a turning point of OneCycle.
type cyclePoint struct{ step, rate float64 }

// cycleRate is the rate between two turning points, at least two of which there are.
func cycleRate(points []cyclePoint, step float64, linear bool) float64 {
	i := 0
	for i < len(points)-2 && step > points[i+1].step {
		i++
	}
	a, b := points[i], points[i+1]
	if step >= b.step {
		return b.rate
	}
	done := (step - a.step) / (b.step - a.step)
	if linear {
		return a.rate + float64((b.rate-a.rate)*done)
	}
	return annealCosine(a.rate, b.rate, done)
}
