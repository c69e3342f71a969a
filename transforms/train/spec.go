// Package train trains a model in rounds: every shard takes some inner steps
// from the same parameters, the outer optimizer steps on the mean of their
// pseudo-gradients, and a manifest commits the round. See Douillard et al.,
// DiLoCo, https://arxiv.org/abs/2311.08105.
package train

// Spec is the job's train section.
type Spec struct {
	// Shards is the number of parts of the train split, each with its own inner optimizer. It changes the result; workers do not. The default is 2.
	Shards int `yaml:"shards"`
	// Rounds is the largest number of rounds. The default is 50.
	Rounds int `yaml:"rounds"`
	// InnerSteps is H, the optimizer steps of a shard in a round. The default is 20.
	InnerSteps int `yaml:"inner_steps"`
	// BatchSize is the rows of one inner step. The default is 32.
	BatchSize int `yaml:"batch_size"`
	// Patience is the number of rounds without a better validation loss after which training stops. The default is 10.
	Patience int `yaml:"patience"`
	// RoundsPerPipeline is the number of rounds submitted at once. It does not change the result. The default is 4.
	RoundsPerPipeline int `yaml:"rounds_per_pipeline"`
	// Precision is the arithmetic of a step: fp32. The default is fp32.
	Precision string `yaml:"precision"`
	// ClassWeights is none or balanced, which weights a row by rows / (classes * rows of its class). The default is none.
	ClassWeights string `yaml:"class_weights"`
	// Inner is the optimizer of each shard.
	Inner Inner `yaml:"inner"`
	// Outer is the optimizer of the rounds.
	Outer Outer `yaml:"outer"`
}

// Inner is AdamW with a warm-up and a cosine decay to zero over all rounds.
type Inner struct {
	// LearningRate is the rate after the warm-up. The default is 0.002.
	LearningRate float64 `yaml:"learning_rate"`
	// Beta1 is the decay of the mean of the gradients. The default is 0.9.
	Beta1 float64 `yaml:"beta1"`
	// Beta2 is the decay of the mean of their squares. The default is 0.95.
	Beta2 float64 `yaml:"beta2"`
	// Epsilon is added to the root of that mean. The default is 1e-8.
	Epsilon float64 `yaml:"epsilon"`
	// WeightDecay is the share of a weight, times the learning rate, taken off at each step. The default is 0.1.
	WeightDecay float64 `yaml:"weight_decay"`
	// ClipNorm bounds the norm of the gradient over all parameters. The default is 1.
	ClipNorm float64 `yaml:"clip_norm"`
	// WarmupSteps is the number of steps in which the learning rate rises from zero. The default is 20.
	WarmupSteps int `yaml:"warmup_steps"`
}

// Outer is SGD with Nesterov momentum on the pseudo-gradients.
type Outer struct {
	// LearningRate is the share of the mean pseudo-gradient that a round takes. The default is 0.7.
	LearningRate float64 `yaml:"learning_rate"`
	// Momentum is the share of the last round's step that goes on. The default is 0.9.
	Momentum float64 `yaml:"momentum"`
}
