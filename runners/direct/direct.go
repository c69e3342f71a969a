// Package direct runs pipelines in this process, on Beam's prism.
//
// Prism's job server listens on a free port of every interface for as long as
// the process lives: on a shared machine, firewall it.
package direct

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/metrics"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/vet"
)

// Runner is the in-process runner.
type Runner struct{}

// Name is "direct".
func (Runner) Name() string { return "direct" }

// Check refuses a pipeline that needs reflection to run, which would be slow
// here and fail elsewhere.
func (Runner) Check(ctx context.Context, p *beam.Pipeline, storeURI string) error {
	if !strings.HasPrefix(storeURI, "file://") {
		return fmt.Errorf("direct runner: the store is %s, want a local folder", storeURI)
	}
	eval, err := vet.Evaluate(ctx, p)
	if err != nil {
		return fmt.Errorf("direct runner: %w", err)
	}
	if !eval.Performant() {
		eval.Generate("main")
		return fmt.Errorf("direct runner: the pipeline has unregistered functions or types:\n%s", eval.Bytes())
	}
	return nil
}

// submission serialises runs: Beam's job options are global to the process.
var submission sync.Mutex

// Run executes p. When ctx ends it returns at once; bundles in flight are
// abandoned, which is safe because they commit whole objects or nothing.
func (Runner) Run(ctx context.Context, p *beam.Pipeline) (map[string]int64, error) {
	submission.Lock()
	restore, err := ownTempDir()
	if err != nil {
		submission.Unlock()
		return nil, err
	}
	type outcome struct {
		counters map[string]int64
		err      error
	}
	done := make(chan outcome, 1)
	go func() {
		defer submission.Unlock()
		counters, err := execute(context.WithoutCancel(ctx), p)
		restore() // before the outcome is known: the process may end then
		done <- outcome{counters, err}
	}()
	select {
	case o := <-done:
		return o.counters, o.err
	case <-ctx.Done():
		restore()
		return nil, context.Cause(ctx)
	}
}

func execute(ctx context.Context, p *beam.Pipeline) (map[string]int64, error) {
	initOnce.Do(initBeam)
	res, err := prism.Execute(ctx, p)
	if err != nil {
		return nil, err
	}
	return counters(res), nil
}

// ownTempDir points TMPDIR to a folder that restore removes: Beam leaves a file
// there for each pipeline. restore may be called more than once.
func ownTempDir() (restore func(), err error) {
	dir, err := os.MkdirTemp("", "millrace-beam-")
	if err != nil {
		return nil, fmt.Errorf("direct runner: %w; set TMPDIR to a folder that can be written", err)
	}
	old, had := os.LookupEnv("TMPDIR")
	os.Setenv("TMPDIR", dir)
	return sync.OnceFunc(func() {
		os.RemoveAll(dir)
		if had {
			os.Setenv("TMPDIR", old)
		} else {
			os.Unsetenv("TMPDIR")
		}
	}), nil
}

// counters sums over steps: step names differ by runner.
func counters(res beam.PipelineResult) map[string]int64 {
	sums := map[string]int64{}
	all := res.Metrics().Query(func(metrics.SingleResult) bool { return true })
	for _, c := range all.Counters() {
		sums[c.Key.Namespace+"/"+c.Key.Name] += c.Result()
	}
	return sums
}

var initOnce sync.Once

// initBeam initializes Beam, which sets up its own logs, and silences them:
// what a user needs of them is in the error that Run returns.
// MILLRACE_BEAM_LOG=1 shows them.
func initBeam() {
	beam.Init()
	if os.Getenv("MILLRACE_BEAM_LOG") != "" {
		return
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(io.Discard, nil)))
	log.SetLogger(discard{})
}

type discard struct{}

func (discard) Log(context.Context, log.Severity, int, string) {}
