package fit

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/ledger"
)

func init() {
	register.DoFn3x1[context.Context, *batch.Batch, func(int, []byte), error](&accumulateFn{})
	register.Combiner1[[]byte](&mergeFn{})
	register.DoFn4x1[context.Context, int, []byte, func(ledger.Entry), error](&putFn{})
	register.Emitter2[int, []byte]()
	register.Emitter1[ledger.Entry]()
}

// Accumulate takes the statistics of each bundle's rows, cleaned without the
// rules that are fitted: one a column of fits.
//
//	Accumulate(PCollection<*Batch>) -> PCollection<KV<int, []byte>>
func Accumulate(s beam.Scope, fits []clean.Fit, batches beam.PCollection) beam.PCollection {
	s = s.Scope("fit.Accumulate")
	return beam.ParDo(s, &accumulateFn{Fits: fits}, batches)
}

type accumulateFn struct {
	Fits  []clean.Fit
	stats []*Stats
}

func (f *accumulateFn) StartBundle(func(int, []byte)) {
	f.stats = make([]*Stats, len(f.Fits))
	for i, each := range f.Fits {
		f.stats[i] = NewStats(each)
	}
}

func (f *accumulateFn) ProcessElement(_ context.Context, b *batch.Batch, _ func(int, []byte)) error {
	for _, s := range f.stats {
		if err := s.Add(b); err != nil {
			return fault.Wrap(err)
		}
	}
	return nil
}

func (f *accumulateFn) FinishBundle(emit func(int, []byte)) error {
	for i, s := range f.stats {
		data, err := s.Encode()
		if err != nil {
			return fault.Wrap(err)
		}
		emit(i, data)
	}
	f.stats = nil
	return nil
}

// Merge merges statistics and writes them, one object a column: the parts of
// kind "fits", whose Span is the column's index among fits.
//
//	Merge(PCollection<KV<int, []byte>>...) -> PCollection<ledger.Entry>
func Merge(s beam.Scope, sink ledger.Sink, accumulators ...beam.PCollection) beam.PCollection {
	s = s.Scope("fit.Merge")
	merged := beam.CombinePerKey(s, &mergeFn{}, beam.Flatten(s, accumulators...))
	return beam.ParDo(s, &putFn{Sink: sink}, merged)
}

// mergeFn merges the statistics of one column.
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
	data, err := mergeEncoded(a, b)
	return data, fault.Wrap(err)
}

func mergeEncoded(a, b []byte) ([]byte, error) {
	x, err := Decode(a)
	if err != nil {
		return nil, err
	}
	y, err := Decode(b)
	if err != nil {
		return nil, err
	}
	if err := x.Merge(y); err != nil {
		return nil, err
	}
	return x.Encode()
}

type putFn struct{ Sink ledger.Sink }

func (f *putFn) ProcessElement(ctx context.Context, column int, data []byte, note func(ledger.Entry)) error {
	entry, err := ledger.Put(ctx, f.Sink, "fits", column, 0, data)
	if err != nil {
		return fault.Wrap(err)
	}
	note(entry)
	return nil
}

// FittedOf makes of what Merge committed what the spec needs. Without any rows
// nothing is an outlier, and every text is rare.
func FittedOf(ctx context.Context, s store.Store, fits []clean.Fit, committed ledger.Entry) (*clean.Fitted, error) {
	out := &clean.Fitted{Columns: map[string]clean.FittedColumn{}}
	for _, f := range fits {
		out.Columns[f.Column] = clean.FittedColumn{}
	}
	for _, part := range committed.Of("fits") {
		data, err := store.GetObject(ctx, s, part.Object)
		if err != nil {
			return nil, err
		}
		stats, err := Decode(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.Object.Name, err)
		}
		if out.Columns[stats.fit.Column], err = stats.Fitted(); err != nil {
			return nil, fmt.Errorf("clean: %w", err)
		}
	}
	return out, nil
}
