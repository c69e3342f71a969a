package pipelines

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/runners"
	"github.com/millrace-go/millrace/runners/direct"
	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/read"
)

// duplicateRows are rows from to to-1 of a table in which every third row is
// one seen before.
func duplicateRows(from, to int) string {
	var b strings.Builder
	b.WriteString("name,value\n")
	for i := from; i < to; i++ {
		v := i
		if i%3 == 2 {
			v = i - 2
		}
		fmt.Fprintf(&b, "row %d,%d\n", v, v)
	}
	return b.String()
}

// cut is a way to divide the same rows.
type cut struct {
	texts                          []string // of the files
	spanBytes                      int64
	batchRows, partitions, workers int
}

// open surveys the files of a cut in s.
func (c *cut) open(t *testing.T, s store.Store) *input {
	t.Helper()
	o := table.Options{SpanBytes: c.spanBytes, BatchRows: c.batchRows}
	var list []read.File
	for i, text := range c.texts {
		name := fmt.Sprintf("%d.csv", i)
		if err := store.WriteAll(context.Background(), s, name, []byte(text)); err != nil {
			t.Fatal(err)
		}
		list = append(list, read.File{Name: name, Path: name, Format: "csv", Options: o})
	}
	survey, err := read.Take(context.Background(), s, list, 2)
	if err != nil {
		t.Fatal(err)
	}
	in := &input{survey: survey, source: read.Source{Store: s.URI(), Options: o}, clean: clean.Spec{DropDuplicates: true}}
	if err := in.bind(); err != nil {
		t.Fatal(err)
	}
	return in
}

// pass runs a pass over the rows of in, a branch a worker; each branch gives
// the rows whose hashes are compared, and entries for the manifest.
func (c *cut) pass(t *testing.T, s store.Store, in *input, name string, branch func(beam.Scope, beam.PCollection) (rows, entries beam.PCollection)) map[string]int64 {
	t.Helper()
	return runPipeline(t, s, func(scope beam.Scope) {
		var hashes, notes []beam.PCollection
		sink := ledger.Sink{Store: s.URI(), Prefix: name}
		for _, spans := range read.Spread(in.survey.Spans, c.workers) {
			rows, entries := in.cleaned(scope, ledger.Sink{}, spans)
			notes = append(notes, entries...)
			if branch != nil {
				var more beam.PCollection
				rows, more = branch(scope, rows)
				notes = append(notes, more)
			}
			hashes = append(hashes, clean.Hashes(scope, in.columns(), c.partitions, sink, rows))
		}
		found := clean.FindDuplicatesIn(scope, sink, beam.Flatten(scope, hashes...))
		ledger.Commit(scope, s.URI(), name+".json", append(notes, found)...)
	})
}

