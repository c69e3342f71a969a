package direct

import (
	"context"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
)

func init() { register.Function2x1(countedFn) }

func countedFn(ctx context.Context, n int) int {
	beam.NewCounter("test", "seen").Inc(ctx, int64(n))
	return n
}

// unregistered has to be called by reflection.
type unregistered struct{ Add int }

func (f *unregistered) ProcessElement(n int) int { return n + f.Add }

func TestCheck(t *testing.T) {
	ctx := context.Background()
	p, s := beam.NewPipelineWithRoot()
	beam.ParDo(s, countedFn, beam.Create(s, 1, 2))
	if err := (Runner{}).Check(ctx, p, "file:///tmp"); err != nil {
		t.Errorf("registered: got error %v, want none", err)
	}
	if err := (Runner{}).Check(ctx, p, "gs://bucket"); err == nil || !strings.Contains(err.Error(), "gs://bucket, want a local folder") {
		t.Errorf("a store in the cloud: got error %v, want it refused", err)
	}
	beam.ParDo(s, &unregistered{Add: 1}, beam.Create(s, 1, 2))
	if err := (Runner{}).Check(ctx, p, "file:///tmp"); err == nil || !strings.Contains(err.Error(), "unregistered") {
		t.Errorf("unregistered: got error %v, want the type named", err)
	}
}

// Counters are summed over steps, of which two count under one name.
func TestCounters(t *testing.T) {
	p, s := beam.NewPipelineWithRoot()
	numbers := beam.Create(s, 1, 2, 3)
	beam.ParDo(s, countedFn, beam.ParDo(s, countedFn, numbers))
	got, err := Runner{}.Run(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got["test/seen"] != 12 {
		t.Errorf("got counters %v, want test/seen to be 6 in each of two steps", got)
	}
}
