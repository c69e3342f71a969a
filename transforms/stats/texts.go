package stats

import (
	"errors"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/internal/hyperloglog"
)

// texts are the statistics of strings or bytes.
type texts struct {
	n, bytes int64 // values and their lengths
	min, max int64 // lengths, if n > 0
	counts   counter
	// distinct is nil as long as counts holds all values.
	distinct *hyperloglog.Sketch

	byIndex []int64 // scratch: counts of a dictionary's indices
}

func newTexts(max int) *texts { return &texts{counts: newCounter(max)} }

// add takes in the values of col that are not null. It returns how many are
// null by the dictionary only, which Arrow does not count.
func (s *texts) add(col arrow.Array) (hidden int64, err error) {
	nulls := col.NullN() > 0
	switch c := col.(type) {
	case *array.String:
		addTexts(s, c, nulls, c.ValueOffsets(), c.ValueBytes())
	case *array.LargeString:
		addTexts(s, c, nulls, c.ValueOffsets(), c.ValueBytes())
	case *array.Binary:
		addTexts(s, c, nulls, c.ValueOffsets(), c.ValueBytes())
	case *array.LargeBinary:
		addTexts(s, c, nulls, c.ValueOffsets(), c.ValueBytes())
	case *array.FixedSizeBinary:
		for i := range c.Len() {
			if !nulls || c.IsValid(i) {
				s.addN(c.Value(i), 1)
			}
		}
	case *array.Dictionary:
		return s.addDictionary(c, nulls)
	default:
		return 0, errors.New("type " + col.DataType().String() + ", want strings or bytes")
	}
	return 0, nil
}

func addTexts[T int32 | int64](s *texts, col arrow.Array, nulls bool, offsets []T, data []byte) {
	if len(offsets) == 0 {
		return
	}
	base := offsets[0]
	for i := range len(offsets) - 1 {
		if !nulls || col.IsValid(i) {
			s.addN(data[offsets[i]-base:offsets[i+1]-base], 1)
		}
	}
}

// addDictionary counts indices first, so that each text is looked up once.
func (s *texts) addDictionary(col *array.Dictionary, nulls bool) (hidden int64, err error) {
	dict := col.Dictionary()
	if cap(s.byIndex) < dict.Len() {
		s.byIndex = make([]int64, dict.Len())
	}
	counts := s.byIndex[:dict.Len()]
	clear(counts)
	for i := range col.Len() {
		if !nulls || col.IsValid(i) {
			counts[col.GetValueIndex(i)]++
		}
	}
	value, err := bytesOf(dict)
	if err != nil {
		return 0, err
	}
	for i, n := range counts {
		switch {
		case n == 0:
		case dict.IsNull(i):
			hidden += n
		default:
			s.addN(value(i), n)
		}
	}
	return hidden, nil
}

// bytesOf returns a function that gives the value of a row that is not null;
// it shares the column's memory.
func bytesOf(col arrow.Array) (func(i int) []byte, error) {
	switch c := col.(type) {
	case *array.String:
		o, data := c.ValueOffsets(), c.ValueBytes()
		return func(i int) []byte { return data[o[i]-o[0] : o[i+1]-o[0]] }, nil
	case *array.LargeString:
		o, data := c.ValueOffsets(), c.ValueBytes()
		return func(i int) []byte { return data[o[i]-o[0] : o[i+1]-o[0]] }, nil
	case *array.Binary:
		return c.Value, nil
	case *array.LargeBinary:
		return c.Value, nil
	case *array.FixedSizeBinary:
		return c.Value, nil
	}
	return nil, errors.New("type " + col.DataType().String() + ", want strings or bytes")
}

// addN counts a value n > 0 times.
func (s *texts) addN(value []byte, n int64) {
	l := int64(len(value))
	s.widen(l, l)
	s.n += n
	s.bytes += l * n
	s.count(value, xxh3.Hash(value), n)
}

// widen takes lengths into the range; it must come before n grows.
func (s *texts) widen(lo, hi int64) {
	if s.n == 0 {
		s.min, s.max = lo, hi
		return
	}
	s.min, s.max = min(s.min, lo), max(s.max, hi)
}

func (s *texts) count(value []byte, hash uint64, n int64) {
	if s.distinct != nil {
		s.distinct.Add(hash)
		return
	}
	if s.counts.add(value, hash, n); s.counts.full() {
		s.overflow()
	}
}

// overflow gives up counting for estimating how many values there are.
func (s *texts) overflow() {
	if s.distinct != nil {
		return
	}
	s.distinct = &hyperloglog.Sketch{}
	for _, e := range s.counts.entries {
		s.distinct.Add(e.hash)
	}
	s.counts.drop()
}

func (s *texts) merge(o *texts) error {
	if s.counts.max != o.counts.max {
		return errors.New("merge of statistics with different limits")
	}
	if o.n == 0 {
		return nil
	}
	s.widen(o.min, o.max)
	s.n += o.n
	s.bytes += o.bytes
	if o.distinct != nil {
		s.overflow()
		s.distinct.Merge(o.distinct)
		return nil
	}
	for i, e := range o.counts.entries {
		s.count(o.counts.value(i), e.hash, e.n)
	}
	return nil
}

// unique is the number of distinct values, and whether it is exact.
func (s *texts) unique() (n int64, exact bool) {
	if s.distinct == nil {
		return int64(len(s.counts.entries)), true
	}
	return int64(math.Round(s.distinct.Estimate())), false
}
