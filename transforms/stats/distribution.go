package stats

import (
	"iter"

	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/internal/quantile"
)

// Distribution is what is known of the values of one column, beyond what
// statistics.json has of them: for comparing two tables, and for finding values
// that a schema does not know. Those of lists count one by one.
type Distribution struct {
	Type string
	Unit string
	List bool

	numbers *numbers
	texts   *texts
	view    *quantile.View
}

// Distribution returns that of a column, false if there is no such column. It
// does not change when the Analyzer does not.
func (a *Analyzer) Distribution(name string) (*Distribution, bool) {
	for i, c := range a.columns {
		if a.names[i] != name {
			continue
		}
		d := &Distribution{Type: c.kind.name, Unit: c.kind.unit, List: c.kind.list, numbers: c.numbers, texts: c.texts, view: a.views[name]}
		if d.numbers != nil && d.view == nil {
			d.view = c.numbers.counts.View()
		}
		return d, true
	}
	return nil, false
}

// Numbers are the finite values of a numeric column; nil for others.
func (d *Distribution) Numbers() *quantile.View { return d.view }

// Count is the number of values, finite ones of numbers.
func (d *Distribution) Count() int64 {
	switch {
	case d.numbers != nil:
		return d.numbers.n()
	case d.texts != nil:
		return d.texts.n
	}
	return 0
}

// Texts lists the distinct values of a text column, by their bytes, and their
// counts. It is false for other columns, and where there are too many values
// to be counted. The values are not to be changed.
func (d *Distribution) Texts() (iter.Seq2[[]byte, int64], bool) {
	if d.texts == nil || d.texts.distinct != nil {
		return nil, false
	}
	counts := &d.texts.counts
	return func(yield func([]byte, int64) bool) {
		for _, i := range counts.byValue() {
			if !yield(counts.value(i), counts.entries[i].n) {
				return
			}
		}
	}, true
}

// CountOf is how often a text is there.
func (d *Distribution) CountOf(text []byte) int64 {
	if d.texts == nil {
		return 0
	}
	return d.texts.counts.find(text, xxh3.Hash(text))
}
