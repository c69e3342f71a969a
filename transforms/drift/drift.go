// Package drift measures how far the values of a column in one table are from
// those in another: yesterday's and today's, or those of training and of
// serving. p is the base, q is compared with it.
//
//	L-infinity       max over values |p - q|
//	Jensen-Shannon   ½ Σ p log2(p/m) + ½ Σ q log2(q/m), m = (p+q)/2: from 0 to 1
//	PSI              Σ (q - p) ln(q/p)
//	KS               max over x |P(x) - Q(x)|, P and Q the cumulative shares
//
// L-infinity and KS are of the values themselves. The other two are of the
// shares of categories, or, for numbers, of buckets that both tables share: of
// equal width over the range of both (Jensen-Shannon), or between the base's
// quantiles (PSI; Siddiqi, "Credit Risk Scorecards", 2006). Values that are
// missing or not finite are in neither.
package drift

import (
	"bytes"
	"iter"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel/fmath"
	"github.com/millrace-go/millrace/internal/quantile"
	"github.com/millrace-go/millrace/transforms/stats"
)

// Options say how shares are made of numbers.
type Options struct {
	// Buckets is the number of buckets, 10 if 0.
	Buckets int
	// Floor stands for a share of 0 in PSI, which would be infinite; 0.0001 if 0.
	Floor float64
}

// Measures are the distances of a column. One is nil where it does not apply:
// where one side has no values, for KS of texts, for L-infinity of floats and
// times, and for all of texts of which there were too many to be counted.
type Measures struct {
	LInfinity *float64 `json:"l_infinity,omitempty"`
	// LInfinityValue is the value whose share differs most.
	LInfinityValue string   `json:"l_infinity_value,omitempty"`
	JensenShannon  *float64 `json:"jensen_shannon,omitempty"`
	PSI            *float64 `json:"psi,omitempty"`
	KS             *float64 `json:"ks,omitempty"`
	// Slack is how much larger KS may be; 0 if all values were counted on their own.
	Slack float64 `json:"slack,omitempty"`
}

// Compare measures the distance of q from the base p. It is false if the two are of
// different types or units, or of a type that has no values.
func Compare(p, q *stats.Distribution, o Options) (Measures, bool) {
	if o.Buckets == 0 {
		o.Buckets = 10
	}
	if o.Floor == 0 {
		o.Floor = 1e-4
	}
	if p.Type != q.Type || p.Unit != q.Unit || p.Type == stats.TypeOther {
		return Measures{}, false
	}
	if p.Count() == 0 || q.Count() == 0 {
		return Measures{}, true
	}
	if p.Numbers() != nil {
		return compareNumbers(p, q, o), true
	}
	return compareTexts(p, q, o), true
}

func compareNumbers(p, q *stats.Distribution, o Options) Measures {
	a, b := p.Numbers(), q.Numbers()
	var m Measures
	ks, slack := quantile.Distance(a, b)
	m.KS, m.Slack = &ks, slack

	lo, hi := min(a.Min(), b.Min()), max(a.Max(), b.Max())
	var edges []float64
	for i := 1; i < o.Buckets; i++ {
		t := float64(i) / float64(o.Buckets)
		edges = append(edges, float64(lo*(1-t))+float64(hi*t))
	}
	slices.Sort(edges) // rounding may have swapped neighbours
	m.JensenShannon = ptr(JensenShannon(shares(a, edges), shares(b, edges)))

	edges = edges[:0]
	for i := 1; i < o.Buckets; i++ {
		edges = append(edges, a.Quantile(float64(i)/float64(o.Buckets)))
	}
	edges = slices.Compact(edges)
	m.PSI = ptr(PSI(shares(a, edges), shares(b, edges), o.Floor))

	if (p.Type == stats.TypeInteger || p.Type == stats.TypeBool) && a.Exact() && b.Exact() {
		values, pa, qb := unionNumbers(a, b)
		at, d := LInfinity(pa, qb)
		name := stats.Column{Type: p.Type}
		m.LInfinity, m.LInfinityValue = &d, name.Format(values[at])
	}
	return m
}

