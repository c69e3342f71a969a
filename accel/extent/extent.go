// Package extent computes sizes and positions that depend on numbers in an
// operator's inputs: what a slice takes, where padding comes from, how many
// elements are not zero. Shape rules and kernels both ask it, so that they
// agree.
package extent

import "fmt"

// Axis turns an axis that may count from the end into an index.
func Axis(axis, rank int) (int, error) {
	a := axis
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, fmt.Errorf("axis %d of a tensor of rank %d", axis, rank)
	}
	return a, nil
}

// Axes turns axes that may count from the end into indices; none may come
// twice. nil axes are all of them, in order.
func Axes(axes []int, rank int) ([]int, error) {
	out := make([]int, 0, rank)
	if axes == nil {
		for d := range rank {
			out = append(out, d)
		}
		return out, nil
	}
	seen := make([]bool, rank)
	for _, axis := range axes {
		a, err := Axis(axis, rank)
		if err != nil {
			return nil, err
		}
		if seen[a] {
			return nil, fmt.Errorf("axis %d comes twice in %v", axis, axes)
		}
		seen[a] = true
		out = append(out, a)
	}
	return out, nil
}

// Range is what a slice takes of one dimension: Start, Start+Step, …, N of them.
type Range struct{ Start, Step, N int }

// Slice resolves the inputs of ONNX's Slice: a Range for each dimension of
// shape. Negative starts and ends count from the end, and both are clamped to
// the dimension as ONNX says. axes nil are the first ones, steps nil are 1.
func Slice(shape, starts, ends, axes, steps []int) ([]Range, error) {
	out := make([]Range, len(shape))
	for d, n := range shape {
		out[d] = Range{0, 1, n}
	}
	if axes == nil && len(starts) <= len(shape) {
		axes = make([]int, len(starts))
		for i := range axes {
			axes[i] = i
		}
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || steps != nil && len(steps) != len(starts) {
		return nil, fmt.Errorf("%d starts, %d ends, %d axes and %d steps of a tensor of rank %d", len(starts), len(ends), len(axes), len(steps), len(shape))
	}
	axes, err := Axes(axes, len(shape))
	if err != nil {
		return nil, err
	}
	for i, d := range axes {
		step := 1
		if steps != nil {
			step = steps[i]
		}
		if step == 0 {
			return nil, fmt.Errorf("a step of 0 along axis %d", d)
		}
		out[d] = rangeOf(shape[d], starts[i], ends[i], step)
	}
	return out, nil
}

func rangeOf(n, start, end, step int) Range {
	if start < 0 {
		start += n
	}
	if end < 0 {
		end += n
	}
	if step > 0 {
		start, end = clamp(start, 0, n), clamp(end, 0, n)
		if end <= start {
			return Range{start, step, 0}
		}
		return Range{start, step, (end-start-1)/step + 1}
	}
	start, end = clamp(start, 0, n-1), clamp(end, -1, n-1)
	if n == 0 || start <= end {
		return Range{0, step, 0}
	}
	return Range{start, step, int(uint(start-end-1)/-uint(step)) + 1}
}

func clamp(x, lo, hi int) int { return max(lo, min(x, hi)) }

// Split resolves the sizes of Split's parts along a dimension of n: those
// given, or parts of equal size of which the last may be smaller.
func Split(n int, sizes []int, parts int) ([]int, error) {
	if sizes == nil {
		if parts < 1 {
			return nil, fmt.Errorf("a split into %d parts", parts)
		}
		each := (n + parts - 1) / parts
		for i := range parts {
			sizes = append(sizes, clamp(n-i*each, 0, each))
		}
		return sizes, nil
	}
	if parts > 0 && parts != len(sizes) {
		return nil, fmt.Errorf("%d sizes %v for %d parts", len(sizes), sizes, parts)
	}
	rest := n
	for _, s := range sizes {
		if s < 0 || s > rest {
			return nil, fmt.Errorf("parts %v do not make up %d", sizes, n)
		}
		rest -= s
	}
	if rest != 0 {
		return nil, fmt.Errorf("parts %v do not make up %d", sizes, n)
	}
	return sizes, nil
}
