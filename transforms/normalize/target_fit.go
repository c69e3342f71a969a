package normalize

import (
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
)

// FittedTarget makes shares of classes of a token.
type FittedTarget struct {
	Folds   int           `json:"folds"`
	Key     []string      `json:"key"`     // columns whose hash is the fold
	Prior   []float64     `json:"prior"`   // overall share of each of Classes
	Others  [][]float64   `json:"others"`  // by fold: the overall shares without it
	Tokens  []FittedShare `json:"tokens"`  // by rising token
	Null    FittedShare   `json:"null"`    // of null
	Classes []string      `json:"classes"` // whose shares are taken
}

// FittedShare are the smoothed shares of a token.
type FittedShare struct {
	Token  string      `json:"token"`
	Rows   int64       `json:"rows"`
	Shares []float64   `json:"shares"`
	Others [][]float64 `json:"others"` // by fold: without its rows
}

// fitTarget takes the rows of the known classes: others do not become part of
// what a model sees.
func fitTarget(f feature, s *targetStats, classes []string, out *Fitted) error {
	if s.overflow {
		return fmt.Errorf("target: more than %d distinct tokens; is it an identifier? Leave the column out, or raise target.max_distinct", s.max)
	}
	t := &targetFit{s: s, smoothing: f.Target.Smoothing}
	for _, c := range classes {
		at, ok := s.classes[c]
		if !ok {
			at = -1
		}
		t.at = append(t.at, at)
	}
	o := &FittedTarget{Folds: s.folds, Key: f.Target.Key, Tokens: []FittedShare{}, Classes: classes}
	if t.from = 0; len(classes) == 2 {
		t.from, o.Classes = 1, classes[1:]
	}
	whole := &tally{}
	for _, name := range sortedKeys(s.tokens) {
		t.sum(whole, s.tokens[name])
	}
	t.sum(whole, s.null)
	if t.rows(whole, -1) == 0 {
		return fmt.Errorf("target: no row has a class")
	}
	uniform := make([]float64, len(classes))
	for i := range uniform {
		uniform[i] = 1 / float64(len(classes))
	}
	t.prior = t.shares(whole, -1, uniform, 0)
	for fold := range s.folds {
		t.others = append(t.others, t.shares(whole, fold, uniform, 0))
	}
	o.Prior = t.prior[t.from:]
	for _, p := range t.others {
		o.Others = append(o.Others, p[t.from:])
	}
	for _, name := range sortedKeys(s.tokens) {
		if utf8.ValidString(name) {
			o.Tokens = append(o.Tokens, t.token(name, s.tokens[name]))
		}
	}
	o.Null = t.token("", s.null)
	out.Target = o
	return nil
}

// targetFit makes shares of counts.
type targetFit struct {
	s         *targetStats
	smoothing float64
	at        []int // of each class in the counts, -1 if it has none
	from      int   // first class whose share is wanted
	prior     []float64
	others    [][]float64
}

func (t *targetFit) sum(to, from *tally) {
	for at, n := range from.n {
		to.add(at, n)
	}
}

// count is the number of rows of a class without a fold; -1 leaves none out.
func (t *targetFit) count(c *tally, class, without int) (n int64) {
	if t.at[class] < 0 {
		return 0
	}
	for fold := range t.s.folds {
		if fold != without {
			n += c.get(t.at[class]*t.s.folds + fold)
		}
	}
	return n
}

func (t *targetFit) rows(c *tally, without int) (n int64) {
	for class := range t.at {
		n += t.count(c, class, without)
	}
	return n
}

// shares of all classes, smoothed towards a prior; the prior itself if there
// are no rows.
func (t *targetFit) shares(c *tally, without int, prior []float64, smoothing float64) []float64 {
	rows := float64(t.rows(c, without)) + smoothing
	out := make([]float64, len(t.at))
	for class := range out {
		if rows == 0 {
			out[class] = prior[class]
			continue
		}
		out[class] = (float64(t.count(c, class, without)) + float64(smoothing*prior[class])) / rows
	}
	return out
}

func (t *targetFit) token(name string, c *tally) FittedShare {
	out := FittedShare{Token: name, Rows: t.rows(c, -1), Shares: t.shares(c, -1, t.prior, t.smoothing)[t.from:]}
	for fold := range t.s.folds {
		out.Others = append(out.Others, t.shares(c, fold, t.others[fold], t.smoothing)[t.from:])
	}
	return out
}

func (t *FittedTarget) check() error {
	if t.Folds < 2 || t.Folds > largestFolds || len(t.Others) != t.Folds || len(t.Key) == 0 || len(t.Prior) == 0 || len(t.Classes) != len(t.Prior) {
		return fmt.Errorf("target of %d folds and %d classes", t.Folds, len(t.Prior))
	}
	for _, p := range t.Others {
		if len(p) != len(t.Prior) {
			return fmt.Errorf("target of %d classes, with %d", len(p), len(t.Prior))
		}
	}
	for i := range t.Tokens {
		if i > 0 && t.Tokens[i-1].Token >= t.Tokens[i].Token {
			return fmt.Errorf("token %q out of order", t.Tokens[i].Token)
		}
		if err := t.Tokens[i].check(t); err != nil {
			return err
		}
	}
	return t.Null.check(t)
}

func (s *FittedShare) check(t *FittedTarget) error {
	ok := s.Rows >= 0 && len(s.Shares) == len(t.Prior) && len(s.Others) == t.Folds
	for _, o := range s.Others {
		ok = ok && len(o) == len(t.Prior)
	}
	if !ok {
		return fmt.Errorf("token %q: shares of other classes or folds", s.Token)
	}
	return nil
}

type targetStep struct {
	where
	f     *FittedTarget
	index map[string]int32
}

func newTargetStep(f *FittedTarget, w where) *targetStep {
	s := &targetStep{where: w, f: f, index: make(map[string]int32, len(f.Tokens))}
	for i := range f.Tokens {
		s.index[f.Tokens[i].Token] = int32(i)
	}
	return s
}

func (s *targetStep) apply(cols []arrow.Array, o *output) error {
	token, err := tokenReader(cols[0])
	if err != nil {
		return fmt.Errorf("column %q: %w", s.name, err)
	}
	var folds []uint8
	if o.train != nil {
		if folds, err = o.source.folds(s.f.Key, s.f.Folds); err != nil {
			return fmt.Errorf("column %q: %w", s.name, err)
		}
	}
	for row := range o.n {
		shares, others := s.f.Prior, s.f.Others
		if cols[0].IsNull(row) {
			shares, others = s.f.Null.Shares, s.f.Null.Others
		} else if i, ok := s.index[token(row)]; ok {
			shares, others = s.f.Tokens[i].Shares, s.f.Tokens[i].Others
		}
		if folds != nil && o.train[row] {
			shares = others[folds[row]]
		}
		out := o.slab[row*o.width+s.offset:]
		for i, v := range shares {
			out[i] = float32(v)
		}
	}
	return nil
}
