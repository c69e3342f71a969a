// Package nn is a network ready to be trained or run: layers build a graph,
// a Model adds its parameters, a Trainer and a Predictor run it on a device.
package nn

import (
	"gorgonia.org/tensor"

	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/weights"
)

// Input describes one input of a model; its first dimension, the batch, is left out.
type Input struct {
	Name  string `json:"name"`
	DType string `json:"dtype"` // "float32" or "int32"
	Shape []int  `json:"shape"` // {} for one id a row, {64} for 64 features a row
	// Cardinality is, for int32, the number of ids: 0 <= id < Cardinality.
	Cardinality int `json:"cardinality,omitempty"`
	// Dim is the embedding width asked for this int32 input; 0 lets the architecture choose.
	Dim int `json:"dim,omitempty"`
}

// Batch is the rows of one step.
type Batch struct {
	N      int
	Inputs map[string]*tensor.Dense // [N, shape...], float32 or int32
	Labels []int32                  // len N, or nil when predicting
}

// Param describes one trained tensor of a model.
type Param struct {
	Name  string
	Shape []int
	// Prunable says that magnitude pruning may zero elements: weights of rank 2
	// and more, embeddings included, but no biases.
	Prunable bool
	Init     Initializer
}

// Model is a network: its graph from the inputs to the logits, and what a
// trainer must know beside that. It holds no weights and is not changed by use,
// so it may be shared by goroutines.
type Model struct {
	Graph   *graph.Graph // one output, the logits, float32[N Classes]
	Inputs  []Input
	Classes int
	Params  []Param // in the order of Graph.Params, and of every weights.Set
}

// Init draws the parameters of a new model: see Initializer.Fill. It panics if an
// initializer rejects its parameter, which a Builder has checked.
func (m *Model) Init(seed uint64) weights.Set {
	set := make(weights.Set, len(m.Params))
	for i, p := range m.Params {
		set[i] = weights.New(p.Name, p.Shape...)
		if err := p.Init.Fill(set[i], seed); err != nil {
			panic(err)
		}
	}
	return set
}
