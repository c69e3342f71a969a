package train

import (
	"context"
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/devices"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/arch"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/model/optim"
	"github.com/millrace-go/millrace/model/precision"
	"github.com/millrace-go/millrace/model/prune"
	"github.com/millrace-go/millrace/transforms/feed"
	"github.com/millrace-go/millrace/transforms/ledger"
)

// Phase is one run of rounds: training from scratch, or fine-tuning under a
// mask. It is small and is the wire form of what the DoFns of a round need.
type Phase struct {
	Name   string // for messages and seeds
	Store  string // URI
	Prefix string // of the phase's own objects
	Seed   uint64

	Spec    Spec // Rounds, InnerSteps, … of this phase
	Arch    arch.Config
	Inputs  []nn.Input
	Classes int
	// ClassWeights weights the loss of a row by its class; nil weights all alike.
	ClassWeights []float32
	// Mask says which parameters stay zero: a prune.Mask in its binary form; nil for none.
	Mask []byte

	// Prepared names the manifest of feed.Write.
	Prepared string
}

// runtime is what a process needs to take part in a phase.
type runtime struct {
	phase    *Phase
	store    store.Store
	prepared ledger.Entry
	model    *nn.Model
	device   accel.Device
	mask     prune.Mask
}

func (p *Phase) open(ctx context.Context) (*runtime, error) {
	s, err := store.At(p.Store)
	if err != nil {
		return nil, err
	}
	prepared, found, err := ledger.Load(ctx, s, p.Prepared)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("train: %s is missing; run prepare again", p.Prepared)
	}
	rt := &runtime{phase: p, store: s, prepared: prepared}
	if rt.model, err = arch.Build(p.Arch, p.Inputs, p.Classes); err != nil {
		return nil, err
	}
	if rt.device, err = devices.Open("cpu"); err != nil {
		return nil, err
	}
	if p.Mask != nil {
		if err := rt.mask.UnmarshalBinary(p.Mask); err != nil {
			return nil, err
		}
	}
	return rt, nil
}

// shard opens the dataset of a training shard.
func (rt *runtime) shard(i int) *feed.Dataset {
	return feed.Open(rt.store, rt.prepared.Of(feed.Train(i)), rt.phase.Inputs)
}

// optimizer is the inner optimizer of a shard: AdamW, under the phase's mask.
func (rt *runtime) optimizer() (optim.Optimizer, error) {
	in := rt.phase.Spec.Inner
	total := int64(rt.phase.Spec.Rounds) * int64(rt.phase.Spec.InnerSteps)
	adamw, err := optim.AdamW(optim.AdamWConfig{
		Schedule:    optim.WarmupCosine(in.LearningRate, int64(in.WarmupSteps), total),
		Beta1:       in.Beta1,
		Beta2:       in.Beta2,
		Epsilon:     in.Epsilon,
		WeightDecay: in.WeightDecay,
		ClipNorm:    in.ClipNorm,
	})
	if err != nil || rt.mask == nil {
		return optim.Optimizer{Transform: adamw}, err
	}
	return optim.Optimizer{Transform: adamw, Mask: rt.mask}, nil
}

func (rt *runtime) policy() (precision.Policy, error) {
	return precision.Parse(rt.phase.Spec.Precision)
}

// report is what a shard says of its inner steps, beside its pseudo-gradient.
type report struct {
	Shard int
	Rows  int64
	Steps int64
	Loss  float64 // mean over steps
	State store.Ref
}
