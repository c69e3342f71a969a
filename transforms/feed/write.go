// Package feed is the border between columns and tensors: it writes prepared
// rows as pieces, and reads pieces as the batches of a model.
package feed

import (
	"context"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/ipcio"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/normalize"
	"github.com/millrace-go/millrace/transforms/split"
)

func init() {
	register.DoFn3x1[context.Context, *batch.Batch, func(ledger.Entry), error](&writeFn{})
	register.Emitter1[ledger.Entry]()
}

// pieceRows is the number of rows of a record batch within a piece.
const pieceRows = 1024

// Validation is the kind of the pieces of the validation split.
const Validation = "validation"

// Train is the kind of the pieces of a training shard.
func Train(shard int) string { return fmt.Sprintf("train/%04d", shard) }

// Write puts each cleaned row in its part of the split, prepares it by the
// plan, and writes the rows of train and validation as pieces, in row order:
// one kind a training shard, one for validation. Rows of the test part are
// counted only. All parts together are in the entries, with the dead letters
// of rows that could not be prepared.
//
//	Write(PCollection<*Batch>) -> PCollection<ledger.Entry>
func Write(s beam.Scope, spec split.Spec, key []string, shards int, plan []byte, schema *arrow.Schema, sink ledger.Sink, batches beam.PCollection) beam.PCollection {
	s = s.Scope("feed.Write")
	return beam.ParDo(s, &writeFn{
		Split: spec, Key: key, Shards: shards, Plan: plan, Schema: batch.EncodeSchema(schema),
		Notes: ledger.Notes{Sink: sink, Stage: "normalize"},
	}, batches)
}

type writeFn struct {
	Split  split.Spec
	Key    []string
	Shards int
	Plan   []byte
	Schema []byte
	Notes  ledger.Notes

	splitter *split.Splitter
	applier  *normalize.Applier
	pieces   *ledger.Spool[pieceWriter]

	trainKinds []string // by shard
}

func (f *writeFn) Setup() error { return fault.Wrap(f.setup()) }

func (f *writeFn) setup() error {
	plan, err := normalize.DecodePlan(f.Plan)
	if err != nil {
		return err
	}
	schema, err := batch.DecodeSchema(f.Schema)
	if err != nil {
		return err
	}
	if f.applier, err = plan.Bind(schema, normalize.Options{Label: true}); err != nil {
		return err
	}
	if f.splitter, err = split.New(f.Split, f.Shards); err != nil {
		return err
	}
	for shard := range f.Shards {
		f.trainKinds = append(f.trainKinds, Train(shard))
	}
	prepared := f.applier.Schema()
	f.pieces, err = ledger.NewSpool(f.Notes.Sink, ".arrow", func(w io.Writer) (pieceWriter, error) {
		p, err := ipcio.NewWriter(w, prepared, pieceRows)
		return pieceWriter{p}, err
	})
	return err
}

// pieceWriter closes like the writers of other parts.
type pieceWriter struct{ *ipcio.Writer }

func (p pieceWriter) Close() error {
	_, err := p.Writer.Close()
	return err
}

func (f *writeFn) StartBundle(func(ledger.Entry)) {
	f.Notes.Start()
	f.pieces.Abandon()
}

func (f *writeFn) ProcessElement(ctx context.Context, b *batch.Batch, _ func(ledger.Entry)) error {
	return fault.Wrap(f.process(ctx, b))
}

func (f *writeFn) process(ctx context.Context, b *batch.Batch) error {
	places, err := f.splitter.Places(b, f.Key)
	if err != nil {
		return err
	}
	train := make([]bool, len(places))
	for i, p := range places {
		train[i] = p.Part == split.Train
	}
	prepared, err := f.applier.ApplyTrain(b, train)
	if err != nil {
		return err
	}
	if err := f.Notes.Dead(ctx, b.Span, prepared.Dead...); err != nil {
		return err
	}
	f.Notes.Count(ctx, "kept", int64(prepared.Batch.NumRows()-b.NumRows()))

	rows := prepared.Batch.Rows
	kinds := make([]string, len(rows))
	counts := map[split.Part]int64{}
	j := 0 // position in b of row i of prepared
	for i, row := range rows {
		for b.Rows[j] != row {
			j++
		}
		counts[places[j].Part]++
		switch places[j].Part {
		case split.Train:
			kinds[i] = f.trainKinds[places[j].Shard]
		case split.Validation:
			kinds[i] = Validation
		}
	}
	for part, n := range counts {
		f.Notes.Count(ctx, "part:"+part.String(), n)
	}
	return f.write(ctx, prepared.Batch, kinds)
}

// write appends each row to the piece of its kind; "" is none.
func (f *writeFn) write(ctx context.Context, b *batch.Batch, kinds []string) error {
	order := []string{}
	keep := map[string][]bool{}
	for i, kind := range kinds {
		if kind == "" {
			continue
		}
		if keep[kind] == nil {
			keep[kind] = make([]bool, len(kinds))
			order = append(order, kind)
		}
		keep[kind][i] = true
	}
	for _, kind := range order {
		rows, err := batch.Filter(b, keep[kind])
		if err != nil {
			return err
		}
		w, err := f.pieces.Writer(ctx, kind, b.Span, rows.Rows[0], int64(rows.NumRows()))
		if err != nil {
			return err
		}
		if err := w.Write(rows.Record); err != nil {
			return err
		}
	}
	return nil
}

func (f *writeFn) FinishBundle(note func(ledger.Entry)) error {
	parts, err := f.pieces.Flush()
	if err != nil {
		return fault.Wrap(err)
	}
	return fault.Wrap(f.Notes.Finish(note, parts...))
}
