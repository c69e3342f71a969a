package pipelines

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/internal/progress"
	"github.com/millrace-go/millrace/internal/seed"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/arch"
	"github.com/millrace-go/millrace/model/weights"
	"github.com/millrace-go/millrace/transforms/train"
)

// trained is the result of train: the parameters of the best round.
type trained struct {
	key    key
	phase  train.Phase
	params weights.Set
}

// train trains the model in rounds.
func (r *Run) train(ctx context.Context, p *prepared) (*trained, error) {
	t := &trained{}
	err := r.step(ctx, "train", func() (bool, string, error) {
		var err error
		if t.key, err = derive(p.key, "train", r.job.Seed, r.job.Model, r.semantic(r.job.Train)); err != nil {
			return false, "", err
		}
		if t.phase, err = r.phase(p, r.folder("train", t.key)); err != nil {
			return false, "", err
		}
		net, err := arch.Build(t.phase.Arch, t.phase.Inputs, t.phase.Classes)
		if err != nil {
			return false, "", err
		}
		first := net.Init(seed.Derive(r.job.Seed, "init"))
		rounds, best, reused, err := r.rounds(ctx, &t.phase, p, first)
		if err != nil {
			return false, "", err
		}
		if t.params, err = train.Params(ctx, r.out, &rounds[best], first); err != nil {
			return false, "", fmt.Errorf("%w (if that does not help, remove %s)", err, t.phase.Prefix)
		}
		r.report.setTrain(rounds, best, r.job.Train.Shards)
		return reused, fmt.Sprintf("%d rounds, %d parameters; best is round %d: validation loss %.4f, accuracy %.4f",
			len(rounds)-1, t.params.Len(), best, rounds[best].ValLoss, rounds[best].Accuracy), nil
	})
	return t, err
}

// semantic is a spec without the keys that do not change the result.
func (r *Run) semantic(spec train.Spec) train.Spec {
	spec.RoundsPerPipeline = 0
	return spec
}

// phase is training as the job says, with its objects in folder.
func (r *Run) phase(p *prepared, folder string) (train.Phase, error) {
	inputs := p.plan.Inputs()
	if len(inputs) == 0 {
		return train.Phase{}, r.job.ErrorAt("normalize.features", "the features give the model no input")
	}
	ph := train.Phase{
		Name: "train", Store: r.out.URI(), Prefix: folder, Seed: r.job.Seed,
		Spec: r.job.Train, Arch: r.job.Model, Inputs: inputs, Classes: len(p.plan.Classes()),
		Prepared: p.manifest(),
	}
	if r.job.Train.ClassWeights == "balanced" {
		ph.ClassWeights = balanced(p.plan.ClassCounts())
	}
	return ph, nil
}

// balanced weights each class by rows / (classes * rows of the class).
func balanced(counts []int64) []float32 {
	var rows int64
	for _, n := range counts {
		rows += n
	}
	out := make([]float32, len(counts))
	for i, n := range counts {
		if n > 0 {
			out[i] = float32(float64(rows) / (float64(len(counts)) * float64(n)))
		}
	}
	return out
}

// rounds runs a phase from where its log ends. It returns the rounds that
// count, round 0 first, and which is best.
func (r *Run) rounds(ctx context.Context, ph *train.Phase, p *prepared, first weights.Set) (list []train.Manifest, best int, reused bool, err error) {
	log := train.Log(r.out, ph.Prefix)
	reused = true
	for {
		if list, err = readRounds(ctx, log); err != nil {
			return nil, 0, false, err
		}
		if len(list) == 0 {
			m, err := train.Begin(ctx, r.out, ph.Prefix, first)
			if err != nil {
				return nil, 0, false, err
			}
			list = append(list, *m)
		}
		best, last, over := train.Decide(list, ph.Spec.Rounds, ph.Spec.Patience)
		if over {
			return list[:last+1], best, reused, nil
		}
		reused = false
		from := list[len(list)-1]
		n := min(ph.Spec.RoundsPerPipeline, ph.Spec.Rounds-from.Round)
		if err := r.submitRounds(ctx, ph, p, from, n); err != nil {
			return nil, 0, false, err
		}
		if err := dropOldStates(ctx, r.out, ph.Prefix, log); err != nil {
			return nil, 0, false, err
		}
	}
}

func (r *Run) submitRounds(ctx context.Context, ph *train.Phase, p *prepared, from train.Manifest, n int) error {
	manifest, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return r.submit(ctx, func(s beam.Scope) {
		prev := beam.ParDo(s, train.Start, beam.Create(s, manifest))
		for range n {
			prev = train.Round(s, ph, p.rows.Counts["part:validation"], r.opts.Workers, prev)
		}
	})
}

func readRounds(ctx context.Context, log *train.RoundLog) ([]train.Manifest, error) {
	entries, err := log.All(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]train.Manifest, len(entries))
	for i, e := range entries {
		list[i] = e.Record
		if e.Record.Round != i {
			return nil, fmt.Errorf("record %d of training is of round %d; remove the work folder and run again", i+1, e.Record.Round)
		}
	}
	if n := len(list); n > 0 {
		progress.SetNote(list[n-1].String())
	}
	return list, nil
}

// dropOldStates removes the optimizer states that the last manifest does not
// name: only the next round needs one.
func dropOldStates(ctx context.Context, s store.Store, prefix string, log *train.RoundLog) error {
	_, last, err := log.Last(ctx)
	if err != nil || last == nil {
		return err
	}
	keep := map[string]bool{}
	for _, ref := range last.States {
		keep[ref.Name] = true
	}
	return store.DeleteExcept(ctx, s, prefix+"/states/", keep)
}
