package pipelines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/millrace-go/millrace/io/registry"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/metrics"
)

// ErrRejected is wrapped by the error of a run whose candidate was not released.
var ErrRejected = errors.New("candidate rejected")

// releases is the log of the job's releases.
func (r *Run) releases() *registry.Log[registry.Release] {
	return registry.Releases(r.out, "registry")
}

// champion returns the released model, or nil. Its files, if they are there,
// must be whole: a damaged one is no reason to release another.
func (r *Run) champion(ctx context.Context) (*registry.Release, error) {
	champion, err := registry.Champion(ctx, r.releases())
	if err != nil || champion == nil {
		return nil, err
	}
	for _, ref := range []store.Ref{champion.Plan, champion.Model, champion.Objects[cleanRole]} {
		if _, err := store.GetObject(ctx, r.out, ref); err != nil && !errors.Is(err, store.ErrNotExist) {
			return nil, fmt.Errorf("release %d: %w", champion.ID, err)
		}
	}
	return champion, nil
}

// gate decides on the candidate and records the decision. It returns the
// model that is released from now on.
func (r *Run) gate(ctx context.Context, run key, p *prepared, c *compressed, e *evaluation, champion *registry.Release) (*registry.Release, error) {
	log := r.releases()
	var now *registry.Release
	err := r.step(ctx, "release", func() (bool, string, error) {
		id, last, err := log.Last(ctx)
		if err != nil {
			return false, "", err
		}
		if last != nil && last.Key == string(run) { // decided by a run that was stopped afterwards
			now = champion
			if last.Decision == registry.Released {
				now = last
			}
			r.report.setRelease(last.ID, last.Decision, last.Reason)
			return true, fmt.Sprintf("%s as %d: %s", last.Decision, last.ID, last.Reason), nil
		}
		digest := "sha256:" + c.files.Compressed.SHA256
		if champion != nil && champion.ModelDigest == digest {
			now = champion
			reason := "the candidate is the released model, bit for bit"
			r.report.setRelease(champion.ID, decisionUnchanged, reason)
			return false, reason, nil
		}
		rec, err := r.candidate(ctx, run, p, c, e, champion, digest)
		if err != nil {
			return false, "", err
		}
		if err := log.AppendAt(ctx, id+1, *rec); err != nil {
			return false, "", err
		}
		rec.ID = id + 1
		now = champion
		if rec.Decision == registry.Released {
			now = rec
		}
		r.report.setRelease(rec.ID, rec.Decision, rec.Reason)
		return false, fmt.Sprintf("%s as %d: %s", rec.Decision, rec.ID, rec.Reason), nil
	})
	return now, err
}

// cleanRole names, among the objects of a release, the cleaning rules of its
// rows with the types they were found to have: what is scored is cleaned as
// the model's rows were.
const cleanRole = "clean"

// candidate is the record of a decision.
func (r *Run) candidate(ctx context.Context, run key, p *prepared, c *compressed, e *evaluation, champion *registry.Release, digest string) (*registry.Release, error) {
	rules, err := json.Marshal(p.input.clean)
	if err != nil {
		return nil, err
	}
	ref, err := store.PutNamed(ctx, r.out, "models/clean-"+store.RefOf("", rules).SHA256[:16]+".json", rules)
	if err != nil {
		return nil, err
	}
	rec := &registry.Release{
		Key: string(run), Job: "sha256:" + r.job.Digest(), Code: r.opts.Code, Data: p.input.survey.Digest(),
		Model: c.files.Compressed, ModelDigest: digest, Plan: p.planRef, PlanDigest: p.plan.Digest(),
		Metrics: numbers(&e.compressed), Objects: map[string]store.Ref{cleanRole: ref},
	}
	if champion != nil {
		rec.Champion = champion.ID
	}
	if e.champion != nil {
		rec.ChampionMetrics = numbers(e.champion)
	}
	rec.Decision, rec.Reason = decide(r.job.Release.Metric, r.job.Release.Margin, e, champion)
	return rec, nil
}

// decide compares the compressed candidate with the champion.
func decide(metric string, margin float64, e *evaluation, champion *registry.Release) (decision, reason string) {
	switch {
	case champion == nil:
		return registry.Released, "the first release of this job"
	case e.champion == nil:
		return registry.Rejected, fmt.Sprintf("release %d cannot be measured on the same rows (%s); to start afresh give another --out", champion.ID, e.incomparable)
	case e.champion.Rows != e.compressed.Rows:
		return registry.Rejected, fmt.Sprintf("release %d can score %d of the %d test rows; to start afresh give another --out", champion.ID, e.champion.Rows, e.compressed.Rows)
	}
	have, want := value(metric, &e.compressed), value(metric, e.champion)
	worse := want - have
	if metric == "log_loss" {
		worse = have - want
	}
	said := fmt.Sprintf("%s %.4f, release %d has %.4f on the same rows; the margin is %v", metric, have, champion.ID, want, margin)
	if !(worse <= margin) { // a NaN must not pass
		return registry.Rejected, said
	}
	return registry.Released, said
}

// value is one metric of a model.
func value(metric string, m *metrics.Metrics) float64 {
	switch metric {
	case "auc":
		if m.AUC == nil {
			return math.NaN()
		}
		return *m.AUC
	case "log_loss":
		return m.LogLoss
	default:
		return m.Accuracy
	}
}

func show(metric string, m *metrics.Metrics) string {
	return strconv.FormatFloat(value(metric, m), 'f', 4, 64)
}

// numbers are the metrics of a record.
func numbers(m *metrics.Metrics) map[string]float64 {
	out := map[string]float64{"rows": float64(m.Rows), "accuracy": m.Accuracy, "log_loss": m.LogLoss}
	if m.AUC != nil {
		out["auc"] = *m.AUC
	}
	return out
}
