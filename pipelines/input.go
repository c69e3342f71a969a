package pipelines

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/pipelines/job"
	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/read"
)

// input is a surveyed input and how its rows are cleaned.
type input struct {
	survey *read.Survey
	source read.Source
	clean  clean.Spec
	only   []string // the cleaned columns wanted; nil for all
	schema *arrow.Schema
	fits   []clean.Fit // the columns whose rules look at all rows
}

// openInput surveys the files of in. The types that the job leaves open are
// inferred from the first rows.
func (r *Run) openInput(ctx context.Context, files []job.SourceFile, in *job.Input, spec clean.Spec, only []string) (*input, error) {
	survey, options, err := r.surveyOf(ctx, files, in)
	if err != nil {
		return nil, err
	}
	out := &input{survey: survey, only: only, source: read.Source{Store: r.files.URI(), Options: options}}
	if out.clean, err = r.infer(ctx, out, spec); err == nil {
		err = out.bind()
	}
	if err != nil {
		return nil, r.inJob("clean", err, out)
	}
	return out, nil
}

// surveyOf surveys the files of an input, once a run.
func (r *Run) surveyOf(ctx context.Context, files []job.SourceFile, in *job.Input) (*read.Survey, table.Options, error) {
	list := make([]read.File, len(files))
	for i, f := range files {
		o, err := r.job.TableOptions(in, f.Name)
		if err != nil {
			return nil, o, err
		}
		path, err := filepath.Abs(f.Path)
		if err != nil {
			return nil, o, err
		}
		list[i] = read.File{Name: f.Name, Path: filepath.ToSlash(path), Format: f.Format, Options: o}
		if o.Delimiter != list[0].Options.Delimiter || f.Format != list[0].Format {
			return nil, o, fmt.Errorf("%s and %s differ in format or delimiter; files of one input must not", list[0].Name, f.Name)
		}
	}
	if s := r.surveys[in]; s != nil {
		return s, list[0].Options, nil
	}
	survey, err := read.Take(ctx, r.files, list, r.opts.Workers)
	if err != nil {
		return nil, list[0].Options, err
	}
	r.surveys[in] = survey
	return survey, list[0].Options, nil
}

// bind builds the cleaner once, for its schema and the columns to read.
func (in *input) bind() error {
	c, err := clean.New(in.clean, in.survey.Schema, clean.Options{Only: in.only})
	if err != nil {
		return err
	}
	in.schema, in.fits = c.Schema(), c.Fits()
	in.source.Options.Columns = c.SourceColumns()
	return nil
}

// unfitted is how rows are cleaned, without what was found in them.
func (in *input) unfitted() clean.Spec {
	spec := in.clean
	spec.Fitted = nil
	return spec
}

// sampleRows is the number of rows that types are inferred from.
const sampleRows = 10_000

// infer fills in the types of columns from the first rows of the input. The
// sample is the first rows of the first file, however the file is cut.
func (r *Run) infer(ctx context.Context, in *input, spec clean.Spec) (clean.Spec, error) {
	var sample []*batch.Batch
	left := sampleRows
	done := fmt.Errorf("enough rows")
	for _, span := range in.survey.Spans {
		if left == 0 {
			break
		}
		err := read.Each(ctx, r.files, span, in.source.Options, func(b *batch.Batch) error {
			if b.NumRows() > left {
				b = batch.Slice(b, 0, left)
			}
			sample = append(sample, b)
			if left -= b.NumRows(); left == 0 {
				return done
			}
			return nil
		}, func(deadletter.Letter) error { return nil })
		if err != nil && left > 0 {
			return spec, err
		}
	}
	return clean.Infer(in.survey.Schema, sample, spec, clean.Options{Only: in.only})
}

// cleaned builds the transforms that every pass over an input starts with, for
// one list of spans. With an empty sink dead letters are counted, not written.
func (in *input) cleaned(s beam.Scope, sink ledger.Sink, spans []table.Span) (batches beam.PCollection, entries []beam.PCollection) {
	raw, e1 := read.Rows(s, in.source, sink, spans)
	kept, e2 := clean.Rows(s, in.clean, in.survey.Schema, in.only, sink, raw)
	return kept, []beam.PCollection{e1, e2}
}

// columns are the names of the cleaned columns.
func (in *input) columns() []string {
	names := make([]string, in.schema.NumFields())
	for i, f := range in.schema.Fields() {
		names[i] = f.Name
	}
	return names
}
