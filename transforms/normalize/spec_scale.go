package normalize

// Robust sets the two quantiles whose distance is the unit of scale: robust.
type Robust struct {
	Lower float64 `yaml:"lower"` // default 0.25
	Upper float64 `yaml:"upper"` // default 0.75
}

// Range is the interval that scale: min_max maps the train split's range to.
type Range struct {
	Min float64 `yaml:"min"` // default 0
	Max float64 `yaml:"max"` // default 1
}

// QuantileMap sets scale: quantile.
type QuantileMap struct {
	// Quantiles is the number of quantiles that are kept, 2 to 65,536, and never
	// more than there are values. The default is 1,000.
	Quantiles int `yaml:"quantiles"`
	// To is uniform, or normal, of mean 0 and deviation 1, cut at -5.2 and 5.2.
	// The default is uniform.
	To string `yaml:"to"`
}

// Power sets scale: power.
type Power struct {
	// Method is yeo_johnson, or box_cox, for positive values only: another is
	// a dead letter (<column>.power). The default is yeo_johnson.
	Method string `yaml:"method"`
}

// PerKey fits all numeric steps of the feature for each value of another
// column on its own. A row whose key is null, or was never seen with a value,
// is prepared by what was fitted on the whole column. Quantiles of a key are
// exact while it has at most 4,096 distinct values.
type PerKey struct {
	// Column is the cleaned column of the keys: string, int64 or bool.
	Column string `yaml:"column"`
	// MaxKeys bounds the keys held while fitting; more is an error. The default is 10,000.
	MaxKeys int `yaml:"max_keys"`
}

const (
	defaultQuantiles = 1000
	defaultMaxKeys   = 10_000
	largestMaxKeys   = 1 << 20
)

func (r *Robust) withDefaults() Robust {
	if r == nil || *r == (Robust{}) {
		return Robust{0.25, 0.75}
	}
	return *r
}

func (r *Range) withDefaults() Range {
	if r == nil || *r == (Range{}) {
		return Range{0, 1}
	}
	return *r
}

func (q *QuantileMap) withDefaults() QuantileMap {
	out := QuantileMap{Quantiles: defaultQuantiles, To: quantileUniform}
	if q != nil && q.Quantiles != 0 {
		out.Quantiles = q.Quantiles
	}
	if q != nil && q.To != "" {
		out.To = q.To
	}
	return out
}

func (p *Power) withDefaults() Power {
	if p == nil || p.Method == "" {
		return Power{powerYeoJohnson}
	}
	return *p
}

func (k PerKey) withDefaults() PerKey {
	if k.MaxKeys == 0 {
		k.MaxKeys = defaultMaxKeys
	}
	return k
}
