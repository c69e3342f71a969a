package datapage

import (
	"strconv"
	"strings"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/transforms/stats"
)

// numbersOf are the numbers of a column, a row each; a table that has no such
// column, or one of another type, is nil.
func numbersOf(each []*stats.Column, rows []int64) []numberRow {
	var out []numberRow
	add := func(name string, cell func(c *stats.Column, rows int64) string) {
		row, some := numberRow{Name: name}, false
		for i, c := range each {
			text := ""
			if c != nil {
				text = cell(c, rows[i])
			}
			some = some || text != ""
			row.Cells = append(row.Cells, text)
		}
		if some {
			out = append(out, row)
		}
	}
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	add("present", func(c *stats.Column, _ int64) string { return whole(c.Present) })
	add("missing", func(c *stats.Column, rows int64) string {
		return whole(c.Missing) + " (" + percent(c.Missing, rows) + ")"
	})
	add("unique", func(c *stats.Column, _ int64) string {
		switch {
		case c.Unique == nil:
			return ""
		case c.Unique.Estimate:
			return "about " + whole(c.Unique.Count)
		}
		return whole(c.Unique.Count)
	})
	addNumeric(add, whole)
	text := func(f func(*stats.Text) string) func(*stats.Column, int64) string {
		return func(c *stats.Column, _ int64) string {
			if c.Text == nil || c.Present == 0 {
				return ""
			}
			return f(c.Text)
		}
	}
	add("shortest, bytes", text(func(t *stats.Text) string { return whole(t.MinBytes) }))
	add("mean length, bytes", text(func(t *stats.Text) string { return strconv.FormatFloat(t.MeanBytes, 'g', 6, 64) }))
	add("longest, bytes", text(func(t *stats.Text) string { return whole(t.MaxBytes) }))
	return out
}

// addNumeric adds the rows of numbers.
func addNumeric(add func(string, func(*stats.Column, int64) string), whole func(int64) string) {
	count := func(name string, f func(*stats.Numeric) int64) {
		add(name, func(c *stats.Column, _ int64) string {
			if c.Numeric == nil || f(c.Numeric) == 0 {
				return ""
			}
			return whole(f(c.Numeric))
		})
	}
	count("zeros", func(n *stats.Numeric) int64 { return n.Zeros })
	count("NaN", func(n *stats.Numeric) int64 { return n.NaN })
	count("infinite", func(n *stats.Numeric) int64 { return n.PositiveInf + n.NegativeInf })
	moment := func(name string, f func(*stats.Column, *stats.Moments) string) {
		add(name, func(c *stats.Column, _ int64) string {
			if c.Numeric == nil || c.Numeric.Moments == nil {
				return ""
			}
			return f(c, c.Numeric.Moments)
		})
	}
	moment("min", func(c *stats.Column, m *stats.Moments) string { return label(c, m.Min) })
	moment("median", func(c *stats.Column, m *stats.Moments) string { return label(c, m.Median) })
	moment("mean", func(c *stats.Column, m *stats.Moments) string { return label(c, m.Mean) })
	moment("deviation", func(c *stats.Column, m *stats.Moments) string {
		return strings.TrimSpace(strconv.FormatFloat(m.StdDev, 'g', 6, 64) + " " + c.Unit)
	})
	moment("max", func(c *stats.Column, m *stats.Moments) string { return label(c, m.Max) })
}

// label writes a value of a column with six digits, a date or time whole.
func label(c *stats.Column, x float64) string {
	switch {
	case c.Unit != "":
		return c.Format(x)
	case c.Type == stats.TypeInteger && x == float64(int64(x)):
		return strconv.FormatInt(int64(x), 10)
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

func percent(n, of int64) string {
	if of == 0 {
		return "0 %"
	}
	return strconv.FormatFloat(100*float64(n)/float64(of), 'f', 2, 64) + " %"
}

// maxTops and maxValue bound the values that are listed, and their texts in characters.
const (
	maxTops  = 10
	maxValue = 60
)

func topsOf(each []*stats.Column) [][]top {
	out, some := make([][]top, len(each)), false
	for i, c := range each {
		if c == nil {
			continue
		}
		for _, v := range c.Top[:min(len(c.Top), maxTops)] {
			text := deadletter.Printable(c.FormatValue(v))
			if r := []rune(text); len(r) > maxValue {
				text = string(r[:maxValue-1]) + "…"
			}
			out[i], some = append(out[i], top{text, v.Count, float64(v.Count) / float64(c.Present)}), true
		}
	}
	if !some {
		return nil
	}
	return out
}
