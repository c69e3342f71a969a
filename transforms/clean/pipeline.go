package clean

import (
	"context"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/transforms/ledger"
)

func init() {
	register.DoFn4x1[context.Context, *batch.Batch, func(*batch.Batch), func(ledger.Entry), error](&rowsFn{})
	register.Emitter1[*batch.Batch]()
}

// Rows cleans batches of the columns of source (of which a batch may lack what
// the cleaner does not need). only restricts the output columns; nil keeps all.
//
//	Rows(PCollection<*Batch>) -> PCollection<*Batch>, PCollection<ledger.Entry>
//
// Row order is unchanged. Rows kept, dropped by rule and dead by rule are in
// the entries.
func Rows(s beam.Scope, spec Spec, source *arrow.Schema, only []string, sink ledger.Sink, batches beam.PCollection) (kept, entries beam.PCollection) {
	s = s.Scope("clean.Rows")
	fn := &rowsFn{Spec: spec, Source: batch.EncodeSchema(source), Only: only, Notes: ledger.Notes{Sink: sink, Stage: "clean"}}
	return beam.ParDo2(s, fn, batches)
}

type rowsFn struct {
	Spec    Spec
	Source  []byte
	Only    []string
	Notes   ledger.Notes
	cleaner *Cleaner
}

func (f *rowsFn) Setup() error {
	source, err := batch.DecodeSchema(f.Source)
	if err != nil {
		return fault.Wrap(err)
	}
	f.cleaner, err = New(f.Spec, source, Options{Only: f.Only})
	return fault.Wrap(err)
}

func (f *rowsFn) StartBundle(func(*batch.Batch), func(ledger.Entry)) { f.Notes.Start() }

func (f *rowsFn) ProcessElement(ctx context.Context, b *batch.Batch, emit func(*batch.Batch), _ func(ledger.Entry)) error {
	r, err := f.cleaner.Clean(b)
	if err != nil {
		return fault.Wrap(err)
	}
	for rule, n := range r.Dropped {
		f.Notes.Count(ctx, "drop:"+rule, n)
	}
	if err := f.Notes.Dead(ctx, b.Span, r.Dead...); err != nil {
		return fault.Wrap(err)
	}
	f.Notes.Count(ctx, "kept", int64(r.Kept.NumRows()))
	if r.Kept.NumRows() > 0 {
		emit(r.Kept)
	}
	return nil
}

func (f *rowsFn) FinishBundle(_ func(*batch.Batch), note func(ledger.Entry)) error {
	return fault.Wrap(f.Notes.Finish(note))
}
