// Package pipelines composes transforms into whole jobs: prepare, train,
// compress, score, and retrain, which is all of them with a gate.
//
// A Run does one of them. Every step keeps its results under a key made of
// what they depend on (code, job, data), in the work folder below --out, so a
// run that was killed goes on where it stopped, and a step whose inputs did
// not change is not done again.
package pipelines

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/internal/progress"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/pipelines/job"
	"github.com/millrace-go/millrace/runners"
	"github.com/millrace-go/millrace/transforms/read"
)

// Options are how a job is run; they do not change its results.
type Options struct {
	// Out is the folder of everything that a run leaves.
	Out string
	// Runner names the engine. The default is "direct".
	Runner string
	// Workers is the number of parts that work is dealt to. The default is 1.
	Workers int
	// Code identifies the program: results of another program are not reused.
	Code string
	// Observe is told what happens; nil to tell nobody. It is called by one goroutine at a time.
	Observe func(Event)
}

// Event is something that a user may want to see.
type Event struct {
	Step   string
	Kind   EventKind
	Detail string        // what the step did, in a few words
	Time   time.Duration // of an Ended step
}

// EventKind says what an Event is about.
type EventKind string

// The kinds of events.
const (
	Started EventKind = "started"
	Ended   EventKind = "ran"
	Reused  EventKind = "reused"
	Message EventKind = "message"
)

// Run is one run of a job. It holds the lock of its --out until Close.
type Run struct {
	job    *job.Job
	opts   Options
	runner runners.Runner
	out    store.Store
	files  store.Store // the file system: where sources are
	unlock func() error
	report *Report

	surveys map[*job.Input]*read.Survey
	used    map[string]bool // work folders
}

// Open prepares a run and locks opts.Out: a second run on the same folder
// fails. What a killed run left half written is removed.
func Open(ctx context.Context, j *job.Job, opts Options) (*Run, error) {
	if opts.Runner == "" {
		opts.Runner = "direct"
	}
	if opts.Observe == nil {
		opts.Observe = func(Event) {}
	}
	r := &Run{job: j, opts: opts, report: newReport(j), surveys: map[*job.Input]*read.Survey{}, used: map[string]bool{}}
	var err error
	if r.runner, err = runners.Lookup(opts.Runner); err != nil {
		return nil, err
	}
	out, err := filepath.Abs(opts.Out)
	if err != nil {
		return nil, err
	}
	if r.unlock, err = store.Lock(out); err != nil {
		return nil, err
	}
	if r.out, err = store.Local(out); err == nil {
		r.files, err = store.Local("/")
	}
	if err == nil {
		_, err = store.SweepTemporaries(ctx, r.out)
	}
	if err != nil {
		r.unlock()
		return nil, err
	}
	return r, nil
}

// Close removes what a failed run left half written, and releases the lock.
func (r *Run) Close() error {
	_, err := store.SweepTemporaries(context.Background(), r.out)
	if errors.Is(err, store.ErrNotExist) { // a bundle that was abandoned removed its own
		err = nil
	}
	return errors.Join(err, r.unlock())
}

// key is a digest of what results depend on.
type key string

// derive makes a key of another one and of values, by their JSON.
func derive(from key, parts ...any) (key, error) {
	h := sha256.New()
	fmt.Fprintln(h, from)
	for _, p := range parts {
		data, err := json.Marshal(p)
		if err != nil {
			return "", fmt.Errorf("pipelines: key: %w", err)
		}
		fmt.Fprintf(h, "%d %s\n", len(data), data)
	}
	return key(hex.EncodeToString(h.Sum(nil))), nil
}

// folder is where a step keeps the objects of a key.
func (r *Run) folder(step string, k key) string {
	name := "work/" + step + "-" + string(k)[:16]
	r.used[name] = true
	return name
}

// submit builds a pipeline and runs it.
func (r *Run) submit(ctx context.Context, build func(beam.Scope)) error {
	p, s := beam.NewPipelineWithRoot()
	build(s)
	_, err := runners.Run(ctx, r.runner, p, r.out.URI())
	return err
}

// step runs one step and reports it; do says whether it found its results made.
func (r *Run) step(ctx context.Context, name string, do func() (reused bool, detail string, err error)) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	began := time.Now()
	progress.Reset()
	r.opts.Observe(Event{Step: name, Kind: Started})
	reused, detail, err := do()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	e := Event{Step: name, Kind: Ended, Detail: detail, Time: time.Since(began)}
	if reused {
		e.Kind = Reused
	}
	r.report.Steps = append(r.report.Steps, StepReport{Name: name, Status: string(e.Kind), Seconds: round3(e.Time.Seconds())})
	r.opts.Observe(e)
	return nil
}

func (r *Run) say(step, format string, args ...any) {
	r.opts.Observe(Event{Step: step, Kind: Message, Detail: fmt.Sprintf(format, args...)})
}
