package pipelines

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/deadletter/letterfile"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/pipelines/datapage"
	"github.com/millrace-go/millrace/transforms/ledger"
)

// publishData publishes the dead letters and the page, and gathers what there
// is to tell.
func (r *Run) publishData(ctx context.Context, g *gathered, checks []datapage.Check) (*DataReport, error) {
	if err := r.publishLetters(ctx, "stats", g.rows.Parts); err != nil {
		return nil, err
	}
	return r.writePage(ctx, g, checks)
}

// writePage writes stats/stats.html.
func (r *Run) writePage(ctx context.Context, g *gathered, checks []datapage.Check) (*DataReport, error) {
	report, err := r.dataReport(ctx, g, checks)
	if err != nil {
		return nil, err
	}
	page := datapage.Page{Job: report.Job, Tables: report.Tables, Checks: checks, Letters: report.Letters}
	c := g.rows.Counts
	page.Rows = fmt.Sprintf("%d rows read = %d kept + %d dropped + %d dead letters.", c["read"], c["kept"], c.Sum("drop:"), c.Sum("dead:"))
	var b bytes.Buffer
	if err := datapage.Render(&b, &page); err != nil {
		return nil, err
	}
	return report, store.WriteAll(ctx, r.out, "stats/stats.html", b.Bytes())
}

func (r *Run) dataReport(ctx context.Context, g *gathered, checks []datapage.Check) (*DataReport, error) {
	c := g.rows.Counts
	out := &DataReport{Job: r.job.Name, Checks: checks,
		Rows: RowsReport{Read: c["read"], Kept: c["kept"], Dropped: c.Rules("drop:"), Dead: c.Rules("dead:"), Split: map[string]int64{}}}
	for _, t := range g.tables {
		if t.name != allRows {
			out.Rows.Split[t.name] = t.found.Rows
		}
		out.Tables = append(out.Tables, datapage.Table{Name: t.name, Statistics: t.found})
	}
	var err error
	if out.Letters, err = r.sampleLetters(ctx, g.rows); err != nil {
		return nil, err
	}
	release, kept, err := r.ofRelease(ctx)
	if err != nil || kept == nil {
		return out, err
	}
	t, err := kept.Statistics()
	if err != nil {
		return nil, err
	}
	out.Tables = append(out.Tables, datapage.Table{Name: fmt.Sprintf("release %d", release.ID), Statistics: t})
	return out, nil
}

const (
	// maxSamples is how many dead letters of a rule are shown.
	maxSamples = 3
	// maxSampledParts bounds the files of letters that are read for samples.
	maxSampledParts = 200
)

// sampleLetters takes the first dead letters of each rule, the rule with most rows first.
func (r *Run) sampleLetters(ctx context.Context, e ledger.Entry) ([]datapage.Letters, error) {
	rules := e.Counts.Rules("dead:")
	samples := map[string][]deadletter.Letter{}
	full := errors.New("enough letters")
	missing := len(rules)
	read := 0
	for _, p := range inRowOrder(e.Parts) {
		if missing == 0 || read == maxSampledParts {
			break
		}
		read++
		f, err := r.out.Open(ctx, p.Object.Name)
		if err != nil {
			return nil, err
		}
		err = letterfile.Read(p.Object.Name, f, f.Size(), func(l deadletter.Letter) error {
			if len(samples[l.Rule]) == maxSamples {
				return nil
			}
			if samples[l.Rule] = append(samples[l.Rule], l); len(samples[l.Rule]) == min(maxSamples, int(rules[l.Rule])) {
				missing--
			}
			if missing == 0 {
				return full
			}
			return nil
		})
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil && !errors.Is(err, full) {
			return nil, err
		}
	}
	var out []datapage.Letters
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		out = append(out, datapage.Letters{Rule: rule, Rows: rules[rule], Samples: samples[rule]})
	}
	slices.SortStableFunc(out, func(a, b datapage.Letters) int { return cmp.Compare(b.Rows, a.Rows) })
	return out, nil
}

// inRowOrder are the parts with dead letters, in the order of their rows.
func inRowOrder(parts []ledger.Part) []ledger.Part {
	var letters []ledger.Part
	for _, p := range parts {
		if strings.HasPrefix(p.Kind, "dead/") {
			letters = append(letters, p)
		}
	}
	slices.SortStableFunc(letters, func(a, b ledger.Part) int {
		return cmp.Or(cmp.Compare(a.Span, b.Span), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.FirstRow, b.FirstRow))
	})
	return letters
}
