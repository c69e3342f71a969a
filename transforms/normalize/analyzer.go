package normalize

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/quantile"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/model/metrics"
)

// stats are the mergeable statistics of one column.
type stats interface {
	// add takes in the rows of a batch, whose columns are those that
	// feature.reads lists.
	add(cols []arrow.Array, src *source) error
	merge(other stats) error // leaves other as it was
	total() int64
	append(b []byte) ([]byte, error)
}

// Analyzer gathers the statistics that a Plan is made of: those of each
// feature, then those of the label. What it holds depends on the rows alone,
// not on their order, nor on how they were cut in batches or spread over
// analyzers that were then merged. It is not safe for concurrent use.
type Analyzer struct {
	features []feature
	label    feature
	classes  []string // fixed by the job, or nil
	columns  []stats  // one a feature, then the label's

	schema *arrow.Schema // of the last batch
	at     [][]int       // of the columns of each of the statistics in it
}

// source is a batch that statistics or steps look at, and what several of them
// may want to know of it.
type source struct {
	b      *batch.Batch
	hashes map[string][]uint64 // of the rows, by the names of the columns that are hashed
}

// NewAnalyzer returns an analyzer without rows for cleaned rows of a schema.
// It fails, with the errors of Validate and with a fielderr.FieldError for
// each column that is missing or of a type that the steps do not take.
func NewAnalyzer(s Spec, schema *arrow.Schema) (*Analyzer, error) {
	features, label, err := resolve(s, schema)
	if err != nil {
		return nil, err
	}
	a := &Analyzer{features: features, label: label, classes: s.Label.Classes}
	for _, f := range features {
		a.columns = append(a.columns, newStats(f))
	}
	a.columns = append(a.columns, newTokenStats(metrics.MaxClasses))
	return a, nil
}

// newStats are the statistics that a feature is fitted on.
func newStats(f feature) stats {
	switch {
	case f.Sequence != nil:
		return newSequenceStats(f)
	case f.PCA != nil:
		s := newProductStats(1 + len(f.others))
		if f.Fill != nil && f.Fill.With == fillConstant {
			v, _ := parseConstant(f.Fill.Value) // checked when the feature was resolved
			v += 0
			s.fill = &v
		}
		return s
	case f.Vocabulary != nil:
		return newTokenStats(f.Vocabulary.MaxDistinct)
	case f.Hash != nil || f.Cross != nil || f.Image != nil:
		return &countStats{}
	case f.Target != nil:
		return newTargetStats(*f.Target)
	case f.Text != nil:
		return newTextStats(*f.Text)
	case f.PerKey != nil:
		return newKeyStats(f)
	}
	return newNumberStats(f, quantile.DefaultMax)
}

// Columns names the column behind each of the analyzer's statistics: one a
// feature, in order, then the label. A column used twice is there twice.
func (a *Analyzer) Columns() []string {
	out := make([]string, 0, len(a.columns))
	for _, f := range a.features {
		out = append(out, f.Column)
	}
	return append(out, a.label.Column)
}

// Add takes the rows of b in. It keeps none of b's memory. b may have other
// columns too.
func (a *Analyzer) Add(b *batch.Batch) error {
	if err := a.bind(b.Record.Schema()); err != nil {
		return fmt.Errorf("normalize.Analyzer: %s: %w", b.File, err)
	}
	src := &source{b: b}
	var cols []arrow.Array
	for i, s := range a.columns {
		cols = cols[:0]
		for _, at := range a.at[i] {
			cols = append(cols, b.Record.Column(at))
		}
		if err := s.add(cols, src); err != nil {
			return fmt.Errorf("normalize.Analyzer: %s: column %q: %w", b.File, a.Columns()[i], err)
		}
	}
	return nil
}

// bind finds the columns in a batch's schema.
func (a *Analyzer) bind(schema *arrow.Schema) error {
	if a.schema == schema {
		return nil
	}
	at := make([][]int, len(a.columns))
	for i := range a.columns {
		f := a.label
		if i < len(a.features) {
			f = a.features[i]
		}
		for _, c := range f.reads() {
			field, err := findField(schema, c.name)
			if err != nil {
				return err
			}
			if got := kindOf(field.Type); got != c.kind {
				return fmt.Errorf("column %q: type %s, want %s", c.name, field.Type, c.kind)
			}
			at[i] = append(at[i], schema.FieldIndices(c.name)[0])
		}
	}
	a.schema, a.at = schema, at
	return nil
}

// Merge adds the statistics of o, which must be of the same Spec and stays as
// it was.
func (a *Analyzer) Merge(o *Analyzer) error {
	if len(a.columns) != len(o.columns) {
		return errors.New("normalize.Analyzer: merge with an analyzer of another job")
	}
	for i, s := range a.columns {
		if err := s.merge(o.columns[i]); err != nil {
			return fmt.Errorf("normalize.Analyzer: column %q: %w", a.Columns()[i], err)
		}
	}
	return nil
}

// rows is the number of rows taken in; an error if the columns disagree.
func (a *Analyzer) rows() (int64, error) {
	n := a.columns[len(a.columns)-1].total()
	for i, s := range a.columns {
		if got := s.total(); got != n {
			return 0, fmt.Errorf("normalize.Analyzer: column %q has the statistics of %d rows, the label of %d: some were lost or counted twice", a.Columns()[i], got, n)
		}
	}
	return n, nil
}
