// Package nearby finds near duplicates: rows whose texts share most of their
// shingles.
//
// A text is taken as the set of its shingles, each run of a few words or
// characters. Sets that are alike (by Jaccard's measure, the shingles in common
// to all there are) agree in each of many random minima with that probability
// (MinHash: Broder 1997). The minima are cut into bands, and rows that agree in
// all minima of a band are candidates; how many bands there are follows from
// the threshold, so that a pair at it is missed once in a hundred, and one
// above it less often (Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, 3.4).
// Candidates are held against each other by their whole sets: no pair below the
// threshold is linked.
//
// Rows that are linked, directly or by others, are a group, and the first of a
// group in the order of the input stays. What is found depends on the rows
// alone, not on how they are cut.
package nearby

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/transforms/clean"
)

// hashes is the number of minima at most.
const hashes = 128

// missed is how often a pair at the threshold may be missed.
const missed = 0.01

// Sketcher makes the sets and bands of texts. It is for one goroutine.
type Sketcher struct {
	spec        clean.NearDuplicates
	bands, rows int
	multiply    []uint64
	add         []uint64

	words  []string
	set    []uint64
	minima []uint64
	key    []byte
}

// NewSketcher plans the bands for a threshold; spec must be valid.
func NewSketcher(spec clean.NearDuplicates) *Sketcher {
	s := &Sketcher{spec: spec}
	s.bands, s.rows = bandsFor(spec.Limit())
	n := s.bands * s.rows
	s.minima = make([]uint64, n)
	for i := range n {
		draw := xxh3.Hash128Seed([]byte("millrace near duplicates"), uint64(i))
		s.multiply = append(s.multiply, draw.Hi|1)
		s.add = append(s.add, draw.Lo)
	}
	return s
}

// bandsFor gives the most minima a band, and as many bands as there are minima
// for, with which a pair at the threshold is rarely missed.
func bandsFor(threshold float64) (bands, rows int) {
	bands, rows = hashes, 1
	for r := 1; r <= hashes; r++ {
		b := hashes / r
		agree := power(threshold, r) // in a band
		if power(1-agree, b) > missed {
			break
		}
		bands, rows = b, r
	}
	return bands, rows
}

// power is x multiplied n times: the same bits everywhere, unlike math.Pow.
func power(x float64, n int) float64 {
	p := 1.0
	for range n {
		p = float64(p * x)
	}
	return p
}

// Bands is the number of keys that Keys gives.
func (s *Sketcher) Bands() int { return s.bands }

// Set gives the hashes of the text's shingles, ascending and each once; none if
// it has no word or character. The next call overwrites it.
func (s *Sketcher) Set(text string) []uint64 {
	s.set = s.set[:0]
	if s.spec.Words() {
		s.wordShingles(text)
	} else {
		s.characterShingles(text)
	}
	slices.Sort(s.set)
	s.set = slices.Compact(s.set)
	return s.set
}

// wordShingles are runs of words, which white space separates, joined by blanks;
// a text of fewer words is one shingle.
func (s *Sketcher) wordShingles(text string) {
	s.words = s.words[:0]
	for word := range strings.FieldsFuncSeq(text, unicode.IsSpace) {
		s.words = append(s.words, word)
	}
	n := s.spec.Run()
	if len(s.words) > 0 && len(s.words) < n {
		n = len(s.words)
	}
	for i := 0; n > 0 && i+n <= len(s.words); i++ {
		s.key = s.key[:0]
		for _, w := range s.words[i : i+n] {
			s.key = append(append(s.key, w...), ' ')
		}
		s.set = append(s.set, xxh3.Hash(s.key))
	}
}

// characterShingles are runs of characters; a text of fewer is one shingle.
func (s *Sketcher) characterShingles(text string) {
	n := s.spec.Run()
	end := 0 // of the run that starts at i
	for range n {
		_, size := utf8.DecodeRuneInString(text[end:])
		end += size
	}
	for i := 0; i < len(text); {
		s.set = append(s.set, xxh3.HashString(text[i:end]))
		if end == len(text) {
			break
		}
		_, size := utf8.DecodeRuneInString(text[i:])
		i += size
		_, size = utf8.DecodeRuneInString(text[end:])
		end += size
	}
}

// Keys appends the key of each band to keys: 128 bits of its number and minima.
func (s *Sketcher) Keys(keys []xxh3.Uint128, set []uint64) []xxh3.Uint128 {
	for i := range s.minima {
		least, m, a := ^uint64(0), s.multiply[i], s.add[i]
		for _, x := range set {
			least = min(least, x*m+a)
		}
		s.minima[i] = least
	}
	for b := range s.bands {
		s.key = binary.LittleEndian.AppendUint64(s.key[:0], uint64(b))
		for _, m := range s.minima[b*s.rows : (b+1)*s.rows] {
			s.key = binary.LittleEndian.AppendUint64(s.key, m)
		}
		keys = append(keys, xxh3.Hash128(s.key))
	}
	return keys
}

// Jaccard is the measure of two ascending sets: what they share of what they
// have. Two empty sets are alike.
func Jaccard(a, b []uint64) float64 {
	both, i, k := 0, 0, 0
	for i < len(a) && k < len(b) {
		switch {
		case a[i] < b[k]:
			i++
		case a[i] > b[k]:
			k++
		default:
			both, i, k = both+1, i+1, k+1
		}
	}
	all := len(a) + len(b) - both
	if all == 0 {
		return 1
	}
	return float64(both) / float64(all)
}
