package normalize

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/millrace-go/millrace/model/metrics"
)

// check holds a Plan against all that an Applier relies on.
func (p *Plan) check() error {
	if p.Rows <= 0 || len(p.Features) == 0 {
		return fmt.Errorf("%d rows and %d features, want both", p.Rows, len(p.Features))
	}
	embedded := map[string]bool{}
	width := 0
	for i := range p.Features {
		f := &p.Features[i]
		if err := f.check(); err != nil {
			return fmt.Errorf("column %q: %w", f.Column, err)
		}
		if f.Encode == encodeEmbedding {
			name := f.input()
			if embedded[name] || name == FeaturesColumn || name == LabelColumn {
				return fmt.Errorf("column %q: the name of another input", name)
			}
			embedded[name] = true
		}
		if width += f.width(); width > MaxWidth {
			return fmt.Errorf("more than %d features", MaxWidth)
		}
	}
	if err := p.Label.check(); err != nil {
		return fmt.Errorf("label column %q: %w", p.Label.Column, err)
	}
	return nil
}

func (f *Fitted) check() error {
	if f.Column == "" || !utf8.ValidString(f.Column) {
		return fmt.Errorf("no name")
	}
	if f.Dim < 0 || f.Dim > maxDim || f.Dim > 0 && f.Encode != encodeEmbedding {
		return fmt.Errorf("dim %d", f.Dim)
	}
	if want := f.Vocabulary != nil || f.Bucketize != nil || f.Cross != nil; want != (f.Encode == encodeOneHot || f.Encode == encodeEmbedding) || !want && f.Encode != "" {
		return fmt.Errorf("encode %q does not fit its steps", f.Encode)
	}
	if f.ids() < 0 || f.ids() > math.MaxInt32 {
		return fmt.Errorf("%d ids", f.ids())
	}
	return f.checkForm()
}

func (f *Fitted) checkTokens() error {
	v := f.Vocabulary
	switch {
	case !isToken(elements(f.Kind)) || f.Sequence == nil && !isToken(f.Kind):
		return fmt.Errorf("kind %q with a vocabulary", f.Kind)
	case f.numeric():
		return fmt.Errorf("numeric steps with a vocabulary")
	case v.Hashed && len(v.Tokens) > 0:
		return fmt.Errorf("hashed, with tokens")
	case v.OOVBuckets < 1 || v.OOVBuckets > maxOOVBuckets || v.NullID != (f.Fill == nil):
		return fmt.Errorf("%d out-of-vocabulary buckets", v.OOVBuckets)
	case f.Fill != nil && (f.Fill.Value != 0 || !utf8.ValidString(f.Fill.Token)):
		return fmt.Errorf("fill of a number")
	}
	return checkCounted(v.Tokens, v.Counts)
}

// checkCounted fails unless tokens are distinct and each has a count.
func checkCounted(tokens []string, counts []int64) error {
	if len(tokens) != len(counts) {
		return fmt.Errorf("%d tokens with %d counts", len(tokens), len(counts))
	}
	seen := make(map[string]struct{}, len(tokens))
	for i, t := range tokens {
		if _, twice := seen[t]; twice || counts[i] < 0 {
			return fmt.Errorf("token %q twice, or with count %d", t, counts[i])
		}
		seen[t] = struct{}{}
	}
	return nil
}

func (f *Fitted) checkNumbers() error {
	if !isNumber(elements(f.Kind)) || f.Sequence == nil && !isNumber(f.Kind) {
		return fmt.Errorf("kind %q, want a number", f.Kind)
	}
	if err := f.NumberSteps.check(); err != nil {
		return err
	}
	if f.PerKey == nil {
		return nil
	}
	return f.PerKey.check(&f.NumberSteps)
}

func (s *NumberSteps) check() error {
	switch {
	case s.Clip != nil && !(s.Clip.Low <= s.Clip.High):
		return fmt.Errorf("clip from %v to %v", s.Clip.Low, s.Clip.High)
	case s.Fill != nil && (s.Fill.Token != "" || s.Log1p && s.Fill.Value <= -1):
		return fmt.Errorf("fill with %v", s.Fill.Value)
	}
	if err := s.checkScale(); err != nil {
		return err
	}
	if s.Bucketize == nil {
		return nil
	}
	if n := len(s.Bucketize.Boundaries); n == 0 || n >= maxBuckets {
		return fmt.Errorf("%d boundaries", n)
	}
	return rising(s.Bucketize.Boundaries)
}

func (l *FittedLabel) check() error {
	if n := len(l.Classes); n < 2 || n > metrics.MaxClasses {
		return fmt.Errorf("%d classes", n)
	}
	if l.Column == "" || l.Kind != kindText && l.Kind != kindInteger && l.Kind != kindBool {
		return fmt.Errorf("kind %q", l.Kind)
	}
	return checkCounted(l.Classes, l.Counts)
}
