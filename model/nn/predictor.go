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
	feed    feed
}

// NewPredictor takes dropout out of a copy of the model's graph and adds a softmax.
func (m *Model) NewPredictor(dev accel.Device) (*Predictor, error) {
	g, _ := m.Graph.Clone()
	g.Inference()
	probs, err := g.Apply("Softmax", "probabilities", nil, g.Outputs[0])
	if err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	g.Outputs = []*graph.Value{probs}
	g.Prune()
	return &Predictor{m: m, session: newSession(dev, g, g.Outputs), feed: newFeed(m, g)}, nil
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
	bound, err := p.session.bind(b.N)
	if err != nil {
		return err
	}
	if err := p.feed.write(p.m, bound, params, b); err != nil {
		return err
	}
	if err := bound.program.Run(bound.args); err != nil {
		return fmt.Errorf("nn.Predictor: %w", err)
	}
	return bound.args[len(bound.args)-1].Read(accel.HostF32(probs))
}
