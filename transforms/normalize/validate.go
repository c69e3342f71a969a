package normalize

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/internal/names"
	"github.com/millrace-go/millrace/model/metrics"
)

// The words of the job file.
const (
	scaleNone, scaleZ, scaleMinMax, scaleMaxAbs = "none", "z_score", "min_max", "max_abs"
	scaleRobust, scaleQuantile, scalePower      = "robust", "quantile", "power"
	quantileUniform, quantileNormal             = "uniform", "normal"
	powerYeoJohnson, powerBoxCox                = "yeo_johnson", "box_cox"

	fillConstant, fillMean, fillMedian, fillMostFrequent = "constant", "mean", "median", "most_frequent"

	encodeOneHot, encodeEmbedding = "one_hot", "embedding"
)

const (
	maxBuckets         = 1 << 16
	maxOOVBuckets      = 1 << 20
	maxDim             = 1 << 16
	defaultMaxDistinct = 1_000_000
	// largestMaxDistinct bounds what a job may ask to be held.
	largestMaxDistinct = 100_000_000
)

// Validate checks what can be checked without the data. It joins an error, a
// fielderr.FieldError, for each fault; their paths begin at the Spec:
// "features[2].scale".
func (s Spec) Validate() error {
	var c checker
	if len(s.Features) == 0 {
		c.fail("features", "no features, want at least one column for the model to see")
	}
	owner := map[string]int{} // the feature of an embedding
	for i, f := range s.Features {
		at := fmt.Sprintf("features[%d]", i)
		c.feature(at, f)
		columns, err := names.Expand(f.Column)
		if err != nil {
			c.fail(at+".column", "%w", err)
			continue
		}
		for _, name := range columns {
			if name == s.Label.Column {
				c.fail(at+".column", "%q is the label; a model that sees its label learns nothing", name)
			}
			if f.Encode != encodeEmbedding {
				continue
			}
			f.Column = name
			name := f.input()
			if first, taken := owner[name]; taken {
				c.fail(at+".encode", "column %q already has an embedding, in features[%d]", name, first)
			}
			owner[name] = i
			if name == FeaturesColumn || name == LabelColumn {
				c.fail(at+".column", "an embedding cannot be called %q, which names a model input; rename the column in clean", name)
			}
		}
	}
	c.label(s.Label)
	return errors.Join(c.errs...)
}

// checker collects the faults.
type checker struct{ errs []error }

func (c *checker) fail(path, format string, args ...any) {
	c.errs = append(c.errs, fielderr.New(path, format, args...))
}

func (c *checker) oneOf(path, got string, want ...string) {
	for _, w := range want {
		if got == w {
			return
		}
	}
	c.fail(path, "%q, want one of %q; did you mean %q?", got, want, names.Nearest(got, want))
}

func (c *checker) label(l Label) {
	if l.Column == "" {
		c.fail("label.column", "no label column")
	}
	seen := map[string]bool{}
	for i, class := range l.Classes {
		if seen[class] {
			c.fail(fmt.Sprintf("label.classes[%d]", i), "class %q is listed twice", class)
		}
		seen[class] = true
	}
	if n := len(l.Classes); n == 1 || n > metrics.MaxClasses {
		c.fail("label.classes", "%d classes, want 2 to %d", n, metrics.MaxClasses)
	}
}

func (c *checker) feature(at string, f Feature) {
	if f.Scale != "" {
		c.oneOf(at+".scale", f.Scale, scales...)
	}
	c.scaleOptions(at, f)
	if f.PerKey != nil {
		c.perKey(at+".per_key", f)
	}
	if f.Encode != "" {
		c.oneOf(at+".encode", f.Encode, encodeOneHot, encodeEmbedding)
	}
	if f.Dim < 0 || f.Dim > maxDim || f.Dim > 0 && f.Encode != encodeEmbedding {
		c.fail(at+".dim", "%d, want 0 to %d, with encode: embedding only", f.Dim, maxDim)
	}
	if f.Clip != nil {
		c.clip(at+".clip", f.Clip.withDefaults())
	}
	if f.Fill != nil {
		c.fill(at+".fill", *f.Fill, f.Vocabulary != nil || f.Hash != nil)
	}
	if f.Bucketize != nil {
		c.bucketize(at+".bucketize", *f.Bucketize)
		if f.scale() != scaleNone {
			c.fail(at+".scale", "%s with bucketize: a value is either scaled or put into a bucket", f.Scale)
		}
	}
	if f.Vocabulary != nil {
		c.vocabulary(at+".vocabulary", *f.Vocabulary)
	}
	c.form(at, f)
}

