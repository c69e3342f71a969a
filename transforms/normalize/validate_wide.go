package normalize

import "strings"

func (c *checker) sequence(at string, f Feature) {
	s := f.Sequence.withDefaults()
	if s.Length < 1 || s.Length > MaxWidth {
		c.fail(at+".length", "%d, want 1 to %d", s.Length, MaxWidth)
	}
	if !isFinite(s.Pad) {
		c.fail(at+".pad", "%v, want a finite number", s.Pad)
	}
	c.oneOf(at+".side", s.Side, sideEnd, sideStart)
	c.oneOf(at+".keep", s.Keep, keepFirst, keepLast)
	if f.PerKey != nil {
		c.fail(at, "with per_key: a list has one fit")
	}
	if f.Fill != nil && f.Fill.Indicator {
		c.fail(at, "with an indicator: a list has none")
	}
}

func (c *checker) pca(at string, f Feature) {
	p := f.PCA
	c.others(at+".with", f.Column, p.With)
	if f.Fill != nil && f.Fill.With != fillConstant && f.Fill.With != fillMean {
		c.fail(strings.TrimSuffix(at, ".pca")+".fill.with", "%s with a pca, want constant or mean", f.Fill.With)
	}
	if f.Fill != nil && f.Fill.Indicator {
		c.fail(strings.TrimSuffix(at, ".pca")+".fill.indicator", "with a pca, which has several columns")
	}
	if p.Components < 0 || p.Components > maxPCA {
		c.fail(at+".components", "%d, want 1 to %d", p.Components, maxPCA)
	}
}

func (c *checker) image(at string, m Image) {
	if m.Height < 1 || m.Width < 1 || m.Height > MaxWidth || m.Width > MaxWidth || m.Height*m.Width*m.Channels > MaxWidth {
		c.fail(at, "%d x %d pixels in %d channels, want 1 to %d numbers", m.Height, m.Width, m.Channels, MaxWidth)
	}
	if m.Channels != 1 && m.Channels != 3 {
		c.fail(at+".channels", "%d, want 1 or 3", m.Channels)
	}
	c.oneOf(at+".fit", m.Fit, fitStretch, fitCover)
	c.oneOf(at+".layout", m.Layout, layoutCHW, layoutHWC)
	c.oneOf(at+".scale", m.Scale, imageNone, imageUnit, imagePer)
	if !(m.Crop > 0 && m.Crop <= 1) {
		c.fail(at+".crop", "%v, want above 0 and at most 1", m.Crop)
	}
	if n := len(m.Mean); n != 0 && n != m.Channels || !isFinite(m.Mean...) {
		c.fail(at+".mean", "%v, want a number for each of %d channels", m.Mean, m.Channels)
	}
	if n := len(m.Std); n != 0 && n != m.Channels || !isFinite(m.Std...) {
		c.fail(at+".std", "%v, want a number for each of %d channels", m.Std, m.Channels)
	}
	for _, s := range m.Std {
		if !(s > 0) {
			c.fail(at+".std", "%v, want numbers above 0", s)
		}
	}
}
