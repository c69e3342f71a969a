package pipelines

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/read"
	"github.com/millrace-go/millrace/transforms/split"
	"github.com/millrace-go/millrace/transforms/stats"
)

// gathered are the statistics of the cleaned rows of an input.
type gathered struct {
	rows   ledger.Entry
	tables []*gatheredTable
}

// gatheredTable are the statistics of all rows or of a part of the split.
type gatheredTable struct {
	name   string // "all", or that of the part
	slicer *stats.Slicer
	found  *stats.Statistics
}

// allRows names the table of all rows.
const allRows = "all"

// table finds one by name, nil if there is none.
func (g *gathered) table(name string) *gatheredTable {
	for _, t := range g.tables {
		if t.name == name {
			return t
		}
	}
	return nil
}

// maxLooks bounds the passes that make quantiles exact. Two looks are enough
// but for bins that hold more distinct values than the limit.
const maxLooks = 4

// gatherer makes the statistics of an input: of each part of the split, and
// from these, by merging, of all rows.
type gatherer struct {
	run     *Run
	rows    *prepared
	options stats.Options
	split   bool // false: the statistics of all rows alone
}

// gather takes the statistics of an input, of the parts of the split too if
// it is the job's, unless they are there.
func (r *Run) gather(ctx context.Context, p *prepared, o stats.Options, splits bool) (out *gathered, reused bool, err error) {
	g := &gatherer{r, p, o, splits}
	if err := o.Validate(p.input.schema); err != nil {
		return nil, false, r.inJob("stats", err, p.input)
	}
	var parts *split.Spec
	if splits {
		parts = &r.job.Split
		if err := r.lookAtAll(ctx, p); err != nil {
			return nil, false, err
		}
	}
	rules, err := derive("", "stats", r.opts.Code, p.input.source.Options.SpanBytes, p.input.source.Options.Delimiter,
		r.job.Input.CSV, r.job.Limits, p.input.clean, p.input.only, p.input.schema.String(), parts, o)
	if err != nil {
		return nil, false, err
	}
	if p.key, err = derive(rules, p.input.survey.Digest()); err != nil {
		return nil, false, err
	}
	p.folder = r.folder("stats", p.key)
	out = &gathered{}
	if reused, err = g.first(ctx, r.folder("statsfiles", rules), out); err != nil {
		return nil, false, err
	}
	again, err := g.refine(ctx, out)
	if err != nil {
		return nil, false, err
	}
	for _, t := range out.tables {
		if t.found, err = t.slicer.Statistics(); err != nil {
			return nil, false, err
		}
	}
	return out, reused && again, g.check(out)
}

// first takes the first look: groups of files that were seen before are not
// read again. It merges what the groups have.
func (g *gatherer) first(ctx context.Context, folder string, out *gathered) (reused bool, err error) {
	cache := &filesCache{run: g.run, folder: folder}
	groups, err := cache.groups(ctx, g.rows.input.survey, g.run.duplicateSpans() > 0)
	if err != nil {
		return false, err
	}
	if err := g.gatherNew(ctx, groups); err != nil {
		return false, err
	}
	for _, name := range g.names() {
		s, err := stats.NewSlicer(g.options, g.rows.input.schema)
		if err != nil {
			return false, err
		}
		out.tables = append(out.tables, &gatheredTable{name: name, slicer: s})
	}
	reused = true
	for _, group := range groups {
		reused = reused && group.found
		out.rows.Merge(group.moved())
		for _, t := range out.tables {
			s, err := stats.SlicerOfEntry(ctx, g.run.out, g.options, g.rows.input.schema, under(group.rows, group.folder+"/"+t.name))
			if err == nil {
				err = t.slicer.Merge(s)
			}
			if err != nil {
				return false, err
			}
		}
	}
	out.rows.Sort()
	if g.split {
		if err := g.mergeParts(out); err != nil {
			return false, err
		}
	}
	return reused, cache.keep(ctx, groups)
}

