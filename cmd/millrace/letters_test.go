package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/pipelines"
)

// reportOf reads out/report.json.
func reportOf(t testing.TB, out string) *pipelines.Report {
	t.Helper()
	var r pipelines.Report
	if err := json.Unmarshal([]byte(read(t, filepath.Join(out, "report.json"))), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// dirtyRows is smallRows(300) with ten rows that fail a rule each, of which
// the score input, where no label is needed, can score the last two; and the letters of both.
func dirtyRows() (rows string, prepared, scored []string) {
	lines := strings.Split(smallRows(300), "\n")
	for row, line := range map[int]string{
		11: "11,1.5,red",
		22: "22,many,red,1,a",
		33: "33,1.5,r\xffd,1,a",
		44: `44,1.5,r"ed,1,a`,
		55: "55,1.5," + strings.Repeat("r", 10_000_000) + ",1,a",
		66: "66,NaN,red,1,a",
		77: "77,1.5,red,-Inf,a",
		88: "88,-51,red,1,a",
		99: "99,1.5,red,1,",
	} {
		lines[row] = line
	}
	both := []string{
		`11 csv.ragged - "11,1.5,red"`,
		`22 x.type x "many"`,
		`33 csv.utf8 colour "r\\xffd"`,
		`44 csv.quote colour "44,1.5,r\"ed,1,a"`,
		`55 csv.cell colour ` + `"` + strings.Repeat("r", 256) + `"`,
		`66 x.finite x "NaN"`,
		`77 weight.finite weight "-Inf"`,
		`88 x.range x "-51"`,
	}
	return strings.Join(lines, "\n"), append(slices.Clone(both), `99 kind.required kind ""`), both
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	rows, prepared, scored := dirtyRows()
	dir := fresh(t, rows)
	out := filepath.Join(dir, "out")
	must(t, 0, dir, "retrain", "job", "--out", "out")
	wantLetters(t, letters(t, out, "prepare"), prepared)
	wantLetters(t, letters(t, out, "score"), scored)
	r := reportOf(t, out)
	if r.Rows.Read != 300 || r.Rows.Kept != 291 || len(r.Rows.Dead) != 9 || r.Rows.Dead["x.finite"] != 1 {
		t.Errorf("got rows %+v, want 300 read, 291 kept, 9 dead by 9 rules", r.Rows)
	}
	if r.Score.Read != 300 || r.Score.Scored != 292 || r.Score.Dead != 8 {
		t.Errorf("got score %+v, want 300 read, 292 scored, 8 dead", r.Score)
	}
	if got := len(predictions(t, out)); got != 292 {
		t.Errorf("got %d predictions, want 292", got)
	}
	wantClean(t, dir)

	edit(t, filepath.Join(dir, "job", "job.yaml"), "name: small", "name: small\nlimits: {max_dead: 0.029}") // 8.7 rows
	res := must(t, 1, dir, "prepare", "job", "--out", "strict")
	if message := res.message(t); !strings.Contains(message, "9 of 300 rows are dead letters") {
		t.Errorf("got message %q, want the number of letters", message)
	}
	wantLetters(t, letters(t, filepath.Join(dir, "strict"), "prepare"), prepared)
}

// Letters are published again where another job's took their place.
func TestLettersComeBack(t *testing.T) {
	t.Parallel()
	dir := fresh(t, withRow(30, "29,none,red,1,a"))
	for range 2 {
		write(t, filepath.Join(dir, "job", "rows.csv"), withRow(30, "29,none,red,1,a"))
		must(t, 0, dir, "prepare", "job", "--out", "out")
		wantLetters(t, letters(t, filepath.Join(dir, "out"), "prepare"), []string{`30 x.type x "none"`})
		write(t, filepath.Join(dir, "job", "rows.csv"), smallRows(300))
		must(t, 0, dir, "prepare", "job", "--out", "out")
		wantLetters(t, letters(t, filepath.Join(dir, "out"), "prepare"), nil)
	}
}

func wantLetters(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Errorf("got letters\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			return
		}
	}
}

// A class that the train split does not have is a dead letter where labels
// matter, and none where rows are scored.
func TestUnseenLabel(t *testing.T) {
	t.Parallel()
	dir := fresh(t, withRow(30, "29,1.5,red,1,z"), "label: {column: kind}", "label: {column: kind, classes: [a, b, c]}")
	out := filepath.Join(dir, "out")
	must(t, 0, dir, "retrain", "job", "--out", "out")
	wantLetters(t, letters(t, out, "prepare"), []string{`30 label.unseen kind "z"`})
	wantEveryRowOnce(t, predictions(t, out), 300)
}

// A value that no row of the train split has is scored as out of vocabulary.
func TestUnseenFeatureIsScored(t *testing.T) {
	t.Parallel()
	dir := released(t)
	write(t, filepath.Join(dir, "job", "today.csv"), "colour,weight,x,id\nviolet,,1.5,1\nred,2,400,2\nred,2,,3\n"+strings.Repeat("red,1,2,4\n", 30))
	edit(t, filepath.Join(dir, "job", "job.yaml"), "score: {input: {files: [rows.csv]}}", "score: {input: {files: [today.csv]}}")
	must(t, 0, dir, "score", "job", "--out", "out")
	out := filepath.Join(dir, "out")
	wantLetters(t, letters(t, out, "score"), []string{`2 x.range x "400"`, `3 x.required x ""`})
	if got := predictions(t, out); len(got) != 31 || got[0].row != 1 || got[1].row != 4 {
		t.Errorf("got %d predictions, want those of rows 1 and 4 to 33", len(got))
	}
}

// Types that the job leaves open are inferred once, from the rows that the
// model is trained on: a score file of another look does not change them.
func TestScoringKeepsTheTypesOfTraining(t *testing.T) {
	t.Parallel()
	dir := fresh(t, smallRows(300), `clean:
  columns:
    - {name: id, type: int64, required: {}}
    - {name: x, type: float64, required: {}, range: {min: -50, max: 50}}
    - {name: colour, type: string}
    - {name: weight, type: float64}
    - {name: kind, type: string, required: {}}
`, "", "score: {input: {files: [rows.csv]}}", "score: {input: {files: [today.csv]}}")
	// By itself this file has x as text and colour as int64.
	write(t, filepath.Join(dir, "job", "today.csv"), "colour,weight,x\n7,1,much\n"+strings.Repeat("8,1,2\n", 30))
	must(t, 0, dir, "retrain", "job", "--out", "out")
	out := filepath.Join(dir, "out")
	wantLetters(t, letters(t, out, "score"), []string{`1 x.type x "much"`})
	if got := predictions(t, out); len(got) != 30 {
		t.Errorf("got %d predictions, want 30", len(got))
	}
}