// duplicatesIn reads the positions in a manifest, as "file row", in order.
func duplicatesIn(t *testing.T, s store.Store, in *input, manifest string) (list []string, e ledger.Entry) {
	t.Helper()
	ctx := context.Background()
	e, found, err := ledger.Load(ctx, s, manifest)
	if err != nil || !found {
		t.Fatalf("%s: found %v, %v", manifest, found, err)
	}
	for _, part := range e.Of("duplicates") {
		data, err := store.GetObject(ctx, s, part.Object)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := clean.DecodeEntries(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range entries {
			list = append(list, fmt.Sprintf("%s %02d", in.survey.Spans[d.Span].Name, d.Row))
		}
	}
	slices.Sort(list)
	return list, e
}

func runPipeline(t *testing.T, s store.Store, build func(beam.Scope)) map[string]int64 {
	t.Helper()
	p, scope := beam.NewPipelineWithRoot()
	build(scope)
	counters, err := runners.Run(context.Background(), direct.Runner{}, p, s.URI())
	if err != nil {
		t.Fatal(err)
	}
	return counters
}

// The same rows are dropped for any cut of the input, number of partitions and
// number of workers; none are left; and counters come back from the runner.
func TestDuplicatesPipeline(t *testing.T) {
	one := []string{duplicateRows(0, 60)}
	two := []string{duplicateRows(0, 25), duplicateRows(25, 60)}
	wants := map[int][]string{} // rows 3, 6, … of the whole, by the number of files
	for i := 3; i <= 60; i += 3 {
		wants[1] = append(wants[1], fmt.Sprintf("0.csv %02d", i))
		if i <= 25 {
			wants[2] = append(wants[2], fmt.Sprintf("0.csv %02d", i))
		} else {
			wants[2] = append(wants[2], fmt.Sprintf("1.csv %02d", i-25))
		}
	}
	for i, c := range []cut{{one, 1 << 20, 4096, 1, 1}, {one, 1 << 20, 7, 5, 1}, {one, 100, 3, 5, 2}, {two, 100, 4096, 2, 7}} {
		s, err := store.Local(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		in := c.open(t, s)
		c.pass(t, s, in, "first", nil)
		got, manifest := duplicatesIn(t, s, in, "first.json")
		if want := wants[len(c.texts)]; !slices.Equal(got, want) {
			t.Errorf("cut %d: got duplicates %v, want %v", i, got, want)
		}
		counters := c.pass(t, s, in, "second", func(scope beam.Scope, rows beam.PCollection) (beam.PCollection, beam.PCollection) {
			return clean.DropDuplicates(scope, s.URI(), manifest, rows)
		})
		left, e := duplicatesIn(t, s, in, "second.json")
		if len(left) > 0 {
			t.Errorf("cut %d: duplicates %v are left", i, left)
		}
		if err := conserve(e.Counts["read"], 60, e.Counts["kept"], e.Counts["drop:duplicate"], 0); err != nil || e.Counts["kept"] != 40 {
			t.Errorf("cut %d: got counts %v (%v), want 60 read, 40 kept", i, e.Counts, err)
		}
		if counters["millrace/rows_read"] != 60 || counters["millrace/rows_drop"] != 20 {
			t.Errorf("cut %d: got counters %v, want 60 rows_read and 20 rows_drop", i, counters)
		}
	}
}

// A message for users comes through the runner as it is; the rest of a pipeline's error stays behind.
func TestErrorOfATransform(t *testing.T) {
	s, err := store.Local(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p, scope := beam.NewPipelineWithRoot()
	spans := []table.Span{{File: "gone.csv", Format: "csv", Rows: 1, Length: 5}}
	read.Rows(scope, read.Source{Store: s.URI()}, ledger.Sink{}, spans)
	_, err = runners.Run(context.Background(), direct.Runner{}, p, s.URI())
	if err == nil || !strings.HasPrefix(err.Error(), "read: ") || !strings.Contains(err.Error(), "gone.csv") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got error %q, want one line that begins with read: and names gone.csv", err)
	}
	if _, err := runners.Run(cancelled(), direct.Runner{}, p, s.URI()); err == nil || err.Error() != context.Canceled.Error() {
		t.Errorf("cancelled: got error %v, want %v", err, context.Canceled)
	}
}

func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// Files of one input must have the same columns.
func TestTakeRefusesOtherColumns(t *testing.T) {
	ctx := context.Background()
	s, err := store.Local(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var list []read.File
	for i, header := range []string{"a,b", "a,c"} {
		name := fmt.Sprintf("%d.csv", i)
		if err := store.WriteAll(ctx, s, name, []byte(header+"\n1,2\n")); err != nil {
			t.Fatal(err)
		}
		list = append(list, read.File{Name: name, Path: name, Format: "csv"})
	}
	want := fmt.Sprintf(`column 2 is "b" (%[1]s) in 0.csv and "c" (%[1]s) in 1.csv`, arrow.BinaryTypes.String)
	if _, err := read.Take(ctx, s, list, 2); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want %q", err, want)
	}
}

func TestSpread(t *testing.T) {
	spans := make([]table.Span, 5)
	for i := range spans {
		spans[i].Index = i
	}
	for workers, want := range map[int]string{-1: "[0 1 2 3 4]", 1: "[0 1 2 3 4]", 2: "[0 2 4] [1 3]", 7: "[0] [1] [2] [3] [4]"} {
		var lists []string
		for _, list := range read.Spread(spans, workers) {
			var index []int
			for _, s := range list {
				index = append(index, s.Index)
			}
			lists = append(lists, fmt.Sprint(index))
		}
		if got := strings.Join(lists, " "); got != want {
			t.Errorf("%d workers: got %s, want %s", workers, got, want)
		}
	}
}
