package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/transforms/schema"
	"github.com/millrace-go/millrace/transforms/stats"
)

func statisticsOf(t testing.TB, name string) *stats.Statistics {
	t.Helper()
	s, err := stats.Decode([]byte(read(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func kindsOf(t testing.TB, name string) []string {
	t.Helper()
	var r schema.Report
	if err := json.Unmarshal([]byte(read(t, name)), &r); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, a := range r.Anomalies {
		out = append(out, a.Column+" "+string(a.Kind))
	}
	return out
}

// statsFolder are the files of out/stats without the kept distributions.
func statsFolder(t testing.TB, dir string) map[string]string {
	t.Helper()
	return files(t, filepath.Join(dir, "out", "stats"))
}

// The statistics are the same bytes for any workers and spans, and those of the
// parts of the split add up to those of all rows.
func TestStatsAreTheSameBytes(t *testing.T) {
	t.Parallel()
	rows, _, _ := dirtyRows()
	rows += "300,1.5,red,1,a\n300,1.5,red,1,a\n"
	duplicates := []string{"normalize:", "  drop_duplicates: true\nnormalize:", "score: {", "stats: {slice_by: [colour], correlations: true, max_distinct: 64}\nscore: {"}
	base := fresh(t, rows, duplicates...)
	res := must(t, 0, base, "stats", "job", "--out", "out", "--workers", "1")
	want := statsFolder(t, base)
	if len(want) != 5 { // all, train, validation, test and the page
		t.Errorf("got the files %v, want 5", want)
	}
	all := statisticsOf(t, filepath.Join(base, "out", "stats", "statistics.json"))
	sum := int64(0)
	for _, part := range []string{"train", "validation", "test"} {
		s := statisticsOf(t, filepath.Join(base, "out", "stats", "statistics-"+part+".json"))
		if s.Rows == 0 {
			t.Errorf("%s has no rows", part)
		}
		sum += s.Rows
	}
	if sum != all.Rows || !strings.Contains(res.stdout, fmt.Sprintf(" read, %d kept", all.Rows)) {
		t.Errorf("got %d rows in the parts and %d in all, want the same and both in %s", sum, all.Rows, res.stdout)
	}
	if m := all.Column("x").Numeric.Moments; !m.Exact || all.Column("x").Unique.Count <= 64 {
		t.Errorf("got x with exact %v and %d distinct values, want exact ones of more than the limit", m.Exact, all.Column("x").Unique.Count)
	}
	if len(all.Slices) != 3 || len(all.Correlations) == 0 {
		t.Errorf("got %d slices and %d correlations, want 3 and some", len(all.Slices), len(all.Correlations))
	}
	for i, c := range []struct{ workers, input string }{
		{"2", "input: {files: [rows.csv]}"}, {"3", "input: {files: [rows.csv], span_bytes: 1024, batch_rows: 7}"},
	} {
		dir := fresh(t, rows, append(slices.Clone(duplicates), "input: {files: [rows.csv]}", c.input)...)
		must(t, 0, dir, "stats", "job", "--out", "out", "--workers", c.workers)
		got := statsFolder(t, dir)
		for name, sum := range want {
			if got[name] != sum {
				t.Errorf("cut %d: %s has digest %s, want %s", i, name, got[name], sum)
			}
		}
	}
}

// A file that is added to others is read alone, and the result is as if all were.
func TestStatsReadNewFilesAlone(t *testing.T) {
	t.Parallel()
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprintf("drop_duplicates=%v", drop), func(t *testing.T) {
			t.Parallel()
			edits := []string{"input: {files: [rows.csv]}", `input: {files: ["day-*.csv"], span_bytes: 1024}`}
			if drop {
				edits = append(edits, "normalize:", "  drop_duplicates: true\nnormalize:")
			}
			day := func(from, to int) string {
				return smallHeader + strings.TrimPrefix(smallRows(to), smallRows(from)) + "1,2,3\nx,1,red,1,a\n" // one is ragged, one has no id
			}
			days := map[string]string{"day-1.csv": day(0, 100), "day-2.csv": day(100, 180), "day-3.csv": day(180, 300), "day-0.csv": smallHeader + "900,1.5,red,1,a\n"}
			dir, scratch := fresh(t, "", edits...), fresh(t, "", edits...)
			for _, name := range []string{"day-1.csv", "day-3.csv"} {
				write(t, filepath.Join(dir, "job", name), days[name])
			}
			must(t, 0, dir, "stats", "job", "--out", "out")
			before := written(t, filepath.Join(dir, "out", "work"))
			for name, text := range days {
				write(t, filepath.Join(dir, "job", name), text)
				write(t, filepath.Join(scratch, "job", name), text)
			}
			must(t, 0, dir, "stats", "job", "--out", "out")
			must(t, 0, scratch, "stats", "job", "--out", "out")
			wantSame(t, statsFolder(t, dir), statsFolder(t, scratch))
			wantSame(t, files(t, filepath.Join(dir, "out", "deadletters")), files(t, filepath.Join(scratch, "out", "deadletters")))
			kept := 0
			for name, at := range written(t, filepath.Join(dir, "out", "work")) {
				if strings.HasSuffix(name, "/gathered.json") && before[name] == at {
					kept++
				}
			}
			want := 2
			if drop {
				want = 0
			}
			if kept != want {
				t.Errorf("%d groups of files were not looked at again, want %d", kept, want)
			}
		})
	}
}

// written says when each file below dir was written.
func written(t testing.TB, dir string) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for name := range files(t, dir) {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = info.ModTime().UnixNano()
	}
	return out
}

// withSchema is a folder with a small job and the schema of its rows.
func withSchema(t testing.TB, edits ...string) string {
	t.Helper()
	dir := fresh(t, smallRows(300), append([]string{"score: {", "stats: {schema: schema.yaml}\nscore: {"}, edits...)...)
	must(t, 0, dir, "stats", "job", "--out", "first", "--write-schema", filepath.Join("job", "schema.yaml"))
	if err := os.RemoveAll(filepath.Join(dir, "first")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWriteSchema(t *testing.T) {
	t.Parallel()
	dir := withSchema(t)
	name := filepath.Join(dir, "job", "schema.yaml")
	s, err := schema.Parse([]byte(read(t, name)), name)
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Column("colour"); c == nil || fmt.Sprint(c.Domain) != "[blue green red]" {
		t.Errorf("got column colour %+v, want its domain", c)
	}
	write(t, name, "# mine\n")
	res := must(t, 2, dir, "stats", "job", "--write-schema", filepath.Join("job", "schema.yaml"))
	if m := res.message(t); !strings.Contains(m, "is there already") || read(t, name) != "# mine\n" {
		t.Errorf("got message %q and file %q, want a refusal and the file as it was", m, read(t, name))
	}
}

func TestValidateData(t *testing.T) {
	const domain = "      - red\n"
	tests := []struct {
		name   string
		change func(t *testing.T, dir string)
		code   int
		want   []string // anomalies
		says   string   // on either output
	}{
		{"as it was", func(*testing.T, string) {}, 0, nil, "input: no anomalies"},
		{"a colour that the schema lacks", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "job", "schema.yaml"), domain, "")
		}, 3, []string{"colour ENUM_TYPE_UNEXPECTED_STRING_VALUES"}, `see stats/stats.html`},
		{"only warned of", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "job", "schema.yaml"), domain, "")
			edit(t, filepath.Join(dir, "job", "job.yaml"), "schema: schema.yaml", "schema: schema.yaml, on_anomaly: warn")
		}, 0, []string{"colour ENUM_TYPE_UNEXPECTED_STRING_VALUES"}, "colour  error"},
		{"of severity warning", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "job", "schema.yaml"), domain, "")
			edit(t, filepath.Join(dir, "job", "schema.yaml"), "  - name: colour\n", "  - name: colour\n    severity: warning\n")
		}, 0, []string{"colour ENUM_TYPE_UNEXPECTED_STRING_VALUES"}, "colour  warning"},
		{"too few rows", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "job", "schema.yaml"), "version: 1\n", "version: 1\nrows: {min: 1000}\n")
		}, 3, []string{" DATASET_LOW_NUM_EXAMPLES"}, "(table)"},
		{"other columns only", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "job", "schema.yaml"), domain, "")
			edit(t, filepath.Join(dir, "job", "job.yaml"), "schema: schema.yaml", "schema: schema.yaml, columns: [x, kind]")
		}, 0, nil, "input: no anomalies"},
		{"a damaged schema", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, "job", "schema.yaml"), "version: 1\ncolumns:\n  - name: x\n    typ: float\n")
		}, 2, nil, filepath.Join("job", "schema.yaml") + ":4:5: "},
		{"no schema file", func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "job", "schema.yaml")); err != nil {
				t.Fatal(err)
			}
		}, 2, nil, "job.yaml:20:17: stats.schema: no file job/schema.yaml; millrace stats --write-schema"},
		{"no schema named", func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "job", "job.yaml"), "stats: {schema: schema.yaml}\n", "")
		}, 2, nil, "stats.schema: the job names no schema"},
	}
	base := withSchema(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(base)); err != nil {
				t.Fatal(err)
			}
			tt.change(t, dir)
			res := must(t, tt.code, dir, "validate-data", "job", "--out", "out")
			if !strings.Contains(res.stdout+res.stderr, tt.says) {
				t.Errorf("got output %s%s, want it to say %q", res.stdout, res.stderr, tt.says)
			}
			if tt.code == 2 {
				return
			}
			if got := kindsOf(t, filepath.Join(dir, "out", "stats", "anomalies.json")); !slices.Equal(got, tt.want) {
				t.Errorf("got anomalies %q, want %q", got, tt.want)
			}
			wantClean(t, dir)
		})
	}
}

