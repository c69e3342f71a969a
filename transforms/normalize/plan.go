package normalize

import (
	"fmt"

	"github.com/millrace-go/millrace/model/nn"
)

// Columns of what an Applier makes, and the first also a model input.
const (
	FeaturesColumn = "features"
	LabelColumn    = "label"
)

// MaxWidth bounds the features of a row: with 4,096 rows a batch takes at most
// 256 MiB.
const MaxWidth = 1 << 14

// Plan holds all that was fitted: the same Plan, bit for bit, prepares rows
// for training and for scoring. It is not changed once made, so it may be
// shared.
type Plan struct {
	Rows     int64       `json:"rows"` // of the train split
	Features []Fitted    `json:"features"`
	Label    FittedLabel `json:"label"`

	digest string
}

// Fitted is one feature. Steps that are nil are not taken; either Vocabulary
// or, possibly, numeric steps are set.
type Fitted struct {
	Column     string            `json:"column"`
	Kind       string            `json:"kind"` // float, integer, bool or string
	Clip       *FittedClip       `json:"clip,omitempty"`
	Fill       *FittedFill       `json:"fill,omitempty"`
	Log1p      bool              `json:"log1p,omitempty"`
	Scale      *FittedScale      `json:"scale,omitempty"`
	Bucketize  *FittedBuckets    `json:"bucketize,omitempty"`
	Vocabulary *FittedVocabulary `json:"vocabulary,omitempty"`
	Encode     string            `json:"encode,omitempty"` // of ids: one_hot or embedding
	Dim        int               `json:"dim,omitempty"`
	Stats      Stats             `json:"stats"`
}

// FittedClip are bounds.
type FittedClip struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// FittedFill replaces nulls: by Value in numbers, by Token in tokens.
type FittedFill struct {
	With      string  `json:"with"`
	Value     float64 `json:"value,omitempty"`
	Token     string  `json:"token,omitempty"`
	Indicator bool    `json:"indicator,omitempty"`
}

// FittedScale makes (x-Offset)/Divisor of x, or 0 if Divisor is 0.
type FittedScale struct {
	Kind    string  `json:"kind"` // z_score or min_max
	Offset  float64 `json:"offset"`
	Divisor float64 `json:"divisor"`
}

// FittedBuckets makes the number of boundaries <= x of x.
type FittedBuckets struct {
	Boundaries []float64 `json:"boundaries"`
}

// FittedVocabulary makes the position of a token in Tokens of it; of another
// token len(Tokens) + xxhash64(token) mod OOVBuckets; and of null, if NullID is
// set, the last id.
type FittedVocabulary struct {
	Tokens     []string `json:"tokens"`
	Counts     []int64  `json:"counts"` // in the train split, nulls filled
	OOVBuckets int      `json:"oov_buckets"`
	NullID     bool     `json:"null_id,omitempty"`
	Distinct   int64    `json:"distinct"` // tokens seen, those left out included
}

// FittedLabel gives a class the position of its token in Classes.
type FittedLabel struct {
	Column  string   `json:"column"`
	Kind    string   `json:"kind"`
	Classes []string `json:"classes"`
	Counts  []int64  `json:"counts"`           // rows of the train split
	Nulls   int64    `json:"nulls,omitempty"`  // rows without a class
	Others  int64    `json:"others,omitempty"` // rows of a class that the job does not list
}

// Stats describe a column of the train split as it came, before any step.
type Stats struct {
	Count int64 `json:"count"` // values: not null, and finite
	Nulls int64 `json:"nulls,omitempty"`
	// NonFinite counts NaN and infinite numbers, which are dead letters.
	NonFinite int64 `json:"non_finite,omitempty"`
	// Numbers is there for a numeric column with a value.
	Numbers *NumberSummary `json:"numbers,omitempty"`
}

// NumberSummary describes numbers. Quantiles are there if fitting took them;
// Exact then says that none was taken from a bin.
type NumberSummary struct {
	Mean      float64    `json:"mean"`
	Std       float64    `json:"std"` // of the population
	Min       float64    `json:"min"`
	Max       float64    `json:"max"`
	Exact     bool       `json:"exact,omitempty"`
	Quantiles []Quantile `json:"quantiles,omitempty"`
}

// Quantile is the value that a share Q of the values does not exceed.
type Quantile struct {
	Q     float64 `json:"q"`
	Value float64 `json:"value"`
}

// ids is the number of ids of the feature, 0 if it is not turned into ids.
func (f *Fitted) ids() int {
	switch {
	case f.Vocabulary != nil:
		n := len(f.Vocabulary.Tokens) + f.Vocabulary.OOVBuckets
		if f.Vocabulary.NullID {
			n++
		}
		return n
	case f.Bucketize != nil:
		return len(f.Bucketize.Boundaries) + 1
	}
	return 0
}

// width is the number of float32 features that the feature gives.
func (f *Fitted) width() int {
	w := 1
	switch {
	case f.Encode == encodeEmbedding:
		w = 0
	case f.Encode == encodeOneHot:
		w = f.ids()
	}
	if f.indicator() {
		w++
	}
	return w
}

func (f *Fitted) indicator() bool { return f.Fill != nil && f.Fill.Indicator }

// Width is the number of float32 features of a row.
func (p *Plan) Width() int {
	n := 0
	for i := range p.Features {
		n += p.Features[i].width()
	}
	return n
}

// Inputs are the model's: "features", float32 of Width, unless that is 0: the
// numbers, one-hot values and indicators in the order of the features, an
// indicator after its feature. Then, for each embedding, an int32 input called
// as its column.
func (p *Plan) Inputs() []nn.Input {
	var out []nn.Input
	if w := p.Width(); w > 0 {
		out = append(out, nn.Input{Name: FeaturesColumn, DType: "float32", Shape: []int{w}})
	}
	for i := range p.Features {
		if f := &p.Features[i]; f.Encode == encodeEmbedding {
			out = append(out, nn.Input{Name: f.Column, DType: "int32", Shape: []int{}, Cardinality: f.ids(), Dim: f.Dim})
		}
	}
	return out
}

// FeatureNames says what each of the Width features is: "speed", "speed is
// null", "phase = Climb", "phase = (other 1)", "speed in bucket 3".
func (p *Plan) FeatureNames() []string {
	var out []string
	for i := range p.Features {
		f := &p.Features[i]
		switch {
		case f.Encode == "":
			out = append(out, f.Column)
		case f.Encode == encodeOneHot:
			for id := range f.ids() {
				out = append(out, f.idName(id))
			}
		}
		if f.indicator() {
			out = append(out, f.Column+" is null")
		}
	}
	return out
}

func (f *Fitted) idName(id int) string {
	v := f.Vocabulary
	switch {
	case v == nil:
		return fmt.Sprintf("%s in bucket %d", f.Column, id)
	case id < len(v.Tokens):
		return fmt.Sprintf("%s = %s", f.Column, v.Tokens[id])
	case id < len(v.Tokens)+v.OOVBuckets:
		return fmt.Sprintf("%s = (other %d)", f.Column, id-len(v.Tokens))
	}
	return f.Column + " is null"
}

// Classes are the label's, in the order of their numbers. The slice is shared.
func (p *Plan) Classes() []string { return p.Label.Classes }

// ClassCounts are the rows of each class in the train split. The slice is shared.
func (p *Plan) ClassCounts() []int64 { return p.Label.Counts }

// Columns are the cleaned columns that scoring needs: those of the features,
// each once, in order of first use. The label is not among them.
func (p *Plan) Columns() []string {
	var out []string
	seen := map[string]bool{}
	for i := range p.Features {
		if name := p.Features[i].Column; !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}
