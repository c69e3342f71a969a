// Package evaluate measures several models on the same rows, each with the
// Plan it was trained with. What is measured is merged exactly, so the metrics
// are the same bits for any cut of the rows and any order of work.
package evaluate

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/internal/progress"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/model/metrics"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/score"
)

func init() {
	register.DoFn3x1[context.Context, *batch.Batch, func(int, []byte), error](&measureFn{})
	register.Combiner1[[]byte](&MergeFn{})
	register.DoFn3x2[context.Context, int, []byte, ledger.Entry, error](&storeFn{})
	register.Emitter2[int, []byte]()
}

// Measure scores labelled, cleaned rows with every model and emits the
// accumulated metrics of each, by its index. Models may have plans of their own.
//
//	Measure(PCollection<*Batch>) -> PCollection<KV<int, []byte>>
func Measure(s beam.Scope, storeURI string, models []score.Model, schema *arrow.Schema, batches beam.PCollection) beam.PCollection {
	s = s.Scope("evaluate.Measure")
	return beam.ParDo(s, &measureFn{Store: storeURI, Models: models, Schema: batch.EncodeSchema(schema)}, batches)
}

type measureFn struct {
	Store  string
	Models []score.Model
	Schema []byte

	scorers []*score.Scorer
	totals  []*metrics.Accumulator
}

func (f *measureFn) StartBundle(func(int, []byte)) { f.totals = nil }

func (f *measureFn) ProcessElement(ctx context.Context, b *batch.Batch, _ func(int, []byte)) error {
	return fault.Wrap(f.process(ctx, b))
}

func (f *measureFn) process(ctx context.Context, b *batch.Batch) error {
	if err := f.open(ctx); err != nil {
		return err
	}
	for i, sc := range f.scorers {
		scores, err := sc.Score(b)
		if err != nil {
			return err
		}
		k := len(sc.Classes())
		for r, label := range scores.Labels {
			if err := f.totals[i].Add(int(label), scores.Probs[r*k:(r+1)*k]); err != nil {
				return err
			}
		}
	}
	progress.AddRows(int64(b.NumRows()))
	return nil
}

func (f *measureFn) open(ctx context.Context) error {
	if f.scorers == nil {
		schema, err := batch.DecodeSchema(f.Schema)
		if err != nil {
			return err
		}
		s, err := store.At(f.Store)
		if err != nil {
			return err
		}
		for _, m := range f.Models {
			sc, err := score.NewScorer(ctx, s, m, schema, true)
			if err != nil {
				f.scorers = nil
				return err
			}
			f.scorers = append(f.scorers, sc)
		}
	}
	if f.totals == nil {
		for _, sc := range f.scorers {
			f.totals = append(f.totals, metrics.New(len(sc.Classes())))
		}
	}
	return nil
}

func (f *measureFn) FinishBundle(emit func(int, []byte)) error {
	for i, acc := range f.totals {
		data, err := acc.MarshalBinary()
		if err != nil {
			return fault.Wrap(err)
		}
		emit(i, data)
	}
	return nil
}

// Collect merges measurements and stores one object a model: the parts of
// kind "metrics", whose Span is the model's index. Results reads them.
//
//	Collect(PCollection<KV<int, []byte>>...) -> PCollection<ledger.Entry>
func Collect(s beam.Scope, sink ledger.Sink, measurements ...beam.PCollection) beam.PCollection {
	s = s.Scope("evaluate.Collect")
	merged := beam.CombinePerKey(s, &MergeFn{}, beam.Flatten(s, measurements...))
	return beam.ParDo(s, &storeFn{Sink: sink}, merged)
}

// MergeFn combines accumulators of model/metrics, exactly and in any order.
type MergeFn struct{}

func (*MergeFn) CreateAccumulator() []byte { return nil }

func (*MergeFn) AddInput(acc, in []byte) ([]byte, error) { return merge(acc, in) }

func (*MergeFn) MergeAccumulators(a, b []byte) ([]byte, error) { return merge(a, b) }

func (*MergeFn) ExtractOutput(acc []byte) []byte { return acc }

func merge(a, b []byte) ([]byte, error) {
	data, err := metrics.MergeBinary(a, b)
	return data, fault.Wrap(err)
}

type storeFn struct{ Sink ledger.Sink }

func (f *storeFn) ProcessElement(ctx context.Context, model int, data []byte) (ledger.Entry, error) {
	entry, err := ledger.Put(ctx, f.Sink, "metrics", model, 0, data)
	return entry, fault.Wrap(err)
}

// Results reads what Collect committed: the metrics of each of n models.
func Results(ctx context.Context, s store.Store, e ledger.Entry, n int) ([]metrics.Metrics, error) {
	out := make([]metrics.Metrics, n)
	parts := e.Of("metrics")
	if len(parts) != n {
		return nil, fmt.Errorf("evaluate: the test split has no rows; check clean and split in the job")
	}
	for _, part := range parts {
		data, err := store.GetObject(ctx, s, part.Object)
		if err != nil {
			return nil, err
		}
		acc, err := metrics.Unmarshal(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.Object.Name, err)
		}
		out[part.Span] = acc.Result()
	}
	return out, nil
}
