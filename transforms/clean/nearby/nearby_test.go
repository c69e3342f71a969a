package nearby

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/transforms/clean"
)

func TestShingles(t *testing.T) {
	words := NewSketcher(clean.NearDuplicates{Size: 2})
	characters := NewSketcher(clean.NearDuplicates{Shingles: "characters", Size: 3})
	for _, c := range []struct {
		name string
		s    *Sketcher
		text string
		want []string // shingles, words with a blank after each
	}{
		{"words", words, "a  b\tc a b", []string{"a b ", "b c ", "c a "}},
		{"fewer words", words, " a ", []string{"a "}},
		{"no words", words, " \t", nil},
		{"characters", characters, "abcéabc", []string{"abc", "bcé", "céa", "éab"}},
		{"fewer characters", characters, "éa", []string{"éa"}},
		{"just enough", characters, "éab", []string{"éab"}},
		{"empty", characters, "", nil},
	} {
		var want []uint64
		for _, s := range c.want {
			want = append(want, xxh3.HashString(s))
		}
		slices.Sort(want)
		if got := c.s.Set(c.text); !slices.Equal(got, want) {
			t.Errorf("%s: got %d shingles, want %d, or others", c.name, len(got), len(want))
		}
	}
}

// The bands for a threshold miss a pair at it once in a hundred at most, and
// one minimum more a band would miss more.
func TestBands(t *testing.T) {
	for _, threshold := range []float64{0.05, 0.3, 0.5, 0.8, 0.9, 0.99, 1} {
		bands, rows := bandsFor(threshold)
		miss := func(b, r int) float64 { return math.Pow(1-math.Pow(threshold, float64(r)), float64(b)) }
		if m := miss(bands, rows); !(m <= 0.01) || bands*rows > hashes {
			t.Errorf("threshold %v: %d bands of %d miss %v", threshold, bands, rows, m)
		}
		if more := rows + 1; more <= hashes && miss(hashes/more, more) <= 0.01 {
			t.Errorf("threshold %v: %d bands of %d would do", threshold, hashes/more, more)
		}
	}
}

func TestJaccard(t *testing.T) {
	for _, c := range []struct {
		a, b []uint64
		want float64
	}{{nil, nil, 1}, {[]uint64{1}, nil, 0}, {[]uint64{1, 2, 3}, []uint64{2, 3, 4}, 0.5}, {[]uint64{1, 2}, []uint64{1, 2}, 1}} {
		if got := Jaccard(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: got %v, want %v", c.a, c.b, got, c.want)
		}
	}
}

func TestGroups(t *testing.T) {
	p := func(span int, row int64) Position { return PositionOf(span, row) }
	edges := []Edge{{p(2, 1), p(1, 5)}, {p(0, 9), p(2, 1)}, {p(3, 3), p(3, 4)}, {p(3, 4), p(3, 3)}, {p(4, 1), p(4, 1)}}
	member := func(first Position, span int, row int64) clean.Entry {
		return clean.Entry{Hash: xxh3.Uint128{Hi: uint64(first)}, Span: span, Row: row}
	}
	want := []clean.Entry{member(p(0, 9), 1, 5), member(p(0, 9), 2, 1), member(p(3, 3), 3, 4)}
	for range 5 {
		rand.Shuffle(len(edges), func(i, j int) { edges[i], edges[j] = edges[j], edges[i] })
		if got := Groups(edges); !reflect.DeepEqual(got, want) {
			t.Fatalf("%v: got %v, want %v", edges, got, want)
		}
	}
}

// texts are variants of sentences: a few words of most are changed.
func texts(rng *rand.Rand, n int) []string {
	out := make([]string, n)
	for i := range out {
		words := make([]string, 40)
		sentence := rng.IntN(n/4 + 1)
		for k := range words {
			words[k] = fmt.Sprintf("w%d", (sentence*31+k*17)%1000)
		}
		for range rng.IntN(5) {
			words[rng.IntN(len(words))] = fmt.Sprintf("x%d", rng.IntN(1000))
		}
		out[i] = strings.Join(words, " ")
	}
	return out
}

