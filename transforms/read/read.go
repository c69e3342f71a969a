package read

import (
	"context"
	"fmt"
	"reflect"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/internal/progress"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/formats"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/transforms/ledger"
)

func init() {
	register.DoFn4x1[context.Context, table.Span, func(*batch.Batch), func(ledger.Entry), error](&rowsFn{})
	register.Emitter1[*batch.Batch]()
	beam.RegisterType(reflect.TypeOf((*table.Span)(nil)).Elem())
}

// Source says how spans are read.
type Source struct {
	Store   string // URI of the store that holds the files
	Options table.Options
}

// Spread deals spans to as many lists as there are workers, none of them empty:
// a runner that gives a whole stage to one worker is given several stages.
func Spread(spans []table.Span, workers int) [][]table.Span {
	n := min(max(workers, 1), len(spans))
	lists := make([][]table.Span, n)
	for i, span := range spans {
		lists[i%n] = append(lists[i%n], span)
	}
	return lists
}

// Rows reads spans as batches. Rows that the format cannot take are dead
// letters; they and the number of rows read are in the entries.
//
//	Rows(spans) -> PCollection<*Batch>, PCollection<ledger.Entry>
//
// A damaged file fails the bundle.
func Rows(s beam.Scope, src Source, sink ledger.Sink, spans []table.Span) (batches, entries beam.PCollection) {
	s = s.Scope("read.Rows")
	work := beam.Reshuffle(s, beam.CreateList(s, spans))
	fn := &rowsFn{Source: src, Notes: ledger.Notes{Sink: sink, Stage: "read"}}
	return beam.ParDo2(s, fn, work)
}

type rowsFn struct {
	Source Source
	Notes  ledger.Notes
	store  store.Store
}

func (f *rowsFn) Setup() (err error) {
	f.store, err = store.At(f.Source.Store)
	return fault.Wrap(err)
}

func (f *rowsFn) StartBundle(func(*batch.Batch), func(ledger.Entry)) { f.Notes.Start() }

func (f *rowsFn) ProcessElement(ctx context.Context, span table.Span, emit func(*batch.Batch), _ func(ledger.Entry)) error {
	err := Each(ctx, f.store, span, f.Source.Options, func(b *batch.Batch) error {
		f.Notes.Count(ctx, "read", int64(b.NumRows()))
		progress.AddRows(int64(b.NumRows()))
		emit(b)
		return nil
	}, func(l deadletter.Letter) error {
		f.Notes.Count(ctx, "read", 1)
		progress.AddRows(1)
		return f.Notes.Dead(ctx, span.Index, l)
	})
	return fault.Wrap(err)
}

func (f *rowsFn) FinishBundle(_ func(*batch.Batch), note func(ledger.Entry)) error {
	return fault.Wrap(f.Notes.Finish(note))
}

// Each reads one span without a pipeline: every row goes to emit or to dead, in
// the order of the rows.
func Each(ctx context.Context, s store.Store, span table.Span, o table.Options, emit func(*batch.Batch) error, dead func(deadletter.Letter) error) error {
	f, err := formats.Lookup(span.Format)
	if err != nil {
		return err
	}
	name := span.Name
	if name == "" {
		name = span.File
	}
	err = f.Read(ctx, s, span, o, func(b *batch.Batch) error {
		return emit(&batch.Batch{Record: b.Record, File: name, Span: span.Index, Rows: b.Rows})
	}, func(l deadletter.Letter) error {
		l.File = name
		return dead(l)
	})
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}
