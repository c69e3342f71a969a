package pipelines

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/pipelines/datapage"
	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/clean/fit"
	"github.com/millrace-go/millrace/transforms/clean/nearby"
	"github.com/millrace-go/millrace/transforms/feed"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/normalize"
	"github.com/millrace-go/millrace/transforms/read"
	"github.com/millrace-go/millrace/transforms/schema"
	"github.com/millrace-go/millrace/transforms/split"
)

// prepared is the result of prepare: the Plan, and the train and validation
// rows as pieces.
type prepared struct {
	key        key
	folder     string
	input      *input
	duplicates *ledger.Entry // nil if the job keeps duplicates
	near       *ledger.Entry // nil if the job keeps near duplicates
	plan       *normalize.Plan
	planFile   []byte // the plan, encoded
	planRef    store.Ref
	rows       ledger.Entry
}

func (p *prepared) manifest() string { return p.folder + "/prepared.json" }

// splitKey is the columns whose hash splits.
func (p *prepared) splitKey(spec split.Spec) []string {
	if len(spec.Key) > 0 {
		return spec.Key
	}
	return p.input.columns()
}

// prepare surveys the input and makes the Plan and the pieces.
func (r *Run) prepare(ctx context.Context) (*prepared, error) {
	s, _, err := r.job.SchemaFile()
	if err != nil {
		return nil, err
	}
	in, err := r.readInput(ctx)
	if err != nil {
		return nil, err
	}
	p := &prepared{input: in}
	if s != nil {
		if err := r.checkFirst(ctx, p.input, s); err != nil {
			return nil, err
		}
	}
	err = r.step(ctx, "prepare", func() (bool, string, error) {
		reused, err := r.makePrepared(ctx, p)
		if err != nil {
			return false, "", err
		}
		c := p.rows.Counts
		return reused, fmt.Sprintf("%d read = %d kept + %d dropped + %d dead; %d train, %d validation, %d test",
			c["read"], c["kept"], c.Sum("drop:"), c.Sum("dead:"), c["part:train"], c["part:validation"], c["part:test"]), nil
	})
	return p, err
}

// readInput surveys the job's input.
func (r *Run) readInput(ctx context.Context) (in *input, err error) {
	err = r.step(ctx, "read", func() (bool, string, error) {
		files, err := r.job.InputFiles()
		if err != nil {
			return false, "", err
		}
		if in, err = r.openInput(ctx, files, &r.job.Input, r.job.Clean, nil); err != nil {
			return false, "", err
		}
		if err := r.checkSections(in); err != nil {
			return false, "", err
		}
		s := in.survey
		return false, fmt.Sprintf("%d rows in %d file(s), %d columns, %s", s.Rows, len(s.Files), s.Schema.NumFields(), size(s.Bytes)), nil
	})
	return in, err
}

// checkFirst holds the input against the schema before anything is made of it.
func (r *Run) checkFirst(ctx context.Context, in *input, s *schema.Schema) error {
	c, err := r.checkInput(ctx, in, s)
	if c == nil {
		return err
	}
	if _, perr := r.writePage(ctx, c.gathered, []datapage.Check{{Name: "input", Report: c.report}}); perr != nil {
		return perr
	}
	return err
}

// checkSections checks the sections of the job that name columns against the
// cleaned rows, before any of them is read.
func (r *Run) checkSections(in *input) error {
	if _, err := r.job.Split.KeyColumns(in.schema); err != nil {
		return r.inJob("split", err, in)
	}
	if err := r.job.Split.CheckTime(in.schema); err != nil {
		return r.inJob("split", err, in)
	}
	if _, err := normalize.NewAnalyzer(r.job.Normalize, in.schema); err != nil {
		return r.inJob("normalize", err, in)
	}
	if err := r.job.Stats.Options().Validate(in.schema); err != nil {
		return r.inJob("stats", err, in)
	}
	return nil
}

