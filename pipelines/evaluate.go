package pipelines

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/io/registry"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/metrics"
	"github.com/millrace-go/millrace/transforms/evaluate"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/normalize"
	"github.com/millrace-go/millrace/transforms/score"
	"github.com/millrace-go/millrace/transforms/split"
)

// evaluation is the metrics of the candidate and of the last released model
// on the same test rows.
type evaluation struct {
	dense, pruned, compressed metrics.Metrics
	baseline                  metrics.Metrics
	champion                  *metrics.Metrics // nil if there is none, or it cannot score these rows
	incomparable              string           // why it cannot
}

// evaluate measures the forms of the model, and the champion, on the test split.
func (r *Run) evaluate(ctx context.Context, p *prepared, c *compressed, champion *registry.Release) (*evaluation, error) {
	e := &evaluation{}
	err := r.step(ctx, "evaluate", func() (bool, string, error) {
		models := []score.Model{{Plan: p.planRef, File: c.files.Dense}, {Plan: p.planRef, File: c.files.Pruned}, {Plan: p.planRef, File: c.files.Compressed}}
		if champion != nil {
			if e.incomparable = r.incomparable(ctx, p, champion); e.incomparable == "" {
				models = append(models, score.Model{Plan: champion.Plan, File: champion.Model})
			}
		}
		all, reused, err := r.measure(ctx, p, c, models)
		if err != nil {
			return false, "", err
		}
		e.dense, e.pruned, e.compressed = all[0], all[1], all[2]
		if len(all) > 3 {
			e.champion = &all[3]
		}
		e.baseline = baseline(p, &e.compressed)
		r.report.setMetrics(e)
		m := r.job.Release.Metric
		return reused, fmt.Sprintf("%d test rows; %s: dense %s, pruned %s, compressed %s, baseline %s", e.compressed.Rows, m,
			show(m, &e.dense), show(m, &e.pruned), show(m, &e.compressed), show(m, &e.baseline)), nil
	})
	return e, err
}

// baseline is the majority class of the train split, on the test rows.
func baseline(p *prepared, test *metrics.Metrics) metrics.Metrics {
	counts := make([]int64, len(test.Confusion))
	for i, row := range test.Confusion {
		for _, n := range row {
			counts[i] += n
		}
	}
	return metrics.Baseline(p.plan.ClassCounts(), counts)
}

// measure runs the models over the test rows, unless the result is there.
func (r *Run) measure(ctx context.Context, p *prepared, c *compressed, models []score.Model) ([]metrics.Metrics, bool, error) {
	k, err := derive(c.key, "evaluate", models)
	if err != nil {
		return nil, false, err
	}
	name := r.folder("evaluate", k) + "/metrics.json"
	manifest, found, err := ledger.Load(ctx, r.out, name)
	if err != nil {
		return nil, false, err
	}
	if !found || r.verify(ctx, manifest.Parts) != nil {
		found = false
		sink := ledger.Sink{Store: r.out.URI(), Prefix: r.folder("evaluate", k)}
		err = r.submit(ctx, func(s beam.Scope) {
			var measured []beam.PCollection
			r.eachBranch(s, p, ledger.Sink{}, func(s beam.Scope, rows beam.PCollection, _ []beam.PCollection) {
				test := split.Only(s, r.job.Split, p.splitKey(r.job.Split), split.Test, rows)
				measured = append(measured, evaluate.Measure(s, r.out.URI(), models, p.input.schema, test))
			})
			ledger.Commit(s, r.out.URI(), name, evaluate.Collect(s, sink, measured...))
		})
		if err != nil {
			return nil, false, err
		}
		if manifest, _, err = ledger.Load(ctx, r.out, name); err != nil {
			return nil, false, err
		}
	}
	all, err := evaluate.Results(ctx, r.out, manifest, len(models))
	return all, found, err
}

// incomparable says why a released model cannot be measured on the job's rows; "" if it can.
func (r *Run) incomparable(ctx context.Context, p *prepared, champion *registry.Release) string {
	data, err := store.GetObject(ctx, r.out, champion.Plan)
	if err != nil {
		return err.Error()
	}
	plan, err := normalize.DecodePlan(data)
	if err != nil {
		return err.Error()
	}
	if _, err := plan.Bind(p.input.schema, normalize.Options{Label: true}); err != nil {
		return err.Error()
	}
	if have, want := fmt.Sprint(plan.Classes()), fmt.Sprint(p.plan.Classes()); have != want {
		return fmt.Sprintf("its classes are %s, the job's are %s", have, want)
	}
	if err := r.verifyAll(ctx, champion.Model); err != nil {
		return err.Error()
	}
	return ""
}
