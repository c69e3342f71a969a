package normalize

// scales are the values of Feature.Scale.
var scales = []string{scaleNone, scaleZ, scaleMinMax, scaleMaxAbs, scaleRobust, scaleQuantile, scalePower}

// scaleOptions checks the sections that belong to one scale each.
func (c *checker) scaleOptions(at string, f Feature) {
	for _, o := range []struct {
		set        bool
		key, scale string
	}{
		{f.Robust != nil, "robust", scaleRobust},
		{f.Range != nil, "range", scaleMinMax},
		{f.Quantile != nil, "quantile", scaleQuantile},
		{f.Power != nil, "power", scalePower},
	} {
		if o.set && f.scale() != o.scale {
			c.fail(at+"."+o.key, "with scale: %s; it is for scale: %s", f.scale(), o.scale)
		}
	}
	if r := f.Robust.withDefaults(); !(0 <= r.Lower && r.Lower < r.Upper && r.Upper <= 1) {
		c.fail(at+".robust", "quantiles %v to %v, want 0 <= lower < upper <= 1", r.Lower, r.Upper)
	}
	if r := f.Range.withDefaults(); !(r.Min < r.Max) || !isFinite(r.Min, r.Max, r.Max-r.Min) {
		c.fail(at+".range", "from %v to %v, want min < max", r.Min, r.Max)
	}
	q := f.Quantile.withDefaults()
	if q.Quantiles < 2 || q.Quantiles > maxBuckets {
		c.fail(at+".quantile.quantiles", "%d quantiles, want 2 to %d", q.Quantiles, maxBuckets)
	}
	c.oneOf(at+".quantile.to", q.To, quantileUniform, quantileNormal)
	c.oneOf(at+".power.method", f.Power.withDefaults().Method, powerYeoJohnson, powerBoxCox)
}

func (c *checker) perKey(at string, f Feature) {
	k := f.PerKey.withDefaults()
	switch {
	case k.Column == "":
		c.fail(at+".column", "no column of keys")
	case k.Column == f.Column:
		c.fail(at+".column", "%q is the feature itself", k.Column)
	}
	if k.MaxKeys < 1 || k.MaxKeys > largestMaxKeys {
		c.fail(at+".max_keys", "%d, want 1 to %d", k.MaxKeys, largestMaxKeys)
	}
}
