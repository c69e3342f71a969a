package nn

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/precision"
	"github.com/millrace-go/millrace/model/weights"
)

// Trainer computes the loss of a batch and its gradients. It keeps no
// parameters: they come with each call, and steps are an optimizer's business.
// It is not safe for concurrent use; have one a goroutine.
type Trainer struct {
	m       *Model
	session *session
	feed    feed
	loss    *graph.Value
	grads   []*graph.Value // one a parameter
	ones    []float32      // class weights of nobody's asking
	one     [1]float32     // the loss on its way out
	word    [1]uint64      // the seed on its way in
}

// feed is the graph's inputs: the model's own, and those of training.
type feed struct {
	inputs  []*graph.Value // in the order of Model.Inputs
	params  []*graph.Value // in the order of Model.Params
	labels  *graph.Value
	weights *graph.Value
	seed    *graph.Value // nil if nothing is dropped out
}

// NewTrainer adds loss and backward pass to a copy of the model's graph.
func (m *Model) NewTrainer(dev accel.Device, p precision.Policy) (*Trainer, error) {
	if p != precision.FP32 {
		return nil, fmt.Errorf("nn: a trainer computes in %s, not in %s", precision.FP32, p)
	}
	g, _ := m.Graph.Clone()
	t := &Trainer{m: m, ones: make([]float32, m.Classes), feed: newFeed(m, g)}
	for i := range t.ones {
		t.ones[i] = 1
	}
	if err := t.addLoss(g); err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	t.session = newSession(dev, g, g.Outputs)
	return t, nil
}

// newFeed finds the model's inputs and parameters in a copy of its graph.
func newFeed(m *Model, g *graph.Graph) feed {
	f := feed{params: g.Params}
	for _, v := range g.Inputs {
		if v.Name == seedName {
			f.seed = v
		} else {
			f.inputs = append(f.inputs, v) // declared in the order of m.Inputs
		}
	}
	return f
}

// addLoss appends the loss and the gradients of all parameters.
func (t *Trainer) addLoss(g *graph.Graph) error {
	var err error
	if t.feed.labels, err = g.Input("labels", accel.Int32, graph.N); err != nil {
		return err
	}
	if t.feed.weights, err = g.Input("class weights", accel.Float32, t.m.Classes); err != nil {
		return err
	}
	t.loss, err = g.Apply("SoftmaxCrossEntropyLoss", "loss", nil, g.Outputs[0], t.feed.labels, t.feed.weights)
	if err != nil {
		return err
	}
	if t.grads, err = graph.Gradients(g, t.loss, t.feed.params); err != nil {
		return err
	}
	g.Outputs = append([]*graph.Value{t.loss}, t.grads...)
	g.Prune()
	return nil
}

// Gradients runs one batch forward and backward. The loss is the mean over the
// rows of the negative log-likelihood of their labels, weighted by the class of
// the label (nil is 1 for all); its gradients are written into grads, which has
// the names and shapes of params. seed chooses what dropout drops. Neither
// params nor b is kept or changed.
func (t *Trainer) Gradients(params, grads weights.Set, b Batch, classWeights []float32, seed uint64) (loss float64, err error) {
	if err := t.check(params, b, classWeights); err != nil {
		return 0, err
	}
	if err := t.m.checkSet("nn.Trainer: grads", grads); err != nil {
		return 0, err
	}
	bound, err := t.session.bind(b.N)
	if err != nil {
		return 0, err
	}
	if err := t.write(bound, params, b, classWeights, seed); err != nil {
		return 0, err
	}
	if err := bound.program.Run(bound.args); err != nil {
		return 0, fmt.Errorf("nn.Trainer: %w", err)
	}
	if err := bound.args[len(bound.args)-len(t.grads)-1].Read(accel.HostF32(t.one[:])); err != nil {
		return 0, err
	}
	for i, buf := range bound.args[len(bound.args)-len(t.grads):] {
		if err := buf.Read(accel.HostF32(grads[i].Data())); err != nil {
			return 0, fmt.Errorf("nn.Trainer: gradient of %q: %w", grads[i].Name, err)
		}
	}
	return float64(t.one[0]), nil
}

func (t *Trainer) check(params weights.Set, b Batch, classWeights []float32) error {
	if err := t.m.checkSet("nn.Trainer: params", params); err != nil {
		return err
	}
	if err := t.m.checkBatch(b); err != nil {
		return fmt.Errorf("nn.Trainer: %w", err)
	}
	if err := t.m.checkLabels(b); err != nil {
		return fmt.Errorf("nn.Trainer: %w", err)
	}
	if classWeights != nil && len(classWeights) != t.m.Classes {
		return fmt.Errorf("nn.Trainer: %d class weights for %d classes", len(classWeights), t.m.Classes)
	}
	for i, w := range classWeights {
		if !(w >= 0) || w > maxFloat32 {
			return fmt.Errorf("nn.Trainer: weight of class %d is %g, want a finite number >= 0", i, w)
		}
	}
	return nil
}

const maxFloat32 = 0x1p127 * (1 + (1 - 0x1p-23))

// write moves everything that a step reads to the device.
func (t *Trainer) write(b *binding, params weights.Set, batch Batch, classWeights []float32, seed uint64) error {
	if err := t.feed.write(t.m, b, params, batch); err != nil {
		return err
	}
	if err := b.at[t.feed.labels].Write(accel.HostI32(batch.Labels)); err != nil {
		return err
	}
	if classWeights == nil {
		classWeights = t.ones
	}
	if err := b.at[t.feed.weights].Write(accel.HostF32(classWeights)); err != nil {
		return err
	}
	if t.feed.seed == nil {
		return nil
	}
	t.word[0] = seed
	return b.at[t.feed.seed].Write(accel.HostU64(t.word[:]))
}

// write moves the model's inputs and parameters, which have been checked.
func (f *feed) write(m *Model, b *binding, params weights.Set, batch Batch) error {
	for i, in := range m.Inputs {
		h, err := hostOf(batch.Inputs[in.Name])
		if err != nil {
			return err
		}
		if err := b.at[f.inputs[i]].Write(h); err != nil {
			return fmt.Errorf("nn: input %q: %w", in.Name, err)
		}
	}
	for i, p := range params {
		if err := b.at[f.params[i]].Write(accel.HostF32(p.Data())); err != nil {
			return fmt.Errorf("nn: parameter %q: %w", p.Name, err)
		}
	}
	return nil
}
