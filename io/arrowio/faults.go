package arrowio

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
)

// deliver passes the rows on, the faulty ones to dead.
func (r *reader) deliver(p *rows) error {
	n := int(p.NumRows())
	keep := make([]bool, n)
	letters := make([]*deadletter.Letter, n)
	for c := range int(p.NumCols()) {
		r.faults(p, c, letters)
	}
	dead := 0
	for i, l := range letters {
		if keep[i] = l == nil; l != nil {
			dead++
			if err := r.dead(*l); err != nil {
				return err
			}
		}
	}
	if dead == n {
		return nil
	}
	numbers := make([]int64, n)
	for i := range numbers {
		numbers[i] = r.span.FirstRow + r.row + int64(i)
	}
	b, err := batch.New(p.Record, r.span.File, numbers)
	if err != nil {
		return err
	}
	b.Span = r.span.Index
	if dead > 0 {
		if b, err = batch.Filter(b, keep); err != nil {
			return err
		}
	}
	return r.emit(b)
}

// faults writes a letter for each row with a fault in column c, and none before.
func (r *reader) faults(p *rows, c int, letters []*deadletter.Letter) {
	add := func(row int, rule, value, reason string) {
		if letters[row] == nil {
			letters[row] = &deadletter.Letter{File: r.span.File, Row: r.span.FirstRow + r.row + int64(row), Rule: rule,
				Column: p.ColumnName(c), Value: deadletter.Cut(value), Reason: reason}
		}
	}
	col := p.Column(c)
	for _, row := range p.long[c] {
		add(row, RuleCell, cell(col, row), fmt.Sprintf("want at most %d bytes", r.options.MaxCellBytes))
	}
	if valid(col) {
		return
	}
	for row := range col.Len() {
		if bad, found := invalid(col, row, row+1); found && !slices.Contains(p.long[c], row) { // which may be cut within a character
			add(row, RuleUTF8, bad, "want valid UTF-8")
		}
	}
}

func cell(col arrow.Array, row int) string {
	switch c := col.(type) {
	case *array.String:
		return c.Value(row)
	case *array.Binary:
		return string(c.Value(row))
	}
	return ""
}

// valid says that no text in col can be at fault. It cannot tell a character that the end of
// a cell cuts, so texts that are not ASCII are looked at one by one.
func valid(col arrow.Array) bool {
	switch c := col.(type) {
	case *array.String:
		return c.Len() == 0 || isASCII(c.ValueBytes())
	case array.ListLike:
		return valid(c.ListValues())
	case *array.Struct:
		for i := range c.NumField() {
			if !valid(c.Field(i)) {
				return false
			}
		}
	}
	return true
}

func isASCII(b []byte) bool {
	all := byte(0)
	for _, c := range b {
		all |= c
	}
	return all < utf8.RuneSelf
}

// invalid returns the first text that is not UTF-8 within the rows [from, to).
func invalid(col arrow.Array, from, to int) (string, bool) {
	switch c := col.(type) {
	case *array.String:
		for i := from; i < to; i++ {
			if v := c.Value(i); c.IsValid(i) && !utf8.ValidString(v) {
				return v, true
			}
		}
	case array.ListLike:
		for i := from; i < to; i++ {
			start, end := c.ValueOffsets(i)
			if bad, found := invalid(c.ListValues(), int(start), int(end)); c.IsValid(i) && found {
				return bad, true
			}
		}
	case *array.Struct:
		for i := range c.NumField() {
			if bad, found := invalid(c.Field(i), from, to); found {
				return bad, true
			}
		}
	}
	return "", false
}
