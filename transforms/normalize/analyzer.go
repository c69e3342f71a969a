package normalize

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/model/metrics"
)

// stats are the mergeable statistics of one column.
type stats interface {
	add(col arrow.Array) error
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
	at     []int         // of each column in it
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
		if f.tokens() {
			a.columns = append(a.columns, newTokenStats(f.Vocabulary.MaxDistinct))
		} else {
			a.columns = append(a.columns, newNumberStats(f))
		}
	}
	a.columns = append(a.columns, newTokenStats(metrics.MaxClasses))
	return a, nil
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
	for i, s := range a.columns {
		if err := s.add(b.Record.Column(a.at[i])); err != nil {
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
	at := make([]int, len(a.columns))
	for i, name := range a.Columns() {
		field, err := findField(schema, name)
		if err != nil {
			return err
		}
		want := a.label.kind
		if i < len(a.features) {
			want = a.features[i].kind
		}
		if got := kindOf(field.Type); got != want {
			return fmt.Errorf("column %q: type %s, want %s", name, field.Type, want)
		}
		at[i] = schema.FieldIndices(name)[0]
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
