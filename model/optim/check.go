package optim

import (
	"fmt"
	"math"
)

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// checkBetas says what is wrong with decay rates of means.
func checkBetas(who string, betas ...float64) error {
	for _, b := range betas {
		if !(b >= 0 && b < 1) {
			return fmt.Errorf("%s: decay rates %v, want 0 <= rate < 1", who, betas)
		}
	}
	return nil
}

// checkEpsilon says what is wrong with a number that keeps a divisor above 0.
func checkEpsilon(who string, eps float64) error {
	if !(float32(eps) > 0) || !isFinite(eps) {
		return fmt.Errorf("%s: epsilon %v, want a finite number above 0, also as a float32", who, eps)
	}
	return nil
}

// checkCommon checks what the configurations of all recipes share.
func checkCommon(who string, s Schedule, weightDecay, clipNorm float64) error {
	switch {
	case s == nil:
		return fmt.Errorf("%s: no schedule", who)
	case !(weightDecay >= 0 && isFinite(weightDecay)), !(clipNorm >= 0):
		return fmt.Errorf("%s: weight decay %v and clip norm %v, want numbers of at least 0", who, weightDecay, clipNorm)
	}
	return nil
}

// must is for constructors, whose arguments are the program's own.
func must(err error) {
	if err != nil {
		panic(err.Error())
	}
}

// firstError is the first of errs that is one.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
