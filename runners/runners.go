// Package runners starts pipelines on the engines that can run them, after
// checking that the engine offers what the pipeline needs.
package runners

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/internal/fault"
	"github.com/millrace-go/millrace/runners/direct"
)

// Runner runs pipelines on one engine. To add one, write its package below
// runners and list it in all.
type Runner interface {
	Name() string
	// Check says why the engine cannot run p, whose objects live in the store
	// at storeURI, before anything is launched.
	Check(ctx context.Context, p *beam.Pipeline, storeURI string) error
	// Run executes p and returns its counters by "namespace/name", summed over
	// steps. It returns as soon as ctx is cancelled.
	Run(ctx context.Context, p *beam.Pipeline) (map[string]int64, error)
}

// all is the runner table.
var all = []Runner{direct.Runner{}}

// Names lists the runners, the default first.
func Names() []string {
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = r.Name()
	}
	return names
}

// Lookup returns the runner of a name; the error lists the names there are.
func Lookup(name string) (Runner, error) {
	for _, r := range all {
		if r.Name() == name {
			return r, nil
		}
	}
	return nil, fmt.Errorf("unknown runner %q; there is: %s", name, strings.Join(Names(), ", "))
}

// Run checks p and runs it. The error is the message of the transform that
// failed, without the runner's description of the bundle around it.
func Run(ctx context.Context, r Runner, p *beam.Pipeline, storeURI string) (map[string]int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	if err := r.Check(ctx, p, storeURI); err != nil {
		return nil, err
	}
	counters, err := r.Run(ctx, p)
	if err == nil {
		return counters, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if text, ok := fault.Text(err); ok {
		return nil, fmt.Errorf("%s", text)
	}
	return nil, fmt.Errorf("%s runner: %s", r.Name(), fault.Last(err))
}
