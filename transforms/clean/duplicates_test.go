package clean

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"
)

func entry(hash uint64, span int, row int64) Entry {
	return Entry{Hash: xxh3.Uint128{Hi: hash, Lo: ^hash}, Span: span, Row: row}
}

func TestFindDuplicates(t *testing.T) {
	for _, c := range []struct {
		name    string
		entries []Entry
		want    []Entry
	}{
		{"none", nil, nil},
		{"one", []Entry{entry(1, 0, 1)}, nil},
		{"distinct", []Entry{entry(1, 0, 1), entry(2, 0, 2)}, nil},
		{"the first by span, then row, stays", []Entry{entry(1, 2, 1), entry(1, 0, 9), entry(1, 1, 3), entry(1, 0, 7)},
			[]Entry{entry(1, 0, 9), entry(1, 1, 3), entry(1, 2, 1)}},
		{"listed twice is no duplicate", []Entry{entry(1, 0, 1), entry(1, 0, 1)}, nil},
		{"a duplicate listed twice is one", []Entry{entry(1, 0, 1), entry(1, 0, 2), entry(1, 0, 2)}, []Entry{entry(1, 0, 2)}},
		{"half a hash is not enough", []Entry{{Hash: xxh3.Uint128{Hi: 1}}, {Hash: xxh3.Uint128{Hi: 1, Lo: 1}, Row: 1}}, nil},
	} {
		if got := FindDuplicates(slices.Clone(c.entries)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestDuplicatesInParts compares the whole at once with any order and number
// of partitions, through the encoding.
func TestDuplicatesInParts(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	entries := make([]Entry, 5000)
	for i := range entries {
		entries[i] = Entry{Hash: xxh3.Hash128([]byte{byte(rng.IntN(256)), byte(rng.IntN(8))}), Span: rng.IntN(5), Row: int64(i)}
	}
	want := FindDuplicates(slices.Clone(entries))
	if len(want) < 2500 { // 2,048 values at most
		t.Fatalf("only %d duplicates to find", len(want))
	}
	for _, n := range []int{1, 2, 7} {
		parts := make([][]byte, n)
		rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		for _, e := range entries {
			p := Partition(e.Hash, n)
			parts[p] = append(parts[p], EncodeEntries([]Entry{e})...)
		}
		var got []Entry
		for _, p := range parts { // in order of hash, as Partition keeps it
			decoded, err := DecodeEntries(p)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, FindDuplicates(decoded)...)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d parts: got %d duplicates, want %d, or another order", n, len(got), len(want))
		}
	}
}

func TestEntriesEncoding(t *testing.T) {
	e := Entry{Hash: xxh3.Uint128{Hi: 0x0102030405060708, Lo: 0x090a0b0c0d0e0f10}, Span: 0x111213, Row: 0x1415161718}
	want := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24}
	if got := EncodeEntries([]Entry{e}); !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
	edge := Entry{Span: MaxSpan, Row: MaxRow}
	if got, err := DecodeEntries(EncodeEntries([]Entry{edge})); err != nil || got[0] != edge {
		t.Errorf("got %v, %v, want %v", got, err, edge)
	}
	if _, err := DecodeEntries(want[:23]); err == nil {
		t.Error("23 bytes: no error")
	}
	defer func() {
		if recover() == nil {
			t.Error("a span too large: no panic")
		}
	}()
	EncodeEntries([]Entry{{Span: MaxSpan + 1}})
}

func FuzzDecodeEntries(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 23))
	f.Add(EncodeEntries([]Entry{entry(1, 2, 3), entry(4, 5, 6)}))
	f.Fuzz(func(t *testing.T, p []byte) {
		entries, err := DecodeEntries(p)
		if (err == nil) != (len(p)%EntryBytes == 0) {
			t.Fatalf("%d bytes: error %v", len(p), err)
		}
		if err == nil && !bytes.Equal(EncodeEntries(entries), p) {
			t.Fatalf("%x does not come back", p)
		}
	})
}

func TestDropRows(t *testing.T) {
	b := table(col("x", "a", "b", "c", "d"))
	b.Rows = []int64{10, 20, 30, 40}
	for _, c := range []struct {
		name string
		drop []int64
		want []int64
		x    string
	}{
		{"none", nil, []int64{10, 20, 30, 40}, "a b c d"},
		{"others only", []int64{5, 15, 50}, []int64{10, 20, 30, 40}, "a b c d"},
		{"first and last", []int64{1, 2, 10, 40, 50}, []int64{20, 30}, "b c"},
		{"listed twice", []int64{20, 20}, []int64{10, 30, 40}, "a c d"},
		{"all", []int64{10, 20, 30, 40}, nil, ""},
	} {
		got := DropRows(b, c.drop)
		if !slices.Equal(got.Rows, c.want) || got.File != "t" {
			t.Errorf("%s: got rows %v, want %v", c.name, got.Rows, c.want)
		}
		if x := shown(t, got, "x"); x != c.x {
			t.Errorf("%s: got %q, want %q", c.name, x, c.x)
		}
	}
}
