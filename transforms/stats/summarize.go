package stats

import (
	"math"
	"slices"
	"strconv"

	"github.com/millrace-go/millrace/internal/exactsum"
	"github.com/millrace-go/millrace/internal/quantile"
)

// Statistics is the result of all rows taken in. It fails if the columns have
// different numbers of rows.
func (a *Analyzer) Statistics() (*Statistics, error) {
	t, err := a.table()
	if err != nil {
		return nil, err
	}
	return &Statistics{Version: ResultVersion, Table: t}, nil
}

func (a *Analyzer) table() (Table, error) {
	rows, err := a.rows()
	if err != nil {
		return Table{}, err
	}
	t := Table{Rows: rows, Columns: make([]Column, 0, len(a.columns))}
	for i, c := range a.columns {
		t.Columns = append(t.Columns, c.summarize(a.names[i], a.options, a.views[a.names[i]]))
	}
	if a.pairs != nil {
		t.Correlations = a.pairs.summarize()
	}
	return t, nil
}

func (p *pairs) summarize() []Correlation {
	var out []Correlation
	at := 0
	for j, b := range p.names {
		for _, a := range p.names[:j] {
			c := Correlation{A: a, B: b, Rows: p.pair[at].n}
			if r, ok := p.pair[at].pearson(); ok {
				c.Pearson = &r
			}
			out = append(out, c)
			at++
		}
	}
	return out
}

func (c *column) summarize(name string, o Options, view *quantile.View) Column {
	out := Column{Name: name, Type: c.kind.name, Unit: c.kind.unit, Present: c.rows - c.missing, Missing: c.missing}
	if c.lengths != nil {
		out.List = c.listLengths(o.Buckets)
	}
	switch {
	case c.numbers != nil:
		c.numbers.summarize(&out, o, view)
	case c.texts != nil:
		c.texts.summarize(&out, o)
	}
	return out
}

func (c *column) listLengths(buckets int) *Lengths {
	v := c.lengths.View()
	l := &Lengths{Nulls: c.nulls, Empty: c.empty}
	if v.Count() == 0 {
		return l
	}
	var values int64
	switch {
	case c.numbers != nil:
		values = c.numbers.n() + c.numbers.nan + c.numbers.posInf + c.numbers.negInf
	case c.texts != nil:
		values = c.texts.n
	}
	l.Min, l.Max, l.Values = int64(v.Min()), int64(v.Max()), values
	l.QuantileHistogram = quantileHistogram(v, buckets)
	l.Mean = float64(values+c.nulls) / float64(v.Count())
	return l
}

func (s *numbers) summarize(out *Column, o Options, view *quantile.View) {
	if view == nil {
		view = s.counts.View()
	}
	n := s.n()
	out.Numeric = &Numeric{NaN: s.nan, PositiveInf: s.posInf, NegativeInf: s.negInf, Finite: n, Zeros: s.zeros}
	unique, exact := s.unique()
	out.Unique = &Unique{Count: unique, Estimate: !exact}
	if n == 0 {
		return
	}
	m := &Moments{Mean: exactsum.Mean(&s.sum, n), StdDev: exactsum.StdDev(&s.sum, &s.squares, n), Min: view.Min(), Median: view.Quantile(.5), Max: view.Max()}
	again := view.Refine(questions(view, o))
	m.Exact = !again.Needed()
	if !m.Exact {
		m.RelativeError = math.Ldexp(1, 12-s.counts.Bits())
	}
	for _, q := range o.Quantiles {
		m.Quantiles = append(m.Quantiles, Quantile{q, view.Quantile(q)})
	}
	m.Histogram = histogram(view, edges(view, o.Buckets))
	m.QuantileHistogram = quantileHistogram(view, o.Buckets)
	out.Numeric.Moments = m
	if exact {
		s.rank(out, o, view)
	}
}

