package codec

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// plainHuffman is the cost of the optimal code without a limit: the sum of all
// merged weights.
func plainHuffman(counts []int) int {
	var w []int
	for _, c := range counts {
		if c > 0 {
			w = append(w, c)
		}
	}
	total := 0
	for len(w) > 1 {
		slices.Sort(w)
		w[1] += w[0]
		w = w[1:]
		total += w[0]
	}
	return total
}

// bestLimited is the least cost of lengths 1..limit that satisfy Kraft, by
// trying all of them.
func bestLimited(counts []int, limit, kraft int) int {
	if len(counts) == 0 {
		return 0
	}
	best := 1 << 40
	for l := 1; l <= limit; l++ {
		if need := 1 << (limit - l); need <= kraft {
			best = min(best, counts[0]*l+bestLimited(counts[1:], limit, kraft-need))
		}
	}
	return best
}

func cost(counts []int, lengths []uint8) int {
	total := 0
	for s, c := range counts {
		total += c * int(lengths[s])
	}
	return total
}

func TestLengthsAreOptimal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for trial := range 200 {
		counts := make([]int, 2+rng.IntN(60))
		for i := range counts {
			counts[i] = 1 + rng.IntN(1<<(1+trial%10))
		}
		lengths := Lengths(counts, maxCodeBits)
		if got, want := cost(counts, lengths), plainHuffman(counts); got != want {
			t.Fatalf("%v: cost %d, want %d", counts, got, want)
		}
		if _, err := checkLengths(lengths); err != nil {
			t.Fatalf("%v: lengths %v: %v", counts, lengths, err)
		}
	}
}

func TestLimitedLengthsAreOptimal(t *testing.T) {
	for _, counts := range [][]int{
		{1, 1, 2, 3, 5, 8, 13}, // Fibonacci: the unlimited code has length 6
		{1, 2, 4, 8, 16, 32},
		{100, 1, 1, 1, 1, 1, 1, 1},
		{5, 5, 5, 5, 5},
	} {
		for limit := 3; limit <= 5; limit++ {
			lengths := Lengths(counts, limit)
			if got, want := cost(counts, lengths), bestLimited(counts, limit, 1<<limit); got != want {
				t.Errorf("%v within %d bits: %v costs %d, want %d", counts, limit, lengths, got, want)
			}
			if m := slices.Max(lengths); int(m) > limit {
				t.Errorf("%v within %d bits: length %d", counts, limit, m)
			}
		}
	}
}

// Fibonacci counts of 40 symbols ask for 39 bits; the limit is 15.
func TestLongCodesAreLimited(t *testing.T) {
	counts := []int{1, 1}
	for len(counts) < 40 {
		counts = append(counts, counts[len(counts)-1]+counts[len(counts)-2])
	}
	lengths := Lengths(counts, maxCodeBits)
	if m := slices.Max(lengths); m != maxCodeBits {
		t.Errorf("longest code %d, want %d", m, maxCodeBits)
	}
	symbols := make([]int, 2000)
	for i := range symbols {
		symbols[i] = i % 40
	}
	roundTripSymbols(t, lengths, symbols)
}

func roundTripSymbols(t *testing.T, lengths []uint8, symbols []int) {
	t.Helper()
	enc, err := NewEncoder(lengths)
	if err != nil {
		t.Fatal(err)
	}
	var w Writer
	writeLengths(&w, lengths)
	for _, s := range symbols {
		enc.Write(&w, s)
	}
	r := NewReader(w.Bytes())
	read, err := readLengths(r, len(lengths))
	if err != nil || !slices.Equal(read, lengths) {
		t.Fatalf("lengths %v, %v; want %v", read, err, lengths)
	}
	dec, err := NewDecoder(read)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range symbols {
		if got := dec.Read(r); got != s {
			t.Fatalf("symbol %d: %d, want %d", i, got, s)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSmallAlphabets(t *testing.T) {
	if got := Lengths([]int{0, 0}, maxCodeBits); !slices.Equal(got, []uint8{0, 0}) {
		t.Errorf("no symbols: %v", got)
	}
	roundTripSymbols(t, Lengths([]int{0, 7, 0}, maxCodeBits), []int{1, 1, 1, 1, 1, 1, 1})
	roundTripSymbols(t, Lengths([]int{3, 1}, maxCodeBits), []int{0, 0, 1, 0})
	dec, err := NewDecoder([]uint8{0, 0, 0})
	if err != nil {
		t.Fatal(err)
	}
	r := NewReader([]byte{0xff})
	if dec.Read(r); r.Err() == nil {
		t.Error("a symbol was read from an empty alphabet")
	}
}

func TestBadLengths(t *testing.T) {
	for _, tc := range []struct {
		name    string
		lengths []uint8
	}{
		{"over-subscribed", []uint8{1, 1, 1}},
		{"under-subscribed", []uint8{1, 2}},
		{"one symbol of two bits", []uint8{0, 2}},
		{"too long", []uint8{1, 16}},
	} {
		if _, err := NewDecoder(tc.lengths); err == nil {
			t.Errorf("%s: %v makes a decoder", tc.name, tc.lengths)
		}
		if _, err := NewEncoder(tc.lengths); err == nil {
			t.Errorf("%s: %v makes an encoder", tc.name, tc.lengths)
		}
	}
}

func TestBits(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	type item struct{ kind, v, n uint32 }
	items := make([]item, 5000)
	var w Writer
	for i := range items {
		it := item{uint32(rng.IntN(4)), 0, uint32(rng.IntN(33))}
		it.v = uint32(rng.Uint64() & (1<<it.n - 1))
		switch it.kind {
		case 0:
			w.WriteBits(it.v, uint(it.n))
		case 1:
			it.v = uint32(rng.IntN(200))
			w.WriteUnary(it.v)
		case 2:
			it.n = min(it.n, 25)
			it.v = uint32(rng.IntN(50))<<it.n | it.v&(1<<it.n-1)
			w.WriteRice(it.v, uint(it.n))
		case 3:
			it.v = min(it.v, 1<<32-2)
			w.WriteGamma(it.v)
		}
		items[i] = it
	}
	if got, want := len(w.Bytes()), (w.Len()+7)/8; got != want {
		t.Errorf("%d bytes for %d bits", got, w.Len())
	}
	r := NewReader(w.Bytes())
	for i, it := range items {
		var got uint32
		switch it.kind {
		case 0:
			got = r.ReadBits(uint(it.n))
		case 1:
			got = r.ReadUnary()
		case 2:
			got = r.ReadRice(uint(it.n))
		case 3:
			got = r.ReadGamma()
		}
		if got != it.v {
			t.Fatalf("item %d %+v: got %d", i, it, got)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if r.ReadBits(9); r.Err() == nil {
		t.Error("reading past the end is no error")
	}
}

func TestBuckets(t *testing.T) {
	for m := uint(0); m <= maxMantissa; m++ {
		last := -1
		for _, g := range []uint32{0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 100, 127, 128, 129, 1000, 1 << 20, 1<<20 + 12345, MaxElements} {
			b, extra := bucketOf(g, m)
			low, bits := gapOf(b, m)
			if bits != extra || uint64(g) < low || uint64(g)-low >= 1<<extra || b < last || b >= maxSymbols {
				t.Errorf("m %d gap %d: bucket %d from %d with %d bits, want %d bits", m, g, b, low, bits, extra)
			}
			last = b
		}
	}
}
