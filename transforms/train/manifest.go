package train

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"

	"github.com/millrace-go/millrace/io/registry"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/optim"
	"github.com/millrace-go/millrace/model/weights"
)

// Manifest is the state of training after a round: what the next one starts
// from. Round 0 holds the initial parameters.
type Manifest struct {
	Round    int         `json:"round"`
	Blocks   []Block     `json:"blocks"`              // of the parameters, in order
	States   []store.Ref `json:"states,omitempty"`    // the inner optimizer of each shard that has rows
	Steps    int64       `json:"steps"`               // inner steps of all shards so far
	Loss     float64     `json:"loss"`                // mean over the inner steps of the round
	ValLoss  float64     `json:"validation_loss"`     // log-loss of this round's parameters
	Accuracy float64     `json:"validation_accuracy"` // share of the validation rows they get right
}

// Block is a contiguous range of the flat parameter space: its values, and
// the outer optimizer's momentum of them.
type Block struct {
	Index    int       `json:"index"`
	Values   store.Ref `json:"values"`
	Momentum store.Ref `json:"momentum"`
}

// String is the round in a few words.
func (m *Manifest) String() string {
	return fmt.Sprintf("round %d, loss %.4f, validation loss %.4f", m.Round, m.Loss, m.ValLoss)
}

// RoundLog is the log of a phase's manifests: record n+1 is round n.
type RoundLog = registry.Log[Manifest]

// Log opens the manifests of a phase.
func Log(s store.Store, prefix string) *RoundLog {
	return registry.Open[Manifest](s, prefix+"/rounds")
}

// BlockElements is the number of parameters of a block. It is fixed: the mean
// of pseudo-gradients is exact, so the cut does not change the result.
const BlockElements = 1 << 20

func putFloats(ctx context.Context, s store.Store, prefix string, values []float32) (store.Ref, error) {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	return store.PutObject(ctx, s, prefix, data)
}

func getFloats(ctx context.Context, s store.Store, ref store.Ref, out []float32) error {
	data, err := store.GetObject(ctx, s, ref)
	if err != nil {
		return err
	}
	if len(data) != 4*len(out) {
		return fmt.Errorf("%s: %d bytes, want %d", ref.Name, len(data), 4*len(out))
	}
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return nil
}

// Begin writes the manifest of round 0: params, no momentum.
func Begin(ctx context.Context, s store.Store, prefix string, params weights.Set) (*Manifest, error) {
	m := &Manifest{}
	for _, b := range optim.Blocks(params, BlockElements) {
		values := make([]float32, b.Len)
		zeros := make([]float32, b.Len)
		if err := optim.Gather(params, b, values); err != nil {
			return nil, err
		}
		v, err := putFloats(ctx, s, prefix+"/blocks", values)
		if err != nil {
			return nil, err
		}
		z, err := putFloats(ctx, s, prefix+"/blocks", zeros)
		if err != nil {
			return nil, err
		}
		m.Blocks = append(m.Blocks, Block{Index: b.Index, Values: v, Momentum: z})
	}
	return m, commit(ctx, s, prefix, m)
}

// commit creates the record of the manifest's round. If there is one already,
// a bundle ran twice, and both must have made the same.
func commit(ctx context.Context, s store.Store, prefix string, m *Manifest) error {
	log := Log(s, prefix)
	err := log.AppendAt(ctx, m.Round+1, *m)
	if !errors.Is(err, store.ErrExist) {
		return err
	}
	old, err := log.Get(ctx, m.Round+1)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(old, *m) {
		return fmt.Errorf("train: round %d in %s was committed with another result; remove the folder and run again", m.Round, prefix)
	}
	return nil
}

// Params reads the parameters of a manifest into a set of the model's shapes.
func Params(ctx context.Context, s store.Store, m *Manifest, like weights.Set) (weights.Set, error) {
	out := like.Zeros()
	blocks := optim.Blocks(out, BlockElements)
	if len(blocks) != len(m.Blocks) {
		return nil, fmt.Errorf("train: the manifest of round %d has %d blocks, the model %d", m.Round, len(m.Blocks), len(blocks))
	}
	for i, b := range blocks {
		values := make([]float32, b.Len)
		if err := getFloats(ctx, s, m.Blocks[i].Values, values); err != nil {
			return nil, err
		}
		if err := optim.Scatter(out, b, values); err != nil {
			return nil, err
		}
	}
	return out, nil
}
