package nn

import (
	"math"

	"github.com/millrace-go/millrace/accel/counter"
	"github.com/millrace-go/millrace/model/weights"
)

// Init is how a parameter begins: uniform in [-Bound, Bound), or 0 if Bound is 0.
// Uniform, because it needs nothing but exact arithmetic.
type Init struct {
	Bound float64
}

// HeUniform suits layers followed by ReLU: bound √(6/fanIn), variance 2/fanIn.
// He et al., https://arxiv.org/abs/1502.01852.
func HeUniform(fanIn int) Init { return Init{math.Sqrt(6 / float64(fanIn))} }

// GlorotUniform suits linear layers: bound √(6/(fanIn+fanOut)). Glorot & Bengio,
// AISTATS 2010.
func GlorotUniform(fanIn, fanOut int) Init { return Init{math.Sqrt(6 / float64(fanIn+fanOut))} }

// Zero is for biases.
func Zero() Init { return Init{} }

// Init draws the parameters of a new model. Element i of a parameter is a
// function of (seed, the parameter's name, i) alone.
func (m *Model) Init(seed uint64) weights.Set {
	set := make(weights.Set, len(m.Params))
	for i, p := range m.Params {
		set[i] = weights.New(p.Name, p.Shape...)
		p.Init.fill(set[i].Data(), counter.Key(seed, "init", p.Name))
	}
	return set
}

func (in Init) fill(data []float32, key uint64) {
	if in.Bound == 0 {
		return
	}
	for i := range data {
		data[i] = float32(in.Bound * (float64(2*counter.Float64(key, uint64(i))) - 1))
	}
}
