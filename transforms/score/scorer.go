// Package score runs a model over cleaned rows and writes what it predicts.
// The Plan and the model file are those of a release; a process loads each once.
package score

import (
	"context"
	"fmt"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/accel/devices"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/arch"
	"github.com/millrace-go/millrace/model/modelfile"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/transforms/feed"
	"github.com/millrace-go/millrace/transforms/normalize"
)

// Model names what is needed to score: a model file and the Plan it was trained with.
type Model struct {
	Plan store.Ref
	File store.Ref
}

// loaded is a model and its plan, ready for any number of scorers.
type loaded struct {
	plan *normalize.Plan
	file *modelfile.File
	net  *nn.Model
}

// cache holds each model once a process, by the digest of its file.
var cache = struct {
	sync.Mutex
	models map[string]*loaded
}{models: map[string]*loaded{}}

func load(ctx context.Context, s store.Store, m Model) (*loaded, error) {
	cache.Lock()
	defer cache.Unlock()
	key := m.File.SHA256 + m.Plan.SHA256
	if l := cache.models[key]; l != nil {
		return l, nil
	}
	planData, err := store.GetObject(ctx, s, m.Plan)
	if err != nil {
		return nil, err
	}
	l := &loaded{}
	if l.plan, err = normalize.DecodePlan(planData); err != nil {
		return nil, fmt.Errorf("%s: %w", m.Plan.Name, err)
	}
	if l.file, err = Open(ctx, s, m.File.Name); err != nil {
		return nil, err
	}
	if l.file.Digest != "sha256:"+m.File.SHA256 {
		return nil, fmt.Errorf("%s: digest %s, want sha256:%s: the file was changed; restore it or release again", m.File.Name, l.file.Digest, m.File.SHA256)
	}
	if l.file.PlanDigest != l.plan.Digest() {
		return nil, fmt.Errorf("%s was trained with plan %s, %s is plan %s", m.File.Name, l.file.PlanDigest, m.Plan.Name, l.plan.Digest())
	}
	if l.net, err = arch.Build(l.file.Arch, l.file.Inputs, len(l.file.Classes)); err != nil {
		return nil, fmt.Errorf("%s: %w", m.File.Name, err)
	}
	cache.models[key] = l
	return l, nil
}

// Open reads the model file of a name, and checks its digest.
func Open(ctx context.Context, s store.Store, name string) (*modelfile.File, error) {
	r, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	f, err := modelfile.Decode(r, r.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Scorer runs one model. It is not safe for concurrent use.
type Scorer struct {
	model     *loaded
	applier   *normalize.Applier
	predictor *nn.Predictor
}

// NewScorer binds a model to the schema of cleaned rows. With labelled set the
// rows have the label column too, and a row without a known label is a dead letter.
func NewScorer(ctx context.Context, s store.Store, m Model, schema *arrow.Schema, labelled bool) (*Scorer, error) {
	l, err := load(ctx, s, m)
	if err != nil {
		return nil, err
	}
	sc := &Scorer{model: l}
	if sc.applier, err = l.plan.Bind(schema, normalize.Options{Label: labelled}); err != nil {
		return nil, err
	}
	dev, err := devices.Open("cpu")
	if err != nil {
		return nil, err
	}
	sc.predictor, err = l.net.NewPredictor(dev)
	return sc, err
}

// Classes are the names of the classes, in the order of the probabilities.
func (s *Scorer) Classes() []string { return s.model.file.Classes }

// Digest is the digest of the model file.
func (s *Scorer) Digest() string { return s.model.file.Digest }

// Scores are the probabilities of some rows.
type Scores struct {
	Rows   []int64   // source rows, in order
	Labels []int32   // classes, if the scorer is of labelled rows
	Probs  []float32 // len(Rows) x classes
	Dead   []deadletter.Letter
}

// chunkRows is the batch size of the predictor. A row's result does not depend on it.
const chunkRows = 256

// Score prepares and scores cleaned rows. Rows that the Plan cannot prepare are
// in Dead; the others keep their order. b is not written to.
func (s *Scorer) Score(b *batch.Batch) (*Scores, error) {
	prepared, err := s.applier.Apply(b)
	if err != nil {
		return nil, err
	}
	rows, err := feed.Of(prepared.Batch.Record, s.model.file.Inputs)
	if err != nil {
		return nil, err
	}
	classes := len(s.Classes())
	out := &Scores{Rows: prepared.Batch.Rows, Dead: prepared.Dead, Probs: make([]float32, rows.N()*classes)}
	for from := 0; from < rows.N(); from += chunkRows {
		to := min(from+chunkRows, rows.N())
		some := rows.Slice(from, to)
		if err := s.predictor.Predict(s.model.file.Tensors, some, out.Probs[from*classes:to*classes]); err != nil {
			return nil, err
		}
		out.Labels = append(out.Labels, some.Labels...)
	}
	return out, nil
}
