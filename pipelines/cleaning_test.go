package pipelines

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/pipelines/job"
	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/clean/fit"
	"github.com/millrace-go/millrace/transforms/clean/nearby"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/read"
)

// measured are n rows with two outliers, and words of which some are rare.
func measured(n int) string {
	var b strings.Builder
	b.WriteString("name,value\n")
	for i := range n {
		value := i % 10
		if i == 17 || i == 31 {
			value = 1000 * i
		}
		fmt.Fprintf(&b, "word %d,%d\n", min(i%7, i/20), value)
	}
	return b.String()
}

// What is fitted, and the rows that come of it, are the same for any cut of the
// input and any number of workers; and no row is lost.
func TestFittedCleaningPipeline(t *testing.T) {
	var want string
	for i, c := range []cut{{[]string{measured(90)}, 1 << 20, 4096, 1, 1}, {[]string{measured(90)}, 100, 3, 1, 3}, {[]string{measured(90)}, 300, 7, 1, 2}} {
		s, err := store.Local(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		in := c.open(t, s)
		in.clean = clean.Spec{Columns: []clean.Column{
			{Name: "name", Type: "string", Rare: &clean.Rare{MinCount: 11}},
			{Name: "value", Type: "int64", Outliers: &clean.Outliers{Method: clean.Hampel, Action: clean.Drop}},
		}}
		if err := in.bind(); err != nil {
			t.Fatal(err)
		}
		sink := ledger.Sink{Store: s.URI(), Prefix: "fit"}
		runPipeline(t, s, func(scope beam.Scope) {
			var accumulators []beam.PCollection
			for _, spans := range read.Spread(in.survey.Spans, c.workers) {
				rows, _ := in.cleaned(scope, ledger.Sink{}, spans)
				accumulators = append(accumulators, fit.Accumulate(scope, in.fits, rows))
			}
			ledger.Commit(scope, s.URI(), "fit.json", fit.Merge(scope, sink, accumulators...))
		})
		committed, found, err := ledger.Load(context.Background(), s, "fit.json")
		if err != nil || !found {
			t.Fatalf("found %v, %v", found, err)
		}
		if in.clean.Fitted, err = fit.FittedOf(context.Background(), s, in.fits, committed); err != nil {
			t.Fatal(err)
		}
		if err := in.bind(); err != nil {
			t.Fatal(err)
		}
		c.pass(t, s, in, "after", nil)
		duplicates, e := duplicatesIn(t, s, in, "after.json")
		if err := conserve(e.Counts["read"], 90, e.Counts["kept"], e.Counts["drop:value.outliers"], 0); err != nil || e.Counts["kept"] != 88 {
			t.Errorf("cut %d: got counts %v (%v), want 90 read, 88 kept", i, e.Counts, err)
		}
		text, err := json.Marshal([]any{in.clean.Fitted, duplicates})
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(text)
		}
		if string(text) != want {
			t.Errorf("cut %d: got %s, want %s", i, text, want)
		}
	}
	if !strings.Contains(want, `"Common":["word 0","word 1","word 2","word 3"]`) { // word 4 is in 5 rows
		t.Errorf("got %s, want word 0 to 3 to be common", want)
	}
}

// similar are n rows; every third has the text of the one two before it, but for a word.
func similar(n int) string {
	var b strings.Builder
	b.WriteString("text\n")
	for i := range n {
		of, word := i, "x"
		if i%3 == 2 {
			of, word = i-2, "y"
		}
		for k := range 30 {
			fmt.Fprintf(&b, "w%d ", of*100+k)
		}
		fmt.Fprintf(&b, "%s\n", word)
	}
	return b.String()
}

