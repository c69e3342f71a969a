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

// Round rounds values, in place, to multiples of the power of two of which the
// largest magnitude is a number of the given bits. What rounds to zero goes to
// the smallest multiple instead, for zero is kept for pruned weights. Values
// that are not finite are a caller's mistake, with undefined results.
func Round(values []float32, bits int) {
	largest := 0.0
	for _, x := range values {
		largest = max(largest, math.Abs(float64(x)))
	}
	_, exp := math.Frexp(largest)
	unit := max(exp-bits, -149) // below, there is no float32
	for i, x := range values {
		q := math.RoundToEven(math.Ldexp(float64(x), -unit))
		if q == 0 && x != 0 {
			q = math.Copysign(1, float64(x))
		}
		values[i] = float32(math.Ldexp(q, unit))
	}
}

// OnGrid returns an ascending codebook rounded by Round, without duplicates.
func OnGrid(codebook []float32, bits int) []float32 {
	out := slices.Clone(codebook)
	Round(out, bits)
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
