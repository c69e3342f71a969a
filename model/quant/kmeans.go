// Package quant replaces the values of a tensor by the few of a codebook.
package quant

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// maxGroups is the number of distinct values up to which KMeans1D is optimal.
// More are taken in groups of neighbours, each with the exact sums of its
// members: only the places where clusters may be cut get coarser.
const maxGroups = 1 << 16

// gridBits is the precision of the sums: values are taken as integers of this
// many bits relative to the largest magnitude, finer than float32 itself.
const gridBits = 30

// KMeans1D returns the k values that minimise the sum of squared distances of
// values to the nearest of them, ascending, and that sum. It is the optimum, by
// dynamic programming over the sorted distinct values (Wang & Song,
// Ckmeans.1d.dp, https://doi.org/10.32614/RJ-2011-015), divide and conquer,
// in O(k n log n), with sums in 128-bit integers, so no cancellation; up to 65,536
// distinct values. Beyond, neighbours are grouped, and Lloyd's iteration on the
// distinct values moves the cuts to a local optimum.
//
// If there are no more than k distinct values, they are the codebook, and the cost is 0.
// The result depends on values and k alone, not on the order of values. It fails for k < 1,
// more than 2^31 values, and a value that is not finite.
func KMeans1D(values []float32, k int) (codebook []float32, cost float64, err error) {
	if k < 1 || len(values) > math.MaxInt32 {
		return nil, 0, fmt.Errorf("quant.KMeans1D: k = %d of %d values, want k >= 1 and at most 2^31-1 values", k, len(values))
	}
	for i, x := range values {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return nil, 0, fmt.Errorf("quant.KMeans1D: value %d is %v, want finite values", i, x)
		}
	}
	d := distinctOf(values)
	if len(d.values) <= k {
		return d.values, 0, nil
	}
	s := newSums(d)
	cuts := groupedOptimum(s, k)
	if len(d.values) > maxGroups {
		cuts = lloyd(d, s, cuts)
	}
	return d.centres(cuts)
}

// distinct is a multiset: values ascending, how often each occurs.
type distinct struct {
	values []float32
	counts []int64
}

func distinctOf(values []float32) distinct {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	var d distinct
	for i, x := range sorted {
		if i == 0 || x != sorted[i-1] {
			d.values = append(d.values, x+0) // +0 makes −0 plain
			d.counts = append(d.counts, 0)
		}
		d.counts[len(d.counts)-1]++
	}
	return d
}

// centres returns the mean of each cluster and the cost of the codebook of these means in float32.
// Cluster c is the values from cuts[c] up to cuts[c+1].
func (d distinct) centres(cuts []int) (codebook []float32, cost float64, err error) {
	for c := range len(cuts) - 1 {
		sum, n := 0.0, int64(0)
		for i := cuts[c]; i < cuts[c+1]; i++ {
			sum += float64(float64(d.counts[i]) * float64(d.values[i]))
			n += d.counts[i]
		}
		m := float32(sum / float64(n))
		for i := cuts[c]; i < cuts[c+1]; i++ {
			e := float64(d.values[i]) - float64(m)
			cost += float64(float64(d.counts[i]) * float64(e*e))
		}
		if len(codebook) == 0 || codebook[len(codebook)-1] != m {
			codebook = append(codebook, m)
		}
	}
	return codebook, cost, nil
}

// prefix sums the values before some place in the order of distinct values.
type prefix struct {
	n        int64  // how many there are
	s1       int64  // their sum, on the grid
	s2h, s2l uint64 // their sum of squares, high and low 64 bits
}

// sums holds the prefix before each distinct value and after the last.
type sums struct {
	at     []prefix
	scaled []int64 // the distinct values on the grid
}

// newSums puts values on a grid of gridBits bits. |scaled| <= 2^30 and fewer
// than 2^31 values bound the sum by 2^61, the squares by 2^91, and their
// product with a count by 2^122.
func newSums(d distinct) *sums {
	n := len(d.values)
	s := &sums{make([]prefix, n+1), make([]int64, n)}
	largest := max(math.Abs(float64(d.values[0])), math.Abs(float64(d.values[n-1])))
	_, exp := math.Frexp(largest)
	for i, x := range d.values {
		q := int64(math.RoundToEven(math.Ldexp(float64(x), gridBits-exp)))
		s.scaled[i] = q
		hi, lo := bits.Mul64(uint64(q*q), uint64(d.counts[i]))
		p := s.at[i]
		p.n += d.counts[i]
		p.s1 += q * d.counts[i]
		var carry uint64
		p.s2l, carry = bits.Add64(p.s2l, lo, 0)
		p.s2h, _ = bits.Add64(p.s2h, hi, carry)
		s.at[i+1] = p
	}
	return s
}

