package nn

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/weights"
)

// Predictor computes class probabilities. It is not safe for concurrent use;
// have one a goroutine.
type Predictor struct {
	m       *Model
	session *session
}

// NewPredictor makes a predictor, without dropout; each batch size is compiled
// when it first comes.
func (m *Model) NewPredictor(dev accel.Device) (*Predictor, error) {
	p := &Predictor{m: m, session: newSession(dev, m.inferenceGraph)}
	if _, err := m.inferenceGraph(1); err != nil {
		return nil, err
	}
	return p, nil
}

// inferenceGraph is the concrete graph without dropout, with a softmax.
func (m *Model) inferenceGraph(rows int) (*graph.Graph, error) {
	symbolic, _ := m.Graph.Clone()
	symbolic.Inference()
	g, _, err := symbolic.Bind(graph.Binding{Symbols: map[string]int{"N": rows}})
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	probs, err := g.Apply("Softmax", "probabilities", nil, g.Outputs[0])
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	g.Outputs = []*graph.Value{probs}
	return g, nil
}

// Predict writes the probabilities of the batch's rows into probs, row-major
// [N Classes]. A row's probabilities depend on that row and params alone, not on
// the rows beside it. Labels are not looked at.
func (p *Predictor) Predict(params weights.Set, b Batch, probs []float32) error {
	if err := p.m.checkSet("nn.Predictor: params", params); err != nil {
		return err
	}
	if err := p.m.checkBatch(b); err != nil {
		return fmt.Errorf("nn.Predictor: %w", err)
	}
	if len(probs) != b.N*p.m.Classes {
		return fmt.Errorf("nn.Predictor: room for %d probabilities, want %d rows x %d classes", len(probs), b.N, p.m.Classes)
	}
	z, err := p.session.at(b.N)
	if err != nil {
		return err
	}
	if _, err := p.m.feed(z, params, b, []uint64{0}); err != nil {
		return err
	}
	z.outputs[0].Data = accel.Bytes(probs)
	if err := z.run(); err != nil {
		return fmt.Errorf("nn.Predictor: %w", err)
	}
	return nil
}