// Drift is measured from the data that last passed; data that did not pass is no such base.
func TestDrift(t *testing.T) {
	t.Parallel()
	dir := withSchema(t)
	edit(t, filepath.Join(dir, "job", "schema.yaml"), "version: 1\n", "version: 1\ndrift: {ks: 0.2}\n")
	rows := filepath.Join(dir, "job", "rows.csv")
	run := func(code int) []string {
		must(t, code, dir, "validate-data", "job", "--out", "out")
		return kindsOf(t, filepath.Join(dir, "out", "stats", "anomalies.json"))
	}
	if got := run(0); len(got) > 0 {
		t.Errorf("the first data: got anomalies %q, want none", got)
	}
	shifted := strings.Split(smallRows(300), "\n")
	for i, line := range shifted {
		cells := strings.Split(line, ",")
		if i > 0 && len(cells) == 5 {
			cells[1] = "20" + strings.TrimLeft(cells[1], "-")[1:]
			shifted[i] = strings.Join(cells, ",")
		}
	}
	write(t, rows, strings.Join(shifted, "\n"))
	want := []string{"x COMPARATOR_KS_HIGH"}
	for range 2 { // it did not pass, so it is no base the second time either
		if got := run(3); !slices.Equal(got, want) {
			t.Errorf("shifted: got anomalies %q, want %q", got, want)
		}
	}
	edit(t, filepath.Join(dir, "job", "job.yaml"), "schema: schema.yaml", "schema: schema.yaml, on_anomaly: warn")
	for range 2 { // the data itself is not what it is compared with
		if got := run(0); !slices.Equal(got, want) {
			t.Errorf("warned of: got anomalies %q, want %q", got, want)
		}
	}
	write(t, rows, strings.Join(shifted[:290], "\n"))
	if got := run(0); len(got) > 0 {
		t.Errorf("after it was accepted: got anomalies %q, want none", got)
	}
}

