package pipelines

import (
	"context"
	"fmt"
	"strings"

	"github.com/millrace-go/millrace/io/registry"
	"github.com/millrace-go/millrace/io/store"
)

// finished is the record of a whole retrain: as long as its key and what it
// left stay the same, there is nothing to do.
type finished struct {
	Key    string      `json:"key"`
	Last   int         `json:"last_record"`
	Report Report      `json:"report"`
	Files  []published `json:"files"`
}

// doneLog keeps the finished retrains.
func (r *Run) doneLog() *registry.Log[finished] {
	return registry.Open[finished](r.out, "work/finished")
}

// Prepare runs read and prepare.
func (r *Run) Prepare(ctx context.Context) (*Report, error) {
	if _, err := r.prepare(ctx); err != nil {
		return nil, err
	}
	return r.report, r.report.write(ctx, r.out)
}

// Train runs Prepare and train.
func (r *Run) Train(ctx context.Context) (*Report, error) {
	p, err := r.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := r.train(ctx, p); err != nil {
		return nil, err
	}
	return r.report, r.report.write(ctx, r.out)
}

// Compress runs Train, compress and evaluate, and releases nothing.
func (r *Run) Compress(ctx context.Context) (*Report, error) {
	champion, err := r.champion(ctx)
	if err != nil {
		return nil, err
	}
	p, c, err := r.candidateModel(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := r.evaluate(ctx, p, c, champion); err != nil {
		return nil, err
	}
	return r.report, r.report.write(ctx, r.out)
}

func (r *Run) candidateModel(ctx context.Context) (*prepared, *compressed, error) {
	p, err := r.prepare(ctx)
	if err != nil {
		return nil, nil, err
	}
	t, err := r.train(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	c, err := r.compress(ctx, p, t)
	return p, c, err
}

// Score runs the released model over the score input.
func (r *Run) Score(ctx context.Context) (*Report, error) {
	if r.job.Score == nil {
		return nil, r.job.ErrorAt("score", "the job has no score section; add one with the files to score")
	}
	champion, err := r.champion(ctx)
	if err != nil {
		return nil, err
	}
	if champion == nil {
		return nil, fmt.Errorf("there is no released model in %s; run millrace retrain first", r.opts.Out)
	}
	if _, err := r.score(ctx, champion); err != nil {
		return nil, err
	}
	r.report.setRelease(champion.ID, decisionUnchanged, "score does not decide")
	return r.report, r.report.write(ctx, r.out)
}

// Retrain runs the whole job. If nothing has changed since the last time it
// does nothing and says so. If the candidate is rejected, the champion scores and the
// error wraps ErrRejected.
func (r *Run) Retrain(ctx context.Context) (*Report, error) {
	key, err := r.retrainKey(ctx)
	if err != nil {
		return nil, err
	}
	champion, err := r.champion(ctx)
	if err != nil {
		return nil, err
	}
	if rep, err := r.unchanged(ctx, key, champion); rep != nil || err != nil {
		return rep, err
	}
	p, c, err := r.candidateModel(ctx)
	if err != nil {
		return nil, err
	}
	run, err := derive(c.key, "release", r.job.Release)
	if err != nil {
		return nil, err
	}
	before, err := r.championBefore(ctx, run, champion)
	if err != nil {
		return nil, err
	}
	e, err := r.evaluate(ctx, p, c, before)
	if err != nil {
		return nil, err
	}
	now, err := r.gate(ctx, run, p, c, e, before)
	if err != nil {
		return nil, err
	}
	files, err := r.scoreReleased(ctx, now)
	if err != nil {
		return nil, err
	}
	if err := r.finish(ctx, key, files); err != nil {
		return nil, err
	}
	if r.report.Release.Decision == registry.Rejected {
		return r.report, fmt.Errorf("%w: %s", ErrRejected, r.report.Release.Reason)
	}
	return r.report, nil
}

// championBefore is the champion that this candidate was or will be compared
// with: if a stopped run has recorded its decision, the one before it.
func (r *Run) championBefore(ctx context.Context, run key, champion *registry.Release) (*registry.Release, error) {
	log := r.releases()
	_, last, err := log.Last(ctx)
	if err != nil || last == nil || last.Key != string(run) {
		return champion, err
	}
	if last.Champion == 0 {
		return nil, nil
	}
	before, err := log.Get(ctx, last.Champion)
	return &before, err
}

func (r *Run) scoreReleased(ctx context.Context, now *registry.Release) ([]published, error) {
	if r.job.Score == nil || now == nil {
		return nil, nil
	}
	sc, err := r.score(ctx, now)
	if err != nil {
		return nil, err
	}
	return sc.out, nil
}

// retrainKey is a digest of all that a retrain depends on. It surveys the inputs.
func (r *Run) retrainKey(ctx context.Context) (key, error) {
	files, err := r.job.InputFiles()
	if err != nil {
		return "", err
	}
	survey, _, err := r.surveyOf(ctx, files, &r.job.Input)
	if err != nil {
		return "", err
	}
	data := []string{survey.Digest()}
	if r.job.Score != nil {
		if files, err = r.job.ScoreFiles(); err != nil {
			return "", err
		}
		if survey, _, err = r.surveyOf(ctx, files, &r.job.Score.Input); err != nil {
			return "", err
		}
		data = append(data, survey.Digest())
	}
	k, err := derive("", "retrain", r.opts.Code, r.job.Digest(), data)
	if err != nil || r.job.Stats.Schema == "" {
		return k, err
	}
	_, file, err := r.job.SchemaFile()
	if err != nil {
		return "", err
	}
	return derive(k, "schema", file, r.job.Stats)
}

// unchanged returns the report of a run that has nothing to do, or nil.
func (r *Run) unchanged(ctx context.Context, k key, champion *registry.Release) (*Report, error) {
	_, done, err := r.doneLog().Last(ctx)
	if err != nil || done == nil || done.Key != string(k) {
		return nil, err
	}
	last, err := r.releases().LastID(ctx)
	if err != nil || last != done.Last {
		return nil, err
	}
	if champion == nil || r.verifyAll(ctx, champion.Model, champion.Plan) != nil {
		return nil, nil
	}
	for _, f := range done.Files {
		if r.present(ctx, f.Name, f.Bytes) != nil {
			return nil, nil
		}
	}
	rep := done.Report
	was := rep.Release
	rep.Release = ReleaseReport{ID: was.ID, Decision: decisionUnchanged,
		Reason: fmt.Sprintf("code, job and data are those of the last run, which %s %d", was.Decision, was.ID)}
	for i := range rep.Steps {
		rep.Steps[i].Status, rep.Steps[i].Seconds = string(Reused), 0
	}
	r.say("retrain", "nothing to do: %s", rep.Release.Reason)
	return &rep, rep.write(ctx, r.out)
}

// finish writes the report and the record of a whole retrain, then removes
// the work of earlier ones.
func (r *Run) finish(ctx context.Context, k key, files []published) error {
	last, err := r.releases().LastID(ctx)
	if err != nil {
		return err
	}
	if err := r.report.write(ctx, r.out); err != nil {
		return err
	}
	if _, err := r.doneLog().Append(ctx, finished{Key: string(k), Last: last, Report: *r.report, Files: files}); err != nil {
		return err
	}
	return r.tidy(ctx)
}

// tidy removes the work folders that this run did not use, and the models and
// plans that no release names.
func (r *Run) tidy(ctx context.Context) error {
	list, err := r.out.List(ctx, "work/")
	if err != nil {
		return err
	}
	for _, info := range list {
		folder := strings.Join(strings.SplitN(info.Name, "/", 3)[:2], "/")
		if folder == "work/finished" || r.used[folder] {
			continue
		}
		if err := r.out.Delete(ctx, info.Name); err != nil {
			return err
		}
	}
	records, err := r.releases().All(ctx)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, rec := range records {
		keep[rec.Record.Model.Name], keep[rec.Record.Plan.Name], keep[rec.Record.Objects[cleanRole].Name] = true, true, true
	}
	return store.DeleteExcept(ctx, r.out, "models/", keep)
}