// shares cuts the values of v at edges, each of which begins a bucket.
func shares(v *quantile.View, edges []float64) []float64 {
	out := make([]float64, 0, len(edges)+1)
	last := int64(0)
	for _, e := range edges {
		below, _ := v.Rank(e)
		out = append(out, float64(below-last)/float64(v.Count()))
		last = below
	}
	return append(out, float64(v.Count()-last)/float64(v.Count()))
}

// unionNumbers lists the values of both in rising order with their shares.
func unionNumbers(a, b *quantile.View) (values, p, q []float64) {
	a.Each(func(x float64, _ int64) { values = append(values, x) })
	b.Each(func(x float64, _ int64) { values = append(values, x) })
	slices.Sort(values)
	values = slices.Compact(values)
	for _, x := range values {
		_, na := a.Rank(x)
		_, nb := b.Rank(x)
		p, q = append(p, float64(na)/float64(a.Count())), append(q, float64(nb)/float64(b.Count()))
	}
	return values, p, q
}

func compareTexts(p, q *stats.Distribution, o Options) Measures {
	a, okA := p.Texts()
	b, okB := q.Texts()
	if !okA || !okB {
		return Measures{}
	}
	values, ps, qs := unionTexts(a, b, float64(p.Count()), float64(q.Count()))
	at, d := LInfinity(ps, qs)
	return Measures{LInfinity: &d, LInfinityValue: string(values[at]), JensenShannon: ptr(JensenShannon(ps, qs)), PSI: ptr(PSI(ps, qs, o.Floor))}
}

// unionTexts merges two sorted lists of values.
func unionTexts(a, b iter.Seq2[[]byte, int64], na, nb float64) (values [][]byte, p, q []float64) {
	next, stop := iter.Pull2(b)
	defer stop()
	other, n, more := next()
	add := func(value []byte, countA, countB int64) {
		values = append(values, value)
		p, q = append(p, float64(countA)/na), append(q, float64(countB)/nb)
	}
	for value, count := range a {
		for more && bytes.Compare(other, value) < 0 {
			add(other, 0, n)
			other, n, more = next()
		}
		if more && bytes.Equal(other, value) {
			add(value, count, n)
			other, n, more = next()
			continue
		}
		add(value, count, 0)
	}
	for more {
		add(other, 0, n)
		other, n, more = next()
	}
	return values, p, q
}

// LInfinity is the largest difference of two lists of shares and where it is, the
// first of several.
func LInfinity(p, q []float64) (at int, d float64) {
	for i := range p {
		if x := math.Abs(p[i] - q[i]); x > d {
			at, d = i, x
		}
	}
	return at, d
}

// JensenShannon is the divergence of two lists of shares in bits, from 0 to 1.
// (Its root is the distance of the same name.)
func JensenShannon(p, q []float64) float64 {
	sum := 0.
	for i := range p {
		sum += float64(term(p[i], q[i])) + term(q[i], p[i])
	}
	return min(1, max(0, sum/(2*math.Ln2)))
}

// term is x ln(x/m), m the mean of x and y; 0 if x is.
func term(x, y float64) float64 {
	if x == 0 {
		return 0
	}
	return float64(x * fmath.Log(2*x/(x+y)))
}

// PSI is the population stability index of two lists of shares; shares below
// floor are taken as floor. Below 0.1 is usually called stable, above 0.25 a shift.
func PSI(p, q []float64, floor float64) float64 {
	sum := 0.
	for i := range p {
		if p[i] == 0 && q[i] == 0 {
			continue
		}
		a, b := max(p[i], floor), max(q[i], floor)
		sum += float64((b - a) * fmath.Log(b/a))
	}
	return sum
}

func ptr(x float64) *float64 { return &x }
