package pipelines

import (
	"context"
	"fmt"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/pipelines/job"
	"github.com/millrace-go/millrace/transforms/read"
)

// Validate checks a job and the schema of its data, without running it and
// without writing anything. It returns what it found, a line each.
func Validate(ctx context.Context, j *job.Job, workers int) ([]string, error) {
	files, err := store.Local("/")
	if err != nil {
		return nil, err
	}
	r := &Run{job: j, opts: Options{Workers: workers}, files: files, surveys: map[*job.Input]*read.Survey{}}
	sources, err := j.InputFiles()
	if err != nil {
		return nil, err
	}
	in, err := r.openInput(ctx, sources, &j.Input, j.Clean, nil)
	if err != nil {
		return nil, err
	}
	if err := r.checkSections(in); err != nil {
		return nil, err
	}
	said := []string{fmt.Sprintf("input: %d rows in %d file(s)", in.survey.Rows, len(in.survey.Files))}
	for _, f := range in.schema.Fields() {
		said = append(said, fmt.Sprintf("  column %q: %s", f.Name, f.Type))
	}
	if _, _, err := j.SchemaFile(); err != nil {
		return nil, err
	}
	if j.Score == nil {
		return said, nil
	}
	more, err := r.validateScore(ctx, in)
	return append(said, more...), err
}

// validateScore checks that the score input has the columns of the features.
func (r *Run) validateScore(ctx context.Context, in *input) ([]string, error) {
	sources, err := r.job.ScoreFiles()
	if err != nil {
		return nil, err
	}
	features, err := r.features(in)
	if err != nil {
		return nil, err
	}
	score, err := r.openInput(ctx, sources, &r.job.Score.Input, in.clean.ForScoring(), features)
	if err != nil {
		return nil, fmt.Errorf("score input: %w", err)
	}
	return []string{fmt.Sprintf("score input: %d rows in %d file(s)", score.survey.Rows, len(score.survey.Files))}, nil
}
