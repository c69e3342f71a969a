package normalize

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/transforms/ledger"
)

func init() {
	register.DoFn3x1[context.Context, *batch.Batch, func(int, []byte), error](&accumulateFn{})
	register.Combiner1[[]byte](&mergeFn{})
	register.DoFn4x1[context.Context, int, []byte, func(ledger.Entry), error](&columnFn{})
	register.Emitter2[int, []byte]()
	register.Emitter1[ledger.Entry]()
}

// Accumulate takes the statistics of each bundle's rows, an accumulator a column.
//
//	Accumulate(PCollection<*Batch>) -> PCollection<KV<int, []byte>>
func Accumulate(s beam.Scope, spec Spec, schema *arrow.Schema, batches beam.PCollection) beam.PCollection {
	s = s.Scope("normalize.Accumulate")
	return beam.ParDo(s, &accumulateFn{Spec: spec, Schema: batch.EncodeSchema(schema)}, batches)
}

type accumulateFn struct {
	Spec     Spec
	Schema   []byte
	schema   *arrow.Schema
	analyzer *Analyzer
}

func (f *accumulateFn) Setup() (err error) {
	f.schema, err = batch.DecodeSchema(f.Schema)
	return fault.Wrap(err)
}

func (f *accumulateFn) StartBundle(func(int, []byte)) (err error) {
	f.analyzer, err = NewAnalyzer(f.Spec, f.schema)
	return fault.Wrap(err)
}

func (f *accumulateFn) ProcessElement(_ context.Context, b *batch.Batch, _ func(int, []byte)) error {
	return fault.Wrap(f.analyzer.Add(b))
}

func (f *accumulateFn) FinishBundle(emit func(int, []byte)) error {
	for i := range f.analyzer.Columns() {
		data, err := f.analyzer.MarshalColumn(i)
		if err != nil {
			return fault.Wrap(err)
		}
		emit(i, data)
	}
	f.analyzer = nil
	return nil
}

// Fit merges accumulators and writes one object a column: the parts of kind
// "columns", whose Span is the column's index. PlanOf makes the Plan of them.
//
//	Fit(PCollection<KV<int, []byte>>...) -> PCollection<ledger.Entry>
func Fit(s beam.Scope, sink ledger.Sink, accumulators ...beam.PCollection) beam.PCollection {
	s = s.Scope("normalize.Fit")
	merged := beam.CombinePerKey(s, &mergeFn{}, beam.Flatten(s, accumulators...))
	return beam.ParDo(s, &columnFn{Sink: sink}, merged)
}

// mergeFn merges the accumulators of one column.
type mergeFn struct{}

func (*mergeFn) CreateAccumulator() []byte { return nil }

func (*mergeFn) AddInput(acc, column []byte) ([]byte, error) { return merge(acc, column) }

func (*mergeFn) MergeAccumulators(a, b []byte) ([]byte, error) { return merge(a, b) }

func (*mergeFn) ExtractOutput(acc []byte) []byte { return acc }

func merge(a, b []byte) ([]byte, error) {
	if len(a) == 0 {
		return b, nil
	}
	if len(b) == 0 {
		return a, nil
	}
	merged, err := MergeColumns(a, b)
	return merged, fault.Wrap(err)
}

type columnFn struct{ Sink ledger.Sink }

func (f *columnFn) ProcessElement(ctx context.Context, column int, data []byte, note func(ledger.Entry)) error {
	entry, err := ledger.Put(ctx, f.Sink, "columns", column, 0, data)
	if err != nil {
		return fault.Wrap(err)
	}
	note(entry)
	return nil
}

// PlanOf makes the Plan of what Fit committed.
func PlanOf(ctx context.Context, s store.Store, spec Spec, schema *arrow.Schema, fitted ledger.Entry) (*Plan, error) {
	blank, err := NewAnalyzer(spec, schema)
	if err != nil {
		return nil, err
	}
	parts := fitted.Of("columns")
	if len(parts) == 0 {
		return nil, fmt.Errorf("normalize: the train split has no rows; check clean and split in the job")
	}
	columns := make([][]byte, len(blank.Columns()))
	for _, part := range parts {
		if part.Span < 0 || part.Span >= len(columns) {
			return nil, fmt.Errorf("normalize: fitted column %d, the job has %d", part.Span, len(columns))
		}
		if columns[part.Span], err = store.GetObject(ctx, s, part.Object); err != nil {
			return nil, err
		}
	}
	fittedAnalyzer, err := FromColumns(spec, schema, columns)
	if err != nil {
		return nil, err
	}
	return fittedAnalyzer.Plan()
}
