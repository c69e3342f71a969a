package quantile

import (
	"math"
	"math/big"
	"sort"
)

// View is the sorted content of a Sketch at one moment: what questions are
// asked of. It does not change when the Sketch does.
type View struct {
	bins  []slot
	below []uint64 // below[i] is the number of values in bins before i
	n     uint64
	max   int
	mask  uint64   // of the keys of bins
	masks []uint64 // of each bin's key, where they are not all mask; see Refine
	lo    uint64
	hi    uint64
}

// View returns the content of s.
func (s *Sketch) View() *View {
	v := &View{bins: s.sorted(), n: s.n, max: s.max, mask: s.mask(), lo: s.lo, hi: s.hi}
	v.count()
	return v
}

func (v *View) count() {
	v.below = make([]uint64, len(v.bins)+1)
	for i, b := range v.bins {
		v.below[i+1] = v.below[i] + b.count
	}
}

// binAt is the bin of the value with a rank, which is cut to the range of ranks; there must be values.
func (v *View) binAt(rank int64) int {
	r := uint64(min(max(rank, 0), int64(v.n)-1))
	return sort.Search(len(v.bins), func(i int) bool { return v.below[i+1] > r })
}

// binOf is the last bin that starts at or below a key, -1 if there is none, and whether the key is in it.
func (v *View) binOf(key uint64) (i int, in bool) {
	i = sort.Search(len(v.bins), func(i int) bool { return v.bins[i].key > key }) - 1
	return i, i >= 0 && key&v.maskOf(i) == v.bins[i].key
}

// Count is the number of values.
func (v *View) Count() int64 { return int64(v.n) }

// Min is the smallest value, always exact; NaN if there is none.
func (v *View) Min() float64 { return v.bound(v.lo) }

// Max is the largest value, always exact; NaN if there is none.
func (v *View) Max() float64 { return v.bound(v.hi) }

func (v *View) bound(key uint64) float64 {
	if v.n == 0 {
		return math.NaN()
	}
	return fromKey(key)
}

// value stands for bin i: the value itself while exact, else the middle of
// the bin's range, cut to the smallest and largest value.
func (v *View) value(i int) float64 {
	lo := fromKey(max(v.bins[i].key, v.lo))
	hi := fromKey(min(v.bins[i].key|^v.maskOf(i), v.hi))
	if lo == hi {
		return lo
	}
	if mid := float64(lo/2) + float64(hi/2); mid == mid {
		return mid
	}
	return lo // a bin that holds infinities of both signs, or NaN
}

func (v *View) maskOf(i int) uint64 {
	if v.masks != nil {
		return v.masks[i]
	}
	return v.mask
}

// Exact says whether every bin is one value.
func (v *View) Exact() bool {
	for _, m := range v.masks {
		if m != math.MaxUint64 {
			return false
		}
	}
	return v.masks != nil || v.mask == math.MaxUint64
}

// Bins is the number of distinct values, or of bins where not exact.
func (v *View) Bins() int { return len(v.bins) }

// Each calls f for every distinct value (or every bin's middle) in rising
// order, with its count.
func (v *View) Each(f func(x float64, count int64)) {
	for i, b := range v.bins {
		f(v.value(i), int64(b.count))
	}
}

// AtRank is the value with rank smaller values before it in sorted order, 0
// <= rank < Count, which is cut to that range; NaN if there is none. If the
// sketch is not exact, it is the middle of the bin that holds that value, so
// the two agree in the top Bits bits of their keys.
func (v *View) AtRank(rank int64) float64 {
	if v.n == 0 {
		return math.NaN()
	}
	return v.value(v.binAt(rank))
}

// Quantile is the q-quantile, q cut to [0, 1]: between the values of rank
// floor(q*(n-1)) and the next by linear interpolation, as numpy.quantile has
// it by default (Hyndman & Fan's type 7). NaN if there is no value. The error
// is that of AtRank: none while exact; 0 and 1 always give Min and Max.
func (v *View) Quantile(q float64) float64 {
	switch {
	case v.n == 0 || q != q:
		return math.NaN()
	case q <= 0:
		return v.Min()
	case q >= 1:
		return v.Max()
	}
	h := float64(float64(v.n-1) * q)
	floor := math.Floor(h)
	return lerp(v.AtRank(int64(floor)), v.AtRank(int64(floor)+1), h-floor)
}

