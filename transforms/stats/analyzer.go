package stats

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/quantile"
)

// Analyzer gathers the statistics of a table, or of a slice of one. What it
// holds depends on the rows alone. It is not safe for concurrent use; a worker
// has its own, and they are merged.
type Analyzer struct {
	options Options // with defaults
	names   []string
	columns []*column
	pairs   *pairs                    // nil unless asked for
	views   map[string]*quantile.View // of the columns that were looked at again; see Refine

	schema *arrow.Schema // of the last record
	at     []int         // of each column in it
	paired []int         // of each of the pairs' columns
}

// NewAnalyzer returns an analyzer without rows for tables of a schema. Its
// errors are those of Options.Validate. It ignores Options.SliceBy; see Slicer.
func NewAnalyzer(o Options, schema *arrow.Schema) (*Analyzer, error) {
	if err := o.Validate(schema); err != nil {
		return nil, err
	}
	return newAnalyzer(o.withDefaults(len(o.fields(schema))), schema), nil
}

func newAnalyzer(o Options, schema *arrow.Schema) *Analyzer {
	a := &Analyzer{options: o}
	for _, f := range o.fields(schema) {
		a.names = append(a.names, f.Name)
		a.columns = append(a.columns, newColumn(kindOf(f.Type), o.MaxDistinct))
	}
	if o.Correlations {
		a.pairs = newPairs(o.numeric(schema))
	}
	return a
}

// Columns names the columns, in the order of the schema.
func (a *Analyzer) Columns() []string { return a.names }

// Add takes in the rows of r, which may have other columns too. It keeps none
// of its memory.
func (a *Analyzer) Add(r arrow.Record) error {
	if err := a.bind(r.Schema()); err != nil {
		return err
	}
	a.views = nil
	for i, c := range a.columns {
		if err := c.add(r.Column(a.at[i])); err != nil {
			return fmt.Errorf("stats: column %q: %w", a.names[i], err)
		}
	}
	if a.pairs == nil {
		return nil
	}
	columns := make([]arrow.Array, len(a.paired))
	for i, at := range a.paired {
		columns[i] = r.Column(at)
	}
	return a.pairs.add(columns)
}

// bind finds the columns in a record's schema.
func (a *Analyzer) bind(schema *arrow.Schema) error {
	if a.schema == schema {
		return nil
	}
	find := func(names []string) ([]int, error) {
		at := make([]int, len(names))
		for i, name := range names {
			found := schema.FieldIndices(name)
			if len(found) != 1 {
				return nil, fmt.Errorf("stats: column %q is there %d times in rows of %s, want once", name, len(found), schema)
			}
			at[i] = found[0]
		}
		return at, nil
	}
	var err error
	if a.at, err = find(a.names); err != nil {
		return err
	}
	if a.pairs != nil {
		if a.paired, err = find(a.pairs.names); err != nil {
			return err
		}
	}
	a.schema = schema
	return nil
}

// Merge adds the statistics of o, which must be of the same options and
// columns and stays as it was.
func (a *Analyzer) Merge(o *Analyzer) error {
	if len(a.columns) != len(o.columns) || (a.pairs == nil) != (o.pairs == nil) {
		return errors.New("stats: merge of statistics of different tables")
	}
	a.views = nil
	for i, c := range a.columns {
		if a.names[i] != o.names[i] {
			return fmt.Errorf("stats: merge of statistics of different tables: of column %q and of %q", a.names[i], o.names[i])
		}
		if err := c.merge(o.columns[i]); err != nil {
			return fmt.Errorf("stats: column %q: %w", a.names[i], err)
		}
	}
	if a.pairs != nil {
		a.pairs.merge(o.pairs)
	}
	return nil
}

// rows is the number of rows taken in; an error if the columns disagree.
func (a *Analyzer) rows() (int64, error) {
	if len(a.columns) == 0 {
		return 0, nil
	}
	n := a.columns[0].rows
	for i, c := range a.columns {
		if c.rows != n {
			return 0, fmt.Errorf("stats: column %q has the statistics of %d rows, column %q of %d: some were lost or counted twice", a.names[i], c.rows, a.names[0], n)
		}
	}
	return n, nil
}
