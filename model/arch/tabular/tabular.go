// Package tabular is a network for tables: number columns as they are,
// category columns through embeddings, then fully connected layers.
//
//	x = all float32 inputs and the embeddings of all int32 inputs, side by side
//	for each of Hidden: dense, ReLU, dropout
//	dense to the classes
package tabular

import (
	"fmt"

	"github.com/millrace-go/millrace/accel/fmath"
	"github.com/millrace-go/millrace/model/graph"
	"github.com/millrace-go/millrace/model/nn"
)

// Config is the shape of the network; see package arch for the job's keys.
type Config struct {
	Hidden  []int
	Dropout float64
}

// Build makes the model. Inputs are float32 [width] or int32 [] with a
// cardinality; an int32 input's Dim is its embedding's width, DefaultDim if 0.
func Build(c Config, inputs []nn.Input, classes int) (*nn.Model, error) {
	b := nn.NewBuilder("tabular", inputs, classes)
	var parts []*graph.Value
	for _, in := range inputs {
		part, err := column(b, in)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	x := b.Concat("columns", parts...)
	for i, width := range c.Hidden {
		x = b.Hidden(fmt.Sprintf("fc%d", i+1), x, width, c.Dropout)
	}
	return b.Finish(b.Dense("logits", x, classes, nn.XavierUniform(nn.GainLinear)))
}

// column is one input as a matrix [N width].
func column(b *nn.Builder, in nn.Input) (*graph.Value, error) {
	switch {
	case in.DType == "float32" && len(in.Shape) == 1:
		return b.Input(in.Name), nil
	case in.DType != "int32" || len(in.Shape) != 0:
		return nil, fmt.Errorf("model.arch: tabular takes vectors of float32 and single int32 ids, input %q is %s%v", in.Name, in.DType, in.Shape)
	case in.Cardinality < 1:
		return nil, fmt.Errorf("model.arch: input %q has no ids to embed (cardinality %d)", in.Name, in.Cardinality)
	case in.Dim < 0 || in.Dim > maxDim:
		return nil, fmt.Errorf("model: embedding of %q has dimension %d, want 1 to %d, or 0 for the default", in.Name, in.Dim, maxDim)
	}
	dim := in.Dim
	if dim == 0 {
		dim = DefaultDim(in.Cardinality)
	}
	return b.Embedding("embed."+in.Name, b.Input(in.Name), in.Cardinality, dim), nil
}

const (
	maxDim     = 1 << 12
	defaultMax = 16
)

// DefaultDim is the width of an embedding of that many ids:
// min(16, ceil(1.6·cardinality^0.56)), fastai's rule with a lower cap. The power
// is rounded to 2⁻²⁰ first, so no platform's last bit decides a ceiling.
func DefaultDim(cardinality int) int {
	p := 1.6 * fmath.Exp(0.56*fmath.Log(float64(cardinality)))
	steps := int64(float64(p*(1<<20)) + 0.5)
	return int(min(defaultMax, (steps+1<<20-1)>>20))
}