// lerp is numpy's: exact at both ends and monotone in t.
func lerp(a, b, t float64) float64 {
	d := b - a
	switch {
	case a == b:
		return a
	case math.IsInf(d, 0): // the ends are finite but too far apart, or infinite
		return float64(a*(1-t)) + float64(b*t)
	case t >= 0.5:
		return b - float64(d*(1-t))
	}
	return a + float64(d*t)
}

// Rank returns how many values are below x and how many equal it; while not
// exact, those in lower bins and those in the bin of x.
func (v *View) Rank(x float64) (below, equal int64) {
	i, in := v.binOf(toKey(x))
	if in {
		return int64(v.below[i]), int64(v.bins[i].count)
	}
	return int64(v.below[i+1]), 0
}

// CDF is the share of values at or below x, NaN if there is none.
func (v *View) CDF(x float64) float64 {
	if v.n == 0 {
		return math.NaN()
	}
	below, equal := v.Rank(x)
	return float64(below+equal) / float64(v.n)
}

// MostFrequent is the value with the largest count, the smallest of several,
// and that count; NaN and 0 if there is none.
func (v *View) MostFrequent() (x float64, count int64) {
	best := -1
	for i, b := range v.bins {
		if best < 0 || b.count > v.bins[best].count {
			best = i
		}
	}
	if best < 0 {
		return math.NaN(), 0
	}
	return v.value(best), int64(v.bins[best].count)
}

// Pairs counts the pairs of one value of a and one of b with a's below b's,
// and with both equal: what Mann and Whitney's U is made of. If one of the two
// is not exact, both are taken at the coarser one's bits, and values of one
// bin count as equal; so below + equal/2 is wrong by at most equal/2.
func Pairs(a, b *View) (below, equal *big.Int) {
	mask := a.mask & b.mask
	below, equal = new(big.Int), new(big.Int)
	var lower uint64 // values of a in bins below
	i := 0
	for j := 0; j < len(b.bins); {
		key := b.bins[j].key & mask
		countB, countA := uint64(0), uint64(0)
		for ; j < len(b.bins) && b.bins[j].key&mask == key; j++ {
			countB += b.bins[j].count
		}
		for ; i < len(a.bins) && a.bins[i].key&mask < key; i++ {
			lower += a.bins[i].count
		}
		for ; i < len(a.bins) && a.bins[i].key&mask == key; i++ {
			countA += a.bins[i].count
		}
		addProduct(below, lower, countB)
		addProduct(equal, countA, countB)
		lower += countA
	}
	return below, equal
}

func addProduct(sum *big.Int, a, b uint64) {
	if a == 0 || b == 0 {
		return
	}
	x := new(big.Int).SetUint64(a)
	sum.Add(sum, x.Mul(x, new(big.Int).SetUint64(b)))
}

// Distance is Kolmogorov and Smirnov's: the largest difference of the two CDFs
// at any point. With exact views it is exact; otherwise the differences are
// taken at the ends of bins that both views share, and the true distance is
// larger by at most slack, the largest share of values that one of the views
// has within such a bin. Both are NaN if a or b has no values.
func Distance(a, b *View) (distance, slack float64) {
	if a.n == 0 || b.n == 0 {
		return math.NaN(), math.NaN()
	}
	mask := a.mask & b.mask
	na, nb := float64(a.n), float64(b.n)
	var i, j int
	var belowA, belowB uint64
	for i < len(a.bins) || j < len(b.bins) {
		key := uint64(math.MaxUint64)
		if i < len(a.bins) {
			key = a.bins[i].key & mask
		}
		if j < len(b.bins) {
			key = min(key, b.bins[j].key&mask)
		}
		startA, startB := belowA, belowB
		for ; i < len(a.bins) && a.bins[i].key&mask == key; i++ {
			belowA += a.bins[i].count
		}
		for ; j < len(b.bins) && b.bins[j].key&mask == key; j++ {
			belowB += b.bins[j].count
		}
		distance = max(distance, math.Abs(float64(belowA)/na-float64(belowB)/nb))
		if mask != math.MaxUint64 {
			slack = max(slack, float64(belowA-startA)/na, float64(belowB-startB)/nb)
		}
	}
	return distance, slack
}