func (r *Run) makePrepared(ctx context.Context, p *prepared) (reused bool, err error) {
	in := r.job.Input
	p.key, err = derive("", "prepare", r.duplicateSpans(), r.opts.Code, p.input.survey.Digest(), in.CSV, r.job.Limits, p.input.unfitted(),
		r.job.Split, r.job.Normalize, r.job.Train.Shards)
	if err != nil {
		return false, err
	}
	p.folder = r.folder("prepare", p.key)
	fitted, err := r.fitted(ctx, p)
	if err != nil {
		return false, err
	}
	if err := r.makePlan(ctx, p, fitted); err != nil {
		return false, err
	}
	var found bool
	if p.rows, found, err = ledger.Load(ctx, r.out, p.manifest()); err != nil {
		return false, err
	}
	if !found || r.verify(ctx, p.rows.Parts) != nil {
		found = false
		if err := r.apply(ctx, p); err != nil {
			return false, err
		}
	}
	letters := append(fitted.Parts, p.rows.Parts...)
	if err := r.publishLetters(ctx, "prepare", letters); err != nil {
		return false, err
	}
	r.report.setRows(p.rows.Counts)
	if err := r.checkRows(p); err != nil {
		return false, err
	}
	return found, store.WriteAll(ctx, r.out, "plan.json", p.planFile)
}

// lookAtAll does what cleaning needs to know of all rows before it can say of one what
// becomes of it: it fits rules and finds duplicates. What it finds has a folder
// of its own, for several steps need it.
func (r *Run) lookAtAll(ctx context.Context, p *prepared) error {
	k, err := derive("", "rows", r.duplicateSpans(), r.opts.Code, p.input.survey.Digest(), r.job.Input.CSV, r.job.Limits, p.input.unfitted())
	if err != nil {
		return err
	}
	folder := r.folder("rows", k)
	if err := r.fitCleaning(ctx, p, folder); err != nil {
		return err
	}
	if err := r.findDuplicates(ctx, p, folder); err != nil {
		return err
	}
	return r.findNearDuplicates(ctx, p, folder)
}

// fitCleaning runs the pass that finds what some cleaning rules need to know of
// all rows, unless its manifest is there, and puts it in the input's spec.
func (r *Run) fitCleaning(ctx context.Context, p *prepared, folder string) error {
	fits := p.input.fits
	if len(fits) == 0 || p.input.clean.Fitted != nil {
		return nil
	}
	name := folder + "/cleaning.json"
	committed, found, err := ledger.Load(ctx, r.out, name)
	if err != nil {
		return err
	}
	if !found || r.verify(ctx, committed.Parts) != nil {
		sink := ledger.Sink{Store: r.out.URI(), Prefix: folder + "/cleaning"}
		err = r.submit(ctx, func(s beam.Scope) {
			var accumulators []beam.PCollection
			r.eachBranch(s, p, ledger.Sink{}, func(s beam.Scope, rows beam.PCollection, _ []beam.PCollection) {
				accumulators = append(accumulators, fit.Accumulate(s, fits, rows))
			})
			ledger.Commit(s, r.out.URI(), name, fit.Merge(s, sink, accumulators...))
		})
		if err != nil {
			return err
		}
		if committed, _, err = ledger.Load(ctx, r.out, name); err != nil {
			return err
		}
	}
	if p.input.clean.Fitted, err = fit.FittedOf(ctx, r.out, fits, committed); err != nil {
		return err
	}
	return p.input.bind()
}

// fitted runs the fitting pass, unless its manifest is there.
func (r *Run) fitted(ctx context.Context, p *prepared) (ledger.Entry, error) {
	if err := r.lookAtAll(ctx, p); err != nil {
		return ledger.Entry{}, err
	}
	name := p.folder + "/fitted.json"
	fitted, found, err := ledger.Load(ctx, r.out, name)
	if err != nil || found && r.verify(ctx, fitted.Parts) == nil {
		return fitted, err
	}
	sink := ledger.Sink{Store: r.out.URI(), Prefix: p.folder + "/fit"}
	err = r.submit(ctx, func(s beam.Scope) {
		var entries, accumulators []beam.PCollection
		r.eachBranch(s, p, sink, func(s beam.Scope, rows beam.PCollection, e []beam.PCollection) {
			entries = append(entries, e...)
			train := split.Only(s, r.job.Split, p.splitKey(r.job.Split), split.Train, rows)
			accumulators = append(accumulators, normalize.Accumulate(s, r.job.Normalize, p.input.schema, train))
		})
		entries = append(entries, normalize.Fit(s, sink, accumulators...))
		ledger.Commit(s, r.out.URI(), name, entries...)
	})
	if err != nil {
		return ledger.Entry{}, err
	}
	fitted, _, err = ledger.Load(ctx, r.out, name)
	if err != nil {
		return fitted, err
	}
	return fitted, r.checkDead(ctx, "prepare", fitted, p.input.survey.Rows)
}

