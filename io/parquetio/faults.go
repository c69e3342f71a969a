package parquetio

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/table"
)

// batch numbers the rows of a part.
func (p *Part) batch(span table.Span) (*batch.Batch, error) {
	rows := make([]int64, p.Record.NumRows())
	for i := range rows {
		rows[i] = span.FirstRow + p.First + int64(i)
	}
	b, err := batch.New(p.Record, span.File, rows)
	if err != nil {
		return nil, err
	}
	b.Span = span.Index
	return b, nil
}

// letter is a dead letter and the row of the part that it takes.
type letter struct {
	deadletter.Letter
	at int
}

// faults lists the rows that cannot be taken, ascending, each once.
func (p *Part) faults(b *batch.Batch, maxCell int) []letter {
	var out []letter
	for i := range int(p.Record.NumCols()) {
		name := p.Record.ColumnName(i)
		add := func(row int, rule, value, reason string) {
			out = append(out, letter{deadletter.Letter{
				File: b.File, Row: b.Rows[row], Rule: rule, Column: name, Value: deadletter.Cut(value), Reason: reason,
			}, row})
		}
		for _, row := range p.Long[i] {
			add(row, "parquet.cell", cell(p, i, row), fmt.Sprintf("the cell is larger than %d bytes", maxCell))
		}
		if col, ok := p.Record.Column(i).(*array.String); ok {
			for _, row := range notUTF8(col) {
				if !slices.Contains(p.Long[i], row) { // which is cut, perhaps within a character
					add(row, "parquet.utf8", col.Value(row), "the text is not valid UTF-8")
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b letter) int { return a.at - b.at })
	return slices.CompactFunc(out, func(a, b letter) bool { return a.at == b.at })
}

func cell(p *Part, column, row int) string {
	switch c := p.Record.Column(column).(type) {
	case *array.String:
		return c.Value(row)
	case *array.Binary:
		return string(c.Value(row))
	}
	return ""
}

// notUTF8 lists the rows that are not valid UTF-8. One pass over all bytes
// settles the usual case; it cannot tell a character cut by the end of a cell.
func notUTF8(col *array.String) (rows []int) {
	if col.Len() == 0 || isASCII(col.ValueBytes()) {
		return nil
	}
	for i := range col.Len() {
		if !utf8.ValidString(col.Value(i)) {
			rows = append(rows, i)
		}
	}
	return rows
}

func isASCII(b []byte) bool {
	all := byte(0)
	for _, c := range b {
		all |= c
	}
	return all < utf8.RuneSelf
}

// without drops the rows of letters.
func without(b *batch.Batch, letters []letter) (*batch.Batch, error) {
	keep := make([]bool, b.NumRows())
	for i := range keep {
		keep[i] = true
	}
	for _, l := range letters {
		keep[l.at] = false
	}
	return batch.Filter(b, keep)
}
