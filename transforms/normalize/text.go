package normalize

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/accel/fmath"
)

// textStats count the terms of a column.
type textStats struct {
	max      int
	nulls, n int64
	overflow bool
	terms    map[string]*termCount
	split    *splitter // of an accumulator that takes rows
}

// termCount is how often a term occurs, and in how many texts.
type termCount struct {
	n, texts int64
	last     int64 // the last text that had it, from 1
}

func newTextStats(t Text) *textStats {
	return &textStats{max: t.MaxDistinct, terms: map[string]*termCount{}, split: newSplitter(t.Split, t.Lower, *t.Ngrams)}
}

func newSplitter(split string, lower bool, n Ngrams) *splitter {
	return &splitter{split: split, lower: lower, min: n.Min, max: n.Max}
}

func (s *textStats) total() int64 { return s.nulls + s.n }

func (s *textStats) add(cols []arrow.Array, _ *source) error {
	text, err := tokenReader(cols[0])
	if err != nil {
		return err
	}
	for i := range cols[0].Len() {
		if cols[0].IsNull(i) {
			s.nulls++
			continue
		}
		s.n++
		if !s.overflow {
			s.split.each(text(i), func(term string) { s.count(term, 1, 1, s.n) })
		}
	}
	return nil
}

// count adds to the counts of a term; the texts are not new if text is the one
// that was counted last.
func (s *textStats) count(term string, n, texts, text int64) {
	if s.overflow {
		return
	}
	c := s.terms[term]
	if c == nil {
		if len(s.terms) == s.max {
			s.forget()
			return
		}
		c = &termCount{}
		s.terms[strings.Clone(term)] = c
	}
	c.n += n
	if text == 0 || c.last != text {
		c.texts += texts
		c.last = text
	}
}

func (s *textStats) forget() { s.overflow, s.terms = true, nil }

func (s *textStats) merge(other stats) error {
	o, ok := other.(*textStats)
	if !ok || s.max != o.max {
		return errOtherKind
	}
	s.nulls += o.nulls
	s.n += o.n
	if o.overflow {
		s.forget()
	}
	for term, c := range o.terms {
		s.count(term, c.n, c.texts, 0)
	}
	for _, c := range s.terms {
		c.last = 0 // texts are numbered anew
	}
	return nil
}

func (s *textStats) append(b []byte) ([]byte, error) {
	flags := byte(0)
	if s.overflow {
		flags = wireOverflow
	}
	b = append(b, wireVersion, wireText, flags)
	b = appendCounts(b, int64(s.max), s.nulls, s.n, int64(len(s.terms)))
	for _, term := range sortedKeys(s.terms) {
		b = appendText(b, term)
		b = appendCounts(b, s.terms[term].n, s.terms[term].texts)
	}
	return b, nil
}

func (d *decoder) text(flags byte) *textStats {
	s := &textStats{max: int(min(d.count("max"), largestMaxDistinct)), nulls: d.count("nulls"), n: d.count("texts"), terms: map[string]*termCount{}}
	distinct := d.length("terms", 3)
	if s.overflow = flags == wireOverflow; flags&^wireOverflow != 0 || distinct > s.max || s.overflow && distinct > 0 {
		d.fail("%d terms with flags %#x, want at most %d", distinct, flags, s.max)
	}
	last := ""
	for i := 0; i < distinct && d.err == nil; i++ {
		term := string(d.bytes("term"))
		c := &termCount{n: d.count("count"), texts: d.count("texts")}
		if c.texts < 1 || c.n < c.texts || c.texts > s.n || i > 0 && last >= term {
			d.fail("terms or their counts out of order")
		}
		s.terms[term], last = c, term
	}
	if s.overflow {
		s.terms = nil
	}
	return s
}

