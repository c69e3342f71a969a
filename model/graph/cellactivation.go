package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// cellActivation is an activation function of a recurrent operator.
type cellActivation struct {
	name        string
	alpha, beta float64
}

// recurrentActivations lists the functions with the numbers they take and the
// defaults of these.
var recurrentActivations = map[string]struct {
	hasAlpha, hasBeta bool
	alpha, beta       float64
}{
	"Relu": {}, "Tanh": {}, "Sigmoid": {}, "Softsign": {}, "Softplus": {},
	"LeakyRelu": {hasAlpha: true, alpha: 0.01}, "ThresholdedRelu": {hasAlpha: true, alpha: 1}, "Elu": {hasAlpha: true, alpha: 1},
	"Affine":      {hasAlpha: true, hasBeta: true, alpha: 1},
	"ScaledTanh":  {hasAlpha: true, hasBeta: true, alpha: 1, beta: 1},
	"HardSigmoid": {hasAlpha: true, hasBeta: true, alpha: 0.2, beta: 0.5},
}

// defaultActivations are those of RNN, GRU and LSTM, by the number of gates.
var defaultActivations = map[int][]string{1: {"Tanh"}, 3: {"Sigmoid", "Tanh"}, 4: {"Sigmoid", "Tanh", "Tanh"}}

// activationsOf are the functions of all directions, one direction after the other.
func activationsOf(n *Node, directions, gates int) ([]cellActivation, error) {
	names := n.Attrs.Strs("activations")
	each := len(defaultActivations[gates])
	if names == nil {
		names = slices.Repeat(defaultActivations[gates], directions)
	}
	if len(names) != each*directions {
		return nil, fmt.Errorf("activations %q, want %d for each of %d directions", names, each, directions)
	}
	alphas, betas := n.Attrs.Floats("activation_alpha"), n.Attrs.Floats("activation_beta")
	next := func(list *[]float64, def float64) float64 {
		if len(*list) == 0 {
			return def
		}
		v := (*list)[0]
		*list = (*list)[1:]
		return v
	}
	var out []cellActivation
	for _, name := range names {
		k, ok := recurrentActivations[name]
		if !ok {
			return nil, fmt.Errorf("activation %q: %w", name, accel.ErrUnsupported)
		}
		a := cellActivation{name: name}
		if k.hasAlpha {
			a.alpha = next(&alphas, k.alpha)
		}
		if k.hasBeta {
			a.beta = next(&betas, k.beta)
		}
		out = append(out, a)
	}
	return out, nil
}

func (a cellActivation) apply(b *B, x *Value) *Value {
	switch a.name {
	case "Affine":
		return b.Add(b.Mul(x, b.Like(x, a.alpha)), b.Like(x, a.beta))
	case "ScaledTanh":
		return b.Mul(b.Op("Tanh", nil, b.Mul(x, b.Like(x, a.beta))), b.Like(x, a.alpha))
	case "HardSigmoid":
		return b.Op(a.name, accel.Attrs{accel.Float("alpha", a.alpha), accel.Float("beta", a.beta)}, x)
	case "LeakyRelu", "ThresholdedRelu", "Elu":
		return b.Op(a.name, accel.Attrs{accel.Float("alpha", a.alpha)}, x)
	}
	return b.Op(a.name, nil, x)
}
