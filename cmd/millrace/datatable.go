package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/pipelines"
	"github.com/millrace-go/millrace/pipelines/datapage"
	"github.com/millrace-go/millrace/transforms/stats"
)

// printData prints the statistics of all rows, the anomalies, and what became
// of the rows.
func printData(w io.Writer, r *pipelines.DataReport, out string) {
	printStatistics(w, r.Tables[0].Statistics)
	for _, c := range r.Checks {
		fmt.Fprintln(w)
		printAnomalies(w, c)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintf(t, "rows\t%d read, %d kept\n", r.Rows.Read, r.Rows.Kept)
	for _, taken := range []struct {
		word string
		by   map[string]int64
	}{{"dropped", r.Rows.Dropped}, {"dead", r.Rows.Dead}} {
		for _, rule := range slices.Sorted(maps.Keys(taken.by)) {
			fmt.Fprintf(t, "%s\t%d by %s\n", taken.word, taken.by[rule], plainText(rule, maxCell))
		}
	}
	fmt.Fprintf(t, "results\t%s\n", out)
}

// maxCell bounds a cell of the tables, in bytes.
const maxCell = 24

// plainText makes a text of the data fit for a terminal.
func plainText(s string, most int) string {
	s = deadletter.Printable(s)
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func printStatistics(w io.Writer, s *stats.Statistics) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "column\ttype\tpresent\tmissing\tunique\tmin\tmedian\tmean\tsd\tmax\ttop")
	for i := range s.Columns {
		fmt.Fprintln(t, strings.Join(statisticsRow(&s.Columns[i], s.Rows), "\t"))
	}
}

// statisticsRow are the cells of a column; of texts, the numbers are of their
// lengths in bytes.
func statisticsRow(c *stats.Column, rows int64) []string {
	kind := c.Type
	if c.List != nil {
		kind = "list of " + kind
	}
	missing := "0 %"
	if c.Missing > 0 {
		missing = strconv.FormatFloat(100*float64(c.Missing)/float64(rows), 'f', 2, 64) + " %"
	}
	cells := []string{plainText(c.Name, maxCell), kind, strconv.FormatInt(c.Present, 10), missing, "-", "-", "-", "-", "-", "-", "-"}
	if c.Unique != nil {
		cells[4] = strconv.FormatInt(c.Unique.Count, 10)
		if c.Unique.Estimate {
			cells[4] = "~" + cells[4]
		}
	}
	if c.Numeric != nil && c.Numeric.Moments != nil {
		m := c.Numeric.Moments
		copy(cells[5:], []string{brief(c, m.Min), brief(c, m.Median), brief(c, m.Mean), strings.TrimSpace(strconv.FormatFloat(m.StdDev, 'g', 5, 64) + " " + c.Unit), brief(c, m.Max)})
	}
	if c.Text != nil && c.Present > 0 {
		copy(cells[5:], []string{fmt.Sprintf("%d bytes", c.Text.MinBytes), "-", strconv.FormatFloat(c.Text.MeanBytes, 'g', 5, 64), "-", fmt.Sprintf("%d bytes", c.Text.MaxBytes)})
	}
	if len(c.Top) > 0 {
		cells[10] = fmt.Sprintf("%s (%d)", plainText(c.FormatValue(c.Top[0]), maxCell), c.Top[0].Count)
	}
	return cells
}

// brief is a value of a column with five digits, a time whole.
func brief(c *stats.Column, x float64) string {
	if c.Unit != "" {
		return c.Format(x)
	}
	if c.Type == stats.TypeInteger && x == float64(int64(x)) {
		return strconv.FormatInt(int64(x), 10)
	}
	return strconv.FormatFloat(x, 'g', 5, 64)
}

func printAnomalies(w io.Writer, c datapage.Check) {
	if len(c.Report.Anomalies) == 0 {
		fmt.Fprintf(w, "%s: no anomalies\n", c.Name)
		return
	}
	fmt.Fprintf(w, "%s: %d anomalies\n", c.Name, len(c.Report.Anomalies))
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "column\tseverity\tanomaly\twhat was found")
	for _, a := range c.Report.Anomalies {
		name := "(table)"
		if a.Column != "" {
			name = plainText(a.Column, maxCell)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", name, a.Severity, a.Short, plainText(a.Description, 400))
	}
}