// Skew is that of the score input from the train rows.
func TestSkew(t *testing.T) {
	t.Parallel()
	dir := withSchema(t, "score: {input: {files: [rows.csv]}}", "score: {input: {files: [today.csv]}}")
	edit(t, filepath.Join(dir, "job", "schema.yaml"), "version: 1\n", "version: 1\nskew: {l_infinity: 0.3}\n")
	var today strings.Builder // without the label
	today.WriteString("x,colour,weight\n")
	for i := range 60 {
		fmt.Fprintf(&today, "%d,red,1\n", i%7)
	}
	write(t, filepath.Join(dir, "job", "today.csv"), today.String())
	must(t, 3, dir, "validate-data", "job", "--out", "out")
	if got := kindsOf(t, filepath.Join(dir, "out", "stats", "anomalies.json")); len(got) > 0 {
		t.Errorf("the input: got anomalies %q, want none", got)
	}
	if got, want := kindsOf(t, filepath.Join(dir, "out", "stats", "anomalies-score.json")), []string{"colour COMPARATOR_L_INFTY_HIGH"}; !slices.Equal(got, want) {
		t.Errorf("the score input: got anomalies %q, want %q", got, want)
	}
}

// Whatever a file calls its columns and holds in them, it is text on the page.
func TestHostileNamesInThePage(t *testing.T) {
	t.Parallel()
	const evil = `<img src=x onerror=alert(1)>`
	rows := strings.ReplaceAll(strings.ReplaceAll(smallRows(300), "green", evil), "colour", `"<b>colour</b>"`)
	dir := fresh(t, rows, "    - {name: colour, type: string}\n", "", "  columns:", "  keep_others: true\n  columns:",
		"{column: colour, vocabulary: {}}", `{column: "<b>colour</b>", vocabulary: {}}`, "min: -50, max: 50", "min: -50, max: 8.8")
	must(t, 0, dir, "stats", "job", "--out", "out")
	text := read(t, filepath.Join(dir, "out", "stats", "stats.html"))
	if strings.Contains(text, "<img") || strings.Contains(text, "<b>") {
		t.Error("text of the data is markup on the page")
	}
	if !strings.Contains(text, "&lt;img src=x onerror=alert(1)&gt;") || !strings.Contains(text, "&lt;b&gt;colour&lt;/b&gt;") {
		t.Error("the page does not show the value and the name as text")
	}
	if !strings.Contains(text, "x.range") || !strings.Contains(text, "rows.csv, row ") {
		t.Error("the page has no samples of the dead letters")
	}
}

