package prune

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/model/weights"
)

const (
	magnitudeMask = 1<<31 - 1 // a float32 without its sign orders as an integer
	infinity      = 0xff << 23
	lowBits       = 15 // 31 magnitude bits are a bucket of 16 and these
)

// Global marks the round(sparsity*n) weights of the smallest magnitude among
// the n of all prunable tensors together: one threshold for the whole model.
// The number is exact; of equal magnitudes, earlier tensors and lower indices
// are pruned first. It selects by two passes of a radix histogram, O(n) without sorting. It
// fails if sparsity is outside 0 to 1 or a weight is not finite.
//
// Weights that an earlier mask keeps at zero have the smallest magnitude, so a
// mask of a higher sparsity contains it.
func Global(set weights.Set, prunable func(name string) bool, sparsity float64) (Mask, error) {
	if !(sparsity >= 0 && sparsity <= 1) {
		return nil, fmt.Errorf("prune.Global: sparsity %v, want 0 to 1", sparsity)
	}
	var tensors weights.Set
	for _, t := range set {
		if prunable(t.Name) {
			tensors = append(tensors, t)
		}
	}
	k := int(math.Round(float64(sparsity * float64(tensors.Len()))))
	threshold, ties, err := selectSmallest(tensors, k)
	if err != nil {
		return nil, fmt.Errorf("prune.Global: %w", err)
	}
	mask := make(Mask, len(tensors))
	for i, t := range tensors {
		mask[i] = newTensorMask(t.Name, len(t.Data()))
		ties = mask[i].pruneBelow(t.Data(), threshold, ties)
	}
	return mask, nil
}

// Local is Global tensor by tensor: each loses the same share of its weights.
func Local(set weights.Set, prunable func(name string) bool, sparsity float64) (Mask, error) {
	var mask Mask
	for i, t := range set {
		if !prunable(t.Name) {
			continue
		}
		m, err := Global(set[i:i+1], prunable, sparsity)
		if err != nil {
			return nil, err
		}
		mask = append(mask, m...)
	}
	return mask, nil
}

// selectSmallest returns the threshold such that the k smallest magnitudes are those below
// it and the first ties equal to it.
func selectSmallest(tensors weights.Set, k int) (threshold uint32, ties int, err error) {
	high := make([]int, 1<<16)
	for _, t := range tensors {
		for i, x := range t.Data() {
			m := math.Float32bits(x) & magnitudeMask
			if m >= infinity {
				return 0, 0, fmt.Errorf("tensor %q: element %d is %v, want a finite weight", t.Name, i, x)
			}
			high[m>>lowBits]++
		}
	}
	bucket, rest := findBucket(high, k)
	low := make([]int, 1<<lowBits)
	for _, t := range tensors {
		for _, x := range t.Data() {
			if m := math.Float32bits(x) & magnitudeMask; m>>lowBits == bucket {
				low[m&(1<<lowBits-1)]++
			}
		}
	}
	value, rest := findBucket(low, rest)
	return bucket<<lowBits | value, rest, nil
}

// findBucket returns the bucket in which the k-th smallest (counted from 1)
// lies, and how many of the k lie in it.
func findBucket(counts []int, k int) (bucket uint32, rest int) {
	for b, n := range counts {
		if k <= n {
			return uint32(b), k
		}
		k -= n
	}
	return uint32(len(counts) - 1), k
}

// pruneBelow marks the elements below threshold and the first ties equal to
// it, and returns the ties that are left.
func (m TensorMask) pruneBelow(data []float32, threshold uint32, ties int) int {
	for i, x := range data {
		b := math.Float32bits(x) & magnitudeMask
		if b < threshold {
			m.prune(i)
		} else if b == threshold && ties > 0 {
			m.prune(i)
			ties--
		}
	}
	return ties
}

// CubicSchedule is the sparsity after a pruning step, counted from 1 to steps,
// on the way from initial to final:
//
//	s = final + (initial - final) * (1 - step/steps)³
//
// It prunes fast at first, when there is much to spare. See Zhu & Gupta,
// https://arxiv.org/abs/1710.01878. Beyond the last step it stays at final.
func CubicSchedule(step, steps int, initial, final float64) float64 {
	if step >= steps {
		return final
	}
	left := 1 - float64(max(step, 0))/float64(steps)
	cube := float64(float64(left*left) * left)
	return final + float64((initial-final)*cube)
}
