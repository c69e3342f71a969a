// Package quantile counts float64 values so that quantiles can be read off,
// the same ones for any order of adding and any tree of merges.
//
// A Sketch counts values by their key, the order-preserving 64-bit integer of
// a float64. While at most Max distinct keys have been seen it is exact.
// Beyond that it keeps only the top b bits of every key, b being the largest
// number such that the distinct prefixes are at most Max. A value is then
// known to a relative error of 2^-(b-12), as sign and exponent take 12 bits:
// with the default Max of 65,536, 2^-12 for data that spans 16 octaves.
//
// The state depends on the set of added values only. Let D(S, b) be the number
// of distinct b-bit prefixes of the keys of S, and b(S) the largest b with
// D(S, b) <= Max; the claim is that a sketch of S always holds b(S) and the
// counts of the b(S)-bit prefixes. D grows with b, and with S. So S in T gives
// b(S) >= b(T): bits once given up are not wanted back, and what a sketch of S
// kept (the b(S)-bit prefixes) determines the b(T)-bit prefixes and their
// counts. Adding values and merging sketches forms the union of what is kept,
// cut to the smaller b, and then lowers b to the largest that fits, which is
// b(T) as no larger one fits T. So each step keeps the claim.
//
// It trades the guarantee of rank that KLL or t-digest give for a guarantee of
// value, for exactness on what is common in tables (few distinct values), and
// for independence of order, which neither of those has.
package quantile

import (
	"fmt"
	"math"
	"math/bits"
)

// DefaultMax is the number of distinct values up to which a Sketch is exact
// unless told otherwise. Its table then takes at most 2 MiB.
const DefaultMax = 1 << 16

// LargestMax bounds the Max of a Sketch.
const LargestMax = 1 << 24

// Sketch counts values. NaN is counted as one value above +Inf, and -0 as 0.
// It is not safe for concurrent use.
type Sketch struct {
	max    int
	bits   uint   // of a key that are kept; 64 is exact
	n      uint64 // values
	lo, hi uint64 // whole keys of the smallest and largest value, if n > 0

	// Open addressing with linear probing; count 0 is an empty slot. len(slots)
	// is a power of two, at most 3/4 of them used.
	slots []slot
	used  int
	shift uint // 64 - log2(len(slots))
}

type slot struct{ key, count uint64 }

// New returns an empty sketch that is exact up to max distinct values; 0
// means DefaultMax. It panics if max is negative or above LargestMax.
func New(max int) *Sketch {
	if max < 0 || max > LargestMax {
		panic(fmt.Sprintf("quantile.New: max %d, want 0 to %d", max, LargestMax))
	}
	if max == 0 {
		max = DefaultMax
	}
	s := &Sketch{max: max, bits: 64}
	s.resize(16)
	return s
}

