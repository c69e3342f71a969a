// Package normalize turns cleaned columns into model inputs. It is fitted once,
// on the train split; the Plan it writes serves training and scoring alike.
//
// The work has four parts, none of which knows Beam: a Spec says what to do,
// an Analyzer gathers the statistics of the train split in one pass, a Plan
// holds what was fitted, and an Applier prepares batches with it. Statistics
// are exact sums and counts, so a Plan is the same bytes for any cut of the
// rows into batches and any order and tree of merging them.
package normalize

// Spec is the job's normalize section.
type Spec struct {
	// Features are the columns the model sees, in order. A column may be listed
	// more than once, for instance scaled and in buckets.
	Features []Feature `yaml:"features"`
	// Label is the column to predict.
	Label Label `yaml:"label"`
}

// Label is the class column: string, int64 or bool. A row without a class is
// a dead letter (label.missing), as is one whose class the Plan does not know
// (label.unseen).
type Label struct {
	// Column is a cleaned column.
	Column string `yaml:"column"`
	// Classes fixes the classes and their order; a row of another class is a
	// dead letter. The default is the classes seen in the train split, in
	// numeric order (int64), false before true (bool) or byte order (string).
	Classes []string `yaml:"classes"`
}

// Feature is one column (or a run of them) and what is done to it. A numeric
// column (float64, int64, or bool as 0 and 1) goes through the steps clip,
// fill, log1p, then scale or bucketize. A string column, or an int64 or bool
// one with a vocabulary, goes through fill, then vocabulary.
//
// Each column is fitted on its own, on all rows of the train split. Every step
// is fitted on the values as it sees them: scale on the clipped, filled and
// log1p values. Where fitting needs quantiles (clip, fill by median or
// most_frequent, scale by robust, quantile or power, bucketize by quantiles),
// it is exact while the column has at
// most 65,536 distinct values; beyond that values are taken in at most 65,536
// bins of equal relative width: a value is off by 1 part in 8,192 at most if
// the largest is 65,536 times the smallest, less if the range is narrower.
type Feature struct {
	// Column is a cleaned column. "p{0..63}" means p0, p1, … p63, each fitted on its own.
	Column string `yaml:"column"`

	// Clip bounds values at two quantiles of the train split.
	Clip *Clip `yaml:"clip"`
	// Fill replaces nulls. Without it a null is a dead letter (<column>.null)
	// in a numeric column; with a vocabulary it gets an id of its own, after
	// those of the out-of-vocabulary buckets.
	Fill *Fill `yaml:"fill"`
	// Log1p takes log(1+x) of values after clipping and filling; at or below -1 a value is a dead letter (<column>.log1p).
	Log1p bool `yaml:"log1p"`
	// Scale is none, z_score, min_max, max_abs, robust, quantile or power. The
	// default is none. z_score is (x-mean)/std with the population's std;
	// min_max is (x-min)/(max-min), below 0 or above 1 for a value outside the
	// train split's range; max_abs is x/max(|x|); robust is (x-median) over the
	// distance of two quantiles, or over 1 if they are equal; quantile is the
	// share of the train split below x, interpolated between quantiles; power
	// is Yeo and Johnson's or Box and Cox's transform of the largest
	// likelihood, then z_score. A column that is constant in the train split
	// becomes 0, or the range's min; with max_abs 1 or -1.
	Scale string `yaml:"scale"`
	// Robust sets the quantiles of scale: robust.
	Robust *Robust `yaml:"robust"`
	// Range is what scale: min_max maps the train split's range to. The default is 0 to 1.
	Range *Range `yaml:"range"`
	// Quantile sets the quantiles and the distribution of scale: quantile.
	Quantile *QuantileMap `yaml:"quantile"`
	// Power chooses the transform of scale: power.
	Power *Power `yaml:"power"`
	// PerKey fits the numeric steps for each value of another column on its own.
	PerKey *PerKey `yaml:"per_key"`
	// Bucketize replaces the value by the index of its bucket.
	Bucketize *Bucketize `yaml:"bucketize"`
	// Vocabulary replaces the value by the index of its token: the text, the
	// decimal digits of an int64, true or false. A string column has one by
	// default, with the defaults below.
	Vocabulary *Vocabulary `yaml:"vocabulary"`
	// Hash gives every token a bucket by its hash.
	Hash *Hash `yaml:"hash"`
	// Cross gives every combination of the tokens of several columns a bucket.
	Cross *Cross `yaml:"cross"`
	// Target replaces a token by the share of each class among its rows.
	Target *Target `yaml:"target"`
	// Text makes one number for each of the most frequent terms of a text.
	Text *Text `yaml:"text"`
	// Sequence makes a fixed number of inputs of a list.
	Sequence *Sequence `yaml:"sequence"`
	// PCA projects several numeric columns together onto their principal components.
	PCA *PCA `yaml:"pca"`
	// Image makes numbers of a PNG or JPEG file.
	Image *Image `yaml:"image"`
	// Encode says how ids (of a vocabulary, a hash, a cross or of buckets) enter the model: one_hot or embedding. The default is one_hot.
	Encode string `yaml:"encode"`
	// Dim is the width of the embedding. The default is chosen by the architecture from the number of ids.
	Dim int `yaml:"dim"`
}

// Clip bounds values at quantiles 0 <= Lower < Upper <= 1, interpolated
// linearly between values as numpy does.
type Clip struct {
	Lower float64 `yaml:"lower"` // default 0
	Upper float64 `yaml:"upper"` // default 1
}

// Fill replaces nulls.
type Fill struct {
	// With is constant, mean, median or most_frequent; mean and median are for
	// numbers only. mean is that of the clipped values; median and
	// most_frequent are clipped themselves. Of several most frequent values
	// the smallest is taken, of tokens the first in byte order. most_frequent of
	// more than 65,536 distinct numbers is an error.
	With string `yaml:"with"`
	// Value is the constant, as text. It is not clipped.
	Value string `yaml:"value"`
	// Indicator adds an input that is 1 where the value was null, else 0.
	Indicator bool `yaml:"indicator"`
}

// Bucketize gives bucket boundaries: by quantiles of the train split, or
// fixed. A value equal to a boundary falls into the bucket above it.
type Bucketize struct {
	// Quantiles is the number of buckets, 2 to 65,536: boundary k of B is the
	// value with k*n/B (rounded down) of the n values before it. Equal boundaries
	// become one, so a column of few distinct values has fewer buckets.
	Quantiles int `yaml:"quantiles"`
	// Boundaries are fixed, rising; n of them make n+1 buckets.
	Boundaries []float64 `yaml:"boundaries"`
}

// Vocabulary orders tokens by count, largest first, ties by bytes. The ids are
// those of the tokens, from 0, then those of the out-of-vocabulary buckets,
// then, unless there is a fill, that of null.
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
