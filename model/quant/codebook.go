package quant

import (
	"math"
	"slices"
)

// Nearest returns the place in an ascending codebook of the value nearest to x,
// the lower one if two are as near.
func Nearest(codebook []float32, x float32) int {
	i, found := slices.BinarySearch(codebook, x)
	switch {
	case found || i == 0:
		return i
	case i == len(codebook):
		return i - 1
	}
	below, above := float64(x)-float64(codebook[i-1]), float64(codebook[i])-float64(x)
	if above < below {
		return i
	}
	return i - 1
}

// Apply replaces each value other than zero by the nearest of an ascending
// codebook, in place: zeros, such as pruned weights, stay zero.
func Apply(values, codebook []float32) {
	for i, x := range values {
		if x != 0 {
			values[i] = codebook[Nearest(codebook, x)]
		}
	}
}

// Cost is the sum of squared distances of values to the nearest of an ascending codebook.
func Cost(values, codebook []float32) float64 {
	total := 0.0
	for _, x := range values {
		e := float64(x) - float64(codebook[Nearest(codebook, x)])
		total += float64(e * e)
	}
	return total
}

// OnGrid rounds an ascending codebook to multiples of a power of two, such that the
// largest magnitude takes the given number of bits, and drops duplicates. What
// rounds to zero goes to the smallest multiple instead, for zero is kept for pruned weights.
func OnGrid(codebook []float32, bits int) []float32 {
	if len(codebook) == 0 {
		return nil
	}
	largest := max(math.Abs(float64(codebook[0])), math.Abs(float64(codebook[len(codebook)-1])))
	_, exp := math.Frexp(largest)
	// Below -149 there is no float32.
	unit := max(exp-bits, -149)
	out := make([]float32, 0, len(codebook))
	for _, x := range codebook {
		q := math.RoundToEven(math.Ldexp(float64(x), -unit))
		if q == 0 && x != 0 {
			q = math.Copysign(1, float64(x))
		}
		out = append(out, float32(math.Ldexp(q, unit)))
	}
	return slices.Compact(out)
}

const (
	minGridBits = 6
	maxGridBits = 23 // of the 24 that float32 has; a carry may add one
)

// Coarsest returns the codebook on the coarsest grid (see OnGrid) whose Cost for
// values exceeds that of codebook by no more than the share slack, and codebook
// itself if there is none. Such a codebook is stored in about a third of its bytes.
func Coarsest(values, codebook []float32, slack float64) []float32 {
	limit := Cost(values, codebook)
	limit += float64(limit * slack)
	for bits := minGridBits; bits <= maxGridBits; bits++ {
		if g := OnGrid(codebook, bits); Cost(values, g) <= limit {
			return g
		}
	}
	return codebook
}
