package stats

import (
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/quantile"
)

// column holds the statistics of one column.
type column struct {
	kind    kind
	rows    int64
	missing int64            // rows that are null
	lengths *quantile.Sketch // of lists: the number of values of each row that is not null
	empty   int64            // lists of length 0
	nulls   int64            // null values within lists
	numbers *numbers         // of numeric columns
	texts   *texts           // of text columns

	scratch []float64
}

// maxLengths bounds the numbers of values of lists that are told apart.
const maxLengths = 1 << 12

func newColumn(k kind, max int) *column {
	c := &column{kind: k}
	if k.list {
		c.lengths = quantile.New(maxLengths)
	}
	switch {
	case k.numeric():
		c.numbers = newNumbers(max)
	case k.text():
		c.texts = newTexts(max)
	}
	return c
}

// add takes the rows of col in.
func (c *column) add(col arrow.Array) error {
	if got := kindOf(col.DataType()); got != c.kind {
		return fmt.Errorf("type %s is %v, want %v", col.DataType(), got, c.kind)
	}
	nulls := col.NullN()
	if col.DataType().ID() == arrow.NULL {
		nulls = col.Len()
	}
	c.rows += int64(col.Len())
	c.missing += int64(nulls)
	if c.kind.list {
		return c.addLists(col.(array.ListLike))
	}
	return c.addValues(col)
}

func (c *column) addValues(col arrow.Array) (err error) {
	switch {
	case c.numbers != nil:
		if c.scratch, err = readNumbers(col, c.scratch[:0], false); err == nil {
			c.numbers.add(c.scratch)
		}
	case c.texts != nil:
		var hidden int64
		hidden, err = c.texts.add(col)
		if c.kind.list {
			c.nulls += hidden
		} else {
			c.missing += hidden
		}
	}
	return err
}

// addLists adds the values of lists, those of neighbours at once.
func (c *column) addLists(col array.ListLike) error {
	for i := range col.Len() {
		if col.IsNull(i) {
			continue
		}
		start, end := col.ValueOffsets(i)
		c.lengths.Add(float64(end - start))
		if start == end {
			c.empty++
		}
	}
	return eachRun(col, func(values arrow.Array) error {
		c.nulls += int64(values.NullN())
		return c.addValues(values)
	})
}

// eachRun calls f with the values of the lists of col that are not null, in
// runs of lists whose values lie side by side.
func eachRun(col array.ListLike, f func(values arrow.Array) error) error {
	all := col.ListValues()
	var from, to int64
	flush := func() error {
		if from == to {
			return nil
		}
		part := array.NewSlice(all, from, to)
		defer part.Release()
		return f(part)
	}
	for i := range col.Len() {
		if col.IsNull(i) {
			continue
		}
		start, end := col.ValueOffsets(i)
		if start == end {
			continue
		}
		if start != to {
			if err := flush(); err != nil {
				return err
			}
			from = start
		}
		to = end
	}
	return flush()
}

func (c *column) merge(o *column) error {
	if c.kind != o.kind {
		return fmt.Errorf("merge of statistics of %v and of %v", c.kind, o.kind)
	}
	c.rows += o.rows
	c.missing += o.missing
	c.empty += o.empty
	c.nulls += o.nulls
	var errs []error
	if c.lengths != nil {
		errs = append(errs, c.lengths.Merge(o.lengths))
	}
	if c.numbers != nil {
		errs = append(errs, c.numbers.merge(o.numbers))
	}
	if c.texts != nil {
		errs = append(errs, c.texts.merge(o.texts))
	}
	return errors.Join(errs...)
}

func (k kind) String() string {
	s := k.name
	if k.unit != "" {
		s += " in " + k.unit
	}
	if k.list {
		return "list of " + s
	}
	return s
}
