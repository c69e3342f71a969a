package stats

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/quantile"
)

// Refinement is a second look at the rows of an Analyzer: it makes the
// quantiles and histograms of those columns exact that have more distinct
// values than the limit. It counts on their own the values of the few bins that
// the answers lie in. Like an Analyzer it depends on the rows alone.
type Refinement struct {
	names    []string
	refiners []*quantile.Refiner
	scratch  []float64
}

// Refinement returns what has to be counted again; see Needed.
func (a *Analyzer) Refinement() *Refinement {
	r := &Refinement{}
	for i, c := range a.columns {
		if c.numbers == nil || c.numbers.counts.Exact() {
			continue
		}
		view := a.views[a.names[i]]
		if view == nil {
			view = c.numbers.counts.View()
		}
		if again := view.Refine(questions(view, a.options)); again.Needed() {
			r.names, r.refiners = append(r.names, a.names[i]), append(r.refiners, again)
		}
	}
	return r
}

// Needed says whether there is anything to count again.
func (r *Refinement) Needed() bool { return len(r.names) > 0 }

// Columns names the columns that Add reads.
func (r *Refinement) Columns() []string { return r.names }

// Questions is the binary form of what is to be counted, without any counts:
// some hundred bytes a column.
func (r *Refinement) Questions() []byte {
	var b []byte
	for i, name := range r.names {
		b = appendBytes(b, []byte(name))
		b = appendBytes(b, r.refiners[i].Questions())
	}
	return b
}

// RefinementOf makes a Refinement of Questions, for a worker: Analyzer.Refine
// does not take it, but its Parts can be merged into one that it takes.
func RefinementOf(questions []byte) (*Refinement, error) {
	r := &Refinement{}
	d := decoder{b: questions}
	for len(d.b) > 0 && d.err == nil {
		r.names = append(r.names, string(d.bytes("column")))
		again, err := quantile.RefinerOf(d.bytes("questions"))
		d.check(err)
		r.refiners = append(r.refiners, again)
	}
	if d.err != nil {
		return nil, fmt.Errorf("stats.RefinementOf: %w", d.err)
	}
	return r, nil
}

// Add counts rows: all those that the Analyzer had, each once.
func (r *Refinement) Add(rec arrow.Record) error {
	for i, name := range r.names {
		at := rec.Schema().FieldIndices(name)
		if len(at) != 1 {
			return fmt.Errorf("stats: column %q is there %d times in rows of %s, want once", name, len(at), rec.Schema())
		}
		if err := r.addColumn(r.refiners[i], rec.Column(at[0])); err != nil {
			return fmt.Errorf("stats: column %q: %w", name, err)
		}
	}
	return nil
}

func (r *Refinement) addColumn(again *quantile.Refiner, col arrow.Array) error {
	if list, ok := col.(array.ListLike); ok {
		return eachRun(list, func(values arrow.Array) error { return r.addColumn(again, values) })
	}
	values, err := readNumbers(col, r.scratch[:0], false)
	if err != nil {
		return err
	}
	r.scratch = values
	again.AddAll(slices.DeleteFunc(values, func(x float64) bool { return !finite(x) }))
	return nil
}

// Parts is the number of parts, one a column.
func (r *Refinement) Parts() int { return len(r.names) }

// MarshalPart is the binary form of what was counted of a column, for MergeParts.
func (r *Refinement) MarshalPart(i int) ([]byte, error) {
	data, err := r.refiners[i].MarshalBinary()
	return append([]byte{wireVersion, wireRecount}, data...), err
}

// MergePart adds what another Refinement with the same questions counted.
func (r *Refinement) MergePart(i int, data []byte) error {
	if len(data) < 2 || data[0] != wireVersion || data[1] != wireRecount {
		return fmt.Errorf("stats: column %q: that is no part of a second look", r.names[i])
	}
	if err := r.refiners[i].MergeBinary(data[2:]); err != nil {
		return fmt.Errorf("stats: column %q: %w", r.names[i], err)
	}
	return nil
}

// Refine takes in a finished Refinement of a. It fails if that did not see the
// same values. If the next Refinement is still Needed, bins of more distinct
// values than the limit were found, and another pass gets further.
func (a *Analyzer) Refine(r *Refinement) error {
	views := map[string]*quantile.View{}
	for name, v := range a.views {
		views[name] = v
	}
	for i, name := range r.names {
		v, err := r.refiners[i].View()
		if err != nil {
			return fmt.Errorf("stats: column %q: %w", name, err)
		}
		views[name] = v
	}
	a.views = views
	return nil
}

// appendKeyed writes a part under a key.
func appendKeyed(key string, data []byte) []byte {
	return append(appendBytes(nil, []byte(key)), data...)
}

// splitKeyed reads what appendKeyed wrote.
func splitKeyed(data []byte) (key string, part []byte, err error) {
	n, size := binary.Uvarint(data)
	if size <= 0 || n > uint64(len(data)-size) {
		return "", nil, fmt.Errorf("stats: a part without its key")
	}
	return string(data[size : size+int(n)]), data[size+int(n):], nil
}
