package optim

import "fmt"

// Nesterov is the outer optimizer of training in rounds: SGD with Nesterov
// momentum on the mean pseudo-gradient of a round (Douillard et al., DiLoCo,
// https://arxiv.org/abs/2311.08105).
type Nesterov struct{ LR, Momentum float64 }

// Step updates one block of parameters, and of momentum, in place:
//
//	m = mu*m + d;  theta -= lr * (mu*m + d)
//
// where d is the mean of (theta at the round's start - theta of a worker at its
// end), so that LR 1 and Momentum 0 average the workers. The three have equal lengths;
// momentum is zero before the first round.
func (o Nesterov) Step(theta, momentum, delta []float32) error {
	if len(momentum) != len(theta) || len(delta) != len(theta) {
		return fmt.Errorf("optim.Nesterov: %d momenta and %d deltas for %d parameters", len(momentum), len(delta), len(theta))
	}
	lr, mu := float32(o.LR), float32(o.Momentum)
	for i, d := range delta {
		m := float32(mu*momentum[i]) + d
		momentum[i] = m
		theta[i] -= float32(lr * (float32(mu*m) + d))
	}
	return nil
}
