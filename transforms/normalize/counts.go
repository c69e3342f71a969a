package normalize

import "github.com/apache/arrow/go/v15/arrow"

// countStats are those of a feature that needs no fit: how many values there
// are.
type countStats struct{ nulls, n int64 }

func (s *countStats) total() int64 { return s.nulls + s.n }

func (s *countStats) add(cols []arrow.Array, _ *source) error {
	s.nulls += int64(cols[0].NullN())
	s.n += int64(cols[0].Len() - cols[0].NullN())
	return nil
}

func (s *countStats) merge(other stats) error {
	o, ok := other.(*countStats)
	if !ok {
		return errOtherKind
	}
	s.nulls += o.nulls
	s.n += o.n
	return nil
}

func (s *countStats) append(b []byte) ([]byte, error) {
	return appendCounts(append(b, wireVersion, wireCounts, 0), s.nulls, s.n), nil
}

func (d *decoder) counts(flags byte) *countStats {
	if flags != 0 {
		d.fail("unknown flags %#x", flags)
	}
	return &countStats{d.count("nulls"), d.count("values")}
}

// fitHash makes a vocabulary of no tokens: all are out of it, and hashed.
func fitHash(f feature, out *Fitted) {
	out.Vocabulary = &FittedVocabulary{
		Tokens: []string{}, Counts: []int64{}, OOVBuckets: f.Hash.Buckets, NullID: f.Fill == nil, Hashed: true,
	}
	if f.Fill != nil {
		out.Fill = &FittedFill{With: f.Fill.With, Token: f.Fill.Value, Indicator: f.Fill.Indicator}
	}
}