// eachBranch builds a pass over the cleaned rows without duplicates, a branch
// for each worker.
func (r *Run) eachBranch(s beam.Scope, p *prepared, sink ledger.Sink, then func(beam.Scope, beam.PCollection, []beam.PCollection)) {
	for _, spans := range read.Spread(p.input.survey.Spans, r.opts.Workers) {
		r.branch(s, p, sink, spans, then)
	}
}

func (r *Run) branch(s beam.Scope, p *prepared, sink ledger.Sink, spans []table.Span, then func(beam.Scope, beam.PCollection, []beam.PCollection)) {
	rows, entries := p.input.cleaned(s, sink, spans)
	if p.duplicates != nil {
		var dropped beam.PCollection
		rows, dropped = clean.DropDuplicates(s, r.out.URI(), *p.duplicates, rows)
		entries = append(entries, dropped)
	}
	if p.near != nil {
		var dropped beam.PCollection
		rows, dropped = clean.DropListed(s, "near_duplicate", r.out.URI(), *p.near, rows)
		entries = append(entries, dropped)
	}
	then(s, rows, entries)
}

// duplicateSpans is the size of spans if a list of duplicates, which names rows
// by span, is part of what is made, and 0 if not.
func (r *Run) duplicateSpans() int64 {
	if r.job.Clean.DropDuplicates || r.job.Clean.NearDuplicates != nil {
		return r.job.Input.SpanBytes
	}
	return 0
}

// findDuplicates makes the list of rows that DropDuplicates leaves out, unless
// it is there or the job keeps duplicates.
func (r *Run) findDuplicates(ctx context.Context, p *prepared, folder string) error {
	if !r.job.Clean.DropDuplicates {
		return nil
	}
	name := folder + "/duplicates.json"
	manifest, found, err := ledger.Load(ctx, r.out, name)
	if err != nil {
		return err
	}
	if !found || r.verify(ctx, manifest.Parts) != nil {
		sink := ledger.Sink{Store: r.out.URI(), Prefix: folder + "/duplicates"}
		err = r.submit(ctx, func(s beam.Scope) {
			var hashes []beam.PCollection
			r.eachBranch(s, p, ledger.Sink{}, func(s beam.Scope, rows beam.PCollection, _ []beam.PCollection) {
				partitions := clean.Partitions(p.input.survey.Rows)
				hashes = append(hashes, clean.Hashes(s, p.input.columns(), partitions, sink, rows))
			})
			ledger.Commit(s, r.out.URI(), name, clean.FindDuplicatesIn(s, sink, beam.Flatten(s, hashes...)))
		})
		if err != nil {
			return err
		}
		if err := store.DeleteExcept(ctx, r.out, sink.Prefix+"/hashes/", nil); err != nil {
			return err
		}
		if manifest, _, err = ledger.Load(ctx, r.out, name); err != nil {
			return err
		}
	}
	p.duplicates = &manifest
	return nil
}

// findNearDuplicates makes the list of near duplicates among the rows that are no
// duplicates, unless it is there or the job keeps them.
func (r *Run) findNearDuplicates(ctx context.Context, p *prepared, folder string) error {
	if r.job.Clean.NearDuplicates == nil {
		return nil
	}
	name := folder + "/near.json"
	manifest, found, err := ledger.Load(ctx, r.out, name)
	if err != nil {
		return err
	}
	if !found || r.verify(ctx, manifest.Parts) != nil {
		if err := r.compareNear(ctx, p, folder, name); err != nil {
			return err
		}
		if manifest, _, err = ledger.Load(ctx, r.out, name); err != nil {
			return err
		}
	}
	p.near = &manifest
	return nil
}

