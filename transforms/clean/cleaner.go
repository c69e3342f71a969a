package clean

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
)

// Options are a Cleaner's settings. The zero value means the defaults.
type Options struct {
	// Only names the output columns wanted. The others, unless one of these is
	// derived from them, are neither computed nor checked nor required of the
	// source, and rules that read others are left out. The default, nil, is all
	// columns.
	Only []string
}

// Cleaner cleans the batches of sources of one schema. It is immutable: any
// number of goroutines may use it.
type Cleaner struct {
	source   *arrow.Schema
	schema   *arrow.Schema
	columns  []*column
	derive   []derivedColumn
	rowRules []*rowRule
	rules    []*rule
	sampler  *sampler
	fits     []Fit
	outputs  []int // positions of the output columns among columns, then derive
}

// derivedColumn is a column computed of those before it: the columns, then the
// derived ones.
type derivedColumn struct {
	name    string
	to      kind
	compute func(rows int, work []*cells) *cells
}

// Result is what became of a batch's rows: each is in exactly one of Kept, Dead
// and the counts of Dropped.
type Result struct {
	// Kept holds the rows that passed, in order; it may have none.
	Kept *batch.Batch
	// Dead are the rows for the dead letters, in order. The letter names the
	// source column and shows the source's cell.
	Dead []deadletter.Letter
	// Dropped counts the rows dropped by rule; nil if there are none.
	Dropped map[string]int64
	// Nulled counts the cells that an action made null by rule, in whatever rows
	// had passed all rules before; nil if there are none.
	Nulled map[string]int64
}

// New plans the cleaning of sources of the given schema. A column without a
// type gets the source's own, string if that is text; see Infer. Errors that
// are about a key are, or join, fielderr.FieldErrors.
func New(spec Spec, source *arrow.Schema, o Options) (*Cleaner, error) {
	c, err := newCleaner(spec, source, o)
	if err != nil {
		return nil, fmt.Errorf("clean: %w", err)
	}
	return c, nil
}

func newCleaner(spec Spec, source *arrow.Schema, o Options) (*Cleaner, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	list, err := spec.expand(source)
	if err != nil {
		return nil, err
	}
	if err := checkOutputs(list, spec.Derive); err != nil {
		return nil, err
	}
	list, derive, rules, err := needed(list, spec, o.Only)
	if err != nil {
		return nil, err
	}
	fields, err := find(source, list)
	if err != nil {
		return nil, err
	}
	c := &Cleaner{source: source}
	for i, out := range list {
		col, err := newColumn(out, fields[i], spec)
		if err != nil {
			return nil, err
		}
		c.addColumn(col)
		if out.Outliers != nil || out.Rare != nil {
			c.fits = append(c.fits, Fit{Column: out.name, Outliers: out.Outliers, Rare: out.Rare})
		}
	}
	s := newScope(c.columns)
	if err := c.addDerived(derive, derivePositions(spec.Derive), s); err != nil {
		return nil, err
	}
	if err := c.addRules(rules, rulePositions(spec.Rules), s); err != nil {
		return nil, err
	}
	c.setSchema(o.Only)
	if err := c.addSample(spec.Sample, s); err != nil {
		return nil, err
	}
	if spec.NearDuplicates != nil && o.Only == nil {
		return c, c.checkNear(spec.NearDuplicates)
	}
	return c, nil
}

func (c *Cleaner) addColumn(col *column) {
	for _, r := range col.rules() {
		r.index = int32(len(c.rules))
		c.rules = append(c.rules, r)
	}
	c.columns = append(c.columns, col)
}

// setSchema decides which of the columns computed come out.
func (c *Cleaner) setSchema(only []string) {
	wanted := map[string]bool{}
	for _, name := range only {
		wanted[name] = true
	}
	var fields []arrow.Field
	add := func(position int, name string, k kind) {
		if only == nil || wanted[name] {
			c.outputs = append(c.outputs, position)
			fields = append(fields, arrow.Field{Name: name, Type: arrowTypes[k], Nullable: true})
		}
	}
	for i, col := range c.columns {
		add(i, col.name, col.kind)
	}
	for i, d := range c.derive {
		add(len(c.columns)+i, d.name, d.to)
	}
	c.schema = arrow.NewSchema(fields, nil)
}

