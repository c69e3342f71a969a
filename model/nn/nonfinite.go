package nn

import (
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
	g, err := t.m.trainingGraph(b.N)
	if err != nil {
		return "", err
	}
	g.Outputs = floatResults(g)
	z, err := compile(t.session.dev, g, "all")
	if err != nil {
		return "", err
	}
	if err := t.feed(z, params, b, classWeights, seed); err != nil {
		return "", err
	}
	for _, a := range z.outputs {
		a.Data = accel.Aligned(a.Len() * a.DType.Size())
	}
	if err := z.run(); err != nil {
		return "", err
	}
	for i, a := range z.outputs {
		if !finite(accel.Values[float32](a)) {
			return g.Outputs[i].Name, nil
		}
	}
	return "", nil
}

// floatResults lists the float32 values that the nodes compute.
func floatResults(g *graph.Graph) []*graph.Value {
	var out []*graph.Value
	for _, v := range g.Values() {
		if v.Kind == graph.Result && v.Type.DType == accel.Float32 {
			out = append(out, v)
		}
	}
	return out
}

// firstBadArgument looks at what is given, in the order of the program.
func (t *Trainer) firstBadArgument(params weights.Set, b Batch) string {
	for _, in := range t.m.Inputs {
		if data, ok := b.Inputs[in.Name].Data().([]float32); ok && !finite(data) {
			return inputName(in.Name)
		}
	}
	for _, p := range params {
		if !finite(p.Data()) {
			return p.Name
		}
	}
	return ""
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
