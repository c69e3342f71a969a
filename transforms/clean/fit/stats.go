// Package fit finds what the cleaning rules that look at all rows need to know
// of them: the bounds of outliers, the texts that are common. It does so in a
// pass over the rows that every other rule keeps, and the result becomes part of
// the spec, so that the rows to be scored are held against the same bounds.
//
// Statistics are exact sums, counts, and sketches whose state depends on the set
// of values alone: they are the same bytes for any cut of the rows and any tree
// of merges.
package fit

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/exactsum"
	"github.com/millrace-go/millrace/internal/quantile"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/transforms/clean"
)

// Stats are the statistics of one column.
type Stats struct {
	fit clean.Fit

	n            int64
	sum, squares exactsum.Sum
	sketch       *quantile.Sketch // nil unless quantiles are needed
	counts       map[string]int64 // nil unless texts are counted
	overflow     bool             // there were too many texts; counts are gone
}

// NewStats starts the statistics of a column.
func NewStats(f clean.Fit) *Stats {
	s := &Stats{fit: f}
	if f.Outliers != nil && f.Outliers.Method != clean.ZScore {
		s.sketch = quantile.New(0)
	}
	if f.Rare != nil {
		s.counts = map[string]int64{}
	}
	return s
}

// Add takes the column's values in a batch of cleaned rows.
func (s *Stats) Add(b *batch.Batch) error {
	a, err := batch.Column(b, s.fit.Column)
	if err != nil {
		return fmt.Errorf("fit: %w", err)
	}
	switch a := a.(type) {
	case *array.Float64:
		for i, v := range a.Float64Values() {
			if a.IsValid(i) {
				s.number(v)
			}
		}
	case *array.Int64:
		for i, v := range a.Int64Values() {
			if a.IsValid(i) {
				s.number(float64(v))
			}
		}
	case *array.String:
		for i := range a.Len() {
			if a.IsValid(i) {
				s.count(a.Value(i), 1)
			}
		}
	default:
		return fmt.Errorf("fit: column %q: type %v, want int64, float64 or string", s.fit.Column, a.DataType())
	}
	return nil
}

func (s *Stats) number(v float64) {
	s.n++
	if s.sketch != nil {
		s.sketch.Add(v)
		return
	}
	s.sum.Add(v)
	s.squares.AddSquare(v)
}

// count adds to a text's count; it copies the text if it is new.
func (s *Stats) count(text string, n int64) {
	if s.overflow {
		return
	}
	if _, known := s.counts[text]; !known {
		if len(s.counts) == s.fit.Rare.DistinctLimit() {
			s.overflow, s.counts = true, nil
			return
		}
		text = strings.Clone(text)
	}
	s.counts[text] += n
}

// Merge adds the statistics o of other rows of the same column.
func (s *Stats) Merge(o *Stats) error {
	if s.fit.Column != o.fit.Column || (s.sketch == nil) != (o.sketch == nil) {
		return fmt.Errorf("fit: columns %q and %q do not merge", s.fit.Column, o.fit.Column)
	}
	s.n += o.n
	s.sum.Merge(&o.sum)
	s.squares.Merge(&o.squares)
	if s.sketch != nil {
		if err := s.sketch.Merge(o.sketch); err != nil {
			return fmt.Errorf("fit: column %q: %w", s.fit.Column, err)
		}
	}
	if o.overflow {
		s.overflow, s.counts = true, nil
	}
	for text, n := range o.counts { // the order changes neither counts nor whether they are too many
		s.count(text, n)
	}
	return nil
}

// wire is the binary form of Stats, as JSON: maps are written in order.
type wire struct {
	Fit          clean.Fit
	N            int64
	Sum, Squares []byte
	Sketch       []byte           `json:",omitempty"`
	Counts       map[string]int64 `json:",omitempty"`
	Overflow     bool             `json:",omitempty"`
}

// Encode gives the binary form: equal statistics have equal bytes.
func (s *Stats) Encode() ([]byte, error) {
	w := wire{Fit: s.fit, N: s.n, Counts: s.counts, Overflow: s.overflow}
	var errs [3]error
	w.Sum, errs[0] = s.sum.MarshalBinary()
	w.Squares, errs[1] = s.squares.MarshalBinary()
	if s.sketch != nil {
		w.Sketch, errs[2] = s.sketch.MarshalBinary()
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, fmt.Errorf("fit: %w", err)
	}
	return json.Marshal(w)
}

// Decode reads what Encode wrote.
func Decode(data []byte) (*Stats, error) {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return nil, fmt.Errorf("fit: damaged statistics: %w", err)
	}
	s := NewStats(w.Fit)
	s.n, s.overflow = w.N, w.Overflow
	errs := []error{s.sum.UnmarshalBinary(w.Sum), s.squares.UnmarshalBinary(w.Squares)}
	if s.sketch != nil {
		errs = append(errs, s.sketch.UnmarshalBinary(w.Sketch))
	}
	if s.counts != nil && w.Counts != nil {
		s.counts = w.Counts
	}
	if s.overflow {
		s.counts = nil
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("fit: column %q: damaged statistics: %w", w.Fit.Column, err)
	}
	return s, nil
}

// Fitted is what the rules of the column need.
func (s *Stats) Fitted() (clean.FittedColumn, error) {
	var out clean.FittedColumn
	if s.overflow {
		return out, fmt.Errorf("column %q has more than %d distinct texts; raise rare.max_distinct, or leave rare out of a column of such", s.fit.Column, s.fit.Rare.DistinctLimit())
	}
	if s.fit.Rare != nil {
		out.Common = s.common()
	}
	if s.fit.Outliers == nil || s.n == 0 {
		return out, nil
	}
	middle, spread := s.middle()
	low, high := middle[0]-float64(s.fit.Outliers.Factor()*spread), middle[1]+float64(s.fit.Outliers.Factor()*spread)
	if spread > 0 && !math.IsInf(low, 0) && !math.IsInf(high, 0) {
		out.Low, out.High = &low, &high
	}
	return out, nil
}

// madScale makes the median distance of a normal distribution its standard deviation.
const madScale = 1.4826

// middle is what the bounds are measured from, below and above, and in what.
func (s *Stats) middle() (from [2]float64, spread float64) {
	if s.sketch == nil {
		mean := exactsum.Mean(&s.sum, s.n)
		return [2]float64{mean, mean}, exactsum.StdDev(&s.sum, &s.squares, s.n)
	}
	view := s.sketch.View()
	if s.fit.Outliers.Method == clean.IQR {
		q1, q3 := view.Quantile(0.25), view.Quantile(0.75)
		return [2]float64{q1, q3}, q3 - q1
	}
	median := view.Quantile(0.5)
	distances := quantile.New(0)
	view.Each(func(x float64, count int64) { distances.AddN(math.Abs(x-median), uint64(count)) })
	return [2]float64{median, median}, madScale * distances.View().Quantile(0.5)
}

// common lists the texts that are not rare, sorted.
func (s *Stats) common() []string {
	list := make([]string, 0, len(s.counts))
	for text, n := range s.counts {
		if n >= s.fit.Rare.MinCount {
			list = append(list, text)
		}
	}
	if k := s.fit.Rare.TopK; k > 0 && len(list) > k {
		slices.SortFunc(list, func(a, b string) int {
			if d := s.counts[b] - s.counts[a]; d != 0 {
				return int(min(max(d, -1), 1))
			}
			return strings.Compare(a, b)
		})
		list = list[:k]
	}
	slices.Sort(list)
	return list
}
