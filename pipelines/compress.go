package pipelines

import (
	"context"
	"errors"
	"fmt"

	"github.com/millrace-go/millrace/io/registry"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/modelfile"
	"github.com/millrace-go/millrace/model/prune"
	"github.com/millrace-go/millrace/model/weights"
	"github.com/millrace-go/millrace/transforms/score"
	"github.com/millrace-go/millrace/transforms/train"
)

// compressed is the result of compress: three forms of the model.
type compressed struct {
	key   key
	files modelFiles
	info  modelfile.Report // of the compressed file
}

// modelFiles are the files of a model, as the record of the step keeps them.
type modelFiles struct {
	Dense      store.Ref `json:"dense"`
	Pruned     store.Ref `json:"pruned"`
	Compressed store.Ref `json:"compressed"`
}

// compress prunes, fine-tunes and codes the trained model.
func (r *Run) compress(ctx context.Context, p *prepared, t *trained) (*compressed, error) {
	c := &compressed{}
	err := r.step(ctx, "compress", func() (bool, string, error) {
		var err error
		if c.key, err = derive(t.key, "compress", r.job.Compress); err != nil {
			return false, "", err
		}
		reused, err := r.makeCompressed(ctx, p, t, c)
		if err != nil {
			return false, "", err
		}
		file, err := score.Open(ctx, r.out, c.files.Compressed.Name)
		if err != nil {
			return false, "", err
		}
		c.info = file.Report
		r.report.setModel(file)
		return reused, fmt.Sprintf("%s of dense fp32 in %s: ratio %.1f, sparsity %.3f",
			size(c.info.DenseBytes), size(c.info.FileBytes), c.info.Ratio, c.info.Sparsity), nil
	})
	return c, err
}

func (r *Run) makeCompressed(ctx context.Context, p *prepared, t *trained, c *compressed) (reused bool, err error) {
	folder := r.folder("compress", c.key)
	log := registry.Open[modelFiles](r.out, folder+"/result")
	_, done, err := log.Last(ctx)
	if err != nil {
		return false, err
	}
	if done != nil && r.verifyAll(ctx, done.Dense, done.Pruned, done.Compressed) == nil {
		c.files = *done
		return true, nil
	}
	pruned, mask, err := r.prune(ctx, p, t, folder)
	if err != nil {
		return false, err
	}
	if err := r.writeModels(ctx, p, t, folder, pruned, mask, c); err != nil {
		return false, err
	}
	if done != nil && *done == c.files {
		return false, nil
	}
	_, err = log.Append(ctx, c.files)
	return false, err
}

// prune removes the smallest weights in steps, each followed by fine-tuning
// under the mask.
func (r *Run) prune(ctx context.Context, p *prepared, t *trained, folder string) (weights.Set, prune.Mask, error) {
	spec := r.job.Compress
	params := t.params.Clone()
	var mask prune.Mask
	if spec.Sparsity == 0 {
		return params, nil, nil
	}
	for step := 1; step <= spec.PruneSteps; step++ {
		sparsity := prune.CubicSchedule(step, spec.PruneSteps, 0, spec.Sparsity)
		var err error
		if mask, err = prune.Global(params, prune.Matrices(params), sparsity); err != nil {
			return nil, nil, err
		}
		if err := mask.Apply(params); err != nil {
			return nil, nil, err
		}
		if spec.FinetuneRounds == 0 {
			continue
		}
		if params, err = r.finetune(ctx, p, t, fmt.Sprintf("%s/step-%02d", folder, step), fmt.Sprintf("finetune-%d", step), params, mask); err != nil {
			return nil, nil, err
		}
	}
	return params, mask, nil
}

// finetune trains for some rounds under a mask; no round is skipped.
func (r *Run) finetune(ctx context.Context, p *prepared, t *trained, folder, name string, params weights.Set, mask prune.Mask) (weights.Set, error) {
	ph := t.phase
	ph.Name, ph.Prefix = name, folder
	ph.Spec.Rounds = r.job.Compress.FinetuneRounds
	ph.Spec.Patience = ph.Spec.Rounds + 1
	ph.Spec.Inner.LearningRate = r.job.Compress.FinetuneLearningRate
	var err error
	if ph.Mask, err = mask.MarshalBinary(); err != nil {
		return nil, err
	}
	rounds, best, _, err := r.rounds(ctx, &ph, p, params)
	if err != nil {
		return nil, err
	}
	return train.Params(ctx, r.out, &rounds[best], params)
}

// writeModels writes the three forms of the model.
func (r *Run) writeModels(ctx context.Context, p *prepared, t *trained, folder string, pruned weights.Set, mask prune.Mask, c *compressed) error {
	header := modelfile.Header{
		Arch: t.phase.Arch, Inputs: t.phase.Inputs, Classes: p.plan.Classes(),
		Label: r.job.Normalize.Label.Column, PlanDigest: p.plan.Digest(),
	}
	dense, err := modelfile.Dense(t.params)
	if err != nil {
		return err
	}
	zeroed, err := modelfile.Dense(pruned)
	if err != nil {
		return err
	}
	small, err := modelfile.Compress(pruned, modelfile.Options{
		Clusters: r.job.Compress.Clusters, MinSize: r.job.Compress.ClusterMinSize, Mask: mask,
	})
	if err != nil {
		return err
	}
	for _, f := range []struct {
		ref   *store.Ref
		coded []modelfile.Coded
		name  func(digest string) string
	}{
		{&c.files.Dense, dense, func(string) string { return folder + "/dense.millrace" }},
		{&c.files.Pruned, zeroed, func(string) string { return folder + "/pruned.millrace" }},
		{&c.files.Compressed, small, func(digest string) string { return "models/" + hexOf(digest) + ".millrace" }},
	} {
		data, digest, err := modelfile.EncodeBytes(header, f.coded)
		if err != nil {
			return err
		}
		if *f.ref, err = store.PutNamed(ctx, r.out, f.name(digest), data); err != nil {
			return err
		}
	}
	return nil
}

// verifyAll checks that objects are there, whole.
func (r *Run) verifyAll(ctx context.Context, refs ...store.Ref) error {
	var faults []error
	for _, ref := range refs {
		_, err := store.GetObject(ctx, r.out, ref)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
