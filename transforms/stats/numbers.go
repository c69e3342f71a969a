package stats

import (
	"errors"
	"math"

	"github.com/millrace-go/millrace/internal/exactsum"
	"github.com/millrace-go/millrace/internal/hyperloglog"
	"github.com/millrace-go/millrace/internal/quantile"
)

// numbers are the statistics of numeric values. NaN and the infinities are
// counted and left out of all the rest.
type numbers struct {
	nan, posInf, negInf int64
	zeros               int64
	sum, squares        exactsum.Sum
	counts              *quantile.Sketch // of the finite values
	// distinct is nil while counts are exact and not about to stop being so;
	// it is part of the state only when they are not exact.
	distinct *hyperloglog.Sketch
}

func newNumbers(max int) *numbers { return &numbers{counts: quantile.New(max)} }

// n is the number of finite values.
func (s *numbers) n() int64 { return s.counts.Count() }

// add takes values in; it reorders them.
func (s *numbers) add(values []float64) {
	values = s.dropSpecial(values)
	zeros := 0
	for _, x := range values {
		if x == 0 {
			zeros++
		}
	}
	s.zeros += int64(zeros)
	for len(values) > 0 {
		part := values[:min(len(values), maxWholeRun)]
		values = values[len(part):]
		s.addMoments(part)
		if s.distinct != nil || s.counts.Distinct()+len(part) > s.counts.Max() {
			s.watch()
			for _, x := range part {
				s.distinct.Add(hashOf(x))
			}
		}
		s.counts.AddAll(part)
	}
}

// dropSpecial counts NaN and the infinities and returns the others.
func (s *numbers) dropSpecial(values []float64) []float64 {
	special := false
	for _, x := range values {
		if !finite(x) {
			special = true
			break
		}
	}
	if !special {
		return values
	}
	kept := values[:0]
	for _, x := range values {
		switch {
		case finite(x):
			kept = append(kept, x)
		case math.IsInf(x, 1):
			s.posInf++
		case math.IsInf(x, -1):
			s.negInf++
		default:
			s.nan++
		}
	}
	return kept
}

const (
	maxWholeRun = 4096
	maxWhole    = 1 << 25 // 4,096 squares of it stay below 2^63
)

// addMoments adds at most maxWholeRun values to the sums. Small integers are
// added as such first, which gives the same exact sums.
func (s *numbers) addMoments(values []float64) {
	var sum, squares int64
	for i, x := range values {
		n := int64(x)
		if float64(n) != x || n > maxWhole || n < -maxWhole {
			for _, x := range values[i:] {
				s.sum.Add(x)
				s.squares.AddSquare(x)
			}
			break
		}
		sum += n
		squares += n * n
	}
	s.sum.Add(float64(sum)) // below 2^37
	s.squares.Add(float64(squares >> 32 << 32))
	s.squares.Add(float64(squares & math.MaxUint32))
}

// watch begins the estimate of distinct values, with all so far; counts must be exact.
func (s *numbers) watch() {
	if s.distinct == nil {
		s.distinct = estimateOf(s.counts)
	}
}

func estimateOf(counts *quantile.Sketch) *hyperloglog.Sketch {
	d := &hyperloglog.Sketch{}
	counts.View().Each(func(x float64, _ int64) { d.Add(hashOf(x)) })
	return d
}

func hashOf(x float64) uint64 { return hyperloglog.Mix(math.Float64bits(x + 0)) }

func (s *numbers) merge(o *numbers) error {
	if s.counts.Max() != o.counts.Max() {
		return errors.New("merge of statistics with different limits")
	}
	if s.distinct != nil || o.distinct != nil || s.counts.Distinct()+o.counts.Distinct() > s.counts.Max() {
		s.watch()
		if o.distinct != nil {
			s.distinct.Merge(o.distinct)
		} else {
			s.distinct.Merge(estimateOf(o.counts))
		}
	}
	s.nan += o.nan
	s.posInf += o.posInf
	s.negInf += o.negInf
	s.zeros += o.zeros
	s.sum.Merge(&o.sum)
	s.squares.Merge(&o.squares)
	return s.counts.Merge(o.counts)
}

// unique is the number of distinct finite values, and whether it is exact.
func (s *numbers) unique() (n int64, exact bool) {
	if s.counts.Exact() {
		return int64(s.counts.Distinct()), true
	}
	return int64(math.Round(s.distinct.Estimate())), false
}