// Key maps floats to integers of the same order; NaN is above +Inf.
func toKey(x float64) uint64 {
	if x != x {
		return 0xfff8_0000_0000_0000
	}
	b := math.Float64bits(x + 0) // -0 + 0 is 0
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

func fromKey(k uint64) float64 {
	if k>>63 == 1 {
		return math.Float64frombits(k &^ (1 << 63))
	}
	return math.Float64frombits(^k)
}

// Add counts x once.
func (s *Sketch) Add(x float64) { s.AddN(x, 1) }

// AddN counts x n times.
func (s *Sketch) AddN(x float64, n uint64) {
	if n == 0 {
		return
	}
	k := toKey(x)
	s.widen(k, k)
	s.n += n
	s.put(k&s.mask(), n)
	if s.used > s.max {
		s.coarsen()
	}
}

// AddAll counts each of the values once.
func (s *Sketch) AddAll(values []float64) {
	if len(values) == 0 {
		return
	}
	lo, hi := toKey(values[0]), toKey(values[0])
	for _, x := range values {
		k := toKey(x)
		lo, hi = min(lo, k), max(hi, k)
		k &= ^(math.MaxUint64 >> s.bits)
		i := s.find(k)
		if s.slots[i].count != 0 {
			s.slots[i].count++
			continue
		}
		s.put(k, 1)
		if s.used > s.max {
			s.coarsen()
		}
	}
	s.widen(lo, hi)
	s.n += uint64(len(values))
}

// widen takes lo and hi into the range; it must come before n grows.
func (s *Sketch) widen(lo, hi uint64) {
	if s.n == 0 {
		s.lo, s.hi = lo, hi
		return
	}
	s.lo, s.hi = min(s.lo, lo), max(s.hi, hi)
}

func (s *Sketch) mask() uint64 { return ^(math.MaxUint64 >> s.bits) }

// put adds n > 0 to the count of a masked key. It may leave used above max by
// one, never the table full.
func (s *Sketch) put(key, n uint64) {
	i := s.find(key)
	if s.slots[i].count == 0 {
		if 4*(s.used+1) > 3*len(s.slots) {
			s.resize(2 * len(s.slots))
			i = s.find(key)
		}
		s.slots[i].key = key
		s.used++
	}
	s.slots[i].count += n
}

// find returns the slot of key, or the empty one where it belongs.
func (s *Sketch) find(key uint64) uint64 {
	last := uint64(len(s.slots) - 1)
	i := ((key ^ key>>32) * 0x9e3779b97f4a7c15) >> s.shift
	for s.slots[i].count != 0 && s.slots[i].key != key {
		i = (i + 1) & last
	}
	return i
}

func (s *Sketch) resize(size int) {
	old := s.slots
	s.slots = make([]slot, size)
	s.shift = uint(64 - bits.TrailingZeros(uint(size)))
	for _, o := range old {
		if o.count != 0 {
			s.slots[s.find(o.key)] = o
		}
	}
}

// sorted returns the used slots by rising key.
func (s *Sketch) sorted() []slot {
	out := make([]slot, 0, s.used)
	for _, o := range s.slots {
		if o.count != 0 {
			out = append(out, o)
		}
	}
	return sortSlots(out, make([]slot, len(out)))
}

// coarsen lowers bits to the largest number that leaves at most max distinct
// prefixes. Bits only ever fall, so it runs at most 64 times.
func (s *Sketch) coarsen() {
	all := s.sorted()
	// Neighbours whose first difference is at bit d (from the top) are two
	// prefixes where more than d bits are kept, one otherwise.
	var differ [64]int
	for i := 1; i < len(all); i++ {
		differ[bits.LeadingZeros64(all[i].key^all[i-1].key)]++
	}
	b, distinct := uint(0), 1
	for b < 64 && distinct+differ[b] <= s.max {
		distinct += differ[b]
		b++
	}
	s.keep(min(b, s.bits), all)
}

// keep rebuilds the table with b bits from the slots all.
func (s *Sketch) keep(b uint, all []slot) {
	s.bits, s.used = b, 0
	clear(s.slots)
	for _, o := range all {
		s.put(o.key&s.mask(), o.count)
	}
}

// Merge adds the values of o, which is unchanged. It fails if the two were
// made with different max.
func (s *Sketch) Merge(o *Sketch) error {
	if s.max != o.max {
		return fmt.Errorf("quantile.Sketch: merge of a sketch of at most %d distinct values with one of %d", s.max, o.max)
	}
	if o.n == 0 {
		return nil
	}
	if math.MaxInt64-s.n < o.n {
		return fmt.Errorf("quantile.Sketch: more than %d values", int64(math.MaxInt64))
	}
	s.widen(o.lo, o.hi)
	s.n += o.n
	if o.bits < s.bits {
		s.keep(o.bits, s.sorted())
	}
	for _, x := range o.sorted() {
		s.put(x.key&s.mask(), x.count)
		if s.used > s.max {
			s.coarsen()
		}
	}
	return nil
}

// Count is the number of values added.
func (s *Sketch) Count() int64 { return int64(s.n) }

// Distinct is the number of distinct values, or of bins once not exact.
func (s *Sketch) Distinct() int { return s.used }

// Max is the number of distinct values up to which the sketch is exact.
func (s *Sketch) Max() int { return s.max }

// Exact says whether every distinct value is counted on its own.
func (s *Sketch) Exact() bool { return s.bits == 64 }

// Bits is the number of key bits kept, 64 if exact.
func (s *Sketch) Bits() int { return int(s.bits) }
