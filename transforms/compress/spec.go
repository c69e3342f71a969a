// Package compress makes a trained model small: global magnitude pruning with
// masked fine-tuning, a k-means codebook a tensor, canonical Huffman codes.
package compress

// Spec is the job's compress section.
type Spec struct {
	// Sparsity is the share of prunable weights (matrices and filters) that become zero. The default is 0.8.
	Sparsity float64 `yaml:"sparsity"`
	// PruneSteps is the number of pruning steps on the cubic schedule, each followed by fine-tuning. The default is 4.
	PruneSteps int `yaml:"prune_steps"`
	// FinetuneRounds is the number of rounds after each pruning step. The default is 5.
	FinetuneRounds int `yaml:"finetune_rounds"`
	// FinetuneLearningRate is the inner learning rate while fine-tuning. The default is a third of train.inner.learning_rate.
	FinetuneLearningRate float64 `yaml:"finetune_learning_rate"`
	// Clusters is the number of codebook values a tensor. The default is 32.
	Clusters int `yaml:"clusters"`
	// ClusterMinSize leaves tensors of fewer elements as float32. The default is 16.
	ClusterMinSize int `yaml:"cluster_min_size"`
}
