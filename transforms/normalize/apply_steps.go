package normalize

import (
	"fmt"
	"math"
	"sort"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/cespare/xxhash/v2"

	"github.com/millrace-go/millrace/accel/fmath"
)

// where says from which column a step reads and where it writes.
type where struct {
	col       int
	name      string
	offset    int // first float32 of the feature in a row of the slab
	ids       int // embedding column, or -1
	indicator int // position in a row of the slab, or -1
}

func (w where) column() int { return w.col }

// put writes the id of a row, as a number or one-hot.
func (w where) put(o *output, row int, id int32) {
	if w.ids >= 0 {
		o.ids[w.ids][row] = id
		return
	}
	o.slab[row*o.width+w.offset+int(id)] = 1
}

// indicate sets the indicator of a row whose value was null.
func (w where) indicate(o *output, row int) {
	if w.indicator >= 0 {
		o.slab[row*o.width+w.indicator] = 1
	}
}

func newStep(f *Fitted, w where) step {
	if f.Vocabulary != nil {
		return newTokenStep(f, w)
	}
	return &numberStep{where: w, f: f}
}

// numberStep is a numeric feature.
type numberStep struct {
	where
	f *Fitted
}

func (s *numberStep) apply(col arrow.Array, o *output) error {
	values, err := readNumbers(col, o.scratch)
	if err != nil {
		return fmt.Errorf("column %q: %w", s.name, err)
	}
	o.scratch = values
	if col.NullN() > 0 {
		s.nulls(values, col, o)
	}
	s.clip(values, col, o)
	if fill := s.f.Fill; fill != nil && col.NullN() > 0 {
		for i := range values {
			if col.IsNull(i) {
				values[i] = fill.Value
			}
		}
	}
	if s.f.Log1p {
		s.log1p(values, col, o)
	}
	if s.f.Bucketize != nil {
		s.bucketize(values, o)
	} else {
		s.scale(values, col, o)
	}
	return nil
}

// nulls makes 0 of the arbitrary value of a null, marks the indicator, and
// kills the row if nothing fills it.
func (s *numberStep) nulls(values []float64, col arrow.Array, o *output) {
	for i := range values {
		if col.IsValid(i) {
			continue
		}
		values[i] = 0
		if s.f.Fill == nil {
			o.kill(i, col, s.name, s.name+".null", "a value, as nothing fills nulls")
			continue
		}
		s.indicate(o, i)
	}
}

// clip bounds the values, and kills rows of values that are not finite, of
// which it makes 0.
func (s *numberStep) clip(values []float64, col arrow.Array, o *output) {
	low, high := -math.MaxFloat64, math.MaxFloat64
	if s.f.Clip != nil {
		low, high = s.f.Clip.Low, s.f.Clip.High
	}
	for i, x := range values {
		if low <= x && x <= high {
			continue
		}
		if !finite(x) {
			o.kill(i, col, s.name, s.name+".finite", "a finite number")
			values[i] = 0
			continue
		}
		values[i] = min(max(x, low), high)
	}
}

func (s *numberStep) log1p(values []float64, col arrow.Array, o *output) {
	for i, x := range values {
		if x <= -1 {
			o.kill(i, col, s.name, s.name+".log1p", "a value above -1, for log1p")
			values[i] = 0
			continue
		}
		values[i] = fmath.Log1p(x)
	}
}

func (s *numberStep) bucketize(values []float64, o *output) {
	b := s.f.Bucketize.Boundaries
	for i, x := range values {
		s.put(o, i, int32(sort.Search(len(b), func(j int) bool { return b[j] > x })))
	}
}

// scale writes the values to the slab and kills the rows of those that do not
// fit a float32.
func (s *numberStep) scale(values []float64, col arrow.Array, o *output) {
	offset, divisor := 0.0, 1.0
	if c := s.f.Scale; c != nil {
		if c.Divisor == 0 {
			return // constant in the train split: 0, as the slab is
		}
		offset, divisor = c.Offset, c.Divisor
	}
	at := s.offset
	for i, x := range values {
		y := float32((x - offset) / divisor)
		o.slab[at] = y
		at += o.width
		if !(y >= -math.MaxFloat32 && y <= math.MaxFloat32) {
			o.kill(i, col, s.name, s.name+".finite", "a value that fits float32 after its steps")
		}
	}
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

func (s *tokenStep) apply(col arrow.Array, o *output) error {
	token, err := tokenReader(col)
	if err != nil {
		return fmt.Errorf("column %q: %w", s.name, err)
	}
	nulls := col.NullN() > 0
	for i := range o.n {
		if nulls && col.IsNull(i) {
			s.put(o, i, s.null)
			s.indicate(o, i)
			continue
		}
		s.put(o, i, s.id(token(i)))
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
