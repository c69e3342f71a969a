package hyperloglog

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
)

// TestEstimate allows five standard errors: of the many estimates here, one in
// two million would miss by chance, and the hashes are fixed.
func TestEstimate(t *testing.T) {
	s, n := &Sketch{}, 0
	if got := s.Estimate(); got != 0 {
		t.Errorf("empty: got %g", got)
	}
	for _, want := range []int{1, 2, 10, 100, 1000, 10_000, 40_000, 50_000, 80_000, 200_000, 1_000_000, 3_000_000} {
		for ; n < want; n++ {
			s.Add(Mix(uint64(n)))
			s.Add(Mix(uint64(n / 2))) // repeats change nothing
		}
		got := s.Estimate()
		if !(math.Abs(got-float64(want)) <= 5*RelativeError*float64(want)) {
			t.Errorf("%d distinct: got %g", want, got)
		}
		if want <= 100 && math.Round(got) != float64(want) { // collisions of groups are rare
			t.Errorf("%d distinct: got %g", want, got)
		}
	}
}

func TestAddTakesTheRankOfTheRest(t *testing.T) {
	for _, c := range []struct {
		hash  uint64
		group int
		rank  uint8
	}{{0, 0, maxRank}, {math.MaxUint64, groups - 1, 1}, {1<<50 | 1, 1, 50}, {3<<50 | 1<<49, 3, 1}, {1, 0, 50}} {
		s := &Sketch{}
		s.Add(c.hash)
		if s.rank[c.group] != c.rank {
			t.Errorf("hash %x: got rank %d in group %d want %d", c.hash, s.rank[c.group], c.group, c.rank)
		}
	}
}

func TestMergeInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	whole, parts := &Sketch{}, make([]Sketch, 5)
	for range 50_000 {
		h := r.Uint64()
		whole.Add(h)
		parts[r.IntN(5)].Add(h)
	}
	got := &Sketch{}
	for _, i := range r.Perm(5) {
		data, _ := parts[i].AppendBinary(nil)
		var p Sketch
		if err := p.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		got.Merge(&p)
		got.Merge(&p)
	}
	a, _ := whole.AppendBinary(nil)
	b, _ := got.AppendBinary(nil)
	if !bytes.Equal(a, b) {
		t.Error("merged parts differ from the whole")
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	bad := make([]byte, Size)
	bad[7] = maxRank + 1
	for _, b := range [][]byte{nil, make([]byte, Size-1), bad} {
		if (&Sketch{}).UnmarshalBinary(b) == nil {
			t.Errorf("%d bytes: got no error", len(b))
		}
	}
}
