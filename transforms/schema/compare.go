package schema

import (
	"math"

	"github.com/millrace-go/millrace/transforms/drift"
	"github.com/millrace-go/millrace/transforms/stats"
)

// measure is a distance that can have a threshold.
type measure struct {
	key, name string
	kind      Kind
	most      float64 // what a threshold can be
	to        string  // what it applies to
	applies   func(typ string) bool
	threshold func(*Thresholds) *float64
	value     func(*drift.Measures) *float64
}

func isText(typ string) bool { return typ == stats.TypeString || typ == stats.TypeBinary }

var measures = []measure{
	{"l_infinity", "L-infinity distance", LInfinityHigh, 1, "texts, integers and booleans",
		func(typ string) bool { return isText(typ) || typ == stats.TypeInteger || typ == stats.TypeBool },
		func(t *Thresholds) *float64 { return t.LInfinity }, func(m *drift.Measures) *float64 { return m.LInfinity }},
	{"jensen_shannon", "Jensen-Shannon divergence", JensenShannonHigh, 1, "texts, numbers and times",
		func(typ string) bool { return typ != stats.TypeOther },
		func(t *Thresholds) *float64 { return t.JensenShannon }, func(m *drift.Measures) *float64 { return m.JensenShannon }},
	{"psi", "population stability index", PSIHigh, math.MaxFloat64, "texts, numbers and times",
		func(typ string) bool { return typ != stats.TypeOther },
		func(t *Thresholds) *float64 { return t.PSI }, func(m *drift.Measures) *float64 { return m.PSI }},
	{"ks", "Kolmogorov-Smirnov distance", KSHigh, 1, "numbers and times",
		func(typ string) bool { return typ != stats.TypeOther && !isText(typ) },
		func(t *Thresholds) *float64 { return t.KS }, func(m *drift.Measures) *float64 { return m.KS }},
}

// thresholdsOf are the column's own, or else those of all columns as far as
// they apply to its type.
func thresholdsOf(own, all *Thresholds, typ string) map[string]float64 {
	t := own
	if t == nil {
		t = all
	}
	out := map[string]float64{}
	for _, m := range measures {
		if t != nil && m.threshold(t) != nil && m.applies(typ) {
			out[m.key] = *m.threshold(t)
		}
	}
	return out
}

// compare measures the column's distance from the same column of base, and
// holds it against thresholds.
func (k *check) compare(what string, base *stats.Analyzer, thresholds map[string]float64, o drift.Options, out *[]Comparison) {
	if base == nil {
		return
	}
	q, _ := k.table.Distribution(k.at.Name)
	p, ok := base.Distribution(k.at.Name)
	if !ok || p.Count() == 0 {
		if len(thresholds) > 0 {
			k.add(ControlMissing, "Nothing to compare with", "For %s: the data to compare with has no values in this column.", what)
		}
		return
	}
	if q.Count() == 0 {
		if len(thresholds) > 0 {
			k.add(TreatmentMissing, "Nothing to compare", "For %s: the column has no values.", what)
		}
		return
	}
	m, ok := drift.Compare(p, q, o)
	if !ok { // of another type
		if len(thresholds) > 0 {
			k.add(ControlMissing, "Nothing to compare with", "For %s: the column is of type %s there, of type %s here.", what, withUnit(p.Type, p.Unit), withUnit(q.Type, q.Unit))
		}
		return
	}
	*out = append(*out, Comparison{k.at.Name, m})
	for _, each := range measures {
		limit, ok := thresholds[each.key]
		x := each.value(&m)
		switch {
		case !ok:
		case x == nil:
			k.add(NotMeasured, "Not compared", "For %s: the %s was not measured, as there are too many distinct values to be counted.", what, each.name)
		case *x > limit && each.kind == LInfinityHigh:
			k.add(each.kind, "High distance", "For %s: the %s is %.6g, want at most %v; the share of %q changed most.", what, each.name, *x, limit, m.LInfinityValue)
		case *x > limit:
			k.add(each.kind, "High distance", "For %s: the %s is %.6g, want at most %v.", what, each.name, *x, limit)
		}
	}
}
