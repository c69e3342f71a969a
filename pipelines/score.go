package pipelines

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/io/registry"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/normalize"
	"github.com/millrace-go/millrace/transforms/read"
	"github.com/millrace-go/millrace/transforms/score"
)

// scored is the result of score.
type scored struct {
	rows ledger.Entry
	out  []published
}

// score runs the released model over the score input.
func (r *Run) score(ctx context.Context, release *registry.Release) (*scored, error) {
	sc := &scored{}
	err := r.step(ctx, "score", func() (bool, string, error) {
		in, plan, err := r.scoreInput(ctx, release)
		if err != nil {
			return false, "", err
		}
		reused, err := r.makeScores(ctx, in, plan, release, sc)
		if err != nil {
			return false, "", err
		}
		c := sc.rows.Counts
		r.report.setScore(c)
		return reused, fmt.Sprintf("%d read = %d scored + %d dead, by release %d", c["read"], c["scored"], c.Sum("dead:"), release.ID), nil
	})
	return sc, err
}

// scoreInput opens the input of the score section, cleaned by the release's
// own rules, with the columns that its Plan needs.
func (r *Run) scoreInput(ctx context.Context, release *registry.Release) (*input, *normalize.Plan, error) {
	data, err := store.GetObject(ctx, r.out, release.Plan)
	if err != nil {
		return nil, nil, err
	}
	plan, err := normalize.DecodePlan(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", release.Plan.Name, err)
	}
	rules, err := store.GetObject(ctx, r.out, release.Objects[cleanRole])
	if err != nil {
		return nil, nil, err
	}
	var spec clean.Spec
	if err := json.Unmarshal(rules, &spec); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", release.Objects[cleanRole].Name, err)
	}
	files, err := r.job.ScoreFiles()
	if err != nil {
		return nil, nil, err
	}
	in, err := r.openInput(ctx, files, &r.job.Score.Input, spec.ForScoring(), plan.Columns())
	return in, plan, err
}

func (r *Run) makeScores(ctx context.Context, in *input, plan *normalize.Plan, release *registry.Release, sc *scored) (reused bool, err error) {
	k, err := derive("", "score", r.opts.Code, release.ModelDigest, release.PlanDigest, in.survey.Digest(), in.clean, r.job.Score.Input.CSV, r.job.Limits)
	if err != nil {
		return false, err
	}
	name := r.folder("score", k) + "/scored.json"
	var found bool
	if sc.rows, found, err = ledger.Load(ctx, r.out, name); err != nil {
		return false, err
	}
	if found {
		if sc.out, err = r.publishScores(ctx, sc.rows); err == nil {
			return true, r.checkScores(sc.rows.Counts, in)
		}
	}
	sink := ledger.Sink{Store: r.out.URI(), Prefix: r.folder("score", k)}
	model := score.Model{Plan: release.Plan, File: release.Model}
	err = r.submit(ctx, func(s beam.Scope) {
		var entries []beam.PCollection
		for _, spans := range read.Spread(in.survey.Spans, r.opts.Workers) {
			rows, e := in.cleaned(s, sink, spans)
			entries = append(append(entries, e...), score.Predict(s, model, in.schema, sink, rows))
		}
		ledger.Commit(s, r.out.URI(), name, entries...)
	})
	if err != nil {
		return false, err
	}
	if sc.rows, _, err = ledger.Load(ctx, r.out, name); err != nil {
		return false, err
	}
	if err := r.checkScores(sc.rows.Counts, in); err != nil {
		if perr := r.publishLetters(ctx, "score", sc.rows.Parts); perr != nil {
			return false, perr
		}
		return false, err
	}
	sc.out, err = r.publishScores(ctx, sc.rows)
	return false, err
}

// checkScores checks that every row was scored or is a dead letter, and that
// not too many are dead.
func (r *Run) checkScores(c ledger.Counts, in *input) error {
	if err := conserve(c["read"], in.survey.Rows, c["scored"], 0, c.Sum("dead:")); err != nil {
		return err
	}
	return r.tooManyDead(c, "score")
}

func (r *Run) publishScores(ctx context.Context, rows ledger.Entry) ([]published, error) {
	if err := r.publishLetters(ctx, "score", rows.Parts); err != nil {
		return nil, err
	}
	return r.publish(ctx, "predictions/part", rows.Of(score.Predictions), r.moveInto)
}
