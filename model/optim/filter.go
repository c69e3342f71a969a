package optim

import (
	"fmt"
	"regexp"

	"github.com/millrace-go/millrace/model/weights"
)

// Filter chooses tensors of a set, by name and shape alone: those that weight
// decay applies to.
type Filter func(weights.Tensor) bool

// Every chooses all tensors.
func Every(weights.Tensor) bool { return true }

// Matrices chooses tensors of two dimensions and more; the others (biases,
// gains) are usually not decayed.
func Matrices(t weights.Tensor) bool { return len(t.Shape()) >= 2 }

// MinRank chooses tensors of so many dimensions and more.
func MinRank(rank int) Filter {
	return func(t weights.Tensor) bool { return len(t.Shape()) >= rank }
}

// Named chooses tensors in whose name the regular expression (of package
// regexp) finds a match: `(^|\.)bias$` the biases, `[Nn]orm` what normalises.
func Named(pattern string) (Filter, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("optim.Named: %w", err)
	}
	return func(t weights.Tensor) bool { return re.MatchString(t.Name) }, nil
}

// Not chooses the tensors that f does not.
func Not(f Filter) Filter { return func(t weights.Tensor) bool { return !f(t) } }

// All chooses the tensors that every one of filters chooses.
func All(filters ...Filter) Filter {
	return func(t weights.Tensor) bool {
		for _, f := range filters {
			if !f(t) {
				return false
			}
		}
		return true
	}
}
