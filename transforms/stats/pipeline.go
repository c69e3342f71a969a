package stats

import (
	"context"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/transforms/ledger"
)

func init() {
	register.DoFn3x1[context.Context, *batch.Batch, func(string, []byte), error](&accumulateFn{})
	register.DoFn3x1[context.Context, *batch.Batch, func(string, []byte), error](&recountFn{})
	register.Combiner1[[]byte](&mergeFn{})
	register.DoFn4x1[context.Context, string, []byte, func(ledger.Entry), error](&partFn{})
	register.Emitter2[string, []byte]()
	register.Emitter1[ledger.Entry]()
}

// Accumulate takes the statistics of each bundle's rows: a part a column, for
// the whole and for each slice, with the key it is merged under.
//
//	Accumulate(PCollection<*Batch>) -> PCollection<KV<string, []byte>>
//
// It panics if the options do not fit the schema.
func Accumulate(s beam.Scope, o Options, schema *arrow.Schema, batches beam.PCollection) beam.PCollection {
	s = s.Scope("stats.Accumulate")
	if err := o.Validate(schema); err != nil {
		panic(fmt.Sprintf("stats.Accumulate: %v", err))
	}
	return beam.ParDo(s, &accumulateFn{Options: o, Schema: batch.EncodeSchema(schema)}, batches)
}

type accumulateFn struct {
	Options Options
	Schema  []byte
	schema  *arrow.Schema
	slicer  *Slicer
}

func (f *accumulateFn) Setup() (err error) {
	f.schema, err = batch.DecodeSchema(f.Schema)
	return fault.Wrap(err)
}

func (f *accumulateFn) StartBundle(func(string, []byte)) (err error) {
	f.slicer, err = NewSlicer(f.Options, f.schema)
	return fault.Wrap(err)
}

func (f *accumulateFn) ProcessElement(_ context.Context, b *batch.Batch, _ func(string, []byte)) error {
	if err := f.slicer.Add(b.Record); err != nil {
		return fault.Wrap(fmt.Errorf("%s: %w", b.File, err))
	}
	return nil
}

func (f *accumulateFn) FinishBundle(emit func(string, []byte)) error {
	err := f.slicer.EachPart(func(key string, data []byte) error {
		emit(key, data)
		return nil
	})
	f.slicer = nil
	return fault.Wrap(err)
}

// Recount is the second look at the same rows: questions are those of
// Analyzer.Refinement.
//
//	Recount(PCollection<*Batch>) -> PCollection<KV<string, []byte>>
func Recount(s beam.Scope, questions []byte, batches beam.PCollection) beam.PCollection {
	s = s.Scope("stats.Recount")
	if _, err := RefinementOf(questions); err != nil {
		panic(fmt.Sprintf("stats.Recount: %v", err))
	}
	return beam.ParDo(s, &recountFn{Questions: questions}, batches)
}

type recountFn struct {
	Questions  []byte
	refinement *Refinement
}

func (f *recountFn) StartBundle(func(string, []byte)) (err error) {
	f.refinement, err = RefinementOf(f.Questions)
	return fault.Wrap(err)
}

func (f *recountFn) ProcessElement(_ context.Context, b *batch.Batch, _ func(string, []byte)) error {
	if err := f.refinement.Add(b.Record); err != nil {
		return fault.Wrap(fmt.Errorf("%s: %w", b.File, err))
	}
	return nil
}

func (f *recountFn) FinishBundle(emit func(string, []byte)) error {
	for i := range f.refinement.Parts() {
		data, err := f.refinement.MarshalPart(i)
		if err != nil {
			return fault.Wrap(err)
		}
		emit(fmt.Sprint("recount/", i), data)
	}
	f.refinement = nil
	return nil
}

// Kinds of the parts that Merge writes.
const (
	PartStatistics = "statistics"
	PartRecount    = "recount"
)

// Merge merges what Accumulate or Recount gave, of all branches of a pass, and
// writes an object a key: the parts of a kind. SlicerOfEntry and RefineWith
// read them back.
//
//	Merge(PCollection<KV<string, []byte>>...) -> PCollection<ledger.Entry>
func Merge(s beam.Scope, sink ledger.Sink, kind string, accumulators ...beam.PCollection) beam.PCollection {
	s = s.Scope("stats.Merge")
	if kind != PartStatistics && kind != PartRecount {
		panic(fmt.Sprintf("stats.Merge: kind %q, want %q or %q", kind, PartStatistics, PartRecount))
	}
	merged := beam.CombinePerKey(s, &mergeFn{}, beam.Flatten(s, accumulators...))
	return beam.ParDo(s, &partFn{Sink: sink, Kind: kind}, merged)
}

// mergeFn merges the parts of one key.
type mergeFn struct{}

func (*mergeFn) CreateAccumulator() []byte { return nil }

func (*mergeFn) AddInput(acc, part []byte) ([]byte, error) { return mergeOrEither(acc, part) }

func (*mergeFn) MergeAccumulators(a, b []byte) ([]byte, error) { return mergeOrEither(a, b) }

func (*mergeFn) ExtractOutput(acc []byte) []byte { return acc }

func mergeOrEither(a, b []byte) ([]byte, error) {
	if len(a) == 0 {
		return b, nil
	}
	if len(b) == 0 {
		return a, nil
	}
	merged, err := MergeParts(a, b)
	return merged, fault.Wrap(err)
}

type partFn struct {
	Sink ledger.Sink
	Kind string
}

func (f *partFn) ProcessElement(ctx context.Context, key string, data []byte, note func(ledger.Entry)) error {
	entry, err := ledger.Put(ctx, f.Sink, f.Kind, 0, 0, appendKeyed(key, data))
	if err != nil {
		return fault.Wrap(err)
	}
	entry.Parts[0].FirstRow = int64(xxh3.HashString(key) >> 1) // parts are ordered by it
	note(entry)
	return nil
}

// SlicerOfEntry reads the statistics that Merge committed.
func SlicerOfEntry(ctx context.Context, s store.Store, o Options, schema *arrow.Schema, done ledger.Entry) (*Slicer, error) {
	parts, err := readParts(ctx, s, done, PartStatistics)
	if err != nil {
		return nil, err
	}
	return SlicerOf(o, schema, parts)
}

// RefineWith makes the statistics of a exact by a pass of Recount over the same
// rows with the questions of again, which Merge committed.
func RefineWith(ctx context.Context, s store.Store, a *Analyzer, again *Refinement, done ledger.Entry) error {
	parts, err := readParts(ctx, s, done, PartRecount)
	if err != nil {
		return err
	}
	for i := range again.Parts() {
		if data := parts[fmt.Sprint("recount/", i)]; len(data) > 0 {
			if err := again.MergePart(i, data); err != nil {
				return err
			}
		}
	}
	return a.Refine(again)
}

func readParts(ctx context.Context, s store.Store, done ledger.Entry, kind string) (map[string][]byte, error) {
	parts := map[string][]byte{}
	for _, p := range done.Of(kind) {
		data, err := store.GetObject(ctx, s, p.Object)
		if err != nil {
			return nil, err
		}
		key, part, err := splitKeyed(data)
		if err != nil {
			return nil, err
		}
		if parts[key] != nil {
			return nil, fmt.Errorf("stats: two parts with the key %q", key)
		}
		parts[key] = part
	}
	return parts, nil
}
