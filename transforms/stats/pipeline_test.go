package stats

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/runners"
	"github.com/millrace-go/millrace/runners/direct"
	"github.com/millrace-go/millrace/transforms/ledger"
)

// cutBatches cuts rec at random and deals the batches to branches.
func cutBatches(r *rand.Rand, rec arrow.Record, branches int) [][]*batch.Batch {
	out := make([][]*batch.Batch, branches)
	for from := int64(0); from < rec.NumRows(); {
		to := min(rec.NumRows(), from+1+r.Int64N(300))
		numbers := make([]int64, to-from)
		for i := range numbers {
			numbers[i] = from + int64(i) + 1
		}
		k := r.IntN(branches)
		out[k] = append(out[k], &batch.Batch{Record: rec.NewSlice(from, to), File: "f", Rows: numbers})
		from = to
	}
	return out
}

// pass runs one pass over batches and returns what it committed.
func pass(t *testing.T, dir, name, kind string, batches [][]*batch.Batch, accumulate func(beam.Scope, beam.PCollection) beam.PCollection) (store.Store, ledger.Entry) {
	t.Helper()
	ctx := context.Background()
	uri := "file://" + dir
	p, s := beam.NewPipelineWithRoot()
	var all []beam.PCollection
	for _, list := range batches {
		if len(list) > 0 {
			all = append(all, accumulate(s, beam.Reshuffle(s, beam.CreateList(s, list))))
		}
	}
	done := Merge(s, ledger.Sink{Store: uri, Prefix: name}, kind, all...)
	ledger.Commit(s, uri, name+"/manifest.json", done)
	if _, err := runners.Run(ctx, direct.Runner{}, p, uri); err != nil {
		t.Fatal(err)
	}
	st, err := store.At(uri)
	if err != nil {
		t.Fatal(err)
	}
	entry, _, err := ledger.Load(ctx, st, name+"/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	return st, entry
}

// TestPipeline: on a runner, in two branches and with a second pass, the
// statistics are the same bytes as without one.
func TestPipeline(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(5, 5))
	rec := messy(r, 1500)
	o := Options{MaxDistinct: 100, SliceBy: []string{"few"}}
	want := slicerOf(t, o, rec)
	for {
		again := want.Whole.Refinement()
		if !again.Needed() {
			break
		}
		if err := again.Add(rec); err != nil {
			t.Fatal(err)
		}
		if err := want.Whole.Refine(again); err != nil {
			t.Fatal(err)
		}
	}
	wantStats, err := want.Statistics()
	if err != nil {
		t.Fatal(err)
	}

	dir, batches := t.TempDir(), cutBatches(r, rec, 2)
	st, entry := pass(t, dir, "one", PartStatistics, batches, func(s beam.Scope, in beam.PCollection) beam.PCollection {
		return Accumulate(s, o, rec.Schema(), in)
	})
	got, err := SlicerOfEntry(ctx, st, o, rec.Schema(), entry)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again := got.Whole.Refinement()
		if !again.Needed() {
			break
		}
		st, entry := pass(t, dir, "two", PartRecount, batches, func(s beam.Scope, in beam.PCollection) beam.PCollection {
			return Recount(s, again.Questions(), in)
		})
		if err := RefineWith(ctx, st, got.Whole, again, entry); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := got.Statistics()
	if err != nil {
		t.Fatal(err)
	}
	if a, b := encode(t, stats), encode(t, wantStats); !bytes.Equal(a, b) {
		t.Errorf("other statistics on a runner: got %d bytes want %d", len(a), len(b))
	}
}

// TestRetriedBundle: what a bundle took in before it failed is gone when a
// runner begins it again.
func TestRetriedBundle(t *testing.T) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(6, 6))
	rec := messy(r, 300)
	batches := cutBatches(r, rec, 1)[0]
	o := Options{SliceBy: []string{"few"}}
	fn := &accumulateFn{Options: o, Schema: batch.EncodeSchema(rec.Schema())}
	if err := fn.Setup(); err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{}
	for _, n := range []int{len(batches) / 2, len(batches)} {
		if err := fn.StartBundle(nil); err != nil {
			t.Fatal(err)
		}
		for _, b := range batches[:n] {
			if err := fn.ProcessElement(ctx, b, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := fn.FinishBundle(func(key string, data []byte) { got[key] = data }); err != nil {
		t.Fatal(err)
	}
	sameParts(t, got, partsOf(t, slicerOf(t, o, rec)))
}
