package normalize

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/accel/fmath"
	"github.com/millrace-go/millrace/internal/exactsum"
	"github.com/millrace-go/millrace/internal/quantile"
)

// numberStats are the statistics of a numeric column.
type numberStats struct {
	nulls, bad int64 // bad are NaN and infinite: left out of all that follows
	n          int64
	min, max   float64 // if n > 0
	sum, sq    exactsum.Sum
	logs       *logStats        // nil unless log1p is asked for and the sketch is not there to tell
	sketch     *quantile.Sketch // nil unless quantiles are needed

	scratch []float64
}

// logStats are those of log(1+x) over the values above -1.
type logStats struct {
	n       int64
	min     float64 // the smallest such x, if n > 0
	sum, sq exactsum.Sum
}

// newNumberStats has a sketch that is exact up to distinct values, if the
// feature needs one.
func newNumberStats(f feature, distinct int) *numberStats {
	s := &numberStats{}
	switch {
	case f.needsSketch():
		s.sketch = quantile.New(distinct)
	case f.Log1p:
		s.logs = &logStats{}
	}
	return s
}

// total is the number of rows seen.
func (s *numberStats) total() int64 { return s.nulls + s.bad + s.n }

// add takes the rows of a column in.
func (s *numberStats) add(cols []arrow.Array, _ *source) error {
	values, err := readNumbers(cols[0], s.scratch)
	if err != nil {
		return err
	}
	s.scratch = values
	s.addNullable(values, cols[0])
	return nil
}

// addNullable takes in the values of a column, of which it keeps none in order.
func (s *numberStats) addNullable(values []float64, col arrow.Array) {
	kept := values[:0]
	if col.NullN() == 0 {
		for _, x := range values {
			if finite(x) {
				kept = append(kept, x)
			}
		}
	} else {
		for i, x := range values {
			if col.IsValid(i) && finite(x) {
				kept = append(kept, x)
			}
		}
	}
	s.nulls += int64(col.NullN())
	s.bad += int64(len(values) - len(kept) - col.NullN())
	s.addFinite(kept)
}

func (s *numberStats) addFinite(values []float64) {
	if len(values) == 0 {
		return
	}
	lo, hi := values[0], values[0]
	for _, x := range values {
		lo, hi = min(lo, x), max(hi, x)
		s.sum.Add(x)
		s.sq.AddSquare(x)
	}
	s.widen(int64(len(values)), lo, hi)
	if s.sketch != nil {
		for _, x := range values {
			s.sketch.Add(x)
		}
	}
	if s.logs != nil {
		s.logs.add(values)
	}
}

// widen counts n values between lo and hi. Zeros lose their sign: which of
// two comes first must not matter.
func (s *numberStats) widen(n int64, lo, hi float64) {
	if n == 0 {
		return
	}
	lo, hi = lo+0, hi+0
	if s.n > 0 {
		lo, hi = min(s.min, lo), max(s.max, hi)
	}
	s.n += n
	s.min, s.max = lo, hi
}

func (l *logStats) add(values []float64) {
	for _, x := range values {
		if x <= -1 {
			continue
		}
		if l.n == 0 || x < l.min {
			l.min = x + 0
		}
		l.n++
		y := fmath.Log1p(x)
		l.sum.Add(y)
		l.sq.AddSquare(y)
	}
}

func (l *logStats) merge(o *logStats) {
	if o.n > 0 && (l.n == 0 || o.min < l.min) {
		l.min = o.min
	}
	l.n += o.n
	l.sum.Merge(&o.sum)
	l.sq.Merge(&o.sq)
}

func (s *numberStats) merge(other stats) error {
	o, ok := other.(*numberStats)
	if !ok || (s.sketch == nil) != (o.sketch == nil) || (s.logs == nil) != (o.logs == nil) {
		return fmt.Errorf("merge of statistics of different kinds; were they taken for different jobs?")
	}
	if s.sketch != nil {
		if err := s.sketch.Merge(o.sketch); err != nil {
			return err
		}
	}
	if s.logs != nil {
		s.logs.merge(o.logs)
	}
	s.widen(o.n, o.min, o.max)
	s.nulls += o.nulls
	s.bad += o.bad
	s.sum.Merge(&o.sum)
	s.sq.Merge(&o.sq)
	return nil
}

// weighted is a value and how often it occurs.
type weighted struct {
	x float64
	n int64
}

// moments are what scaling needs.
type moments struct {
	n        int64
	min, max float64
	sum, sq  exactsum.Sum
}

func (m *moments) add(v weighted) {
	if v.n == 0 {
		return
	}
	if m.n == 0 {
		m.min, m.max = v.x, v.x
	}
	m.n += v.n
	m.min, m.max = math.Min(m.min, v.x), math.Max(m.max, v.x)
	m.sum.AddN(v.x, uint64(v.n))
	m.sq.AddSquareN(v.x, uint64(v.n))
}
