package optim

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/millrace-go/millrace/model/weights"
)

// chain applies transforms one after another.
type chain struct {
	links []Transform
	fused *fusion // the same in one pass over the tensors; nil if there is none
}

// Chain applies transforms in order; the slots of the i-th are named "i.name".
//
// An Optimizer makes one pass over the parameters of a chain that is one of
// these, where what stands in brackets may be missing:
//
//	[ClipByGlobalNorm] ScaleByAdam [AddDecayedWeights] ScaleByLearningRate
//	[ClipByGlobalNorm] ScaleByLion [AddDecayedWeights] ScaleByLearningRate
//	[ClipByGlobalNorm] [AddDecayedWeights] [Trace] ScaleByLearningRate
//
// AddDecayedWeights with rate 0 counts as missing anywhere. The pass has fewer roundings
// than the links have one by one, so the last places differ from what Update
// and ApplyUpdates give.
func Chain(transforms ...Transform) Transform {
	return &chain{links: transforms, fused: fuse(transforms)}
}

func (c *chain) Init(params weights.Set) weights.Set {
	var slots weights.Set
	for i, t := range c.links {
		slots = append(slots, named(strconv.Itoa(i)+".", t.Init(params))...)
	}
	return slots
}

func (c *chain) Update(updates, slots, params weights.Set, step int64) error {
	for i, t := range c.links {
		n := 0
		for n < len(slots) && strings.HasPrefix(slots[n].Name, strconv.Itoa(i)+".") {
			n++
		}
		if err := t.Update(updates, slots[:n], params, step); err != nil {
			return err
		}
		slots = slots[n:]
	}
	if len(slots) > 0 {
		return unknownSlot(slots[0])
	}
	return nil
}

func unknownSlot(t weights.Tensor) error {
	return fmt.Errorf("optim.Chain: slot %q belongs to no transform", t.Name)
}
