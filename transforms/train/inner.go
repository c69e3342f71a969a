package train

import (
	"context"
	"fmt"
	"math"

	"github.com/millrace-go/millrace/internal/progress"
	"github.com/millrace-go/millrace/internal/seed"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/model/optim"
	"github.com/millrace-go/millrace/model/weights"
	"github.com/millrace-go/millrace/transforms/feed"
)

// inner takes the inner steps of one shard in one round, from the parameters
// start. It returns start minus the parameters it ends at: the pseudo-gradient.
func (rt *runtime) inner(ctx context.Context, m *Manifest, shard int) (delta weights.Set, r report, err error) {
	data := rt.shard(shard)
	r.Shard = shard
	if data.Rows() == 0 {
		return nil, r, nil
	}
	start, err := Params(ctx, rt.store, m, rt.model.Init(0))
	if err != nil {
		return nil, r, err
	}
	opt, err := rt.optimizer()
	if err != nil {
		return nil, r, err
	}
	state, err := rt.loadState(ctx, m, shard, opt, start)
	if err != nil {
		return nil, r, err
	}
	params := start.Clone()
	if r.Loss, err = rt.steps(ctx, m.Round+1, shard, data, opt, state, params); err != nil {
		return nil, r, err
	}
	r.Steps = int64(rt.phase.Spec.InnerSteps)
	r.Rows = r.Steps * int64(rt.phase.Spec.BatchSize)
	if r.State, err = rt.saveState(ctx, shard, state); err != nil {
		return nil, r, err
	}
	for i, t := range params {
		from, to := start[i].Data(), t.Data()
		for j := range to {
			from[j] -= to[j]
		}
	}
	return start, r, nil
}

// steps runs the inner steps on params and returns their mean loss.
func (rt *runtime) steps(ctx context.Context, round, shard int, data *feed.Dataset, opt optim.Optimizer, state *optim.State, params weights.Set) (float64, error) {
	spec := rt.phase.Spec
	policy, err := rt.policy()
	if err != nil {
		return 0, err
	}
	trainer, err := rt.model.NewTrainer(rt.device, policy)
	if err != nil {
		return 0, err
	}
	sampler, err := feed.NewSampler(data, seed.Derive(rt.phase.Seed, rt.phase.Name), shard, spec.BatchSize)
	if err != nil {
		return 0, err
	}
	grads := params.Zeros()
	var sum float64
	for h := range spec.InnerSteps {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		step := int64(round-1)*int64(spec.InnerSteps) + int64(h)
		batch, err := sampler.Batch(ctx, step)
		if err != nil {
			return 0, err
		}
		noise := seed.Derive(rt.phase.Seed, rt.phase.Name+"/dropout", uint64(shard), uint64(step))
		loss, err := trainer.Gradients(params, grads, batch, rt.phase.ClassWeights, noise)
		if err != nil {
			return 0, err
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return 0, rt.diverged(trainer, params, batch, noise, round, shard, step, loss)
		}
		if err := opt.Step(params, grads, state); err != nil {
			return 0, fmt.Errorf("train: %s, round %d, shard %d, step %d: %w", rt.phase.Name, round, shard, step+1, err)
		}
		sum += loss
		progress.AddRows(int64(batch.N))
	}
	return sum / float64(spec.InnerSteps), nil
}

// diverged names the step and the tensor where a loss stopped being a number.
func (rt *runtime) diverged(t *nn.Trainer, params weights.Set, b nn.Batch, noise uint64, round, shard int, step int64, loss float64) error {
	tensor, err := t.FirstNonFinite(params, b, rt.phase.ClassWeights, noise)
	if err != nil {
		return err
	}
	return fmt.Errorf("train: the loss is %v at step %d of shard %d (%s, round %d); the first non-finite tensor is %q; lower train.inner.learning_rate or scale the features",
		loss, step+1, shard, rt.phase.Name, round, tensor)
}

func (rt *runtime) loadState(ctx context.Context, m *Manifest, shard int, opt optim.Optimizer, params weights.Set) (*optim.State, error) {
	if m.Round == 0 {
		return opt.NewState(params), nil
	}
	if shard >= len(m.States) || m.States[shard].Name == "" {
		return nil, fmt.Errorf("train: the manifest of round %d has no optimizer state of shard %d", m.Round, shard)
	}
	data, err := store.GetObject(ctx, rt.store, m.States[shard])
	if err != nil {
		return nil, err
	}
	return opt.DecodeState(data, params)
}

func (rt *runtime) saveState(ctx context.Context, shard int, state *optim.State) (store.Ref, error) {
	data, err := state.Encode()
	if err != nil {
		return store.Ref{}, err
	}
	return store.PutObject(ctx, rt.store, fmt.Sprintf("%s/states/%04d", rt.phase.Prefix, shard), data)
}
