package job

import (
	"fmt"

	"github.com/millrace-go/millrace/transforms/clean"
)

// columnSet is the columns that come out of clean, as far as the job tells.
type columnSet struct {
	list   []string
	has    map[string]bool
	closed bool // there are no others, whatever the data holds
}

func (c *columnSet) add(names ...string) {
	for _, n := range names {
		c.list, c.has[n] = append(c.list, n), true
	}
}

// missing adds a problem if column cannot be there.
func (c *columnSet) missing(p *problems, path, column, where string) bool {
	if !c.closed || c.has[column] {
		return false
	}
	p.addPath(path, "no column %q %s%s", column, where, didYouMean(column, c.list))
	return true
}

const fromClean = "comes out of clean"

// checkColumns checks that every column that a section uses is there, as far
// as that can be known without the data.
func (j *Job) checkColumns(p *problems) {
	columns := j.cleanedColumns(p)
	for i, c := range j.Split.Key {
		columns.missing(p, fmt.Sprintf("split.key[%d]", i), c, fromClean)
	}
	if t := j.Split.Time; t != nil {
		columns.missing(p, "split.time.column", t.Column, fromClean)
	}
	j.checkStats(p, columns)
	columns.missing(p, "normalize.label.column", j.Normalize.Label.Column, fromClean)
	width, known := 0, true
	for i, f := range j.Normalize.Features {
		path := fmt.Sprintf("normalize.features[%d].column", i)
		list, err := expand([]string{f.Column})
		if err != nil {
			p.addPath(path, "%v", err)
			return
		}
		for _, c := range list {
			if columns.missing(p, path, c, fromClean) {
				break // one fault a pattern is enough
			}
		}
		if width += len(list); width > maxColumns {
			p.addPath(path, "more than %d features", maxColumns)
			return
		}
		for _, c := range f.Others() {
			columns.missing(p, path, c, fromClean)
		}
		known = known && f.IsNumber() && (f.Fill == nil || !f.Fill.Indicator)
	}
	if n := product(j.Model.Image); known && j.Model.Name == "convnet" && len(j.Model.Image) == 3 && n != width {
		p.addPath("model.image", "%v is %d inputs, but normalize.features gives %d", j.Model.Image, n, width)
	}
}

func (j *Job) cleanedColumns(p *problems) *columnSet {
	columns := &columnSet{
		has:    map[string]bool{},
		closed: len(j.Clean.Columns) > 0 && !j.Clean.KeepOthers,
	}
	for i, c := range j.Clean.Columns {
		list, err := cleanedNames(c)
		if err == nil && len(columns.list)+len(list) > maxColumns {
			err = fmt.Errorf("more than %d columns", maxColumns)
		}
		if err != nil {
			p.addPath(fmt.Sprintf("clean.columns[%d].name", i), "%v", err)
			columns.closed = false
			return columns
		}
		columns.add(list...)
	}
	for i, d := range j.Clean.Derive {
		if d.Expr == "" { // clean's own check looks into expressions
			columns.missing(p, fmt.Sprintf("clean.derive[%d].from", i), d.From, "is cleaned, or derived before this")
		}
		columns.add(d.Name)
	}
	return columns
}

func cleanedNames(c clean.Column) ([]string, error) {
	if c.Rename != "" {
		return expand([]string{c.Rename})
	}
	return expand([]string{c.Name})
}

func product(sizes []int) int {
	n := 1
	for _, s := range sizes {
		n *= s // each at most 1<<16, and three of them, once checkModel passed
	}
	return n
}
