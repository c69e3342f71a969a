package normalize

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/cespare/xxhash/v2"
)

// where says from which column a step reads and where it writes.
type where struct {
	cols      []int
	name      string
	offset    int // first float32 of the feature in a row of the slab
	ids       int // embedding column, or -1
	length    int // values of a row in it
	oneHot    int // ids of a one-hot value, else 0
	indicator int // position in a row of the slab, or -1
}

func (w where) columns() []int { return w.cols }

// put writes the id of a row, as a number or one-hot; slot is 0 but for sequences.
func (w where) put(o *output, row, slot int, id int32) {
	if w.ids >= 0 {
		o.ids[w.ids][row*w.length+slot] = id
		return
	}
	o.slab[row*o.width+w.offset+slot*w.oneHot+int(id)] = 1
}

// indicate sets the indicator of a row whose value was null.
func (w where) indicate(o *output, row int) {
	if w.indicator >= 0 {
		o.slab[row*o.width+w.indicator] = 1
	}
}

func newStep(f *Fitted, w where) step {
	switch {
	case f.Sequence != nil:
		return newSequenceStep(f, w)
	case f.PCA != nil:
		return newPCAStep(f, w)
	case f.Image != nil:
		return &imageStep{where: w, f: f.Image}
	case f.Vocabulary != nil:
		return newTokenStep(f, w)
	case f.Cross != nil:
		return &crossStep{where: w, buckets: uint64(f.Cross.Buckets)}
	case f.Target != nil:
		return newTargetStep(f.Target, w)
	case f.Text != nil:
		return &textStep{where: w, f: f.Text, index: indexOf(f.Text.Terms)}
	case f.PerKey != nil:
		return newKeyStep(f, w)
	}
	return &numberStep{where: w, f: &f.NumberSteps}
}

// tokenStep is a feature with a vocabulary.
type tokenStep struct {
	where
	index   map[string]int32
	tokens  int
	buckets uint64
	null    int32 // id of null
}

func newTokenStep(f *Fitted, w where) *tokenStep {
	v := f.Vocabulary
	s := &tokenStep{where: w, tokens: len(v.Tokens), buckets: uint64(v.OOVBuckets), index: indexOf(v.Tokens)}
	s.null = int32(s.tokens + v.OOVBuckets)
	if f.Fill != nil {
		s.null = s.id(f.Fill.Token)
	}
	return s
}

func indexOf(tokens []string) map[string]int32 {
	index := make(map[string]int32, len(tokens))
	for i, t := range tokens {
		index[t] = int32(i)
	}
	return index
}

func (s *tokenStep) id(token string) int32 {
	if id, ok := s.index[token]; ok {
		return id
	}
	return int32(s.tokens) + int32(xxhash.Sum64String(token)%s.buckets)
}

func (s *tokenStep) apply(cols []arrow.Array, o *output) error {
	col := cols[0]
	token, err := tokenReader(col)
	if err != nil {
		return fmt.Errorf("column %q: %w", s.name, err)
	}
	nulls := col.NullN() > 0
	for i := range o.n {
		if nulls && col.IsNull(i) {
			s.put(o, i, 0, s.null)
			s.indicate(o, i)
			continue
		}
		s.put(o, i, 0, s.id(token(i)))
	}
	return nil
}

// labelStep is the class of a row.
type labelStep struct {
	col   int
	name  string
	index map[string]int32
}

func newLabelStep(l *FittedLabel, col int) *labelStep {
	return &labelStep{col: col, name: l.Column, index: indexOf(l.Classes)}
}

func (s *labelStep) apply(col arrow.Array, o *output) error {
	token, err := tokenReader(col)
	if err != nil {
		return fmt.Errorf("label column %q: %w", s.name, err)
	}
	for i := range o.n {
		if col.IsNull(i) {
			o.kill(i, col, s.name, "label.missing", "a class")
			continue
		}
		class, ok := s.index[token(i)]
		if !ok {
			o.kill(i, col, s.name, "label.unseen", "a class of the train split")
			continue
		}
		o.labels[i] = class
	}
	return nil
}