// gatherNew takes the statistics of the groups that were not found, all in one
// pipeline, and keeps them.
func (g *gatherer) gatherNew(ctx context.Context, groups []*fileGroup) error {
	var fresh []*fileGroup
	for _, group := range groups {
		if !group.found {
			fresh = append(fresh, group)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	err := g.run.submit(ctx, func(s beam.Scope) {
		for _, group := range fresh {
			letters := ledger.Sink{Store: g.run.out.URI(), Prefix: group.folder + "/letters"}
			entries := g.build(s, group.spans, letters, group.folder, g.names(), stats.PartStatistics, func(s beam.Scope, rows beam.PCollection, _ string) beam.PCollection {
				return stats.Accumulate(s, g.options, g.rows.input.schema, rows)
			})
			ledger.Commit(s, g.run.out.URI(), group.manifest(), entries...)
		}
	})
	if err != nil {
		return err
	}
	for _, group := range fresh {
		if group.rows, _, err = ledger.Load(ctx, g.run.out, group.manifest()); err != nil {
			return err
		}
	}
	return nil
}

// build builds a look at the rows of spans for some tables, whose parts go
// to folders of their own below folder.
func (g *gatherer) build(s beam.Scope, spans []table.Span, letters ledger.Sink, folder string, tables []string, kind string, of func(s beam.Scope, rows beam.PCollection, table string) beam.PCollection) []beam.PCollection {
	var entries []beam.PCollection
	parts := map[string][]beam.PCollection{}
	for _, some := range read.Spread(spans, g.run.opts.Workers) {
		g.run.branch(s, g.rows, letters, some, func(s beam.Scope, rows beam.PCollection, e []beam.PCollection) {
			entries = append(entries, e...)
			for _, t := range tables {
				parts[t] = append(parts[t], of(s, g.only(s, rows, t), t))
			}
		})
	}
	for _, t := range tables {
		sink := ledger.Sink{Store: g.run.out.URI(), Prefix: folder + "/" + t}
		entries = append(entries, stats.Merge(s, sink, kind, parts[t]...))
	}
	return entries
}

// names are the tables that a pass gathers.
func (g *gatherer) names() []string {
	if !g.split {
		return []string{allRows}
	}
	var names []string
	for _, part := range split.Parts {
		names = append(names, part.String())
	}
	return names
}

// mergeParts puts the table of all rows before those of the parts.
func (g *gatherer) mergeParts(out *gathered) error {
	all, err := stats.NewSlicer(g.options, g.rows.input.schema)
	if err != nil {
		return err
	}
	for _, t := range out.tables {
		if err := all.Merge(t.slicer); err != nil {
			return err
		}
	}
	out.tables = append([]*gatheredTable{{name: allRows, slicer: all}}, out.tables...)
	return nil
}

// under are the parts of an entry whose objects lie in a folder.
func under(e ledger.Entry, folder string) ledger.Entry {
	var out ledger.Entry
	for _, p := range e.Parts {
		if strings.HasPrefix(p.Object.Name, folder+"/") {
			out.Parts = append(out.Parts, p)
		}
	}
	return out
}

// again runs one more look at the rows for some tables, unless its manifest is there.
func (g *gatherer) again(ctx context.Context, folder string, refinements map[string]*stats.Refinement, tables []string) (ledger.Entry, bool, error) {
	r, name := g.run, folder+".json"
	done, found, err := ledger.Load(ctx, r.out, name)
	if err != nil || found && r.verify(ctx, done.Parts) == nil {
		return done, found, err
	}
	err = r.submit(ctx, func(s beam.Scope) {
		entries := g.build(s, g.rows.input.survey.Spans, ledger.Sink{}, folder, tables, stats.PartRecount, func(s beam.Scope, rows beam.PCollection, table string) beam.PCollection {
			return stats.Recount(s, refinements[table].Questions(), rows)
		})
		ledger.Commit(s, r.out.URI(), name, entries...)
	})
	if err != nil {
		return done, false, err
	}
	done, _, err = ledger.Load(ctx, r.out, name)
	return done, false, err
}

// only takes the rows of a table.
func (g *gatherer) only(s beam.Scope, rows beam.PCollection, table string) beam.PCollection {
	for _, part := range split.Parts {
		if part.String() == table {
			return split.Only(s, g.run.job.Split, g.rows.splitKey(g.run.job.Split), part, rows)
		}
	}
	return rows
}

// refine looks at the rows again where quantiles are not exact; reused says
// that all looks were there.
func (g *gatherer) refine(ctx context.Context, out *gathered) (reused bool, err error) {
	reused = true
	for look := 2; look <= maxLooks; look++ {
		again := map[string]*stats.Refinement{}
		var tables []string
		for _, t := range out.tables {
			if a := t.slicer.Whole.Refinement(); a.Needed() {
				again[t.name], tables = a, append(tables, t.name)
			}
		}
		if len(tables) == 0 {
			break
		}
		folder := fmt.Sprintf("%s/look-%d", g.rows.folder, look)
		done, found, err := g.again(ctx, folder, again, tables)
		if err != nil {
			return false, err
		}
		reused = reused && found
		for _, t := range tables {
			if err := stats.RefineWith(ctx, g.run.out, out.table(t).slicer.Whole, again[t], under(done, folder+"/"+t)); err != nil {
				return false, err
			}
		}
	}
	return reused, nil
}

// check checks conservation: each row read is in the statistics, dropped or dead.
func (g *gatherer) check(out *gathered) error {
	c := out.rows.Counts
	rows := out.tables[0].found.Rows
	if err := conserve(c["read"], g.rows.input.survey.Rows, rows, c.Sum("drop:"), c.Sum("dead:")); err != nil {
		return err
	}
	if c["kept"] != rows {
		return fmt.Errorf("rows are lost or doubled: %d were kept, the statistics have %d", c["kept"], rows)
	}
	return nil
}
