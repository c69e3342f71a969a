package quantile

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// A Refiner is a second look at values of which a Sketch kept only leading
// bits: it counts, on their own, the values of the bins that the answers to
// some questions lie in. With them AtRank, Quantile and Rank are exact for
// those questions. It is the second pass of a radix selection, the sketch
// being the first.
//
// Like a Sketch, what it holds depends on the set of values only. All that are
// to be merged must be made from equal views with the same arguments.
type Refiner struct {
	view   *View    // nil if the Refiner was made from Questions
	wanted []int    // bins of view, rising
	keys   []uint64 // of the wanted bins
	masks  []uint64 // of the wanted bins
	kinds  []uint64 // the masks, each once
	inner  *Sketch  // of the values in the wanted bins

	table []uint64 // prefixes of the wanted bins, their lowest bit set; 0 is empty
	shift uint
}

// Refine returns a Refiner for the values of the ranks between which the
// quantiles lie, and for those that share a bin with one of the points.
func (v *View) Refine(quantiles, points []float64) *Refiner {
	r := &Refiner{view: v, inner: New(v.max)}
	bins := v.binsOf(quantiles, points)
	for i := range v.bins {
		if bins[i] && v.maskOf(i) != math.MaxUint64 {
			r.wanted = append(r.wanted, i)
			r.keys, r.masks = append(r.keys, v.bins[i].key), append(r.masks, v.maskOf(i))
		}
	}
	r.index()
	return r
}

// index makes the table of the wanted bins.
func (r *Refiner) index() {
	r.table, r.shift = make([]uint64, 16), 60
	for 4*len(r.keys) > len(r.table) {
		r.table, r.shift = make([]uint64, 2*len(r.table)), r.shift-1
	}
	for i, key := range r.keys { // of more than one value, so the lowest bit is clear
		r.table[r.find(key)] = key | 1
		if !slices.Contains(r.kinds, r.masks[i]) {
			r.kinds = append(r.kinds, r.masks[i])
		}
	}
}

// Questions is the binary form of what a Refiner looks for, without what it
// has counted. RefinerOf makes one of it that counts the same values, on
// another machine, say; it has no View.
func (r *Refiner) Questions() []byte {
	b := binary.AppendUvarint([]byte{wireVersion}, uint64(r.inner.max))
	b = binary.AppendUvarint(b, uint64(len(r.keys)))
	for i, key := range r.keys {
		b = append(b, byte(bits.OnesCount64(r.masks[i])))
		b = binary.LittleEndian.AppendUint64(b, key)
	}
	return b
}

// RefinerOf reads what Questions wrote.
func RefinerOf(questions []byte) (*Refiner, error) {
	fail := func(err error) (*Refiner, error) { return nil, fmt.Errorf("quantile.RefinerOf: %w", err) }
	if len(questions) == 0 || questions[0] != wireVersion {
		return fail(fmt.Errorf("does not start with version %d", wireVersion))
	}
	d := decoder{b: questions[1:]}
	max, n := d.uvarint("max", LargestMax), d.uvarint("bins", uint64(len(questions)/9))
	if d.err != nil {
		return fail(d.err)
	}
	if max == 0 || uint64(len(d.b)) != 9*n {
		return fail(fmt.Errorf("%d bytes for %d bins", len(d.b), n))
	}
	r := &Refiner{inner: New(int(max))}
	for b := d.b; len(b) > 0; b = b[9:] {
		key, mask := binary.LittleEndian.Uint64(b[1:]), ^(uint64(math.MaxUint64) >> b[0])
		if b[0] > 63 || key&^mask != 0 {
			return fail(fmt.Errorf("a bin of %d bits starts at %x", b[0], key))
		}
		r.keys, r.masks = append(r.keys, key), append(r.masks, mask)
	}
	r.index()
	return r, nil
}

// binsOf is the set of bins that the answers lie in.
func (v *View) binsOf(quantiles, points []float64) map[int]bool {
	bins := map[int]bool{}
	for _, q := range quantiles {
		if v.n > 0 && q == q {
			rank := int64(math.Floor(float64(float64(v.n-1) * min(1, max(q, 0)))))
			bins[v.binAt(rank)], bins[v.binAt(rank+1)] = true, true
		}
	}
	for _, x := range points {
		if i, in := v.binOf(toKey(x)); in {
			bins[i] = true
		}
	}
	return bins
}

// find returns the place of a prefix in the table.
func (r *Refiner) find(prefix uint64) uint64 {
	last := uint64(len(r.table) - 1)
	i := ((prefix ^ prefix>>32) * 0x9e3779b97f4a7c15) >> r.shift
	for r.table[i] != 0 && r.table[i] != prefix|1 {
		i = (i + 1) & last
	}
	return i
}

// Needed says whether there is anything to count: not where the view is exact
// at what was asked.
func (r *Refiner) Needed() bool { return len(r.keys) > 0 }

// AddAll counts those of the values that are in the wanted bins.
func (r *Refiner) AddAll(values []float64) {
	for _, m := range r.kinds {
		for _, x := range values {
			if r.table[r.find(toKey(x)&m)] != 0 {
				r.inner.Add(x)
			}
		}
	}
}

// Merge adds what o counted; o is unchanged.
func (r *Refiner) Merge(o *Refiner) error { return r.inner.Merge(o.inner) }

// MarshalBinary is the form of what was counted, without the view: equal
// Refiners give equal bytes.
func (r *Refiner) MarshalBinary() ([]byte, error) { return r.inner.MarshalBinary() }

// MergeBinary adds what another Refiner of the same view wrote.
func (r *Refiner) MergeBinary(data []byte) error {
	s := New(0)
	if err := s.UnmarshalBinary(data); err != nil {
		return err
	}
	return r.inner.Merge(s)
}

// View is the first view with the wanted bins replaced by what was counted in
// them. It fails if that is not as many values as the view has there: the two
// passes saw different data. It is not exact at what was asked only if those
// bins hold more than max distinct values; its own Refine takes them further.
// It panics if the Refiner was made from Questions.
func (r *Refiner) View() (*View, error) {
	if r.view == nil {
		panic("quantile.Refiner: View of one that was made from Questions")
	}
	in, v := r.inner.View(), r.view
	out := &View{n: v.n, max: v.max, mask: v.mask & in.mask, lo: v.lo, hi: v.hi}
	wanted, at := r.wanted, 0
	for i, b := range v.bins {
		if len(wanted) == 0 || wanted[0] != i {
			out.bins, out.masks = append(out.bins, b), append(out.masks, v.maskOf(i))
			continue
		}
		wanted = wanted[1:]
		var n uint64
		for ; at < len(in.bins) && in.bins[at].key&v.maskOf(i) == b.key; at++ {
			n += in.bins[at].count
			out.bins, out.masks = append(out.bins, in.bins[at]), append(out.masks, in.mask)
		}
		if n != b.count {
			return nil, fmt.Errorf("quantile.Refiner: %d values in a bin that had %d: the data has changed between two passes", n, b.count)
		}
	}
	out.count()
	return out, nil
}
