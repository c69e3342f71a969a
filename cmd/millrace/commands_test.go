package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrongUse(t *testing.T) {
	dir := fresh(t, smallRows(300))
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"retrian", "job"}, `unknown command "retrian"`},
		{[]string{"retrain"}, "accepts 1 arg(s), received 0"},
		{[]string{"retrain", "job", "more"}, "accepts 1 arg(s), received 2"},
		{[]string{"retrain", "job", "--outt", "x"}, "unknown flag: --outt"},
		{[]string{"retrain", "job", "--workers", "many"}, `"many"`},
		{[]string{"retrain", "job", "--workers", "0"}, "--workers 0: want 1 to 1024"},
		{[]string{"retrain", "job", "--runner", "filnk"}, `unknown runner "filnk"; there is: direct`},
		{[]string{"retrain", "job", "--log-format", "xml"}, `--log-format "xml": want auto, plain or json`},
		{[]string{"retrain", "job", "--seed", "-1"}, `"-1"`},
		{[]string{"retrain", "nojob"}, "nojob"},
		{[]string{"version", "job"}, "unknown command"},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			t.Parallel()
			res := must(t, 2, dir, tt.args...)
			if message := res.message(t); !strings.Contains(message, tt.want) {
				t.Errorf("got message %q, want %q in it", message, tt.want)
			}
			if got := files(t, filepath.Join(dir, "out")); len(got) > 0 {
				t.Errorf("got %v written, want nothing", got)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, args := range [][]string{{}, {"--help"}, {"help"}} {
		res := must(t, 0, dir, args...)
		for _, want := range []string{"Exit codes", "0 done", "1 failed", "2 wrong use", "3 the candidate was rejected", "retrain", "inspect", "validate"} {
			if !strings.Contains(res.stdout, want) {
				t.Errorf("millrace %v: got help %q, want %q in it", args, res.stdout, want)
			}
		}
	}
	for _, name := range []string{"prepare", "train", "compress", "score", "retrain"} {
		res := must(t, 0, dir, name, "--help")
		for _, want := range []string{"--out", "--runner", "--workers", "--seed", "--log-format"} {
			if !strings.Contains(res.stdout, want) {
				t.Errorf("millrace %s --help: got %q, want %q in it", name, res.stdout, want)
			}
		}
	}
}

// The steps one by one, each of which reuses the ones before, and their progress.
func TestSubcommands(t *testing.T) {
	t.Parallel()
	dir := fresh(t, smallRows(300))
	out := filepath.Join(dir, "out", "small") // the default
	res := must(t, 1, dir, "score", "job")
	if message := res.message(t); !strings.Contains(message, "run millrace retrain first") {
		t.Errorf("score without a release: got message %q, want a remedy", message)
	}
	for _, tt := range []struct{ name, steps string }{
		{"prepare", "read ran, prepare ran"},
		{"train", "read ran, prepare reused, train ran"},
		{"compress", "read ran, prepare reused, train reused, compress ran, evaluate ran"},
		{"retrain", "read ran, prepare reused, train reused, compress reused, evaluate reused, release ran, score ran"},
		{"score", "score reused"},
	} {
		res := must(t, 0, dir, tt.name, "job", "--log-format", "plain")
		if got := statuses(reportOf(t, out)); got != tt.steps {
			t.Errorf("%s: got steps %s, want %s", tt.name, got, tt.steps)
		}
		for _, step := range strings.Split(tt.steps, ", ") {
			name, status, _ := strings.Cut(step, " ")
			if n := strings.Count(res.stderr, "("+status+", "); !strings.Contains("\n"+res.stderr, "\n"+name) || n == 0 {
				t.Errorf("%s: got progress %q, want a line for %q", tt.name, res.stderr, step)
			}
		}
	}
	model := one(t, filepath.Join(out, "models", "*.millrace"))
	for file, wants := range map[string][]string{
		model:                           {"sha256:", "tabular", `"kind"`, "[a b c]", "bits/weight", "ratio", "99 parameters"},
		filepath.Join(out, "plan.json"): {"sha256:", "fitted on", "x", "colour", "3 of 3", "float32"},
	} {
		res := must(t, 0, dir, "inspect", file)
		for _, want := range wants {
			if !strings.Contains(strings.ReplaceAll(res.stdout, `"a" "b" "c"`, "a b c"), want) {
				t.Errorf("inspect %s: got %q, want %q in it", file, res.stdout, want)
			}
		}
	}
	if res := must(t, 0, dir, "version"); !strings.Contains(res.stdout, "millrace ") || !strings.Contains(res.stdout, "code sha256:") {
		t.Errorf("version: got %q, want a version and the code's digest", res.stdout)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	dir := fresh(t, smallRows(300))
	res := must(t, 0, dir, "validate", "job")
	for _, want := range []string{"300 rows in 1 file(s)", `column "weight": float64`, "score input: 300 rows", "is valid"} {
		if !strings.Contains(res.stdout, want) {
			t.Errorf("got %q, want %q in it", res.stdout, want)
		}
	}
	if got := files(t, filepath.Join(dir, "out")); len(got) > 0 {
		t.Errorf("validate wrote %v, want nothing", got)
	}
	edit(t, filepath.Join(dir, "job", "rows.csv"), "weight", "mass")
	message := must(t, 2, dir, "validate", "job").message(t)
	if !strings.Contains(message, "job.yaml:8:14: clean.columns[3].name") || !strings.Contains(message, "rows.csv") {
		t.Errorf("got message %q, want the place in the job and the file", message)
	}
}

func TestJSONProgress(t *testing.T) {
	t.Parallel()
	dir := fresh(t, smallRows(300))
	res := must(t, 0, dir, "prepare", "job", "--log-format", "json")
	ended := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(res.stderr), "\n") {
		var event struct{ Step, Event, Detail string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		if event.Event == "ran" && event.Detail != "" {
			ended[event.Step] = true
		}
	}
	if !ended["read"] || !ended["prepare"] {
		t.Errorf("got steps %v, want read and prepare to end: %s", ended, res.stderr)
	}
}

func TestSeedFlag(t *testing.T) {
	t.Parallel()
	digests := map[string]string{}
	for _, args := range [][]string{{"--seed", "1"}, {"--seed", "2"}, {}} { // the job's is 1
		dir := fresh(t, smallRows(300))
		must(t, 0, dir, append([]string{"compress", "job", "--out", "out"}, args...)...)
		digests[strings.Join(args, " ")] = reportOf(t, filepath.Join(dir, "out")).Model.Digest
	}
	if digests["--seed 1"] != digests[""] || digests["--seed 2"] == digests[""] {
		t.Errorf("got models %v, want seed 1 to be the job's and 2 another", digests)
	}
}