// The same near duplicates are dropped for any cut of the input, number of
// partitions and number of workers, and no row is lost.
func TestNearDuplicatesPipeline(t *testing.T) {
	spec := clean.NearDuplicates{Column: "text", Threshold: 0.9}
	for i, c := range []cut{{[]string{similar(60)}, 1 << 20, 4096, 1, 1}, {[]string{similar(60)}, 1000, 3, 5, 2}} {
		s, err := store.Local(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		in := c.open(t, s)
		runPipeline(t, s, func(scope beam.Scope) {
			var entries []beam.PCollection
			for _, spans := range read.Spread(in.survey.Spans, c.workers) {
				rows, _ := in.cleaned(scope, ledger.Sink{}, spans)
				entries = append(entries, nearby.Sketch(scope, spec, c.partitions, ledger.Sink{Store: s.URI(), Prefix: "sketches"}, rows))
			}
			ledger.Commit(scope, s.URI(), "sketches.json", entries...)
		})
		runPipeline(t, s, func(scope beam.Scope) {
			found := nearby.Find(scope, spec, c.partitions, "sketches.json", ledger.Sink{Store: s.URI(), Prefix: "found"})
			ledger.Commit(scope, s.URI(), "near.json", found)
		})
		got, manifest := duplicatesIn(t, s, in, "near.json")
		var want []string
		for row := 3; row <= 60; row += 3 {
			want = append(want, fmt.Sprintf("0.csv %02d", row))
		}
		if !slices.Equal(got, want) {
			t.Errorf("cut %d: got %v, want %v", i, got, want)
		}
		c.pass(t, s, in, "after", func(scope beam.Scope, rows beam.PCollection) (beam.PCollection, beam.PCollection) {
			return clean.DropListed(scope, "near_duplicate", s.URI(), manifest, rows)
		})
		_, e := duplicatesIn(t, s, in, "after.json")
		if err := conserve(e.Counts["read"], 60, e.Counts["kept"], e.Counts["drop:near_duplicate"], 0); err != nil || e.Counts["kept"] != 40 {
			t.Errorf("cut %d: got counts %v (%v), want 60 read, 40 kept", i, e.Counts, err)
		}
	}
}

// Prepare takes every pass that cleaning can need, gives the same Plan for any
// number of workers, and finds all of it done the second time.
func TestPrepareWithAllPasses(t *testing.T) {
	folder := t.TempDir()
	var data strings.Builder
	data.WriteString("at,text,value,label\n")
	for i := range 240 {
		value := i % 10
		if i%60 == 1 {
			value = 999
		}
		fmt.Fprintf(&data, "2024-%02d-03,%s,\"%d,000\",%d\n", 1+i/20, strings.Repeat(fmt.Sprintf("w%d x%d ", i/2, i/2*7), 20), value, i/2%2)
	}
	text := `
input: {files: [a.csv], span_bytes: 1024}
clean:
  columns:
    - {name: at, type: date}
    - {name: text, type: string, rare: {min_count: 2}}
    - {name: value, type: int64, number: {thousands: ","}, outliers: {method: iqr, action: drop}}
    - {name: label, type: int64}
  derive: [{name: half, expr: value / 2}]
  rules: [{name: eight, expr: value != 8000, action: drop}]
  near_duplicates: {column: text}
split: {time: {column: at, validation: "2024-09-01", test: "2024-11-01"}}
normalize: {features: [{column: half, scale: z_score}], label: {column: label}}
model: {arch: tabular}
`
	for name, content := range map[string]string{"a.csv": data.String(), "job.yaml": text} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var want string
	for _, workers := range []int{1, 3} {
		out := t.TempDir()
		for range 2 {
			j, err := job.Load(filepath.Join(folder, "job.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			r, err := Open(context.Background(), j, Options{Out: out, Workers: workers, Code: "test"})
			if err != nil {
				t.Fatal(err)
			}
			p, err := r.prepare(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(p.rows.Counts, p.plan.Digest())
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%d workers: got %s, want %s", workers, got, want)
			}
		}
	}
	for _, part := range []string{"drop:value.outliers:4", "drop:rules.eight:24", "drop:near_duplicate:", "part:test:", "read:240"} {
		if !strings.Contains(want, part) {
			t.Errorf("got %s, want %s in it", want, part)
		}
	}
}
