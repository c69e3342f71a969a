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
	ones    []float32  // class weights of nobody's asking
	one     [1]float32 // the loss on its way out
	word    [1]uint64  // the seed on its way in
}

// NewTrainer makes a trainer; each batch size is compiled when it first comes.
func (m *Model) NewTrainer(dev accel.Device, p precision.Policy) (*Trainer, error) {
	if p != precision.FP32 {
		return nil, fmt.Errorf("nn: a trainer computes in %s, not in %s", precision.FP32, p)
	}
	t := &Trainer{m: m, ones: make([]float32, m.Classes)}
	for i := range t.ones {
		t.ones[i] = 1
	}
	t.session = newSession(dev, m.trainingGraph)
	if _, err := m.trainingGraph(1); err != nil {
		return nil, err
	}
	return t, nil
}

// trainingGraph is the concrete graph of a step: the model's, its loss and the
// gradients of all parameters. Its inputs are the model's, the labels and the
// class weights; its outputs are the loss and a gradient for each parameter.
func (m *Model) trainingGraph(rows int) (*graph.Graph, error) {
	g, _, err := m.Graph.Bind(graph.Binding{Symbols: map[string]int{"N": rows}})
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	labels, err := g.Input("labels", accel.Int32, rows)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	weight, err := g.Input("class weights", accel.Float32, m.Classes)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	loss, err := g.Apply("SoftmaxCrossEntropyLoss", "loss", nil, g.Outputs[0], labels, weight)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	g.Outputs = []*graph.Value{loss}
	if err := g.Prepare(); err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	loss = g.Outputs[0]
	grads, err := graph.Gradients(g, loss, g.Params)
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	g.Outputs = append([]*graph.Value{loss}, grads...)
	g.Prune()
	return g, nil
}

// Gradients runs one batch forward and backward. The loss is the mean over the
// rows of the negative log-likelihood of their labels, weighted by the class of
// the label (nil is 1 for all); if all of them weigh nothing, it is 0. Its
// gradients are written into grads, which has the names and shapes of params.
// seed chooses what dropout drops. Neither params nor b is kept or changed.
func (t *Trainer) Gradients(params, grads weights.Set, b Batch, classWeights []float32, seed uint64) (loss float64, err error) {
	if err := t.check(params, b, classWeights); err != nil {
		return 0, err
	}
	if err := t.m.checkSet("nn.Trainer: grads", grads); err != nil {
		return 0, err
	}
	if weightless(b.Labels, classWeights) {
		for _, g := range grads {
			clear(g.Data())
		}
		return 0, nil
	}
	z, err := t.session.at(b.N)
	if err != nil {
		return 0, err
	}
	if err := t.feed(z, params, b, classWeights, seed); err != nil {
		return 0, err
	}
	z.outputs[0].Data = accel.Bytes(t.one[:])
	for i, g := range grads {
		z.outputs[1+i].Data = accel.Bytes(g.Data())
	}
	if err := z.run(); err != nil {
		return 0, fmt.Errorf("nn.Trainer: %w", err)
	}
	return float64(t.one[0]), nil
}

// weightless reports whether no label has a weight: then the mean has no terms.
func weightless(labels []int32, classWeights []float32) bool {
	if classWeights == nil {
		return false
	}
	for _, l := range labels {
		if classWeights[l] != 0 {
			return false
		}
	}
	return true
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

// feed sets everything that a step reads.
func (t *Trainer) feed(z *size, params weights.Set, b Batch, classWeights []float32, seed uint64) error {
	t.word[0] = seed
	next, err := t.m.feed(z, params, b, t.word[:])
	if err != nil {
		return err
	}
	if classWeights == nil {
		classWeights = t.ones
	}
	z.inputs[next].Data = accel.Bytes(b.Labels)
	z.inputs[next+1].Data = accel.Bytes(classWeights)
	return nil
}
