// Command millrace cleans data, trains, compresses and releases a model of it,
// and scores with the model. One binary submits jobs and works on them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/pipelines"
	"github.com/millrace-go/millrace/pipelines/job"
	"github.com/millrace-go/millrace/transforms/schema"
)

// Exit codes.
const (
	exitDone     = 0 // done, or nothing to do
	exitFailed   = 1 // the run failed
	exitUsage    = 2 // wrong use, or a wrong job file
	exitRejected = 3 // the candidate was not released, or the data has anomalies
)

// errInterrupted is the cause of a context cancelled by a signal.
var errInterrupted = errors.New("interrupted; run the same command again to go on where it stopped")

func main() {
	if isWorker(os.Args[1:]) {
		flag.Parse()
		beam.Init() // serves the runner that started this process, and exits
	}
	os.Exit(run(os.Args[1:]))
}

// isWorker says whether a runner's boot code started this process.
func isWorker(args []string) bool {
	for _, a := range args {
		if a = strings.TrimLeft(a, "-"); a == "worker" || a == "worker=true" {
			return true
		}
	}
	return false
}

func run(args []string) int {
	steadyHeap()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel(errInterrupted)
		<-signals // a second one does not wait
		os.Exit(exitFailed)
	}()
	cmd := rootCommand()
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(os.Stderr, "millrace: "+strings.TrimSpace(err.Error()))
	return exitCode(err)
}

// exitCode sorts errors: of use and of the job and schema files, of the gate and the data, and the rest.
func exitCode(err error) int {
	var wrongJob *job.Error
	var wrongSchema *schema.FileError
	var wrongUse usageError
	switch {
	case errors.Is(err, pipelines.ErrRejected), errors.Is(err, pipelines.ErrAnomalies):
		return exitRejected
	case errors.As(err, &wrongJob), errors.As(err, &wrongSchema), errors.As(err, &wrongUse):
		return exitUsage
	default:
		return exitFailed
	}
}

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