func (c *checker) clip(at string, v Clip) {
	if !(0 <= v.Lower && v.Lower < v.Upper && v.Upper <= 1) {
		c.fail(at, "quantiles %v to %v, want 0 <= lower < upper <= 1", v.Lower, v.Upper)
	}
}

func (c *checker) fill(at string, f Fill, tokens bool) {
	want := []string{fillConstant, fillMean, fillMedian, fillMostFrequent}
	if tokens {
		want = []string{fillConstant, fillMostFrequent}
	}
	c.oneOf(at+".with", f.With, want...)
	if f.Value != "" && f.With != fillConstant {
		c.fail(at+".value", "a value without with: constant")
	}
	if f.With == fillConstant && f.Value == "" {
		c.fail(at+".value", "no constant to fill with")
	}
}

func (c *checker) bucketize(at string, b Bucketize) {
	if (b.Quantiles == 0) == (len(b.Boundaries) == 0) {
		c.fail(at, "want either quantiles or boundaries")
	}
	if b.Quantiles < 0 || b.Quantiles == 1 || b.Quantiles > maxBuckets {
		c.fail(at+".quantiles", "%d buckets, want 2 to %d", b.Quantiles, maxBuckets)
	}
	if len(b.Boundaries) >= maxBuckets {
		c.fail(at+".boundaries", "%d boundaries, want at most %d", len(b.Boundaries), maxBuckets-1)
	}
	if err := rising(b.Boundaries); err != nil {
		c.fail(at+".boundaries", "%w", err)
	}
}

// rising fails unless values are finite and strictly increasing.
func rising(values []float64) error {
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) || i > 0 && v <= values[i-1] {
			return fmt.Errorf("boundary %v at position %d, want finite numbers, each larger than the one before", v, i)
		}
	}
	return nil
}

func (c *checker) vocabulary(at string, v Vocabulary) {
	if v.MinCount < 0 {
		c.fail(at+".min_count", "%d, want at least 0", v.MinCount)
	}
	if v.TopK < 0 {
		c.fail(at+".top_k", "%d, want at least 0", v.TopK)
	}
	if v.OOVBuckets < 0 || v.OOVBuckets > maxOOVBuckets {
		c.fail(at+".oov_buckets", "%d, want 1 to %d", v.OOVBuckets, maxOOVBuckets)
	}
	if v.MaxDistinct < 0 || v.MaxDistinct > largestMaxDistinct {
		c.fail(at+".max_distinct", "%d, want 1 to %d", v.MaxDistinct, largestMaxDistinct)
	}
}

// scale is the Scale asked for, with the default.
func (f Feature) scale() string {
	if f.Scale == "" {
		return scaleNone
	}
	return f.Scale
}

// input names the model input of an embedding.
func (f Feature) input() string {
	if f.Cross == nil {
		return f.Column
	}
	return crossName(append([]string{f.Column}, f.Cross.With...))
}

// crossName names what is made of several columns together.
func crossName(columns []string) string { return strings.Join(columns, "_x_") }

// numericStep names the first step that only numbers have, or "".
func (f Feature) numericStep() string {
	switch {
	case f.Clip != nil:
		return "clip"
	case f.Log1p:
		return "log1p"
	case f.scale() != scaleNone:
		return "scale"
	case f.Bucketize != nil:
		return "bucketize"
	case f.PerKey != nil:
		return "per_key"
	}
	return ""
}

func (c Clip) withDefaults() Clip {
	if c.Upper == 0 {
		c.Upper = 1
	}
	return c
}

func (v Vocabulary) withDefaults() Vocabulary {
	v.MinCount = max(v.MinCount, 1)
	v.OOVBuckets = max(v.OOVBuckets, 1)
	if v.MaxDistinct == 0 {
		v.MaxDistinct = defaultMaxDistinct
	}
	return v
}

// parseConstant reads the constant of a numeric fill.
func parseConstant(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is no finite number", text)
	}
	return v, nil
}
