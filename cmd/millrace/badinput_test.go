package main

import (
	"bytes"
	"compress/gzip"
	"path/filepath"
	"strings"
	"testing"
)

// badCase is input that a retrain cannot use.
type badCase struct {
	name  string
	rows  string   // of rows.csv; "" leaves the good ones
	edits []string // of the job file
	setup func(t *testing.T, dir string)
	code  int
	want  []string // in the message
}

// check runs the case where a good job has released a model before.
func (c *badCase) check(t *testing.T) {
	t.Parallel()
	dir := released(t)
	before := files(t, filepath.Join(dir, "out"))
	if c.rows != "" {
		write(t, filepath.Join(dir, "job", "rows.csv"), c.rows)
	}
	edit(t, filepath.Join(dir, "job", "job.yaml"), c.edits...)
	if c.setup != nil {
		c.setup(t, dir)
	}
	res := millrace(t, dir, "retrain", "job", "--out", "out")
	if res.code != c.code {
		t.Errorf("got exit code %d, want %d: %s", res.code, c.code, res.stderr)
	}
	message := res.message(t)
	for _, want := range c.want {
		if !strings.Contains(message, want) {
			t.Errorf("got message %q, want %q in it", message, want)
		}
	}
	wantReleaseUntouched(t, filepath.Join(dir, "out"), before)
	wantClean(t, dir)
}

// strict makes one dead letter too many.
var strict = []string{"name: small", "name: small\nlimits: {max_dead: 0}"}

func TestBadFiles(t *testing.T) {
	cases := []badCase{
		{name: "missing file", edits: []string{"files: [rows.csv]", "files: [rows-2025.csv]"}, code: 2,
			want: []string{"job/job.yaml:2:17: input.files[0]", `no file matches "rows-2025.csv"`}},
		{name: "empty file", rows: "\n", code: 1, want: []string{"rows.csv", "the file is empty"}},
		{name: "header only", rows: smallHeader, code: 1, want: []string{"rows.csv", "no data rows: the file has only a header"}},
		{name: "truncated gzip", edits: []string{"files: [rows.csv]", "files: [rows.csv.gz]"}, code: 1,
			setup: func(t *testing.T, dir string) {
				whole := zipped(t, smallRows(300))
				write(t, filepath.Join(dir, "job", "rows.csv.gz"), whole[:len(whole)/2])
			}, want: []string{"rows.csv.gz", "unexpected end of gzip data after row", "truncated"}},
		{name: "flipped gzip", edits: []string{"files: [rows.csv]", "files: [rows.csv.gz]"}, code: 1,
			setup: func(t *testing.T, dir string) {
				whole := []byte(zipped(t, smallRows(300)))
				whole[len(whole)-6] ^= 1 // in the checksum
				write(t, filepath.Join(dir, "job", "rows.csv.gz"), string(whole))
			}, want: []string{"rows.csv.gz", "damaged gzip data"}},
		{name: "truncated Parquet", edits: []string{"files: [rows.csv]", "files: [rows.parquet]"}, code: 1,
			setup: func(t *testing.T, dir string) {
				whole := parquetRows(t, 300)
				write(t, filepath.Join(dir, "job", "rows.parquet"), whole[:len(whole)*2/3])
			}, want: []string{"rows.parquet"}},
		{name: "flipped Parquet footer", edits: []string{"files: [rows.csv]", "files: [rows.parquet]"}, code: 1,
			setup: func(t *testing.T, dir string) {
				whole := []byte(parquetRows(t, 300))
				whole[len(whole)-7] ^= 0x40 // the length of the footer
				write(t, filepath.Join(dir, "job", "rows.parquet"), string(whole))
			}, want: []string{"rows.parquet"}},
		{name: "flipped Parquet page", edits: []string{"files: [rows.csv]", "files: [rows.parquet]"}, code: 1,
			setup: func(t *testing.T, dir string) {
				whole := []byte(parquetRows(t, 300))
				for i := 30; i < 60; i++ { // a bit of each byte in the first pages
					whole[i] ^= 0x10
				}
				write(t, filepath.Join(dir, "job", "rows.parquet"), string(whole))
			}, want: []string{"rows.parquet"}},
		{name: "files that differ", edits: []string{"files: [rows.csv]", `files: ["*.csv"]`}, code: 1,
			setup: func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "job", "more.csv"), "id,x,colour,weight\n1,2,red,3\n")
			}, want: []string{"more.csv has 4 columns", "rows.csv has 5", "same columns"}},
	}
	for _, c := range cases {
		t.Run(c.name, c.check)
	}
}

// Each row-level fault is a dead letter, and fails a job that allows none.
func TestBadRows(t *testing.T) {
	tests := []struct{ name, row, want string }{
		{"ragged", "7,1.5,red", "csv.ragged 1"},
		{"wrong type", "7,many,red,1,a", "x.type 1"},
		{"invalid UTF-8", "7,1.5,r\xffd,1,a", "csv.utf8 1"},
		{"bare quote", `7,1.5,r"ed,1,a`, "csv.quote 1"},
		{"quote never closed", `7,1.5,"red,1,a`, "csv.quote 1"},
		{"cell of ten million bytes", "7,1.5," + strings.Repeat("r", 10_000_000) + ",1,a", "csv.cell 1"},
		{"NaN", "7,NaN,red,1,a", "x.finite 1"},
		{"infinite", "7,+Inf,red,1,a", "x.finite 1"},
		{"infinite below", "7,1.5,red,-Inf,a", "weight.finite 1"},
		{"out of range", "7,51,red,1,a", "x.range 1"},
		{"required", "7,,red,1,a", "x.required 1"},
		{"label missing", "7,1.5,red,1,", "kind.required 1"},
	}
	for _, tt := range tests {
		c := badCase{rows: withRow(8, tt.row), edits: strict, code: 1,
			want: []string{"prepare: 1 of 300 rows are dead letters", "limits.max_dead", tt.want, "deadletters/prepare-*.parquet"}}
		t.Run(tt.name, c.check)
	}
}

