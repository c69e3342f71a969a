package split

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/io/batch"
)

func init() {
	register.DoFn3x1[context.Context, *batch.Batch, func(*batch.Batch), error](&onlyFn{})
	register.Emitter1[*batch.Batch]()
}

// Only keeps the rows of one part of the split; key is the hashed columns.
//
//	Only(PCollection<*Batch>) -> PCollection<*Batch>
func Only(s beam.Scope, spec Spec, key []string, part Part, batches beam.PCollection) beam.PCollection {
	s = s.Scope("split.Only")
	return beam.ParDo(s, &onlyFn{Spec: spec, Key: key, Part: part}, batches)
}

type onlyFn struct {
	Spec     Spec
	Key      []string
	Part     Part
	splitter *Splitter
}

func (f *onlyFn) Setup() (err error) {
	f.splitter, err = New(f.Spec, 1)
	return fault.Wrap(err)
}

func (f *onlyFn) ProcessElement(_ context.Context, b *batch.Batch, emit func(*batch.Batch)) error {
	places, err := f.splitter.Places(b, f.Key)
	if err != nil {
		return fault.Wrap(err)
	}
	keep := make([]bool, len(places))
	for i, p := range places {
		keep[i] = p.Part == f.Part
	}
	kept, err := batch.Filter(b, keep)
	if err != nil {
		return fault.Wrap(err)
	}
	if kept.NumRows() > 0 {
		emit(kept)
	}
	return nil
}