func TestStatsTwice(t *testing.T) {
	t.Parallel()
	dir := withSchema(t)
	must(t, 0, dir, "validate-data", "job", "--out", "out")
	before := files(t, filepath.Join(dir, "out"))
	res := must(t, 0, dir, "validate-data", "job", "--out", "out")
	if strings.Count(res.stderr, "(reused, ") != 2 { // stats and skew
		t.Errorf("got %s, want two steps reused", res.stderr)
	}
	wantSame(t, files(t, filepath.Join(dir, "out")), before)
}

// A job with a schema does not train on data that is not as it says.
func TestRetrainChecksFirst(t *testing.T) {
	t.Parallel()
	dir := withSchema(t)
	must(t, 0, dir, "retrain", "job", "--out", "out")
	before := files(t, filepath.Join(dir, "out"))
	if got := statuses(reportOf(t, filepath.Join(dir, "out"))); !strings.HasPrefix(got, "read ran, stats ran, check ran, prepare ran, ") {
		t.Errorf("got steps %s, want the check before prepare", got)
	}
	must(t, 0, dir, "retrain", "job", "--out", "out")
	if got := reportOf(t, filepath.Join(dir, "out")).Release.Decision; got != "unchanged" {
		t.Errorf("got decision %s, want unchanged", got)
	}
	edit(t, filepath.Join(dir, "job", "schema.yaml"), "      - red\n", "")
	res := must(t, 3, dir, "retrain", "job", "--out", "out")
	if m := res.message(t); !strings.Contains(m, `column "colour"`) {
		t.Errorf("got message %q, want the column", m)
	}
	wantReleaseUntouched(t, filepath.Join(dir, "out"), before)
	page := read(t, filepath.Join(dir, "out", "stats", "stats.html"))
	if !strings.Contains(page, "<th>release 1</th>") || !strings.Contains(page, `<section class="error">`) {
		t.Error("the page lacks the last release's data or the mark of the anomaly")
	}
}

// The example's reports are as its schema has them.
func TestExampleSchemaHolds(t *testing.T) {
	t.Parallel()
	example, err := filepath.Abs("../../examples/birdstrikes")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	must(t, 0, dir, "validate-data", example, "--out", "out")
	for _, name := range []string{"anomalies.json", "anomalies-score.json"} {
		if got := kindsOf(t, filepath.Join(dir, "out", "stats", name)); len(got) > 0 {
			t.Errorf("%s: got %q, want no anomalies", name, got)
		}
	}
}
