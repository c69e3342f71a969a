package job

import (
	"fmt"
	"math"
)

// within is the values that a numeric key may take.
type within struct {
	path   string
	value  float64
	lo, hi float64
	open   bool // lo itself is out
	below  bool // hi itself is out
}

func (w within) ok() bool {
	if w.open && w.value == w.lo || w.below && w.value == w.hi {
		return false
	}
	return w.value >= w.lo && w.value <= w.hi
}

func (w within) String() string {
	lo, hi := "at least", "at most"
	if w.open {
		lo = "more than"
	}
	if w.below {
		hi = "less than"
	}
	if math.IsInf(w.hi, 1) {
		return fmt.Sprintf("%s %v", lo, w.lo)
	}
	return fmt.Sprintf("%s %v and %s %v", lo, w.lo, hi, w.hi)
}

// checkRanges checks the numbers of the sections that are not checked by a
// transform of their own. The upper bounds are far beyond sense: they keep a
// slip of the key from asking for years or terabytes.
func (j *Job) checkRanges(p *problems) {
	t, c := &j.Train, &j.Compress
	inf := math.Inf(1)
	for _, w := range []within{
		{path: "limits.max_dead", value: j.Limits.MaxDead, hi: 1},
		{path: "limits.max_cell_bytes", value: float64(j.Limits.MaxCellBytes), lo: 1, hi: 1 << 30},
		{path: "train.shards", value: float64(t.Shards), lo: 1, hi: 1 << 16},
		{path: "train.rounds", value: float64(t.Rounds), lo: 1, hi: 1e6},
		{path: "train.inner_steps", value: float64(t.InnerSteps), lo: 1, hi: 1e6},
		{path: "train.batch_size", value: float64(t.BatchSize), lo: 1, hi: 1 << 20},
		{path: "train.patience", value: float64(t.Patience), lo: 1, hi: 1e6},
		{path: "train.rounds_per_pipeline", value: float64(t.RoundsPerPipeline), lo: 1, hi: 64},
		{path: "train.inner.learning_rate", value: t.Inner.LearningRate, hi: 10, open: true},
		{path: "train.inner.beta1", value: t.Inner.Beta1, hi: 1, below: true},
		{path: "train.inner.beta2", value: t.Inner.Beta2, hi: 1, below: true},
		{path: "train.inner.epsilon", value: t.Inner.Epsilon, hi: 1, open: true},
		{path: "train.inner.weight_decay", value: t.Inner.WeightDecay, hi: 100},
		{path: "train.inner.clip_norm", value: t.Inner.ClipNorm, hi: inf, open: true},
		{path: "train.inner.warmup_steps", value: float64(t.Inner.WarmupSteps), hi: 1e9},
		{path: "train.outer.learning_rate", value: t.Outer.LearningRate, hi: 10, open: true},
		{path: "train.outer.momentum", value: t.Outer.Momentum, hi: 1, below: true},
		{path: "compress.sparsity", value: c.Sparsity, hi: 1, below: true},
		{path: "compress.prune_steps", value: float64(c.PruneSteps), lo: 1, hi: 1000},
		{path: "compress.finetune_rounds", value: float64(c.FinetuneRounds), hi: 1e6},
		{path: "compress.finetune_learning_rate", value: c.FinetuneLearningRate, hi: 10, open: true},
		{path: "compress.clusters", value: float64(c.Clusters), lo: 2, hi: 1 << 12},
		{path: "compress.cluster_min_size", value: float64(c.ClusterMinSize), lo: 1, hi: 1 << 30},
		{path: "stats.max_slices", value: float64(j.Stats.MaxSlices), lo: 1, hi: 10_000},
		{path: "stats.buckets", value: float64(j.Stats.Buckets), lo: 1, hi: 10_000},
		{path: "stats.top_values", value: float64(j.Stats.TopValues), lo: 1, hi: 1 << 20},
		{path: "stats.max_distinct", value: float64(j.Stats.MaxDistinct), hi: 1 << 24},
		{path: "release.margin", value: j.Release.Margin, hi: inf},
		{path: "split.train", value: j.Split.Train, hi: 1, open: true},
		{path: "split.validation", value: j.Split.Validation, hi: 1, open: true},
		{path: "split.test", value: j.Split.Test, hi: 1, open: true},
	} {
		if w.path == "compress.finetune_learning_rate" && !p.has(w.path) {
			continue // follows train.inner.learning_rate
		}
		if !w.ok() {
			p.addPath(w.path, "want a number of %s, got %v", w, w.value)
		}
	}
	// Three shares written with a few decimals sum to 1 but for their rounding.
	if sum := j.Split.Train + j.Split.Validation + j.Split.Test; math.Abs(sum-1) > 1e-9 {
		p.addPath("split", "the shares train, validation and test must sum to 1, got %v", sum)
	}
}
