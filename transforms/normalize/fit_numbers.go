package normalize

import (
	"errors"
	"fmt"

	"github.com/millrace-go/millrace/accel/fmath"
	"github.com/millrace-go/millrace/internal/exactsum"
	"github.com/millrace-go/millrace/internal/quantile"
)

// numberFit fits the steps of one numeric column, in their order.
type numberFit struct {
	f    feature
	s    *numberStats
	view *quantile.View // nil without a sketch
	out  *NumberSteps
}

// fitNumbers sets the steps and the statistics of out.
func fitNumbers(f feature, s *numberStats, out *Fitted) error {
	out.Stats = Stats{Count: s.n, Nulls: s.nulls, NonFinite: s.bad}
	n := newNumberFit(f, s, &out.NumberSteps)
	out.Stats.Numbers = n.summary()
	return n.fit()
}

func newNumberFit(f feature, s *numberStats, out *NumberSteps) *numberFit {
	n := &numberFit{f: f, s: s, out: out}
	if s.sketch != nil {
		n.view = s.sketch.View()
	}
	return n
}

// fit sets the steps.
func (n *numberFit) fit() error {
	f := n.f
	n.out.Log1p = f.Log1p
	if n.s.n == 0 && (f.Fill == nil || f.Fill.With != fillConstant) {
		return errors.New("no value but nulls in the train split; leave the column out, or fill it with a constant")
	}
	n.clip()
	if err := n.fill(); err != nil {
		return err
	}
	if f.scale() == scaleNone && f.Bucketize == nil {
		return nil
	}
	m, seen := n.moments()
	if m.n == 0 {
		return errors.New("log1p: no value above -1 in the train split")
	}
	if f.Bucketize != nil {
		n.bucketize(seen)
		return nil
	}
	return n.scale(m, seen)
}

// summary describes the values as they came, nil if there are none.
func (n *numberFit) summary() *NumberSummary {
	if n.s.n == 0 {
		return nil
	}
	sum := &NumberSummary{
		Mean: exactsum.Mean(&n.s.sum, n.s.n),
		Std:  exactsum.StdDev(&n.s.sum, &n.s.sq, n.s.n),
		Min:  n.s.min,
		Max:  n.s.max,
	}
	if n.view != nil {
		sum.Exact = n.s.sketch.Exact()
		for _, q := range summaryQuantiles {
			sum.Quantiles = append(sum.Quantiles, Quantile{q, n.view.Quantile(q)})
		}
	}
	return sum
}

func (n *numberFit) clip() {
	if n.f.Clip == nil || n.s.n == 0 {
		return // a column of a constant fill only has nothing to clip
	}
	c := n.f.Clip.withDefaults()
	n.out.Clip = &FittedClip{n.view.Quantile(c.Lower) + 0, n.view.Quantile(c.Upper) + 0}
}

func (c *FittedClip) apply(x float64) float64 {
	if c == nil {
		return x
	}
	return min(max(x, c.Low), c.High)
}

func (n *numberFit) fill() error {
	fill := n.f.Fill
	if fill == nil {
		return nil
	}
	out := &FittedFill{With: fill.With, Indicator: fill.Indicator}
	switch fill.With {
	case fillConstant:
		v, err := parseConstant(fill.Value)
		if err != nil {
			return err
		}
		out.Value = v
	case fillMean:
		out.Value = n.clippedMean()
	case fillMedian:
		out.Value = n.out.Clip.apply(n.view.Quantile(0.5))
	case fillMostFrequent:
		if !n.s.sketch.Exact() {
			return fmt.Errorf("fill: most_frequent of more than %d distinct numbers; use median", n.s.sketch.Max())
		}
		v, _ := n.view.MostFrequent()
		out.Value = n.out.Clip.apply(v)
	}
	out.Value += 0 // no -0 in a Plan
	if n.f.Log1p && out.Value <= -1 {
		return fmt.Errorf("fill: %v has no log1p; want a value above -1", out.Value)
	}
	n.out.Fill = out
	return nil
}

func (n *numberFit) clippedMean() float64 {
	if n.out.Clip == nil {
		return exactsum.Mean(&n.s.sum, n.s.n)
	}
	var sum exactsum.Sum
	n.view.Each(func(x float64, count int64) {
		sum.AddN(n.out.Clip.apply(x), uint64(count))
	})
	return exactsum.Mean(&sum, n.s.n)
}

// moments are of the values as the last step sees them. seen are these values
// with their counts, the fill's last; nil without a sketch.
func (n *numberFit) moments() (m *moments, seen []weighted) {
	m = &moments{}
	if n.view == nil {
		n.direct(m)
	} else {
		n.view.Each(func(x float64, count int64) {
			x = n.out.Clip.apply(x)
			if n.f.Log1p && x <= -1 {
				return
			}
			seen = append(seen, weighted{n.log(x), count})
		})
	}
	if n.out.Fill != nil && n.s.nulls > 0 {
		seen = append(seen, weighted{n.log(n.out.Fill.Value), n.s.nulls})
	}
	for _, w := range seen {
		m.add(w)
	}
	return m, seen
}

// direct takes the moments from the sums of the column.
func (n *numberFit) direct(m *moments) {
	s := n.s
	switch {
	case !n.f.Log1p:
		*m = moments{n: s.n, min: s.min, max: s.max, sum: s.sum, sq: s.sq}
	case s.logs.n > 0:
		*m = moments{n: s.logs.n, min: n.log(s.logs.min), max: n.log(s.max), sum: s.logs.sum, sq: s.logs.sq}
	}
}

func (n *numberFit) log(x float64) float64 {
	if n.f.Log1p {
		return fmath.Log1p(x)
	}
	return x
}

// bucketize takes boundary k of B at rank floor(k*n/B) of the values seen, as
// tf.transform does.
func (n *numberFit) bucketize(seen []weighted) {
	b := n.f.Bucketize
	out := &FittedBuckets{Boundaries: b.Boundaries}
	n.out.Bucketize = out
	if b.Quantiles == 0 {
		return
	}
	v := viewOf(seen)
	for k := 1; k < b.Quantiles; k++ {
		x := v.AtRank(floorShare(v.Count(), k, b.Quantiles))
		if last := len(out.Boundaries) - 1; last < 0 || out.Boundaries[last] < x {
			out.Boundaries = append(out.Boundaries, x)
		}
	}
}

// viewOf sorts values.
func viewOf(seen []weighted) *quantile.View {
	all := quantile.New(quantile.LargestMax) // never more values than the column's sketch and a fill
	for _, w := range seen {
		all.AddN(w.x, uint64(w.n))
	}
	return all.View()
}

// floorShare is n*k/b rounded down, without overflow, for k <= b.
func floorShare(n int64, k, b int) int64 {
	return n/int64(b)*int64(k) + n%int64(b)*int64(k)/int64(b)
}
