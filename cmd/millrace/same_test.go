package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// outcome is what a run must always make of the same job and rows.
func outcome(t testing.TB, out string) map[string]string {
	t.Helper()
	all := files(t, out)
	maps.DeleteFunc(all, func(name, _ string) bool {
		folder, _, _ := strings.Cut(name, "/")
		return folder == "work" || name == "report.json" // which has seconds
	})
	all["model"] = reportOf(t, out).Model.Digest
	return all
}

func wantSame(t testing.TB, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s: got digest %q, want %q", name, got[name], want[name])
		}
	}
	for name := range got {
		if want[name] == "" {
			t.Errorf("got %s, want no such file", name)
		}
	}
}

// cutSmall cuts the rows into several spans of several batches.
var cutSmall = []string{"input: {files: [rows.csv]}", "input: {files: [rows.csv], span_bytes: 1024, batch_rows: 7}"}

func TestWorkersChangeNothing(t *testing.T) {
	rows, _, _ := dirtyRows()
	rows = strings.ReplaceAll(rows, strings.Repeat("r", 10_000_000), "red") // one fault fewer, and small spans
	rows += "300,1.5,red,1,a\n300,1.5,red,1,a\n"
	edits := slices.Concat(cutSmall, []string{"normalize:", "  drop_duplicates: true\nnormalize:", "batch_size: 16", "batch_size: 16, shards: 3"})
	base := fresh(t, rows, edits...)
	must(t, 0, base, "retrain", "job", "--out", "out", "--workers", "1")
	want := outcome(t, filepath.Join(base, "out"))
	if len(want) < 8 { // a model, two Plans, a release, letters of two steps, predictions in parts
		t.Errorf("got only %v, want the results of several spans", slices.Sorted(maps.Keys(want)))
	}
	for _, workers := range []int{1, 2, 2, 7, 7} {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) {
			t.Parallel()
			dir := fresh(t, rows, edits...)
			must(t, 0, dir, "retrain", "job", "--out", "out", "--workers", fmt.Sprint(workers))
			wantSame(t, outcome(t, filepath.Join(dir, "out")), want)
		})
	}
}

// The Plan and the model depend on the rows and their order alone, not on the files,
// spans and batches they come in.
func TestCutsChangeNothing(t *testing.T) {
	want := outcome(t, filepath.Join(released(t), "out"))
	duplicate := smallRow(4) + "\n"
	tests := []struct {
		name  string
		edits []string
		files map[string]string
	}{
		{name: "small spans", edits: cutSmall},
		{name: "batches of one row", edits: []string{"input: {files: [rows.csv]}", "input: {files: [rows.csv], batch_rows: 1}"}},
		{name: "two files", edits: []string{"input: {files: [rows.csv]}", `input: {files: ["part-*.csv"]}`}, files: map[string]string{
			"part-1.csv": smallRows(120), "part-2.csv": smallHeader + strings.TrimPrefix(smallRows(300), smallRows(120)),
		}},
		{name: "compressed", edits: []string{"input: {files: [rows.csv]}", `input: {files: ["*.csv.gz"]}`}, files: map[string]string{"r.csv.gz": zipped(t, smallRows(300))}},
		{name: "Parquet", edits: []string{"input: {files: [rows.csv]}", "input: {files: [rows.parquet]}"}, files: map[string]string{"rows.parquet": parquetRows(t, 300)}},
		{name: "duplicates dropped", edits: []string{"normalize:", "  drop_duplicates: true\nnormalize:", "input: {files: [rows.csv]}", `input: {files: ["part-*.csv"], span_bytes: 1024}`}, files: map[string]string{
			"part-1.csv": smallRows(120) + duplicate + duplicate, "part-2.csv": smallHeader + duplicate + strings.TrimPrefix(smallRows(300), smallRows(120)) + duplicate,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			edits := append(slices.Clone(tt.edits), "score: {input: {files: [rows.csv]}}\n", "")
			dir := fresh(t, smallRows(300), edits...)
			for name, text := range tt.files {
				write(t, filepath.Join(dir, "job", name), text)
			}
			must(t, 0, dir, "retrain", "job", "--out", "out")
			got := outcome(t, filepath.Join(dir, "out"))
			for _, name := range []string{"plan.json", "model"} {
				if got[name] != want[name] {
					t.Errorf("%s: got digest %s, want %s", name, got[name], want[name])
				}
			}
			r := reportOf(t, filepath.Join(dir, "out"))
			if strings.HasPrefix(tt.name, "duplicates") && (r.Rows.Read != 304 || r.Rows.Dropped["duplicate"] != 4) {
				t.Errorf("got rows %+v, want 304 read and 4 dropped as duplicates", r.Rows)
			}
		})
	}
}
