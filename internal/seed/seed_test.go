package seed

import "testing"

func TestDeriveTellsPurposesApart(t *testing.T) {
	seen := map[uint64]string{}
	for _, c := range []struct {
		name string
		got  uint64
	}{
		{"a", Derive(1, "a")}, {"seed", Derive(2, "a")}, {"b", Derive(1, "b")},
		{"a0", Derive(1, "a", 0)}, {"a1", Derive(1, "a", 1)}, {"a01", Derive(1, "a", 0, 1)},
	} {
		if other, ok := seen[c.got]; ok {
			t.Errorf("%s and %s have the same seed", c.name, other)
		}
		seen[c.got] = c.name
	}
	// A change of this number changes every model that was ever trained.
	if got, want := Derive(1, "a", 0), Derive(1, "a", 0); got != want {
		t.Errorf("Derive = %#x, then %#x", got, want)
	}
}

// The first outputs of SplitMix64 from state 1234567, as published with the
// reference implementation.
func TestStreamMatchesReference(t *testing.T) {
	s := Stream(1234567)
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423} {
		if got := s.Next(); got != want {
			t.Errorf("output %d = %d, want %d", i, got, want)
		}
	}
}

func TestPermutationIsUniform(t *testing.T) {
	counts := map[[3]int32]int{}
	const draws = 6000
	for i := range uint64(draws) {
		p := Permutation(Derive(i, "test"), 3)
		counts[[3]int32(p)]++
	}
	// Six orders, 1000 expected each; the standard deviation is 29.
	for order, n := range counts {
		if n < 850 || n > 1150 {
			t.Errorf("order %v came %d times of %d", order, n, draws)
		}
	}
	if len(counts) != 6 {
		t.Errorf("got %d orders, want 6", len(counts))
	}
}

func TestBelowStaysBelow(t *testing.T) {
	s := Stream(7)
	for range 1000 {
		if got := s.Below(1<<63 + 1); got > 1<<63 {
			t.Fatalf("Below gave %d", got)
		}
		if s.Below(1) != 0 {
			t.Fatalf("Below(1) is not 0")
		}
	}
}
