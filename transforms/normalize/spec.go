// Package normalize turns cleaned columns into model inputs. It is fitted once,
// on the train split; the Plan it writes serves training and scoring alike.
package normalize

// Spec is the job's normalize section.
type Spec struct {
	// Features are the columns the model sees, in order.
	Features []Feature `yaml:"features"`
	// Label is the column to predict.
	Label Label `yaml:"label"`
}

// Label is the class column.
type Label struct {
	Column string `yaml:"column"`
	// Classes fixes the classes and their order. The default is the classes seen in the train split, in numeric or byte order.
	Classes []string `yaml:"classes"`
}

// Feature is one column (or a run of them) and what is done to it. Numeric
// steps run in the order: clip, fill, log1p, scale or bucketize. A text, bool or int64 column
// with a vocabulary becomes ids.
type Feature struct {
	// Column is a cleaned column. "p{0..63}" means p0, p1, … p63, each fitted on its own.
	Column string `yaml:"column"`

	// Clip bounds values at two quantiles of the train split.
	Clip *Clip `yaml:"clip"`
	// Fill replaces nulls. Without it a null cell is a dead letter (numeric) or the out-of-vocabulary id (vocabulary).
	Fill *Fill `yaml:"fill"`
	// Log1p takes log(1+x) of values after clipping; a value below or at -1 is a dead letter.
	Log1p bool `yaml:"log1p"`
	// Scale is none, z_score or min_max. The default is none. A constant column becomes 0.
	Scale string `yaml:"scale"`
	// Bucketize replaces the value by the index of its bucket.
	Bucketize *Bucketize `yaml:"bucketize"`
	// Vocabulary replaces the value by the index of its token.
	Vocabulary *Vocabulary `yaml:"vocabulary"`
	// Encode says how ids (of a vocabulary or of buckets) enter the model: one_hot or embedding. The default is one_hot.
	Encode string `yaml:"encode"`
	// Dim is the width of the embedding. The default is chosen by the architecture from the number of ids.
	Dim int `yaml:"dim"`
}

// Clip bounds values at quantiles 0 <= Lower < Upper <= 1.
type Clip struct {
	Lower float64 `yaml:"lower"` // default 0
	Upper float64 `yaml:"upper"` // default 1
}

// Fill replaces nulls.
type Fill struct {
	// With is constant, mean, median or most_frequent.
	With string `yaml:"with"`
	// Value is the constant, as text.
	Value string `yaml:"value"`
	// Indicator adds an input that is 1 where the value was null, else 0.
	Indicator bool `yaml:"indicator"`
}

// Bucketize gives bucket boundaries: by quantiles of the train split, or fixed. A value equal to a boundary falls into the bucket above it.
type Bucketize struct {
	Quantiles  int       `yaml:"quantiles"` // number of buckets
	Boundaries []float64 `yaml:"boundaries"`
}

// Vocabulary orders tokens by count, largest first, ties by bytes.
type Vocabulary struct {
	// MinCount leaves out tokens seen fewer times in the train split. The default is 1.
	MinCount int64 `yaml:"min_count"`
	// TopK keeps at most so many tokens. The default keeps all.
	TopK int `yaml:"top_k"`
	// OOVBuckets is the number of ids that tokens outside the vocabulary are hashed to. The default is 1.
	OOVBuckets int `yaml:"oov_buckets"`
	// MaxDistinct bounds the distinct tokens held while fitting; more is an error. The default is 1,000,000.
	MaxDistinct int `yaml:"max_distinct"`
}
