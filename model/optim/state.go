package optim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/millrace-go/millrace/model/weights"
)

// stepKey is the metadata key of the step count.
const stepKey = "step"

// Encode stores a state as a safetensors file. Equal states have equal bytes.
func (s *State) Encode() ([]byte, error) {
	data, err := weights.EncodeSafetensors(s.Slots, map[string]string{stepKey: strconv.FormatInt(s.Step, 10)})
	if err != nil {
		return nil, fmt.Errorf("optim.State: %w", err)
	}
	return data, nil
}

// DecodeState reads a state that Encode stored, and checks that it is one of
// this optimizer for these parameters.
func (o Optimizer) DecodeState(data []byte, params weights.Set) (*State, error) {
	slots, meta, err := weights.DecodeSafetensors(data)
	if err != nil {
		return nil, fmt.Errorf("optim.DecodeState: %w", err)
	}
	step, err := strconv.ParseInt(meta[stepKey], 10, 64)
	if err != nil || step < 0 || len(meta) != 1 {
		return nil, fmt.Errorf("optim.DecodeState: metadata keys %v, want a step count in %q", slices.Sorted(maps.Keys(meta)), stepKey)
	}
	want := o.Transform.Init(params)
	if err := sameTensors("optim.DecodeState", want, slots); err != nil {
		return nil, err
	}
	for i := range want {
		if slots[i].Name != want[i].Name || !slices.Equal(slots[i].Shape(), want[i].Shape()) {
			return nil, fmt.Errorf("optim.DecodeState: slot %q %v, want %q %v", slots[i].Name, slots[i].Shape(), want[i].Name, want[i].Shape())
		}
	}
	return &State{Step: step, Slots: slots}, nil
}