// FittedText makes a number for each of the Terms of a text.
type FittedText struct {
	Split    string    `json:"split"`
	Lower    bool      `json:"lower,omitempty"`
	Min      int       `json:"min"` // words or characters of a term
	Max      int       `json:"max"`
	Weight   string    `json:"weight"`
	Terms    []string  `json:"terms"`
	Counts   []int64   `json:"counts"`        // of each term in the train split
	Texts    []int64   `json:"texts"`         // that have the term
	IDF      []float64 `json:"idf,omitempty"` // with tf_idf
	Distinct int64     `json:"distinct"`      // terms seen, those left out included
}

func fitText(f feature, s *textStats, out *Fitted) error {
	t := *f.Text
	if s.overflow {
		return fmt.Errorf("text: more than %d distinct terms; use fewer n-grams, or raise text.max_distinct", t.MaxDistinct)
	}
	o := &FittedText{
		Split: t.Split, Lower: t.Lower, Min: t.Ngrams.Min, Max: t.Ngrams.Max, Weight: t.Weight,
		Terms: []string{}, Counts: []int64{}, Texts: []int64{}, Distinct: int64(len(s.terms)),
	}
	list := sortedKeys(s.terms)
	slices.SortStableFunc(list, func(a, b string) int {
		switch x, y := s.terms[a].n, s.terms[b].n; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	texts := float64(s.total())
	for _, term := range list {
		c := s.terms[term]
		if c.n < t.MinCount || len(o.Terms) == t.TopK {
			break
		}
		o.Terms, o.Counts, o.Texts = append(o.Terms, term), append(o.Counts, c.n), append(o.Texts, c.texts)
		switch {
		case t.Weight != weightTFIDF:
		case t.Unsmoothed:
			o.IDF = append(o.IDF, 1+fmath.Log(texts/float64(c.texts)))
		default:
			o.IDF = append(o.IDF, 1+fmath.Log((texts+1)/(float64(c.texts)+1)))
		}
	}
	out.Text = o
	return nil
}

func (t *FittedText) check() error {
	var c checker
	c.oneOf("split", t.Split, splitWords, splitSpaces, splitCharacters)
	c.oneOf("weight", t.Weight, weightCount, weightBinary, weightTF, weightTFIDF)
	idf := 0
	if t.Weight == weightTFIDF {
		idf = len(t.Terms)
	}
	switch {
	case len(c.errs) > 0:
		return c.errs[0]
	case t.Min < 1 || t.Min > t.Max || t.Max > largestNgram:
		return fmt.Errorf("terms of %d to %d words", t.Min, t.Max)
	case len(t.Terms) > MaxWidth || len(t.Texts) != len(t.Terms) || len(t.IDF) != idf:
		return fmt.Errorf("%d terms with %d counts of texts and %d weights", len(t.Terms), len(t.Texts), len(t.IDF))
	}
	return checkCounted(t.Terms, t.Counts)
}

type textStep struct {
	where
	f     *FittedText
	index map[string]int32
}

func (s *textStep) apply(cols []arrow.Array, o *output) error {
	text, err := tokenReader(cols[0])
	if err != nil {
		return fmt.Errorf("column %q: %w", s.name, err)
	}
	split := newSplitter(s.f.Split, s.f.Lower, Ngrams{s.f.Min, s.f.Max}) // one a call: an Applier is shared
	for row := range o.n {
		if cols[0].IsNull(row) {
			continue
		}
		out := o.slab[row*o.width+s.offset:][:len(s.f.Terms)]
		all := 0
		split.each(text(row), func(term string) {
			all++
			if i, ok := s.index[term]; ok {
				out[i]++
			}
		})
		s.weigh(out, all)
	}
	return nil
}

// weigh turns the counts of a text of so many terms into weights.
func (s *textStep) weigh(out []float32, all int) {
	if s.f.Weight == weightCount {
		return
	}
	for i, n := range out {
		switch {
		case n == 0:
		case s.f.Weight == weightBinary:
			out[i] = 1
		case s.f.Weight == weightTF:
			out[i] = float32(float64(n) / float64(all))
		default:
			out[i] = float32(float64(n) / float64(all) * s.f.IDF[i])
		}
	}
}