// Schema is the schema of the batches kept: the spec's columns in order, the
// others kept in the source's order, then those derived. All are nullable.
func (c *Cleaner) Schema() *arrow.Schema { return c.schema }

// SourceColumns lists the source columns that Clean needs, in source order. A
// batch may have more.
func (c *Cleaner) SourceColumns() []string {
	used := map[string]bool{}
	for _, col := range c.columns {
		used[col.source] = true
	}
	var list []string
	for _, f := range c.source.Fields() {
		if used[f.Name] {
			list = append(list, f.Name)
		}
	}
	return list
}

// Clean checks and converts the rows of b. It neither writes to b nor releases
// it; what is kept may share its memory. An error means that b is not of the
// cleaner's source schema.
func (c *Cleaner) Clean(b *batch.Batch) (*Result, error) {
	if n := b.Record.NumRows(); n != int64(len(b.Rows)) || n > math.MaxInt32 {
		return nil, fmt.Errorf("clean: %s: a record of %d rows with %d row numbers", b.File, n, len(b.Rows))
	}
	s := &sieve{fate: make([]int32, len(b.Rows)), rules: c.rules}
	work := make([]*cells, 0, len(c.columns)+len(c.derive))
	sources := make([]arrow.Array, len(c.columns))
	for i, col := range c.columns {
		a, err := col.of(b)
		if err != nil {
			return nil, fmt.Errorf("clean: %s: %w", b.File, err)
		}
		cleaned, err := col.clean(a, s)
		if err != nil {
			return nil, fmt.Errorf("clean: %s: column %q: %w", b.File, col.source, err)
		}
		sources[i] = a
		work = append(work, cleaned)
	}
	for _, d := range c.derive {
		work = append(work, d.compute(len(b.Rows), work))
	}
	for _, r := range c.rowRules {
		r.check(len(b.Rows), work, s)
	}
	if c.sampler != nil {
		c.sampler.check(work, s)
	}
	return c.result(b, s, work, sources)
}

// result builds what Clean returns from the cells and fates of all rows.
func (c *Cleaner) result(b *batch.Batch, s *sieve, work []*cells, sources []arrow.Array) (*Result, error) {
	keep := s.kept()
	arrays := make([]arrow.Array, len(c.outputs))
	for i, position := range c.outputs {
		a, err := work[position].build(keep)
		if err != nil {
			return nil, fmt.Errorf("clean: %s: column %q: %w", b.File, c.schema.Field(i).Name, err)
		}
		arrays[i] = a
	}
	kept := *b
	kept.Rows = pick(b.Rows, keep)
	kept.Record = array.NewRecord(c.schema, arrays, int64(len(kept.Rows)))
	r := &Result{Kept: &kept, Nulled: s.nulled}
	if keep != nil {
		r.Dead, r.Dropped = s.left(b, c.columns, sources, work)
	}
	return r, nil
}

// of finds the column's source in b.
func (c *column) of(b *batch.Batch) (arrow.Array, error) {
	a, err := batch.Column(b, c.source)
	if err != nil {
		return nil, err
	}
	if !arrow.TypeEqual(a.DataType(), c.field.Type) {
		return nil, fmt.Errorf("column %q: type %v, want %v", c.source, a.DataType(), c.field.Type)
	}
	return a, nil
}

// clean gives the cells of the column and tells s which rows fail.
func (c *column) clean(a arrow.Array, s *sieve) (*cells, error) {
	raw, misfits, err := load(a)
	if err != nil {
		return nil, err
	}
	if raw.kind == kindString {
		c.tidy(raw)
	}
	out, more := c.convert(raw)
	for _, list := range [][]int{misfits, more} {
		for _, row := range list {
			s.fail(c.typeRule, out, row)
		}
	}
	for _, check := range c.checks {
		if check.alter != nil {
			check.alter(out)
			continue
		}
		check.find(out, func(row int) { s.fail(check.rule, out, row) })
	}
	return out, nil
}