// cost is the sum of squared distances from their mean of the values before b
// but not before a, (n Σx² - (Σx)²) / n: exact but for the last three roundings.
func cost(a, b *prefix) float64 {
	n := uint64(b.n - a.n)
	s1 := b.s1 - a.s1
	lo, borrow := bits.Sub64(b.s2l, a.s2l, 0)
	hi, _ := bits.Sub64(b.s2h, a.s2h, borrow)
	ph, pl := bits.Mul64(lo, n)
	ph += hi * n
	if s1 < 0 {
		s1 = -s1
	}
	qh, ql := bits.Mul64(uint64(s1), uint64(s1))
	pl, borrow = bits.Sub64(pl, ql, 0)
	ph, _ = bits.Sub64(ph, qh, borrow)
	return (float64(ph)*0x1p64 + float64(pl)) / float64(n) // the product is exact: fusing changes nothing
}

// groupedOptimum returns the cuts of the best k clusters whose cuts lie between groups.
func groupedOptimum(s *sums, k int) []int {
	n := len(s.scaled)
	step := (n + maxGroups - 1) / maxGroups
	groups := (n + step - 1) / step
	p := &program{at: make([]prefix, groups+1), prev: make([]float64, groups+1), cur: make([]float64, groups+1)}
	for g := range p.at {
		p.at[g] = s.at[min(g*step, n)]
	}
	for g := 1; g <= groups; g++ {
		p.cur[g] = cost(&p.at[0], &p.at[g])
	}
	from := make([][]int32, k) // from[c][g]: where the last of c+1 clusters of the first g groups begins
	for c := 1; c < k; c++ {
		p.prev, p.cur = p.cur, p.prev
		p.from = make([]int32, groups+1)
		p.solve(c+1, groups, c, groups-1)
		from[c] = p.from
	}
	cuts := make([]int, k+1)
	g := groups
	cuts[k] = n
	for c := k - 1; c > 0; c-- {
		g = int(from[c][g])
		cuts[c] = g * step
	}
	return cuts
}

// program is one layer of the dynamic program: cur[g] is the least cost of the
// first g groups in c+1 clusters, given prev for c.
type program struct {
	at        []prefix
	prev, cur []float64
	from      []int32
}

// solve fills cur[lo..hi], knowing that the last cluster begins at first or
// later and at last or earlier: the best beginning never moves back as g grows.
func (p *program) solve(lo, hi, first, last int) {
	if lo > hi {
		return
	}
	g := (lo + hi) / 2
	best, at := math.Inf(1), first
	end := &p.at[g]
	for j := min(last, g-1); j >= first; j-- {
		own := cost(&p.at[j], end)
		if own > best {
			break // and so is every larger cluster
		}
		if c := p.prev[j] + own; c <= best {
			best, at = c, j
		}
	}
	p.cur[g], p.from[g] = best, int32(at)
	p.solve(lo, g-1, first, at)
	p.solve(g+1, hi, at, last)
}

// maxLloyd bounds the refinement, which usually ends after a few rounds.
const maxLloyd = 64

// lloyd moves each cut to the midpoint of the neighbouring means until none
// moves. A cut never empties a cluster.
func lloyd(d distinct, s *sums, cuts []int) []int {
	cuts = slices.Clone(cuts)
	for range maxLloyd {
		moved := false
		old := slices.Clone(cuts)
		for c := 1; c < len(cuts)-1; c++ {
			left := s.mean(old[c-1], old[c])
			right := s.mean(old[c], old[c+1])
			mid := (left + right) / 2
			i, _ := slices.BinarySearchFunc(s.scaled, mid, func(q int64, m float64) int {
				if float64(q) < m {
					return -1
				}
				return 1
			})
			i = min(max(i, cuts[c-1]+1), len(d.values)-(len(cuts)-1-c))
			moved = moved || i != cuts[c]
			cuts[c] = i
		}
		if !moved {
			break
		}
	}
	return cuts
}

func (s *sums) mean(i, j int) float64 {
	return float64(s.at[j].s1-s.at[i].s1) / float64(s.at[j].n-s.at[i].n)
}
