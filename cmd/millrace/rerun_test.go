package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/pipelines"
)

// statuses are the steps of a report: "read ran, prepare reused, …".
func statuses(r *pipelines.Report) string {
	var list []string
	for _, s := range r.Steps {
		list = append(list, s.Name+" "+s.Status)
	}
	return strings.Join(list, ", ")
}

func TestRerun(t *testing.T) {
	const all = "read ran, prepare ran, train ran, compress ran, evaluate ran, release ran, score ran"
	job, rows := filepath.Join("job", "job.yaml"), filepath.Join("job", "rows.csv")
	tests := []struct {
		name     string
		change   func(t *testing.T, dir string)
		decision string
		steps    string
	}{
		{"nothing", func(*testing.T, string) {}, "unchanged",
			"read reused, prepare reused, train reused, compress reused, evaluate reused, release reused, score reused"},
		{"a comment in the job", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, job), "name: small", "name: small # as it was")
		}, "unchanged", "read reused, prepare reused, train reused, compress reused, evaluate reused, release reused, score reused"},
		{"a row", func(t *testing.T, dir string) { write(t, filepath.Join(dir, rows), smallRows(330)) }, "released", all},
		{"the features", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, job), "{column: x, scale: z_score}", "{column: x, scale: min_max}")
		}, "released", all},
		{"the seed", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, job), "name: small", "name: small\nseed: 2")
		}, "released",
			"read ran, prepare reused, train ran, compress ran, evaluate ran, release ran, score ran"},
		{"the sparsity", func(t *testing.T, dir string) { edit(t, filepath.Join(dir, job), "sparsity: 0.5", "sparsity: 0.4") }, "released",
			"read ran, prepare reused, train reused, compress ran, evaluate ran, release ran, score ran"},
		{"the margin", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, job), "margin: 0.9", "margin: 0.8")
		}, "unchanged", "read ran, prepare reused, train reused, compress reused, evaluate ran, release ran, score reused"},
		{"the predictions", func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "out", "predictions")); err != nil {
				t.Fatal(err)
			}
		}, "released", "read ran, prepare reused, train reused, compress reused, evaluate reused, release reused, score ran"},
		{"the score input", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "job", "today.csv"), smallRows(40))
			edit(t, filepath.Join(dir, job), "score: {input: {files: [rows.csv]}}", "score: {input: {files: [today.csv]}}")
		}, "released", "read ran, prepare reused, train reused, compress reused, evaluate reused, release reused, score ran"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := released(t)
			out := filepath.Join(dir, "out")
			tt.change(t, dir)
			must(t, 0, dir, "retrain", "job", "--out", "out")
			r := reportOf(t, out)
			if r.Release.Decision != tt.decision {
				t.Errorf("got decision %q (%s), want %q", r.Release.Decision, r.Release.Reason, tt.decision)
			}
			if got := statuses(r); got != tt.steps {
				t.Errorf("got steps %s, want %s", got, tt.steps)
			}
			if r.Score.Read != int64(len(predictions(t, out))) || r.Score.Read < 40 {
				t.Errorf("got %d predictions of %d rows, want all", len(predictions(t, out)), r.Score.Read)
			}
			wantClean(t, dir)
		})
	}
}

// A worse candidate is recorded and said to be rejected; the released model goes on scoring.
func TestRejected(t *testing.T) {
	t.Parallel()
	dir := released(t)
	out := filepath.Join(dir, "out")
	before, champion := predictions(t, out), files(t, filepath.Join(out, "models"))
	edit(t, filepath.Join(dir, "job", "job.yaml"),
		"train: {rounds: 2, inner_steps: 20", "train: {rounds: 1, inner_steps: 1",
		"learning_rate: 0.05", "learning_rate: 1e-6", "finetune_rounds: 1", "finetune_rounds: 0", "margin: 0.9", "margin: 0.01")
	res := must(t, 3, dir, "retrain", "job", "--out", "out")
	if message := res.message(t); !strings.Contains(message, "candidate rejected: accuracy ") || !strings.Contains(message, "release 1 has ") {
		t.Errorf("got message %q, want both figures", message)
	}
	record := read(t, filepath.Join(out, "registry", "00000002.json"))
	if !strings.Contains(record, `"rejected"`) {
		t.Errorf("got record 2 %s, want a rejection", record)
	}
	after := predictions(t, out)
	wantEveryRowOnce(t, after, 300)
	for i := range after {
		if after[i].model != before[i].model || after[i].class != before[i].class {
			t.Fatalf("prediction %d is %+v, want that of the released model %+v", i, after[i], before[i])
		}
	}
	for name, sum := range champion {
		if got := files(t, filepath.Join(out, "models"))[name]; got != sum {
			t.Errorf("models/%s changed", name)
		}
	}
	// The same again: nothing to do, and still no release of it.
	must(t, 0, dir, "retrain", "job", "--out", "out")
	if got := reportOf(t, out).Release; got.Decision != "unchanged" || got.ID != 2 {
		t.Errorf("got %+v, want unchanged since record 2", got)
	}
}
