package pipelines

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/metrics"
	"github.com/millrace-go/millrace/model/modelfile"
	"github.com/millrace-go/millrace/pipelines/job"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/train"
)

// Report is report.json: what a run did. A section that the run had no part
// in holds zeros. docs/report.md explains each key; a test holds it in step.
type Report struct {
	// Job is the name of the job.
	Job string `json:"job"`
	// Rows accounts for the rows of the job's input.
	Rows RowsReport `json:"rows"`
	// Train is the training of the dense model.
	Train TrainReport `json:"train"`
	// Metrics are measured on the test split.
	Metrics MetricsReport `json:"metrics"`
	// Model is the compressed model.
	Model ModelReport `json:"model"`
	// Release is the decision of the gate.
	Release ReleaseReport `json:"release"`
	// Score accounts for the rows of the score input.
	Score ScoreReport `json:"score"`
	// Steps are the steps of the run in order.
	Steps []StepReport `json:"steps"`
}

// RowsReport: read = kept + the sum of dropped + the sum of dead.
type RowsReport struct {
	Read int64 `json:"read"`
	Kept int64 `json:"kept"`
	// Dropped and Dead count rows by the rule that took them.
	Dropped map[string]int64 `json:"dropped"`
	Dead    map[string]int64 `json:"dead"`
	// Split counts the kept rows by part of the split.
	Split map[string]int64 `json:"split"`
}

// TrainReport is the training of the dense model.
type TrainReport struct {
	// Rounds is the number of rounds run, Best the one whose parameters were taken.
	Rounds int `json:"rounds"`
	Best   int `json:"best_round"`
	Shards int `json:"shards"`
	// Steps is the number of inner steps of all shards.
	Steps int64 `json:"steps"`
	// Loss is the mean training loss of each round, ValidationLoss the log-loss after it.
	Loss           []float64 `json:"loss"`
	ValidationLoss []float64 `json:"validation_loss"`
}

// MetricsReport holds the metrics of each form of the model.
type MetricsReport struct {
	Dense      *metrics.Metrics `json:"dense,omitempty"`
	Pruned     *metrics.Metrics `json:"pruned,omitempty"`
	Compressed *metrics.Metrics `json:"compressed,omitempty"`
	// Baseline predicts the majority class of the train split for every row.
	Baseline *metrics.Metrics `json:"baseline,omitempty"`
	// Champion is the last released model on the same rows.
	Champion *metrics.Metrics `json:"champion,omitempty"`
}

// ModelReport is the compressed model file.
type ModelReport struct {
	Digest     string `json:"digest"`
	Parameters int    `json:"parameters"`
	// DenseBytes is 4 bytes a parameter, Bytes the whole file, Ratio their quotient.
	DenseBytes int64   `json:"dense_bytes"`
	Bytes      int64   `json:"bytes"`
	Ratio      float64 `json:"ratio"`
	// Sparsity is the share of all parameters that are zero.
	Sparsity float64 `json:"sparsity"`
}

// ReleaseReport is the decision of the gate: released, rejected or unchanged.
type ReleaseReport struct {
	ID       int    `json:"id"`
	Decision string `json:"decision"`
	Reason   string `json:"reason"`
}

// ScoreReport: read = scored + dead.
type ScoreReport struct {
	Read   int64            `json:"read"`
	Scored int64            `json:"scored"`
	Dead   int64            `json:"dead"`
	Rules  map[string]int64 `json:"dead_rules"`
}

// StepReport is one step: ran, or reused from an earlier run.
type StepReport struct {
	Name    string  `json:"name"`
	Status  string  `json:"status"`
	Seconds float64 `json:"seconds"`
}

const decisionUnchanged = "unchanged"

func newReport(j *job.Job) *Report {
	empty := map[string]int64{}
	return &Report{
		Job:   j.Name,
		Rows:  RowsReport{Dropped: empty, Dead: empty, Split: empty},
		Train: TrainReport{Loss: []float64{}, ValidationLoss: []float64{}},
		Score: ScoreReport{Rules: empty},
		Steps: []StepReport{},
	}
}

func (r *Report) setRows(c ledger.Counts) {
	r.Rows = RowsReport{Read: c["read"], Kept: c["kept"], Dropped: c.Rules("drop:"), Dead: c.Rules("dead:"), Split: c.Rules("part:")}
}

func (r *Report) setTrain(rounds []train.Manifest, best, shards int) {
	t := TrainReport{Rounds: len(rounds) - 1, Best: best, Shards: shards, Loss: []float64{}, ValidationLoss: []float64{}}
	for _, m := range rounds[1:] {
		t.Loss = append(t.Loss, m.Loss)
		t.ValidationLoss = append(t.ValidationLoss, m.ValLoss)
		t.Steps = m.Steps
	}
	r.Train = t
}

func (r *Report) setModel(f *modelfile.File) {
	r.Model = ModelReport{
		Digest: f.Digest, Parameters: f.Report.Parameters, DenseBytes: f.Report.DenseBytes,
		Bytes: f.Report.FileBytes, Ratio: round3(f.Report.Ratio), Sparsity: f.Report.Sparsity,
	}
}

func (r *Report) setMetrics(e *evaluation) {
	r.Metrics = MetricsReport{Dense: &e.dense, Pruned: &e.pruned, Compressed: &e.compressed, Baseline: &e.baseline, Champion: e.champion}
}

func (r *Report) setRelease(id int, decision, reason string) {
	r.Release = ReleaseReport{ID: id, Decision: decision, Reason: reason}
}

func (r *Report) setScore(c ledger.Counts) {
	r.Score = ScoreReport{Read: c["read"], Scored: c["scored"], Dead: c.Sum("dead:"), Rules: c.Rules("dead:")}
}

// write replaces report.json.
func (r *Report) write(ctx context.Context, s store.Store) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("report.json: %w", err)
	}
	return store.WriteAll(ctx, s, "report.json", append(data, '\n'))
}

func round3(x float64) float64 { return math.Round(x*1000) / 1000 }

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 10_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	default:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
}

// hexOf shortens a digest "sha256:…" for a name.
func hexOf(digest string) string { return strings.TrimPrefix(digest, "sha256:")[:16] }
