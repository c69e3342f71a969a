package split

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/internal/fielderr"
)

// key is the hash of the i-th of a row of distinct keys.
func key(i int) xxh3.Uint128 {
	var p [8]byte
	binary.LittleEndian.PutUint64(p[:], uint64(i))
	return xxh3.Hash128(p[:])
}

func newSplitter(t testing.TB, spec Spec, shards int) *Splitter {
	t.Helper()
	s, err := New(spec, shards)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestGolden holds the assignment in place: a change here moves the rows of
// every job.
func TestGolden(t *testing.T) {
	s := newSplitter(t, Spec{}, 10)
	salted := newSplitter(t, Spec{Salt: "2"}, 10)
	const wantParts, wantShards = "TtttttttvvtTttttttvvtvttttttttttttttvttt", "3418581738940968393502285450223199662745"
	const wantSalted = "ttttttTtvtttTtvtvttvvtvttttvvttttTTttttt"
	letters := "tvT"
	var parts, shards, other []byte
	for i := range 40 {
		part, shard := s.Assign(key(i))
		parts, shards = append(parts, letters[part]), append(shards, byte('0'+shard))
		part, _ = salted.Assign(key(i))
		other = append(other, letters[part])
	}
	if string(parts) != wantParts || string(shards) != wantShards {
		t.Errorf("got %s and %s, want %s and %s", parts, shards, wantParts, wantShards)
	}
	if string(other) != wantSalted {
		t.Errorf("with a salt: got %s, want %s", other, wantSalted)
	}
}

// TestShares takes 100,000 keys: a count is within 4.5 standard deviations of
// its binomial mean, which a right split misses once in 150,000 counts.
func TestShares(t *testing.T) {
	const n = 100_000
	for _, spec := range []Spec{{}, {Train: 0.5, Validation: 0.25, Test: 0.25}, {Train: 0.98, Validation: 0.01, Test: 0.01, Salt: "x"}} {
		s := newSplitter(t, spec, 1)
		var counts [3]float64
		for i := range n {
			part, _ := s.Assign(key(i))
			counts[part]++
		}
		for p, share := range spec.Shares() {
			if off := math.Abs(counts[p] - n*share); !(off <= 4.5*math.Sqrt(n*share*(1-share))) {
				t.Errorf("%+v: %v has %v of %d, want about %v", spec, Part(p), counts[p], n, n*share)
			}
		}
	}
}

// TestIndependence counts part times shard over 100,000 keys: chi-squared with
// 3*8-1 = 23 degrees of freedom (shares and shards are given, not fitted) is
// below 55.1 in 9,998 of 10,000 cases.
func TestIndependence(t *testing.T) {
	const n, shards = 100_000, 8
	s := newSplitter(t, Spec{}, shards)
	var counts [3][shards]float64
	for i := range n {
		part, shard := s.Assign(key(i))
		counts[part][shard]++
	}
	chi := 0.0
	for p, share := range (Spec{}).Shares() {
		for shard := range shards {
			want := n * share / shards
			chi += (counts[p][shard] - want) * (counts[p][shard] - want) / want
		}
	}
	if !(chi < 55.1) {
		t.Errorf("chi-squared %v", chi)
	}
}

// TestShardsDoNotMoveParts says that the part depends neither on the number of
// shards nor, for a row that stays inside, on other shares.
func TestShardsDoNotMoveParts(t *testing.T) {
	one, many := newSplitter(t, Spec{}, 1), newSplitter(t, Spec{}, 1000)
	wider := newSplitter(t, Spec{Train: 0.8, Validation: 0.1, Test: 0.1}, 1)
	for i := range 10_000 {
		a, shard := one.Assign(key(i))
		b, _ := many.Assign(key(i))
		if a != b || shard != 0 {
			t.Fatalf("key %d: part %v with one shard (%d), %v with 1000", i, a, shard, b)
		}
		if c, _ := wider.Assign(key(i)); a == Train && c != Train {
			t.Fatalf("key %d left train when its share grew", i)
		}
	}
}

// TestEdges assigns extreme hashes: a part without a share gets no row, and
// the rounding of shares leaves none out.
func TestEdges(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want []Part // parts that occur
	}{
		{Spec{Train: 1}, []Part{Train}},
		{Spec{Test: 1}, []Part{Test}},
		{Spec{Validation: 1}, []Part{Validation}},
		{Spec{Train: 0.5, Validation: 0.5}, []Part{Train, Validation}},
		{Spec{Train: 0.5, Test: 0.5}, []Part{Train, Test}},
		{Spec{Train: 1 - 1e-10}, []Part{Train}},
		{Spec{Train: 0.5 + 4e-10, Validation: 0.5}, []Part{Train, Validation}},
	} {
		s := newSplitter(t, c.spec, 1)
		var got []Part
		for i := range 2000 {
			if part, _ := s.Assign(key(i)); !slices.Contains(got, part) {
				got = append(got, part)
			}
		}
		for _, mixed := range []uint64{0, 1 << 63, math.MaxUint64} {
			if part := s.part(mixed); !slices.Contains(c.want, part) {
				t.Errorf("%+v: %#x is in %v, want %v", c.spec, mixed, part, c.want)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v, want %v", c.spec, got, c.want)
		}
	}
}

// TestThresholds has shares of exact binary fractions: 2^62 below one is
// train, 2^62 itself is not.
func TestThresholds(t *testing.T) {
	s := newSplitter(t, Spec{Train: 0.25, Validation: 0.5, Test: 0.25}, 1)
	for _, c := range []struct {
		mixed uint64
		want  Part
	}{{1<<62 - 1, Train}, {1 << 62, Validation}, {3<<62 - 1, Validation}, {3 << 62, Test}} {
		if got := s.part(c.mixed); got != c.want {
			t.Errorf("%#x: got %v, want %v", c.mixed, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		spec   Spec
		shards int
		want   string
	}{
		{"negative", Spec{Train: 1.5, Validation: -0.5}, 1, "train: share 1.5, want 0 to 1"},
		{"NaN", Spec{Train: math.NaN(), Validation: 1}, 1, "train: share NaN"},
		{"too little", Spec{Train: 0.7, Validation: 0.2}, 1, "want 1"},
		{"just off", Spec{Train: 0.5, Validation: 0.5 + 2e-9}, 1, "want 1"},
		{"key twice", Spec{Key: []string{"a", "a"}}, 1, `key[1]: column "a"`},
		{"no shards", Spec{}, 0, "0 shards, want at least 1"},
	} {
		if _, err := New(c.spec, c.shards); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", c.name, err, c.want)
		}
	}
	if got := fielderr.All(Spec{Train: -1, Test: 2}.Validate()); len(got) != 2 || got[1].Path != "test" {
		t.Errorf("two shares out of range: got %v", got)
	}
}

func TestKeyColumns(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "user", Type: arrow.BinaryTypes.String}, {Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	for _, c := range []struct {
		key, want []string
	}{
		{nil, []string{"user", "x"}},
		{[]string{"x", "user"}, []string{"x", "user"}},
	} {
		if got, err := (Spec{Key: c.key}).KeyColumns(schema); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("key %q: got %q, %v, want %q", c.key, got, err, c.want)
		}
	}
	_, err := Spec{Key: []string{"usr"}}.KeyColumns(schema)
	if err == nil || !strings.Contains(err.Error(), `did you mean "user"?`) {
		t.Errorf("missing key: got %v", err)
	}
}

func TestPartString(t *testing.T) {
	for p, want := range map[Part]string{Train: "train", Validation: "validation", Test: "test", 7: "Part(7)"} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func BenchmarkAssign(b *testing.B) {
	s := newSplitter(b, Spec{Salt: "s"}, 64)
	h := key(1)
	for b.Loop() {
		_, shard := s.Assign(h)
		h.Lo += uint64(shard)
	}
}
