package cpu

import (
	"fmt"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/cpu/vec"
)

// vecFunc is an activation function; dst may be x.
type vecFunc func(dst, x []float32)

// cellFunctions are the activations of a recurrent node, three for each direction, of
// which RNN and GRU use one and two. Those with numbers take them in turn.
func cellFunctions(c *call, gates, directions int) ([]vecFunc, error) {
	each := map[int][]string{1: {"Tanh"}, 3: {"Sigmoid", "Tanh"}, 4: {"Sigmoid", "Tanh", "Tanh"}}[gates]
	names := c.Strs("activations")
	if names != nil && len(names) != directions*len(each) {
		return nil, fmt.Errorf("activations %q, want %d for each of %d directions", names, len(each), directions)
	}
	alphas, betas := c.Floats("activation_alpha"), c.Floats("activation_beta")
	out := make([]vecFunc, 3*directions)
	for i := range directions * len(each) {
		name := each[i%len(each)]
		if names != nil {
			name = names[i]
		}
		f, err := cellFunction(name, &alphas, &betas)
		if err != nil {
			return nil, err
		}
		out[i/len(each)*3+i%len(each)] = f
	}
	return out, nil
}

// cellFunction finds a function by its name.
func cellFunction(name string, alphas, betas *[]float64) (vecFunc, error) {
	next := func(list *[]float64, def float64) float32 {
		if len(*list) > 0 {
			def, *list = (*list)[0], (*list)[1:]
		}
		return float32(def)
	}
	switch name {
	case "Relu":
		return vec.Relu, nil
	case "Tanh":
		return vec.Tanh, nil
	case "Sigmoid":
		return vec.Sigmoid, nil
	case "Softsign":
		return vec.Softsign, nil
	case "Softplus":
		return vec.Softplus, nil
	case "LeakyRelu":
		a := next(alphas, 0.01)
		return func(dst, x []float32) { vec.LeakyRelu(dst, x, a) }, nil
	case "Elu":
		a := next(alphas, 1)
		return func(dst, x []float32) { vec.Elu(dst, x, a) }, nil
	case "ThresholdedRelu":
		a := next(alphas, 1)
		return func(dst, x []float32) { thresholded(dst, x, a) }, nil
	case "HardSigmoid":
		a, b := next(alphas, 0.2), next(betas, 0.5)
		return func(dst, x []float32) { vec.HardSigmoid(dst, x, a, b) }, nil
	case "Affine":
		a, b := next(alphas, 1), next(betas, 0)
		return func(dst, x []float32) {
			vec.MulScalar(dst, x, a)
			vec.AddScalar(dst, dst, b)
		}, nil
	case "ScaledTanh":
		a, b := next(alphas, 1), next(betas, 1)
		return func(dst, x []float32) {
			vec.MulScalar(dst, x, b)
			vec.Tanh(dst, dst)
			vec.Scale(dst, a)
		}, nil
	}
	return nil, fmt.Errorf("activation %q: %w", name, accel.ErrUnsupported)
}

// thresholded is x where x > alpha, and 0 elsewhere.
func thresholded(dst, x []float32, alpha float32) {
	for i, v := range x {
		if !(v > alpha) {
			v = 0
		}
		dst[i] = v
	}
}