// questions are the quantiles and the points that a result asks a view for.
func questions(v *quantile.View, o Options) (quantiles, points []float64) {
	quantiles = append(slices.Clone(o.Quantiles), .5)
	for i := 1; i < o.Buckets; i++ {
		quantiles = append(quantiles, float64(i)/float64(o.Buckets))
	}
	if v.Count() == 0 {
		return quantiles, nil
	}
	e := edges(v, o.Buckets)
	return quantiles, e[1 : len(e)-1]
}

// edges cut the range of a view into buckets of equal width: one if that range is a point.
func edges(v *quantile.View, buckets int) []float64 {
	lo, hi := v.Min(), v.Max()
	if lo == hi {
		return []float64{lo, hi}
	}
	out := []float64{lo}
	for i := 1; i < buckets; i++ {
		t := float64(i) / float64(buckets)
		x := float64(lo*(1-t)) + float64(hi*t) // no difference, which might overflow
		out = append(out, min(hi, max(out[i-1], x)))
	}
	return append(out, hi)
}

// histogram counts the values of v between edges, the first and last of which
// are its smallest and largest value.
func histogram(v *quantile.View, edges []float64) []Bucket {
	var out []Bucket
	below := int64(0)
	for i, high := range edges[1:] {
		upTo := v.Count()
		if i+2 < len(edges) {
			upTo, _ = v.Rank(high)
		}
		out = append(out, Bucket{edges[i], high, float64(upTo - below)})
		below = upTo
	}
	return out
}

func quantileHistogram(v *quantile.View, buckets int) []Bucket {
	var out []Bucket
	low := v.Min()
	for i := 1; i <= buckets; i++ {
		high := v.Quantile(float64(i) / float64(buckets))
		out = append(out, Bucket{low, high, float64(v.Count()) / float64(buckets)})
		low = high
	}
	return out
}

// rank lists the most frequent numbers.
func (s *numbers) rank(out *Column, o Options, view *quantile.View) {
	type numberCount struct {
		x float64
		n int64
	}
	list := make([]numberCount, 0, view.Bins())
	view.Each(func(x float64, n int64) { list = append(list, numberCount{x, n}) })
	slices.SortStableFunc(list, func(a, b numberCount) int { // they come by rising x
		switch {
		case a.n > b.n:
			return -1
		case a.n < b.n:
			return 1
		}
		return 0
	})
	for _, v := range list[:min(len(list), o.TopValues)] {
		text := strconv.FormatFloat(v.x, 'g', -1, 64)
		if out.Type != TypeFloat {
			text = strconv.FormatFloat(v.x, 'f', -1, 64)
		}
		out.Top = append(out.Top, ValueCount{Value: text, Count: v.n})
	}
	if out.Type == TypeInteger || out.Type == TypeBool {
		out.Ranks = ranks(len(list), o.Ranks, func(i int) int64 { return list[i].n })
	}
}

func (s *texts) summarize(out *Column, o Options) {
	out.Text = &Text{MinBytes: s.min, MaxBytes: s.max, TotalBytes: s.bytes}
	if s.n > 0 {
		out.Text.MeanBytes = float64(s.bytes) / float64(s.n)
	}
	unique, exact := s.unique()
	out.Unique = &Unique{Count: unique, Estimate: !exact}
	if !exact {
		return
	}
	order := s.counts.byCount()
	for _, i := range order[:min(len(order), o.TopValues)] {
		out.Top = append(out.Top, valueOf(s.counts.value(i), s.counts.entries[i].n))
	}
	out.Ranks = ranks(len(order), o.Ranks, func(i int) int64 { return s.counts.entries[order[i]].n })
}

// ranks is the histogram of n counts in falling order, the first most on their own.
func ranks(n, most int, count func(i int) int64) []RankBucket {
	var out []RankBucket
	for i := range min(n, most) {
		out = append(out, RankBucket{int64(i), int64(i), count(i)})
	}
	if n > most {
		rest := RankBucket{Low: int64(most), High: int64(n - 1)}
		for i := most; i < n; i++ {
			rest.Count += count(i)
		}
		out = append(out, rest)
	}
	return out
}
