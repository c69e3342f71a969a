package optim

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel/cpu/vec"
	"github.com/millrace-go/millrace/model/weights"
)

type clipNorm struct {
	stateless
	limit float64
}

// ClipByGlobalNorm scales all updates together such that the Euclidean norm of
// the whole set (GlobalNorm) is at most limit; +Inf only looks for what is not finite.
// It fails, naming the first element, if an update is not finite. It panics unless
// limit > 0.
func ClipByGlobalNorm(limit float64) Transform {
	if !(limit > 0) {
		panic(fmt.Sprintf("optim.ClipByGlobalNorm: limit %v, want more than 0", limit))
	}
	return clipNorm{limit: limit}
}

func (c clipNorm) Update(updates, _, _ weights.Set, _ int64) error {
	norm, err := GlobalNorm(updates)
	if err != nil {
		return fmt.Errorf("optim.ClipByGlobalNorm: %w", err)
	}
	if f := c.factor(norm); f != 1 {
		scale(updates, float32(f))
	}
	return nil
}

// factor is what updates of a norm are multiplied by: above 0 and at most 1.
func (c clipNorm) factor(norm float64) float64 {
	if !(norm > c.limit) {
		return 1
	}
	return max(c.limit/norm, math.SmallestNonzeroFloat64)
}

// GlobalNorm is the Euclidean norm of a whole set, summed in float64 in a fixed
// order: the same bits on every CPU. It fails, naming the first element, if one is not finite.
func GlobalNorm(set weights.Set) (float64, error) {
	sum := 0.0
	for _, t := range set {
		for data := t.Data(); len(data) > 0; {
			n := min(len(data), tileElements)
			sum += vec.SumSquares(data[:n])
			data = data[n:]
		}
	}
	return normOf(sum, set)
}

// normOf is the root of the sum of a set's squares, none of which overflows a float64.
func normOf(sum float64, set weights.Set) (float64, error) {
	if isFinite(sum) {
		return math.Sqrt(sum), nil
	}
	for _, t := range set {
		for i, x := range t.Data() {
			if !isFinite(float64(x)) {
				return 0, fmt.Errorf("tensor %q: element %d is %v, want a finite value", t.Name, i, x)
			}
		}
	}
	return 0, fmt.Errorf("the sum of the squares is %v", sum)
}

type clipValue struct {
	stateless
	limit float32
}

// ClipByValue bounds each element of the updates: min(max(u, -limit), limit).
// It panics unless limit > 0.
func ClipByValue(limit float64) Transform {
	if !(float32(limit) > 0) {
		panic(fmt.Sprintf("optim.ClipByValue: limit %v, want more than 0, also as a float32", limit))
	}
	return clipValue{limit: float32(limit)}
}

func (c clipValue) Update(updates, _, _ weights.Set, _ int64) error {
	for _, t := range updates {
		vec.Clip(t.Data(), t.Data(), -c.limit, c.limit)
	}
	return nil
}
