package job

import (
	"reflect"

	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/compress"
	"github.com/millrace-go/millrace/transforms/normalize"
	"github.com/millrace-go/millrace/transforms/split"
	"github.com/millrace-go/millrace/transforms/train"
)

// Defaults returns a job in which every key that has a constant default holds
// it. Loading decodes a file over it, so a zero in the file stays zero.
func Defaults() *Job {
	return &Job{
		Seed:  1,
		Input: Input{CSV: CSV{Header: true}, JSON: table.JSON{FlattenDepth: table.DefaultFlattenDepth, MaxColumns: table.DefaultMaxColumns}, BatchRows: 4096, SpanBytes: 8 << 20},
		Limits: Limits{
			MaxDead:      0.1,
			MaxCellBytes: 1 << 20,
		},
		Clean: clean.Spec{Nulls: []string{""}},
		Split: split.Spec{Train: 0.7, Validation: 0.15, Test: 0.15},
		Train: train.Spec{
			Shards:            2,
			Rounds:            50,
			InnerSteps:        20,
			BatchSize:         32,
			Patience:          10,
			RoundsPerPipeline: 4,
			Precision:         "fp32",
			ClassWeights:      "none",
			Inner: train.Inner{
				LearningRate: 0.002,
				Beta1:        0.9,
				Beta2:        0.95,
				Epsilon:      1e-8,
				WeightDecay:  0.1,
				ClipNorm:     1,
				WarmupSteps:  20,
			},
			Outer: train.Outer{LearningRate: 0.7, Momentum: 0.9},
		},
		Compress: compress.Spec{
			Sparsity:       0.8,
			PruneSteps:     4,
			FinetuneRounds: 5,
			Clusters:       32,
			ClusterMinSize: 16,
		},
		Stats: Stats{
			OnAnomaly: OnAnomalyStop,
			MaxSlices: 100,
			Quantiles: []float64{0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99},
			Buckets:   10,
			TopValues: 20,
		},
		Release: Release{Metric: "accuracy", Margin: 0.005},
	}
}

// elementDefaults holds what a section starts from that Defaults cannot hold,
// because a file may have none of it or several.
var elementDefaults = map[reflect.Type]any{
	reflect.TypeFor[clean.Column]():          clean.Column{OnTypeError: "dead"},
	reflect.TypeFor[clean.Required]():        clean.Required{Action: "dead"},
	reflect.TypeFor[clean.Range]():           clean.Range{Action: "dead"},
	reflect.TypeFor[clean.Domain]():          clean.Domain{Action: "dead"},
	reflect.TypeFor[clean.Regex]():           clean.Regex{Action: "dead"},
	reflect.TypeFor[clean.Outliers]():        clean.Outliers{Action: "dead"},
	reflect.TypeFor[clean.Rare]():            clean.Rare{MinCount: 1, Other: "other", MaxDistinct: 1_000_000},
	reflect.TypeFor[clean.NearDuplicates]():  clean.NearDuplicates{Threshold: 0.8, Shingles: "words"},
	reflect.TypeFor[clean.Rule]():            clean.Rule{Action: "dead"},
	reflect.TypeFor[clean.Length]():          clean.Length{Unit: "runes", Action: "dead"},
	reflect.TypeFor[clean.Number]():          clean.Number{Decimal: "."},
	reflect.TypeFor[normalize.Feature]():     normalize.Feature{Scale: "none"},
	reflect.TypeFor[normalize.Clip]():        normalize.Clip{Lower: 0, Upper: 1},
	reflect.TypeFor[normalize.Vocabulary]():  normalize.Vocabulary{MinCount: 1, OOVBuckets: 1, MaxDistinct: 1_000_000},
	reflect.TypeFor[normalize.Robust]():      normalize.Robust{Lower: 0.25, Upper: 0.75},
	reflect.TypeFor[normalize.Range]():       normalize.Range{Min: 0, Max: 1},
	reflect.TypeFor[normalize.QuantileMap](): normalize.QuantileMap{Quantiles: 1000, To: "uniform"},
	reflect.TypeFor[normalize.Power]():       normalize.Power{Method: "yeo_johnson"},
	reflect.TypeFor[normalize.PerKey]():      normalize.PerKey{MaxKeys: 10_000},
	reflect.TypeFor[normalize.Target]():      normalize.Target{Folds: 5, Smoothing: 10, MaxDistinct: 100_000},
	reflect.TypeFor[normalize.Text]():        normalize.Text{Split: "words", Weight: "tf_idf", TopK: 1000, MinCount: 1, MaxDistinct: 1_000_000},
	reflect.TypeFor[normalize.Sequence]():    normalize.Sequence{Side: "end", Keep: "first"},
	reflect.TypeFor[normalize.Image]():       normalize.Image{Channels: 3, Fit: "stretch", Crop: 1, Layout: "chw", Scale: "unit"},
}

// newElement returns a settable value of type t that holds its defaults.
func newElement(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	if d, ok := elementDefaults[t]; ok {
		v.Set(reflect.ValueOf(d))
	}
	return v
}

// setComputed fills in the defaults that depend on other keys; set says
// whether the file holds a key.
func (j *Job) setComputed(set func(path string) bool) {
	if !set("compress.finetune_learning_rate") {
		j.Compress.FinetuneLearningRate = j.Train.Inner.LearningRate / 3
	}
	if j.Name == "" {
		j.Name = defaultName(j.File)
	}
}
