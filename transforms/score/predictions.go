package score

import (
	"context"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/internal/progress"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/parquetio"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/transforms/ledger"
)

func init() {
	register.DoFn3x1[context.Context, *batch.Batch, func(ledger.Entry), error](&predictFn{})
	register.Emitter1[ledger.Entry]()
}

// Predictions is the kind of the parts that Predict writes.
const Predictions = "predictions"

// Predict scores cleaned rows and writes one Parquet part a span: source file
// and row, predicted class, the probability of each class, and the digest of
// the model. Rows that the Plan cannot prepare are dead letters.
//
//	Predict(PCollection<*Batch>) -> PCollection<ledger.Entry>
func Predict(s beam.Scope, model Model, schema *arrow.Schema, sink ledger.Sink, batches beam.PCollection) beam.PCollection {
	s = s.Scope("score.Predict")
	fn := &predictFn{Model: model, Schema: batch.EncodeSchema(schema), Notes: ledger.Notes{Sink: sink, Stage: "score"}}
	return beam.ParDo(s, fn, batches)
}

type predictFn struct {
	Model  Model
	Schema []byte
	Notes  ledger.Notes

	scorer *Scorer
	output *arrow.Schema
	parts  *ledger.Spool[*parquetio.Writer]
}

// open waits for the first element: a bundle may have none, and no class need be known then.
func (f *predictFn) open(ctx context.Context) error {
	if f.scorer != nil {
		return nil
	}
	schema, err := batch.DecodeSchema(f.Schema)
	if err != nil {
		return err
	}
	s, err := store.At(f.Notes.Sink.Store)
	if err != nil {
		return err
	}
	if f.scorer, err = NewScorer(ctx, s, f.Model, schema, false); err != nil {
		return err
	}
	f.output = outputSchema(f.scorer.Classes())
	f.parts, err = ledger.NewSpool(f.Notes.Sink, ".parquet", func(w io.Writer) (*parquetio.Writer, error) {
		return parquetio.NewWriter(w, f.output, parquetio.WriterOptions{})
	})
	return err
}

func outputSchema(classes []string) *arrow.Schema {
	fields := []arrow.Field{
		{Name: "file", Type: arrow.BinaryTypes.String},
		{Name: "row", Type: arrow.PrimitiveTypes.Int64},
		{Name: "prediction", Type: arrow.BinaryTypes.String},
	}
	for _, c := range classes {
		fields = append(fields, arrow.Field{Name: "probability_" + c, Type: arrow.PrimitiveTypes.Float32})
	}
	fields = append(fields, arrow.Field{Name: "model", Type: arrow.BinaryTypes.String})
	return arrow.NewSchema(fields, nil)
}

func (f *predictFn) StartBundle(func(ledger.Entry)) {
	f.Notes.Start()
	if f.parts != nil {
		f.parts.Abandon()
	}
}

func (f *predictFn) ProcessElement(ctx context.Context, b *batch.Batch, _ func(ledger.Entry)) error {
	return fault.Wrap(f.process(ctx, b))
}

func (f *predictFn) process(ctx context.Context, b *batch.Batch) error {
	if err := f.open(ctx); err != nil {
		return err
	}
	scores, err := f.scorer.Score(b)
	if err != nil {
		return err
	}
	if err := f.Notes.Dead(ctx, b.Span, scores.Dead...); err != nil {
		return err
	}
	n := int64(len(scores.Rows))
	f.Notes.Count(ctx, "scored", n)
	progress.AddRows(n)
	if n == 0 {
		return nil
	}
	w, err := f.parts.Writer(ctx, Predictions, b.Span, scores.Rows[0], n)
	if err != nil {
		return err
	}
	return w.Write(f.record(b.File, scores))
}

func (f *predictFn) record(file string, scores *Scores) arrow.Record {
	rb := array.NewRecordBuilder(memory.DefaultAllocator, f.output)
	defer rb.Release()
	classes := f.scorer.Classes()
	k := len(classes)
	for i, row := range scores.Rows {
		probs := scores.Probs[i*k : (i+1)*k]
		rb.Field(0).(*array.StringBuilder).Append(file)
		rb.Field(1).(*array.Int64Builder).Append(row)
		rb.Field(2).(*array.StringBuilder).Append(classes[argmax(probs)])
		for c, p := range probs {
			rb.Field(3 + c).(*array.Float32Builder).Append(p)
		}
		rb.Field(3 + k).(*array.StringBuilder).Append(f.scorer.Digest())
	}
	return rb.NewRecord()
}

// argmax is the most probable class; of equal ones the first.
func argmax(probs []float32) int {
	best := 0
	for c, p := range probs {
		if p > probs[best] {
			best = c
		}
	}
	return best
}

func (f *predictFn) FinishBundle(note func(ledger.Entry)) error {
	if f.parts == nil {
		return fault.Wrap(f.Notes.Finish(note))
	}
	parts, err := f.parts.Flush()
	if err != nil {
		return fault.Wrap(err)
	}
	return fault.Wrap(f.Notes.Finish(note, parts...))
}
