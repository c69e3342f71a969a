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
	Inner        Inner  `yaml:"inner"`
	Outer        Outer  `yaml:"outer"`
}

// Inner is AdamW with a warm-up and a cosine decay to zero over all rounds.
type Inner struct {
	LearningRate float64 `yaml:"learning_rate"` // default 0.002
	Beta1        float64 `yaml:"beta1"`         // default 0.9
	Beta2        float64 `yaml:"beta2"`         // default 0.95
	Epsilon      float64 `yaml:"epsilon"`       // default 1e-8
	WeightDecay  float64 `yaml:"weight_decay"`  // default 0.1
	ClipNorm     float64 `yaml:"clip_norm"`     // default 1; of the global gradient norm
	WarmupSteps  int     `yaml:"warmup_steps"`  // default 20
}

// Outer is SGD with Nesterov momentum on the pseudo-gradients.
type Outer struct {
	LearningRate float64 `yaml:"learning_rate"` // default 0.7
	Momentum     float64 `yaml:"momentum"`      // default 0.9
}
