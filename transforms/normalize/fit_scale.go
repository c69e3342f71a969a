package normalize

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/internal/exactsum"
)

// scale fits the last step to the values as it sees them. seen is nil for the
// scales that moments are enough for.
func (n *numberFit) scale(m *moments, seen []weighted) error {
	switch n.f.scale() {
	case scaleQuantile:
		n.quantiles(m, seen)
		return nil
	case scalePower:
		var err error
		if m, err = n.power(seen); err != nil {
			return err
		}
	}
	out := &FittedScale{Kind: n.f.Scale}
	n.linear(m, seen, out)
	out.Offset += 0
	if !isFinite(out.Offset, out.Divisor) {
		return fmt.Errorf("scale: %s of values from %v to %v is out of range; clip the column", n.f.Scale, m.min, m.max)
	}
	n.out.Scale = out
	return nil
}

// linear sets the offset and the divisor of out.
func (n *numberFit) linear(m *moments, seen []weighted, out *FittedScale) {
	switch n.f.scale() {
	case scaleZ, scalePower:
		out.Offset, out.Divisor = exactsum.Mean(&m.sum, m.n), exactsum.StdDev(&m.sum, &m.sq, m.n)
	case scaleMinMax:
		out.Offset, out.Divisor = m.min, m.max-m.min
		if n.f.Range != nil {
			out.Range = &FittedRange{n.f.Range.withDefaults().Min + 0, n.f.Range.withDefaults().Max + 0}
		}
	case scaleMaxAbs:
		out.Divisor = math.Max(math.Abs(m.min), math.Abs(m.max))
	case scaleRobust:
		v, o := viewOf(seen), n.f.Robust.withDefaults()
		out.Offset, out.Divisor = v.Quantile(0.5), v.Quantile(o.Upper)-v.Quantile(o.Lower)
		if out.Divisor == 0 && m.min < m.max {
			out.Divisor = 1
		}
	}
}

// quantiles keeps evenly spaced quantiles of the values, as scikit-learn's
// QuantileTransformer does when it does not sample.
func (n *numberFit) quantiles(m *moments, seen []weighted) {
	o, v := n.f.Quantile.withDefaults(), viewOf(seen)
	out := &FittedQuantiles{To: o.To}
	last := max(min(int64(o.Quantiles), m.n), 2) - 1
	for i := range last + 1 {
		out.Values = append(out.Values, v.Quantile(float64(i)/float64(last))+0)
	}
	n.out.Quantiles = out
}

// power fits the transform and returns the moments of what it makes of seen.
func (n *numberFit) power(seen []weighted) (*moments, error) {
	out := &FittedPower{Method: n.f.Power.withDefaults().Method}
	for _, w := range seen {
		if !out.takes(w.x) {
			return nil, fmt.Errorf("power: box_cox of %v, want values above 0 only; use yeo_johnson", w.x)
		}
	}
	out.Lambda = likeliestPower(out.Method, seen)
	m := &moments{}
	for _, w := range seen {
		y := out.apply(w.x)
		if !finite(y) {
			return nil, fmt.Errorf("power: %v to the power of %v is out of range; clip the column", w.x, out.Lambda)
		}
		m.add(weighted{y, w.n})
	}
	n.out.Power = out
	return m, nil
}
