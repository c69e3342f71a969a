package extent

import (
	"fmt"
	"math"
)

// Pads resolves ONNX's pads, all beginnings and then all ends, for a tensor of
// a rank: before and after by dimension. axes nil are all of them.
func Pads(rank int, pads, axes []int) (before, after []int, err error) {
	axes, err = Axes(axes, rank)
	if err != nil {
		return nil, nil, err
	}
	if len(pads) != 2*len(axes) {
		return nil, nil, fmt.Errorf("%d pads, want two for each of %d axes", len(pads), len(axes))
	}
	before, after = make([]int, rank), make([]int, rank)
	for i, d := range axes {
		before[d], after[d] = pads[i], pads[len(axes)+i]
	}
	return before, after, nil
}

// Padded is the size of a dimension of n with padding, which may be negative.
func Padded(n, before, after int) (int, error) {
	const most = math.MaxInt / 4
	if before > most || after > most || before < -most || after < -most || n+before+after < 0 {
		return 0, fmt.Errorf("padding %d and %d of a dimension of %d", before, after, n)
	}
	return n + before + after, nil
}

// PadSource tells where each element of a padded dimension comes from: an index
// of the dimension of n, or -1 for the constant. The modes are those of ONNX's
// Pad: constant, edge, reflect (without the border twice) and wrap.
func PadSource(mode string, n, before, after int) ([]int, error) {
	size, err := Padded(n, before, after)
	if err != nil {
		return nil, err
	}
	if mode != "constant" && n == 0 && size > 0 {
		return nil, fmt.Errorf("%s padding of an empty dimension", mode)
	}
	out := make([]int, size)
	for i := range out {
		out[i] = i - before
		if out[i] >= 0 && out[i] < n {
			continue
		}
		switch mode {
		case "constant":
			out[i] = -1
		case "edge":
			out[i] = clamp(out[i], 0, n-1)
		case "reflect":
			out[i] = Reflect(out[i], n)
		case "wrap":
			out[i] = ((out[i] % n) + n) % n
		default:
			return nil, fmt.Errorf("padding mode %q, want constant, edge, reflect or wrap", mode)
		}
	}
	return out, nil
}

// Reflect mirrors an index at 0 and n-1, as often as it takes, into 0 ≤ i < n.
func Reflect(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i = ((i % period) + period) % period
	return min(i, period-i)
}
