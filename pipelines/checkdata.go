package pipelines

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/pipelines/datapage"
	"github.com/millrace-go/millrace/pipelines/job"
	"github.com/millrace-go/millrace/transforms/normalize"
	"github.com/millrace-go/millrace/transforms/schema"
)

// ErrAnomalies is wrapped by the error of a run that anomalies stopped.
var ErrAnomalies = errors.New("the data is not as the schema has it")

// DataReport is what stats and validate-data found.
type DataReport struct {
	Job  string
	Rows RowsReport
	// Tables are the statistics of all rows, of each part of the split and, if they
	// are known, of the last release's data.
	Tables []datapage.Table
	// Checks are the anomalies of the job's input and, if it was looked at, of
	// its score input; none without a schema.
	Checks []datapage.Check
	// Letters are samples of the dead letters.
	Letters []datapage.Letters
}

// Stats takes the statistics of the job's input, and of its parts, and leaves
// them in the store. A schema is not held against them.
func (r *Run) Stats(ctx context.Context) (*DataReport, error) {
	in, err := r.readInput(ctx)
	if err != nil {
		return nil, err
	}
	g, err := r.stats(ctx, in)
	if err != nil {
		return nil, err
	}
	return r.publishData(ctx, g, nil)
}

// InferSchema is the schema that the statistics of the job's input describe,
// as the text of a schema file to be edited.
func (r *Run) InferSchema(ctx context.Context) (*DataReport, []byte, error) {
	in, err := r.readInput(ctx)
	if err != nil {
		return nil, nil, err
	}
	g, err := r.stats(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	s, err := schema.Infer(g.table(allRows).slicer.Whole, schema.InferOptions{})
	if err != nil {
		return nil, nil, err
	}
	text, err := s.Encode()
	if err != nil {
		return nil, nil, err
	}
	report, err := r.publishData(ctx, g, nil)
	return report, text, err
}

// ValidateData holds the statistics of the job's input against its schema, and
// those of its score input if it has one. If there are anomalies of severity
// error and the job says stop, the error wraps ErrAnomalies.
func (r *Run) ValidateData(ctx context.Context) (*DataReport, error) {
	if r.job.Stats.Schema == "" {
		return nil, r.job.ErrorAt("stats.schema", "the job names no schema; millrace stats --write-schema FILE makes one of the rows")
	}
	s, _, err := r.job.SchemaFile()
	if err != nil {
		return nil, err
	}
	in, err := r.readInput(ctx)
	if err != nil {
		return nil, err
	}
	c, err := r.checkInput(ctx, in, s)
	if c == nil {
		return nil, err
	}
	checks := []datapage.Check{{Name: "input", Report: c.report}}
	if r.job.Score != nil {
		score, serr := r.checkScore(ctx, in, c)
		if score == nil {
			return nil, errors.Join(err, serr)
		}
		checks = append(checks, datapage.Check{Name: "score", Report: score})
		if err == nil {
			err = serr
		}
	}
	report, rerr := r.publishData(ctx, c.gathered, checks)
	if rerr != nil {
		return nil, rerr
	}
	return report, err
}

// stats is the step of that name.
func (r *Run) stats(ctx context.Context, in *input) (g *gathered, err error) {
	err = r.step(ctx, "stats", func() (reused bool, detail string, err error) {
		if g, reused, err = r.gather(ctx, &prepared{input: in}, r.job.Stats.Options(), true); err != nil {
			return false, "", err
		}
		if err := r.publishStats(ctx, g); err != nil {
			return false, "", err
		}
		c := g.rows.Counts
		detail = fmt.Sprintf("%d read = %d kept + %d dropped + %d dead; %d columns", c["read"], c["kept"], c.Sum("drop:"), c.Sum("dead:"), len(g.tables[0].found.Columns))
		return reused, detail, r.checkDead(ctx, "stats", g.rows, in.survey.Rows)
	})
	return g, err
}

// publishStats writes statistics.json, and one for each part of the split.
func (r *Run) publishStats(ctx context.Context, g *gathered) error {
	for _, t := range g.tables {
		data, err := t.found.Encode()
		if err != nil {
			return err
		}
		name := "stats/statistics.json"
		if t.name != allRows {
			name = "stats/statistics-" + t.name + ".json"
		}
		if err := store.WriteAll(ctx, r.out, name, data); err != nil {
			return err
		}
	}
	return nil
}

// checked is what the schema says of the job's input.
type checked struct {
	gathered *gathered
	schema   *schema.Schema
	report   *schema.Report
}

// checkInput takes the statistics of the job's input and holds them against
// the schema. Data without errors, or with errors of which the job only
// warns, is accepted: the next data's drift is measured from it. If the job
// stops at them, the error wraps ErrAnomalies and the result is there too.
func (r *Run) checkInput(ctx context.Context, in *input, s *schema.Schema) (c *checked, err error) {
	if len(r.job.Stats.Columns) > 0 {
		s.Columns = ofColumns(s, r.job.Stats.Columns)
	}
	c = &checked{schema: s}
	if c.gathered, err = r.stats(ctx, in); err != nil {
		return nil, err
	}
	all := c.gathered.table(allRows)
	stopped := false
	err = r.step(ctx, "check", func() (bool, string, error) {
		before, err := r.before(ctx, in.survey.Digest())
		if err != nil {
			return false, "", err
		}
		if c.report, err = s.Check(all.slicer.Whole, schema.CheckOptions{Previous: before}); err != nil {
			return false, "", err
		}
		if err := r.publishAnomalies(ctx, "anomalies", c.report); err != nil {
			return false, "", err
		}
		if stopped = r.stops(c.report); !stopped {
			err = r.accept(ctx, in, all)
		}
		return false, said(c.report, before != nil), err
	})
	if err != nil {
		return nil, err
	}
	if stopped {
		return c, anomalies("the input", c.report, r.job)
	}
	return c, nil
}

func (r *Run) stops(report *schema.Report) bool {
	return r.job.Stats.OnAnomaly == job.OnAnomalyStop && report.Count(schema.Error) > 0
}

// said sums up a report for a step's line.
func said(report *schema.Report, compared bool) string {
	text := fmt.Sprintf("%d error(s), %d warning(s)", report.Count(schema.Error), report.Count(schema.Warning))
	if !compared {
		text += "; no data before to measure drift from"
	}
	return text
}

// anomalies is the error of a report that stops a run: it names the first.
func anomalies(what string, report *schema.Report, j *job.Job) error {
	i := slices.IndexFunc(report.Anomalies, func(a schema.Anomaly) bool { return a.Severity == schema.Error })
	first := report.Anomalies[i]
	of := ""
	if first.Column != "" {
		of = fmt.Sprintf("column %q: ", first.Column)
	}
	return fmt.Errorf("%w: %s has %d anomalies of severity error, the first: %s%s (%s); see stats/stats.html, then mend the data or %s",
		ErrAnomalies, what, report.Count(schema.Error), of, first.Description, first.Kind, j.Stats.Schema)
}

func (r *Run) publishAnomalies(ctx context.Context, name string, report *schema.Report) error {
	data, err := report.Encode()
	if err != nil {
		return err
	}
	return store.WriteAll(ctx, r.out, "stats/"+name+".json", data)
}

// checkScore holds the score input's columns of the features against the
// schema, and measures their skew from the train rows.
func (r *Run) checkScore(ctx context.Context, in *input, c *checked) (report *schema.Report, err error) {
	stopped := false
	err = r.step(ctx, "skew", func() (reused bool, detail string, err error) {
		features, err := r.features(in)
		if err != nil {
			return false, "", err
		}
		sources, err := r.job.ScoreFiles()
		if err != nil {
			return false, "", err
		}
		serving, err := r.openInput(ctx, sources, &r.job.Score.Input, in.clean.ForScoring(), features)
		if err != nil {
			return false, "", fmt.Errorf("score input: %w", err)
		}
		o := r.job.Stats.Options()
		o.SliceBy = nil
		o.Columns = slices.DeleteFunc(slices.Clone(o.Columns), func(name string) bool { return !slices.Contains(serving.columns(), name) })
		g, reused, err := r.gather(ctx, &prepared{input: serving}, o, false)
		if err != nil {
			return false, "", err
		}
		train := c.gathered.table("train").slicer.Whole
		if report, err = ofServing(c.schema, serving.columns()).Check(g.tables[0].slicer.Whole, schema.CheckOptions{Training: train}); err != nil {
			return false, "", err
		}
		stopped = r.stops(report)
		rows := g.rows.Counts
		return reused, fmt.Sprintf("%d read = %d kept + %d dead; %s", rows["read"], rows["kept"], rows.Sum("dead:"), said(report, true)),
			r.publishAnomalies(ctx, "anomalies-score", report)
	})
	if err != nil {
		return nil, err
	}
	if stopped {
		return report, anomalies("the score input", report, r.job)
	}
	return report, nil
}

// ofServing is the schema of rows to be scored: that of the columns of
// features, without what is said of the number of rows and of drift.
func ofServing(s *schema.Schema, columns []string) *schema.Schema {
	out := &schema.Schema{Version: s.Version, Skew: s.Skew, Columns: ofColumns(s, columns)}
	for i := range out.Columns {
		out.Columns[i].Drift = nil
	}
	return out
}

// ofColumns are what a schema says of some columns.
func ofColumns(s *schema.Schema, columns []string) []schema.Column {
	var out []schema.Column
	for _, c := range s.Columns {
		if slices.Contains(columns, c.Name) {
			out = append(out, c)
		}
	}
	return out
}

// features are the cleaned columns that scoring needs.
func (r *Run) features(in *input) ([]string, error) {
	analyzer, err := normalize.NewAnalyzer(r.job.Normalize, in.schema)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, c := range analyzer.Columns() {
		if c != r.job.Normalize.Label.Column && !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out, nil
}
