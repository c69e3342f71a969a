package normalize

import (
	"math/bits"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/model/metrics"
	"github.com/millrace-go/millrace/transforms/clean"
)

// targetStats count the classes of the rows of each token, fold by fold.
type targetStats struct {
	max, folds int
	rows       int64 // all of them, those without a class included
	nulls      int64 // rows without a token
	overflow   bool  // more than max tokens, or too many classes; the counts are gone
	classes    map[string]int
	tokens     map[string]*tally
	null       *tally

	key []string // columns that choose the fold; of an accumulator that takes rows
}

// tally counts the rows of one token: those of class c and fold f at
// c*folds+f.
type tally struct{ n []int64 }

func (t *tally) add(at int, n int64) {
	for len(t.n) <= at {
		t.n = append(t.n, 0)
	}
	t.n[at] += n
}

func (t *tally) get(at int) int64 {
	if at < len(t.n) {
		return t.n[at]
	}
	return 0
}

func newTargetStats(t Target) *targetStats {
	return &targetStats{max: t.MaxDistinct, folds: t.Folds, key: t.Key, classes: map[string]int{}, tokens: map[string]*tally{}, null: &tally{}}
}

func (s *targetStats) total() int64 { return s.rows }

// add takes in the tokens of cols[0] with the classes of cols[1].
func (s *targetStats) add(cols []arrow.Array, src *source) error {
	token, err := tokenReader(cols[0])
	if err != nil {
		return err
	}
	class, err := tokenReader(cols[1])
	if err != nil {
		return err
	}
	folds, err := src.folds(s.key, s.folds)
	if err != nil {
		return err
	}
	s.rows += int64(cols[0].Len())
	s.nulls += int64(cols[0].NullN())
	for i := range cols[0].Len() {
		if cols[1].IsNull(i) {
			continue
		}
		c, t := s.class(class(i)), s.null
		if cols[0].IsValid(i) {
			t = s.token(token(i))
		}
		if s.overflow {
			return nil
		}
		t.add(c*s.folds+int(folds[i]), 1)
	}
	return nil
}

// class numbers the classes in the order they are met.
func (s *targetStats) class(name string) int {
	c, ok := s.classes[name]
	if !ok && !s.overflow {
		if c = len(s.classes); c == metrics.MaxClasses {
			s.forget()
			return 0
		}
		s.classes[strings.Clone(name)] = c
	}
	return c
}

func (s *targetStats) token(name string) *tally {
	t := s.tokens[name]
	if t == nil && !s.overflow {
		if len(s.tokens) == s.max {
			s.forget()
			return nil
		}
		t = &tally{}
		s.tokens[strings.Clone(name)] = t
	}
	return t
}

func (s *targetStats) forget() {
	s.overflow, s.classes, s.tokens, s.null = true, nil, nil, &tally{}
}

func (s *targetStats) merge(other stats) error {
	o, ok := other.(*targetStats)
	if !ok || s.max != o.max || s.folds != o.folds {
		return errOtherKind
	}
	s.rows += o.rows
	s.nulls += o.nulls
	if o.overflow {
		s.forget()
	}
	to := make([]int, len(o.classes)) // o's number of a class to mine
	for name, c := range o.classes {
		to[c] = s.class(name)
	}
	join := func(mine, theirs *tally) {
		for at, n := range theirs.n {
			if n > 0 {
				mine.add(to[at/s.folds]*s.folds+at%s.folds, n)
			}
		}
	}
	for name, t := range o.tokens {
		if mine := s.token(name); !s.overflow {
			join(mine, t)
		}
	}
	if !s.overflow {
		join(s.null, o.null)
	}
	return nil
}

// append writes the counts by rising token, class and fold; those of null
// come first.
func (s *targetStats) append(b []byte) ([]byte, error) {
	flags := byte(0)
	if s.overflow {
		flags = wireOverflow
	}
	b = append(b, wireVersion, wireTarget, flags)
	classes := sortedKeys(s.classes)
	b = appendCounts(b, int64(s.max), int64(s.folds), s.rows, s.nulls, int64(len(classes)), int64(len(s.tokens)))
	for _, c := range classes {
		b = appendText(b, c)
	}
	tally := func(t *tally) {
		for _, c := range classes {
			for f := range s.folds {
				b = appendCounts(b, t.get(s.classes[c]*s.folds+f))
			}
		}
	}
	tally(s.null)
	for _, name := range sortedKeys(s.tokens) {
		b = appendText(b, name)
		tally(s.tokens[name])
	}
	return b, nil
}

func (d *decoder) target(flags byte) *targetStats {
	s := &targetStats{max: int(min(d.count("max"), largestMaxDistinct)), folds: int(d.count("folds"))}
	s.rows, s.nulls = d.count("rows"), d.count("nulls")
	s.classes, s.tokens, s.null = map[string]int{}, map[string]*tally{}, &tally{}
	classes, tokens := d.length("classes", 1), d.length("tokens", 2)
	if s.overflow = flags == wireOverflow; flags&^wireOverflow != 0 || s.overflow && classes+tokens > 0 ||
		s.folds < 2 || s.folds > largestFolds || classes > metrics.MaxClasses || tokens > s.max || s.nulls > s.rows {
		d.fail("%d classes, %d tokens and %d folds with flags %#x", classes, tokens, s.folds, flags)
	}
	last := ""
	for i := 0; i < classes && d.err == nil; i++ {
		name := string(d.bytes("class"))
		if i > 0 && last >= name {
			d.fail("classes out of order")
		}
		s.classes[name], last = i, name
	}
	last = ""
	left := s.rows
	seen := make([]bool, classes) // a class with rows
	s.null = d.tally(classes*s.folds, &left, seen, s.folds)
	for i := 0; i < tokens && d.err == nil; i++ {
		name := string(d.bytes("token"))
		before := left
		t := d.tally(classes*s.folds, &left, seen, s.folds)
		if left == before || i > 0 && last >= name {
			d.fail("tokens out of order, or without rows")
		}
		s.tokens[name], last = t, name
	}
	for _, ok := range seen {
		if !ok {
			d.fail("a class without rows")
		}
	}
	if s.overflow {
		s.forget()
	}
	return s
}

func (d *decoder) tally(n int, left *int64, seen []bool, folds int) *tally {
	t := &tally{}
	for at := 0; at < n && d.err == nil; at++ {
		c := d.count("rows of a class")
		if c == 0 {
			continue
		}
		if *left -= c; *left < 0 {
			d.fail("more rows of tokens than rows")
		}
		seen[at/folds] = true
		t.add(at, c)
	}
	return t
}

var foldSeed = xxh3.HashString("fold")

// folds gives the fold of each row of the batch, by a hash of its cells in the
// columns of key that is independent of the one that splits rows.
func (s *source) folds(key []string, folds int) ([]uint8, error) {
	id := strings.Join(key, "\x00")
	hashes, ok := s.hashes[id]
	if !ok {
		rows, err := clean.HashRows(s.b, key)
		if err != nil {
			return nil, err
		}
		hashes = make([]uint64, len(rows))
		for i, h := range rows {
			b := h.Bytes()
			hashes[i] = xxh3.HashSeed(b[:], foldSeed)
		}
		if s.hashes == nil {
			s.hashes = map[string][]uint64{}
		}
		s.hashes[id] = hashes
	}
	out := make([]uint8, len(hashes))
	for i, h := range hashes {
		fold, _ := bits.Mul64(h, uint64(folds))
		out[i] = uint8(fold)
	}
	return out, nil
}
