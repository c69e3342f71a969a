package normalize

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/millrace-go/millrace/model/metrics"
)

// Plan fits the steps to the statistics. It joins an error for each column
// that cannot be fitted, which names the column and the remedy: nothing but
// nulls, no rows, a label of one class only, too many distinct tokens, more
// features than MaxWidth.
func (a *Analyzer) Plan() (*Plan, error) {
	rows, err := a.rows()
	if err != nil {
		return nil, err
	}
	if rows == 0 {
		return nil, errors.New("normalize: the train split has no rows; check the rules of clean and the shares of split")
	}
	p := &Plan{Rows: rows}
	var errs []error
	label, labelErr := fitLabel(a.label, a.classes, a.columns[len(a.features)].(*tokenStats))
	p.Label = label
	for i, f := range a.features {
		fitted, err := fit(f, a.columns[i], label.Classes)
		if err != nil {
			err = fmt.Errorf("normalize: column %q: %w", f.Column, err)
		}
		errs = append(errs, err)
		p.Features = append(p.Features, fitted)
	}
	if labelErr != nil {
		labelErr = fmt.Errorf("normalize: label column %q: %w", a.label.Column, labelErr)
	}
	if err := errors.Join(append(errs, labelErr)...); err != nil {
		return nil, err
	}
	if w := p.Width(); w > MaxWidth {
		return nil, fmt.Errorf("normalize: %d features a row, want at most %d; the widest column is %q: use encode: embedding, or top_k", w, MaxWidth, p.widest())
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("normalize: %w", err)
	}
	file, err := p.Encode()
	if err != nil {
		return nil, err
	}
	p.digest = digest(file)
	return p, nil
}

// widest is the column with the most features.
func (p *Plan) widest() string {
	best := 0
	for i := range p.Features {
		if p.Features[i].width() > p.Features[best].width() {
			best = i
		}
	}
	return p.Features[best].Column
}

func fit(f feature, s stats, classes []string) (Fitted, error) {
	out := Fitted{Column: f.Column, Kind: f.kind, Dim: f.Dim}
	if f.tokens() || f.Hash != nil || f.Cross != nil || f.Bucketize != nil {
		out.Encode = encodeOneHot
		if f.Encode != "" {
			out.Encode = f.Encode
		}
	}
	switch s := s.(type) {
	case *tokenStats:
		return out, fitTokens(f, s, &out)
	case *keyStats:
		return out, fitKeys(f, s, &out)
	case *countStats:
		out.Stats = Stats{Count: s.n, Nulls: s.nulls}
		switch {
		case f.Hash != nil:
			fitHash(f, &out)
		case f.Image != nil:
			out.Image = f.Image.fitted()
		default:
			out.Cross = &FittedCross{Buckets: f.Cross.Buckets}
			for _, c := range f.others {
				out.Cross.With = append(out.Cross.With, FittedColumn{c.name, c.kind})
			}
		}
		return out, nil
	case *sequenceStats:
		out.Sequence = f.Sequence.fitted()
		f.kind = elements(f.kind)
		f.Sequence = nil
		fitted, err := fit(f, s.inner, classes)
		fitted.Kind, fitted.Sequence = out.Kind, out.Sequence
		return fitted, err
	case *productStats:
		out.Stats = Stats{Count: s.n, Nulls: s.nulls, NonFinite: s.bad}
		return out, fitPCA(f, s, &out)
	case *targetStats:
		out.Stats = Stats{Count: s.rows - s.nulls, Nulls: s.nulls}
		return out, fitTarget(f, s, classes, &out)
	case *textStats:
		out.Stats = Stats{Count: s.n, Nulls: s.nulls}
		return out, fitText(f, s, &out)
	}
	return out, fitNumbers(f, s.(*numberStats), &out)
}

// fitTokens sets the vocabulary, the fill and the statistics of out.
func fitTokens(f feature, s *tokenStats, out *Fitted) error {
	v := f.Vocabulary
	if s.overflow {
		return fmt.Errorf("more than %d distinct tokens; is it an identifier? Leave the column out, or raise vocabulary.max_distinct", v.MaxDistinct)
	}
	if s.n == 0 && (f.Fill == nil || f.Fill.With != fillConstant) {
		return errors.New("every value is null in the train split; leave the column out, or fill it with a constant")
	}
	out.Stats = Stats{Count: s.n, Nulls: s.nulls}
	var filled tokenCount // what nulls become
	if f.Fill != nil {
		filled.n = s.nulls
		filled.token = f.Fill.Value
		if f.Fill.With == fillMostFrequent {
			list := s.byCount(tokenCount{})
			if len(list) == 0 {
				return errors.New("no token is valid UTF-8; fill it with a constant")
			}
			filled.token = list[0].token
		}
		out.Fill = &FittedFill{With: f.Fill.With, Token: filled.token, Indicator: f.Fill.Indicator}
	}
	list := s.byCount(filled)
	out.Vocabulary = &FittedVocabulary{
		Tokens: []string{}, Counts: []int64{},
		OOVBuckets: v.OOVBuckets, NullID: f.Fill == nil, Distinct: int64(len(list)),
	}
	for _, t := range list {
		if t.n < v.MinCount || v.TopK > 0 && len(out.Vocabulary.Tokens) == v.TopK {
			break // falling counts: so are all that follow
		}
		out.Vocabulary.Tokens = append(out.Vocabulary.Tokens, t.token)
		out.Vocabulary.Counts = append(out.Vocabulary.Counts, t.n)
	}
	return nil
}

func fitLabel(f feature, fixed []string, s *tokenStats) (FittedLabel, error) {
	out := FittedLabel{Column: f.Column, Kind: f.kind, Nulls: s.nulls}
	if s.overflow {
		return out, fmt.Errorf("more than %d distinct classes; is it a number to predict, or an identifier?", metrics.MaxClasses)
	}
	if s.n == 0 {
		return out, errors.New("every value is null in the train split; a class is needed to learn from")
	}
	out.Classes = slices.Clone(fixed)
	if fixed == nil {
		for _, t := range s.byCount(tokenCount{}) {
			out.Classes = append(out.Classes, t.token)
		}
		slices.SortFunc(out.Classes, classOrder(f.kind))
	}
	out.Others = s.n
	present := 0
	for _, class := range out.Classes {
		var n int64
		if i, ok := s.index[class]; ok {
			n = s.counts[i]
			present++
		}
		out.Counts = append(out.Counts, n)
		out.Others -= n
	}
	if present < 2 {
		return out, fmt.Errorf("%d of the classes %q in the train split's %d rows, want at least two to tell apart; check label.classes, the rules of clean, and split", present, out.Classes, s.n)
	}
	return out, nil
}

// classOrder is numeric for integers and by bytes for the rest.
func classOrder(kind string) func(a, b string) int {
	if kind != kindInteger {
		return strings.Compare
	}
	return func(a, b string) int {
		na, nb := strings.HasPrefix(a, "-"), strings.HasPrefix(b, "-")
		switch {
		case na && !nb:
			return -1
		case nb && !na:
			return 1
		case na:
			a, b = b[1:], a[1:]
		}
		if len(a) != len(b) { // without leading zeros, the longer is the larger
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	}
}

// summaryQuantiles are those a Plan shows.
var summaryQuantiles = []float64{0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99}

func isFinite(values ...float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