func TestBadColumns(t *testing.T) {
	rows := func(change func(cells []string)) string {
		lines := strings.Split(strings.TrimSpace(smallRows(300)), "\n")
		for i, line := range lines[1:] {
			cells := strings.Split(line, ",")
			change(cells)
			lines[i+1] = strings.Join(cells, ",")
		}
		return strings.Join(lines, "\n") + "\n"
	}
	optional := []string{"{name: kind, type: string, required: {}}", "{name: kind, type: string}"}
	cases := []badCase{
		{name: "label column absent", edits: []string{"label: {column: kind}", "label: {column: kinds}"}, code: 2,
			want: []string{"job/job.yaml:15:19: normalize.label.column", `"kinds"`, "did you mean kind?"}},
		{name: "label all null", rows: rows(func(c []string) { c[4] = "" }), code: 1,
			want: []string{"kind.required 300"}},
		{name: "label all null and not required", rows: rows(func(c []string) { c[4] = "" }), edits: optional, code: 1,
			want: []string{"label", "kind"}},
		{name: "label of one class", rows: rows(func(c []string) { c[4] = "a" }), code: 1,
			want: []string{`label column "kind"`, `["a"]`, "at least two"}},
		{name: "column the data lacks", edits: []string{"name: weight, type", "name: wieght, type", "column: weight", "column: wieght"}, code: 2,
			want: []string{"job/job.yaml:8:14: clean.columns[3].name", "rows.csv", `"wieght"`, `did you mean "weight"`}},
		{name: "score data lacks a column", edits: []string{"score: {input: {files: [rows.csv]}}", "score: {input: {files: [today.csv]}}"}, code: 2,
			setup: func(t *testing.T, dir string) {
				write(t, filepath.Join(dir, "job", "today.csv"), "id,colour,weight,kind\n1,red,2,a\n")
			}, want: []string{"job/job.yaml:6:14: clean.columns[1].name", "today.csv", `"x"`}},
		{name: "all null", rows: rows(func(c []string) { c[3] = "" }), code: 1,
			want: []string{`column "weight"`, "no value"}},
		{name: "all NaN", rows: rows(func(c []string) { c[3] = "NaN" }), code: 1, want: []string{"weight.finite 300"}},
		{name: "wrong type throughout", edits: []string{"{name: colour, type: string}", "{name: colour, type: int64}"}, code: 1,
			want: []string{"colour.type 300"}},
		{name: "a feature of the wrong type", edits: []string{"{column: colour, vocabulary: {}}", "{column: colour, scale: z_score}"}, code: 2,
			want: []string{"job/job.yaml:13:31: normalize.features[1].scale", `"colour"`, "want a number"}},
		{name: "class that no row may have", edits: []string{"label: {column: kind}", "label: {column: kind, classes: [a, b]}"}, code: 1,
			want: []string{"dead letters", "label.unseen 100"}},
		{name: "split with no rows", edits: []string{"normalize:", "split: {train: 0.9998, validation: 0.0001, test: 0.0001}\nnormalize:"}, code: 1, want: []string{"split has no rows"}},
	}
	for _, c := range cases {
		t.Run(c.name, c.check)
	}
}

func TestLossBecomesNaN(t *testing.T) {
	rows := smallRows(300)
	for i := range 300 { // x of 1e37 and more: a weight or two more and float32 overflows
		cells := strings.Split(smallRow(i), ",")
		rows = strings.Replace(rows, cells[0]+","+cells[1]+",", cells[0]+","+cells[1]+"e37,", 1)
	}
	c := badCase{code: 1, rows: rows,
		edits: []string{", range: {min: -50, max: 50}", "", ", scale: z_score", "", "learning_rate: 0.05", "learning_rate: 10"},
		want:  []string{"train: ", "step ", "non-finite", "learning_rate"},
	}
	c.check(t)
}

func TestBadJobs(t *testing.T) {
	cases := []badCase{
		{name: "wrong key", edits: []string{"batch_size", "batch_sise"}, code: 2, want: []string{"job/job.yaml:17:37: train.batch_sise", "unknown key", "did you mean batch_size?"}},
		{name: "wrong type", edits: []string{"rounds: 2", "rounds: two"}, code: 2, want: []string{"job/job.yaml:17:17: train.rounds", "want an integer", `"two"`}},
		{name: "wrong value", edits: []string{"rounds: 2", "rounds: -2"}, code: 2, want: []string{"job/job.yaml:17:17: train.rounds", "at least 1", "-2"}},
		{name: "no YAML", edits: []string{"input: {", "input: }{"}, code: 2, want: []string{"job/job.yaml:2:8: "}},
		{name: "wrong architecture", edits: []string{"arch: tabular", "arch: tabluar"}, code: 2, want: []string{"job/job.yaml:16:15: model.arch", `"tabluar"`, "did you mean tabular?"}},
	}
	for _, c := range cases {
		t.Run(c.name, c.check)
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
