package normalize

import (
	"fmt"
	"slices"
)

// checkScale holds the last step against what an Applier relies on.
func (s *NumberSteps) checkScale() error {
	if s.Scale != nil {
		if s.Bucketize != nil || s.Quantiles != nil || !(s.Scale.Divisor >= 0) {
			return fmt.Errorf("scale by %v", s.Scale.Divisor)
		}
		if r := s.Scale.Range; r != nil && (!(r.Min < r.Max) || s.Scale.Kind != scaleMinMax) {
			return fmt.Errorf("range from %v to %v", r.Min, r.Max)
		}
	}
	if p := s.Power; p != nil && (s.Scale == nil || p.Method != powerYeoJohnson && p.Method != powerBoxCox || !(p.Lambda >= -largestPower && p.Lambda <= largestPower)) {
		return fmt.Errorf("power %q, %v", p.Method, p.Lambda)
	}
	if q := s.Quantiles; q != nil {
		switch {
		case s.Bucketize != nil || q.To != quantileUniform && q.To != quantileNormal:
			return fmt.Errorf("quantiles to %q", q.To)
		case len(q.Values) < 2 || len(q.Values) > maxBuckets || !slices.IsSorted(q.Values):
			return fmt.Errorf("%d quantiles, or out of order", len(q.Values))
		}
	}
	return nil
}

// check holds the keys against the steps of the whole column.
func (k *FittedKeys) check(whole *NumberSteps) error {
	if k.Column == "" || !isToken(k.Kind) {
		return fmt.Errorf("keys of column %q, kind %q", k.Column, k.Kind)
	}
	for i := range k.Keys {
		f := &k.Keys[i]
		if i > 0 && k.Keys[i-1].Key >= f.Key || f.Count < 1 {
			return fmt.Errorf("key %q out of order, or without values", f.Key)
		}
		if err := f.NumberSteps.check(); err != nil {
			return fmt.Errorf("key %q: %w", f.Key, err)
		}
		if !f.like(whole) {
			return fmt.Errorf("key %q has other steps", f.Key)
		}
	}
	return nil
}

// like says whether s has the steps that o has.
func (s *NumberSteps) like(o *NumberSteps) bool {
	return (s.Clip == nil) == (o.Clip == nil) && (s.Fill == nil) == (o.Fill == nil) && s.Log1p == o.Log1p &&
		(s.Power == nil) == (o.Power == nil) && (s.Quantiles == nil) == (o.Quantiles == nil) &&
		(s.Scale == nil) == (o.Scale == nil) && (s.Bucketize == nil) == (o.Bucketize == nil) &&
		(s.Fill == nil || s.Fill.Indicator == o.Fill.Indicator)
}

func isNumber(kind string) bool { return kind == kindFloat || kind == kindInteger || kind == kindBool }

func isToken(kind string) bool { return kind == kindText || kind == kindInteger || kind == kindBool }