// found runs everything but Beam and the store over rows in an order, in parts.
func found(t testing.TB, spec clean.NearDuplicates, rows []string, order []int, partitions int) []clean.Entry {
	t.Helper()
	s := NewSketcher(spec)
	lists, sets := make([][]byte, partitions), map[int64][]uint64{}
	for _, i := range order {
		set := s.Set(rows[i])
		sets[int64(i)] = slices.Clone(set)
		for _, key := range s.Keys(nil, set) {
			part := clean.Partition(key, partitions)
			lists[part] = appendMember(lists[part], Member{Bucket: key, Position: PositionOf(i/10, int64(i)), Set: hashOf(set), Offset: int64(i)})
		}
	}
	var edges []Edge
	for _, list := range lists {
		members, err := decodeMembers(nil, list)
		if err != nil {
			t.Fatal(err)
		}
		some, err := Edges(members, spec.Limit(), func(m Member) ([]uint64, error) { return sets[m.Offset], nil })
		if err != nil {
			t.Fatal(err)
		}
		if edges, err = decodeEdges(edges, encodeEdges(some)); err != nil {
			t.Fatal(err)
		}
	}
	return Groups(edges)
}

// What is found is the same for any order, any partitions, and rows listed
// twice; it is what comparing all pairs finds, as far as the bands promise, and
// nothing else.
func TestAgainstAllPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 9))
	rows := texts(rng, 300)
	for _, spec := range []clean.NearDuplicates{{Threshold: 0.7}, {Threshold: 0.8, Shingles: "characters"}} {
		order := rng.Perm(len(rows))
		got := found(t, spec, rows, order, 1)
		slices.Sort(order)
		if again := found(t, spec, rows, append(order, order[:100]...), 7); !reflect.DeepEqual(again, got) {
			t.Errorf("%+v: %d rows in one order, %d in another, or others", spec, len(got), len(again))
		}
		s := NewSketcher(spec)
		var edges []Edge
		sets := make([][]uint64, len(rows))
		for i, text := range rows {
			sets[i] = slices.Clone(s.Set(text))
			for k := range i {
				if Jaccard(sets[i], sets[k]) >= spec.Limit() {
					edges = append(edges, Edge{PositionOf(k/10, int64(k)), PositionOf(i/10, int64(i))})
				}
			}
		}
		want := Groups(edges)
		all := map[[2]int64]bool{}
		for _, e := range want {
			all[[2]int64{int64(e.Span), e.Row}] = true
		}
		for _, e := range got {
			if !all[[2]int64{int64(e.Span), e.Row}] {
				t.Errorf("%+v: row %d is no near duplicate", spec, e.Row)
			}
		}
		if len(want) < 60 || len(got) < len(want)*97/100 { // 1 % of pairs at the threshold itself may be missed
			t.Errorf("%+v: %d near duplicates found of %d, want nearly all of 60 or more", spec, len(got), len(want))
		}
	}
}

// Where a bucket has many distinct sets the first ones are compared with all.
func TestLargeBucket(t *testing.T) {
	var members []Member
	for i := range 3 * maxCompared {
		members = append(members, Member{Position: PositionOf(0, int64(i+1)), Set: uint64(i), Offset: int64(i)})
	}
	edges, err := Edges(members, 0.5, func(m Member) ([]uint64, error) { return []uint64{uint64(m.Offset % 40)}, nil })
	if err != nil {
		t.Fatal(err)
	}
	// Sets 40 to 71 and 80 to 95 are those of 0 to 31 and 0 to 15; 72 to 79 are those of 32 to 39, which none is held against.
	if got := len(Groups(edges)); got != 48 {
		t.Errorf("got %d near duplicates, want 48", got)
	}
	for _, e := range edges {
		if e.A.Row()%40 != e.B.Row()%40 || e.A >= e.B {
			t.Errorf("edge %v", e)
		}
	}
}

func BenchmarkSketch(b *testing.B) {
	rows := texts(rand.New(rand.NewPCG(1, 1)), 100)
	s := NewSketcher(clean.NearDuplicates{})
	var keys []xxh3.Uint128
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		keys = s.Keys(keys[:0], s.Set(rows[i%len(rows)]))
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
