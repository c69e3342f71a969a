package nn

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/weights"
)

// FirstNonFinite returns the name of the first tensor that holds NaN or an
// infinity, or "" if none does, in the order of the program: inputs, parameters,
// activations, loss, gradients. It runs the step of Gradients with the same
// arguments, every value in memory of its own, so it is for finding out why a
// loss is NaN, not for every step.
func (t *Trainer) FirstNonFinite(params weights.Set, b Batch, classWeights []float32, seed uint64) (string, error) {
	if err := t.check(params, b, classWeights); err != nil {
		return "", err
	}
	if name := t.firstBadArgument(params, b); name != "" {
		return name, nil
	}
	g := t.session.g
	results := g.Values()[len(g.Inputs)+len(g.Params):]
	s := newSession(t.session.dev, g, results)
	bound, err := s.bind(b.N)
	if err != nil {
		return "", err
	}
	if err := t.write(bound, params, b, classWeights, seed); err != nil {
		return "", err
	}
	if err := bound.program.Run(bound.args); err != nil {
		return "", fmt.Errorf("nn.Trainer: %w", err)
	}
	return firstBad(bound, results)
}

// firstBadArgument looks at what is given, in the order of the program.
func (t *Trainer) firstBadArgument(params weights.Set, b Batch) string {
	for i, in := range t.m.Inputs {
		if h, err := hostOf(b.Inputs[in.Name]); err == nil && !finite(h.F32) {
			return t.feed.inputs[i].Name
		}
	}
	for _, p := range params {
		if !finite(p.Data()) {
			return p.Name
		}
	}
	return ""
}

// firstBad reads the results back one by one.
func firstBad(b *binding, results []*graph.Value) (string, error) {
	for _, v := range results {
		if v.Type.DType != accel.Float32 {
			continue
		}
		data := make([]float32, b.at[v].Len())
		if err := b.at[v].Read(accel.HostF32(data)); err != nil {
			return "", err
		}
		if !finite(data) {
			return v.Name, nil
		}
	}
	return "", nil
}

// finite reports whether no element is NaN or infinite: for those v-v is NaN.
func finite(data []float32) bool {
	for _, v := range data {
		if v-v != 0 {
			return false
		}
	}
	return true
}
