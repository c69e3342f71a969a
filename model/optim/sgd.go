package optim

import "fmt"

// SGDConfig are the settings of SGD.
type SGDConfig struct {
	Schedule    Schedule
	Momentum    float64 // without dampening; 0 keeps no state
	Nesterov    bool
	WeightDecay float64 // of the L2 kind: added to the gradients
	Decayed     Filter  // the tensors that decay; nil is Matrices
	ClipNorm    float64 // of the global gradient norm; 0 does not clip
}

// SGD is the chain clip, decay, momentum, learning rate: PyTorch's SGD with
// dampening 0. It fails on settings out of range; its steps fail on gradients that are not
// finite.
func SGD(c SGDConfig) (Transform, error) {
	const who = "optim.SGD"
	if err := firstError(checkCommon(who, c.Schedule, c.WeightDecay, c.ClipNorm), checkBetas(who, c.Momentum)); err != nil {
		return nil, err
	}
	if c.Nesterov && c.Momentum == 0 {
		return nil, fmt.Errorf("%s: Nesterov without momentum", who)
	}
	links := []Transform{clipOrCheck(c.ClipNorm), AddDecayedWeights(c.WeightDecay, orMatrices(c.Decayed))}
	if c.Momentum != 0 {
		links = append(links, Trace(c.Momentum, c.Nesterov))
	}
	return Chain(append(links, ScaleByLearningRate(c.Schedule))...), nil
}

// LionConfig are the settings of Lion.
type LionConfig struct {
	Schedule     Schedule
	Beta1, Beta2 float64 // of the step and of the mean; the paper has 0.9 and 0.99
	WeightDecay  float64
	Decayed      Filter  // the tensors that decay; nil is Matrices
	ClipNorm     float64 // of the global gradient norm; 0 does not clip
}

// Lion is the chain clip, ScaleByLion, decay, learning rate (Chen et al.,
// https://arxiv.org/abs/2302.06675). It fails on settings out of range; its steps
// fail on gradients that are not finite.
func Lion(c LionConfig) (Transform, error) {
	const who = "optim.Lion"
	if err := firstError(checkCommon(who, c.Schedule, c.WeightDecay, c.ClipNorm), checkBetas(who, c.Beta1, c.Beta2)); err != nil {
		return nil, err
	}
	return Chain(
		clipOrCheck(c.ClipNorm),
		ScaleByLion(c.Beta1, c.Beta2),
		AddDecayedWeights(c.WeightDecay, orMatrices(c.Decayed)),
		ScaleByLearningRate(c.Schedule),
	), nil
}
