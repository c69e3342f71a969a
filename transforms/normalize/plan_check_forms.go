package normalize

import "fmt"

// checkForm holds what is made of the column against what an Applier relies on.
func (f *Fitted) checkForm() error {
	forms := 0
	for _, set := range []bool{f.Vocabulary != nil, f.Cross != nil, f.Target != nil, f.Text != nil, f.PCA != nil, f.Image != nil} {
		if set {
			forms++
		}
	}
	if f.Sequence != nil {
		if err := f.Sequence.check(f); err != nil {
			return err
		}
	}
	if forms == 0 {
		return f.checkNumbers()
	}
	if forms > 1 || f.PerKey != nil || f.Sequence != nil && f.Vocabulary == nil {
		return fmt.Errorf("%d things made of one column", forms)
	}
	if f.Vocabulary != nil {
		return f.checkTokens()
	}
	switch {
	case f.numeric():
		return fmt.Errorf("numeric steps that do not go with the rest")
	case f.PCA != nil:
		return f.PCA.check(f)
	case f.Image != nil:
		if f.Fill != nil || f.Kind != kindBinary && f.Kind != kindText {
			return fmt.Errorf("image of kind %q", f.Kind)
		}
		return f.Image.check()
	}
	if f.Fill != nil || !isToken(f.Kind) {
		return fmt.Errorf("steps that do not go together, or of kind %q", f.Kind)
	}
	switch {
	case f.Cross != nil:
		return f.Cross.check()
	case f.Target != nil:
		return f.Target.check()
	}
	return f.Text.check()
}

// numeric says whether there is a step that only numbers have.
func (s *NumberSteps) numeric() bool {
	return s.Clip != nil || s.Log1p || s.Power != nil || s.Quantiles != nil || s.Scale != nil || s.Bucketize != nil
}
