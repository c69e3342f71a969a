// Package datapage renders statistics as one HTML page that needs nothing
// else: numbers and histograms of each column, table beside table, anomalies,
// distances, and dead letters by reason.
//
// Names and values come from the data, so nobody vouches for them: they pass
// through html/template. What is marked as safe HTML is the charts alone, whose
// only texts are numbers and dates that are written here.
package datapage

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/transforms/schema"
	"github.com/millrace-go/millrace/transforms/stats"
)

// Page is what is shown.
type Page struct {
	Job string
	// Rows says in a line what became of the rows.
	Rows string
	// Tables are shown side by side; the columns are those of the first.
	Tables []Table
	// Checks are the anomalies; none if nothing was held against a schema.
	Checks []Check
	// Letters are the rows that no table has, by reason.
	Letters []Letters
}

// Table is a table's statistics by its name.
type Table struct {
	Name       string
	Statistics *stats.Statistics
}

// Check is what a table is against a schema.
type Check struct {
	Name   string
	Report *schema.Report
}

// Letters are the dead letters of one rule.
type Letters struct {
	Rule    string
	Rows    int64
	Samples []deadletter.Letter
}

// maxCharted is how many columns have charts: a page of some 10 MB.
const maxCharted = 400

//go:embed page.html.tmpl
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// Render writes the page.
func Render(w io.Writer, p *Page) error {
	v := &view{Page: p, Charted: maxCharted}
	for _, c := range p.Checks {
		for _, a := range c.Report.Anomalies {
			v.Anomalies = append(v.Anomalies, anomaly{c.Name, a})
		}
	}
	first := p.Tables[0].Statistics
	v.More = max(0, len(first.Columns)-maxCharted)
	for i := range first.Columns {
		c, err := p.column(&first.Columns[i], i < maxCharted)
		if err != nil {
			return fmt.Errorf("datapage: column %q: %w", first.Columns[i].Name, err)
		}
		v.Columns = append(v.Columns, c)
	}
	if err := page.Execute(w, v); err != nil {
		return fmt.Errorf("datapage: %w", err)
	}
	return nil
}

// view is a Page made ready for the template.
type view struct {
	*Page
	Anomalies     []anomaly
	Columns       []column
	Charted, More int
}

type anomaly struct {
	Table string
	schema.Anomaly
}

// column is one column in all tables.
type column struct {
	Name, Type string
	Anomalies  []anomaly
	Worst      string // the severity of the worst anomaly, or ""
	Distances  []distance
	Numbers    []numberRow
	Charts     []chartRow
	Tops       [][]top // by table; nil if there are none
}

// numberRow is a number of a column in each table.
type numberRow struct {
	Name  string
	Cells []string
}

// chartRow is a kind of histogram of each table; "" where there is none.
type chartRow struct {
	Name   string
	Charts []template.HTML
}

type top struct {
	Value string
	Count int64
	Share float64
}

// distance is a measured one.
type distance struct {
	What, Measure, Value string
}

// column gathers what the tables have of one column.
func (p *Page) column(c *stats.Column, charts bool) (column, error) {
	out := column{Name: c.Name, Type: c.Type}
	if c.List != nil {
		out.Type = "list of " + out.Type
	}
	p.judge(&out)
	each := make([]*stats.Column, len(p.Tables))
	rows := make([]int64, len(p.Tables))
	for i, t := range p.Tables {
		rows[i] = t.Statistics.Rows
		if o := t.Statistics.Column(c.Name); o != nil && o.Type == c.Type && o.Unit == c.Unit {
			each[i] = o
		}
	}
	out.Numbers = numbersOf(each, rows)
	if c.Numeric == nil {
		out.Tops = topsOf(each)
	}
	if !charts {
		return out, nil
	}
	var err error
	out.Charts, err = chartsOf(each)
	return out, err
}

// judge finds the anomalies and distances of a column.
func (p *Page) judge(out *column) {
	for _, c := range p.Checks {
		for _, a := range c.Report.Anomalies {
			if a.Column != out.Name {
				continue
			}
			out.Anomalies = append(out.Anomalies, anomaly{c.Name, a})
			if out.Worst != schema.Error {
				out.Worst = a.Severity
			}
		}
		for _, list := range []struct {
			what string
			of   []schema.Comparison
		}{{"drift", c.Report.Drift}, {"skew", c.Report.Skew}} {
			for _, m := range list.of {
				if m.Column == out.Name {
					out.Distances = append(out.Distances, distances(list.what, m)...)
				}
			}
		}
	}
}

func distances(what string, m schema.Comparison) []distance {
	var out []distance
	for _, d := range []struct {
		name  string
		value *float64
	}{{"L-infinity", m.LInfinity}, {"Jensen-Shannon", m.JensenShannon}, {"PSI", m.PSI}, {"KS", m.KS}} {
		if d.value != nil {
			out = append(out, distance{what, d.name, strconv.FormatFloat(*d.value, 'g', 4, 64)})
		}
	}
	return out
}