// compareNear sketches all rows, then compares the sketches.
func (r *Run) compareNear(ctx context.Context, p *prepared, folder, name string) error {
	spec := *r.job.Clean.NearDuplicates
	partitions := nearby.Partitions(spec, p.input.survey.Rows)
	sketches := ledger.Sink{Store: r.out.URI(), Prefix: folder + "/near/sketches"}
	sketched := folder + "/near/sketches.json"
	err := r.submit(ctx, func(s beam.Scope) {
		var entries []beam.PCollection
		r.eachBranch(s, p, ledger.Sink{}, func(s beam.Scope, rows beam.PCollection, _ []beam.PCollection) {
			entries = append(entries, nearby.Sketch(s, spec, partitions, sketches, rows))
		})
		ledger.Commit(s, r.out.URI(), sketched, entries...)
	})
	if err != nil {
		return err
	}
	sink := ledger.Sink{Store: r.out.URI(), Prefix: folder + "/near/found"}
	err = r.submit(ctx, func(s beam.Scope) {
		ledger.Commit(s, r.out.URI(), name, nearby.Find(s, spec, partitions, sketched, sink))
	})
	if err != nil {
		return err
	}
	return store.DeleteExcept(ctx, r.out, folder+"/near/sketches/", nil)
}

// makePlan makes the Plan of the fitted statistics, the same bytes every time.
func (r *Run) makePlan(ctx context.Context, p *prepared, fitted ledger.Entry) error {
	plan, err := normalize.PlanOf(ctx, r.out, r.job.Normalize, p.input.schema, fitted)
	if err != nil {
		return err
	}
	p.plan = plan
	if p.planFile, err = plan.Encode(); err != nil {
		return err
	}
	p.planRef, err = store.PutNamed(ctx, r.out, "models/plan-"+hexOf(plan.Digest())+".json", p.planFile)
	return err
}

// apply runs the pass that writes the pieces.
func (r *Run) apply(ctx context.Context, p *prepared) error {
	sink := ledger.Sink{Store: r.out.URI(), Prefix: p.folder + "/pieces"}
	err := r.submit(ctx, func(s beam.Scope) {
		var entries []beam.PCollection
		r.eachBranch(s, p, ledger.Sink{}, func(s beam.Scope, rows beam.PCollection, e []beam.PCollection) {
			written := feed.Write(s, r.job.Split, p.splitKey(r.job.Split), r.job.Train.Shards, p.planFile, p.input.schema, sink, rows)
			entries = append(append(entries, e...), written)
		})
		ledger.Commit(s, r.out.URI(), p.manifest(), entries...)
	})
	if err != nil {
		return err
	}
	p.rows, _, err = ledger.Load(ctx, r.out, p.manifest())
	return err
}

// checkRows checks conservation, the limit of dead letters and that no split is empty.
func (r *Run) checkRows(p *prepared) error {
	c := p.rows.Counts
	if err := conserve(c["read"], p.input.survey.Rows, c["kept"], c.Sum("drop:"), c.Sum("dead:")); err != nil {
		return err
	}
	if err := r.tooManyDead(c, "prepare"); err != nil {
		return err
	}
	for _, part := range []string{"train", "validation", "test"} {
		if c["part:"+part] == 0 {
			return fmt.Errorf("the %s split has no rows of %d kept; give it a larger share in the split section, or more data", part, c["kept"])
		}
	}
	return nil
}

// conserve checks that every row of the survey is accounted for once.
func conserve(read, surveyed, kept, dropped, dead int64) error {
	if read != surveyed {
		return fmt.Errorf("rows are lost or doubled: the files have %d rows, %d were read", surveyed, read)
	}
	if read != kept+dropped+dead {
		return fmt.Errorf("rows are lost or doubled: %d read, but %d kept + %d dropped + %d dead", read, kept, dropped, dead)
	}
	return nil
}
