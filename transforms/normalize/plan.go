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
	Column string `json:"column"`
	Kind   string `json:"kind"` // float, integer, bool or string
	NumberSteps
	PerKey     *FittedKeys       `json:"per_key,omitempty"`
	Vocabulary *FittedVocabulary `json:"vocabulary,omitempty"`
	Cross      *FittedCross      `json:"cross,omitempty"`
	Target     *FittedTarget     `json:"target,omitempty"`
	Text       *FittedText       `json:"text,omitempty"`
	Sequence   *FittedSequence   `json:"sequence,omitempty"`
	PCA        *FittedPCA        `json:"pca,omitempty"`
	Image      *FittedImage      `json:"image,omitempty"`
	Encode     string            `json:"encode,omitempty"` // of ids: one_hot or embedding
	Dim        int               `json:"dim,omitempty"`
	Stats      Stats             `json:"stats"`
}

// NumberSteps are the steps of numbers, in their order. (Tokens have Fill only.)
type NumberSteps struct {
	Clip      *FittedClip      `json:"clip,omitempty"`
	Fill      *FittedFill      `json:"fill,omitempty"`
	Log1p     bool             `json:"log1p,omitempty"`
	Power     *FittedPower     `json:"power,omitempty"`
	Quantiles *FittedQuantiles `json:"quantiles,omitempty"`
	Scale     *FittedScale     `json:"scale,omitempty"`
	Bucketize *FittedBuckets   `json:"bucketize,omitempty"`
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

// FittedScale makes (x-Offset)/Divisor of x, or 0 if Divisor is 0; and then,
// with a Range, maps 0 to its Min and 1 to its Max.
type FittedScale struct {
	Kind    string       `json:"kind"` // z_score, min_max, max_abs, robust or power
	Offset  float64      `json:"offset"`
	Divisor float64      `json:"divisor"`
	Range   *FittedRange `json:"range,omitempty"`
}

// FittedRange is an interval.
type FittedRange struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
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
	Hashed     bool     `json:"hashed,omitempty"` // without tokens: all are hashed
	Distinct   int64    `json:"distinct"`         // tokens seen, those left out included
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

// ids is the number of ids of the feature, 0 if it is not turned into ids. In
// the embedding of a sequence the last is that of what is not there.
func (f *Fitted) ids() int {
	n := f.bareIDs()
	if n > 0 && f.Sequence != nil && f.Encode == encodeEmbedding {
		n++
	}
	return n
}

func (f *Fitted) bareIDs() int {
	switch {
	case f.Vocabulary != nil:
		n := len(f.Vocabulary.Tokens) + f.Vocabulary.OOVBuckets
		if f.Vocabulary.NullID {
			n++
		}
		return n
	case f.Cross != nil:
		return f.Cross.Buckets
	case f.Bucketize != nil:
		n := len(f.Bucketize.Boundaries)
		if f.PerKey != nil {
			for i := range f.PerKey.Keys {
				if b := f.PerKey.Keys[i].Bucketize; b != nil {
					n = max(n, len(b.Boundaries))
				}
			}
		}
		return n + 1
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
	case f.Target != nil:
		w = len(f.Target.Prior)
	case f.Text != nil:
		w = len(f.Text.Terms)
	case f.PCA != nil:
		w = len(f.PCA.Components)
	case f.Image != nil:
		w = f.Image.numbers()
	}
	if f.Sequence != nil {
		w *= f.Sequence.Length
	}
	if f.indicator() {
		w++
	}
	return w
}

// reads lists the columns that preparing rows reads, the feature's own first.
func (f *Fitted) reads() []read {
	out := []read{{f.Column, f.Kind}}
	switch {
	case f.PerKey != nil:
		out = append(out, read{f.PerKey.Column, f.PerKey.Kind})
	case f.Cross != nil:
		for _, c := range f.Cross.With {
			out = append(out, read{c.Column, c.Kind})
		}
	case f.PCA != nil:
		for _, c := range f.PCA.With {
			out = append(out, read{c.Column, c.Kind})
		}
	}
	return out
}

// input names the model input of an embedding.
func (f *Fitted) input() string {
	if f.Cross == nil {
		return f.Column
	}
	columns := []string{f.Column}
	for _, c := range f.Cross.With {
		columns = append(columns, c.Column)
	}
	return crossName(columns)
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
// as its column; that of a cross as its columns with "_x_" between them;
// that of a sequence has its length.
func (p *Plan) Inputs() []nn.Input {
	var out []nn.Input
	if w := p.Width(); w > 0 {
		out = append(out, nn.Input{Name: FeaturesColumn, DType: "float32", Shape: []int{w}})
	}
	for i := range p.Features {
		if f := &p.Features[i]; f.Encode == encodeEmbedding {
			in := nn.Input{Name: f.input(), DType: "int32", Shape: []int{}, Cardinality: f.ids(), Dim: f.Dim}
			if f.Sequence != nil {
				in.Shape = []int{f.Sequence.Length}
			}
			out = append(out, in)
		}
	}
	return out
}

// FeatureNames says what each of the Width features is: "speed", "speed is
// null", "phase = Climb", "phase = (other 1)", "speed in bucket 3".
func (p *Plan) FeatureNames() []string {
	var out []string
	for i := range p.Features {
		out = append(out, p.Features[i].names()...)
	}
	return out
}

func (f *Fitted) idName(id int) string {
	v := f.Vocabulary
	switch {
	case f.Cross != nil:
		return fmt.Sprintf("%s in bucket %d", f.input(), id)
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
		for _, c := range p.Features[i].reads() {
			if !seen[c.name] {
				seen[c.name] = true
				out = append(out, c.name)
			}
		}
	}
	return out
}
