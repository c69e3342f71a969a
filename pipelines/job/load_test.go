package job

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/normalize"
)

// minimal is the shortest job there is.
const minimal = `input:
  files: [a.csv]
normalize:
  features:
    - column: x
  label: {column: "y"}
model: {arch: tabular}
`

// load parses text as the file job.yaml.
func load(text string) (*Job, error) { return Parse([]byte(text), "job.yaml") }

func TestMinimalJobHasTheDefaults(t *testing.T) {
	got, err := load(minimal)
	if err != nil {
		t.Fatal(err)
	}
	want := Defaults()
	want.Input.Files = []string{"a.csv"}
	want.Normalize = normalize.Spec{
		Features: []normalize.Feature{{Column: "x", Scale: "none"}},
		Label:    normalize.Label{Column: "y"},
	}
	want.Model.Name = "tabular"
	want.Compress.FinetuneLearningRate = 0.002 / 3
	want.File, want.Dir, want.Name = "job.yaml", ".", "job" // the package's folder
	got.at = nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// A zero that is written stays zero, though the default is another; a default
// within a list or an optional section holds for the keys it leaves out.
func TestWrittenZerosAndElementDefaults(t *testing.T) {
	j, err := load(minimal + `compress: {finetune_rounds: 0}
train:
  inner: {weight_decay: 0, warmup_steps: 0}
  outer: {momentum: 0, learning_rate: 1}
seed: 0
limits: {max_dead: 0}
clean:
  nulls: []
  columns:
    - name: x
      type: float64
      range: {min: 0}
    - {name: "y", domain: {values: [1, no, 2.50, true], action: null}}
`)
	if err != nil {
		t.Fatal(err)
	}
	if in, out := j.Train.Inner, j.Train.Outer; in.WeightDecay != 0 || in.WarmupSteps != 0 || out.Momentum != 0 {
		t.Errorf("a written 0 became the default: %+v %+v", in, out)
	}
	if j.Train.Inner.Beta2 != 0.95 || j.Train.Shards != 2 {
		t.Errorf("beta2, shards = %v, %v, want the defaults 0.95, 2", j.Train.Inner.Beta2, j.Train.Shards)
	}
	if j.Compress.FinetuneRounds != 0 || j.Limits.MaxDead != 0 || j.Seed != 0 || len(j.Clean.Nulls) != 0 {
		t.Errorf("got %d, %v, %d, %q, want zeros", j.Compress.FinetuneRounds, j.Limits.MaxDead, j.Seed, j.Clean.Nulls)
	}
	zero := 0.0
	want := &clean.Range{Min: &zero, Action: "dead"}
	if got := j.Clean.Columns[0].Range; !reflect.DeepEqual(got, want) {
		t.Errorf("range = %+v, want %+v", got, want)
	}
	// Numbers and booleans are text as written where text is wanted.
	domain := &clean.Domain{Values: []string{"1", "no", "2.50", "true"}, Action: "null"}
	if got := j.Clean.Columns[1].Domain; !reflect.DeepEqual(got, domain) {
		t.Errorf("domain = %+v, want %+v", got, domain)
	}
}

func TestScoreInheritsFromInput(t *testing.T) {
	j, err := load("score: {input: {files: [b.csv], batch_rows: 7}}\n" +
		strings.Replace(minimal, "[a.csv]", "[a.csv]\n  csv: {delimiter: \";\"}\n  span_bytes: 4096", 1))
	if err != nil {
		t.Fatal(err)
	}
	want := j.Input
	want.Files, want.BatchRows = []string{"b.csv"}, 7
	if !reflect.DeepEqual(j.Score.Input, want) {
		t.Errorf("score.input = %+v, want %+v", j.Score.Input, want)
	}
}

func TestLoadTakesAFolderOrAFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "My job")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"job.yaml", "other.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("\ufeff"+strings.ReplaceAll(minimal, "\n", "\r\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		dir:                              "My-job", // a name is part of paths
		filepath.Join(dir, "job.yaml"):   "My-job",
		filepath.Join(dir, "other.yaml"): "other",
	} {
		j, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if j.Name != want || j.Dir != dir {
			t.Errorf("Load(%q): name, folder = %q, %q, want %q, %q", path, j.Name, j.Dir, want, dir)
		}
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none"): "none: no such file or folder; give a job file or a folder that holds a job.yaml",
		t.TempDir():                "job.yaml: no such file or folder",
	} {
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load(%q) = %v, want %q", path, err, want)
		}
	}
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, make([]byte, maxFileBytes+1), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(big); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("Load of a large file = %v", err)
	}
}

func TestDigest(t *testing.T) {
	digest := func(text, file string) string {
		j, err := Parse([]byte(text), file)
		if err != nil {
			t.Fatal(err)
		}
		return j.Digest()
	}
	base := digest(minimal, "a/job.yaml")
	for name, text := range map[string]string{
		"another folder": minimal,
		"a name":         minimal + "name: x\n",
		"a default":      minimal + "train: {shards: 2}\nseed: 1\n",
		"comments":       "# job\n" + minimal + "split:\n  # nothing\n",
	} {
		if got := digest(text, "b/c/job.yaml"); got != base {
			t.Errorf("%s changes the digest", name)
		}
	}
	for name, text := range map[string]string{
		"a value":      minimal + "train: {shards: 3}\n",
		"a list":       minimal + "clean: {nulls: []}\n",
		"a section":    minimal + "score: {input: {files: [a.csv]}}\n",
		"another file": strings.Replace(minimal, "a.csv", "b.csv", 1),
	} {
		if digest(text, "a/job.yaml") == base {
			t.Errorf("%s does not change the digest", name)
		}
	}
}

func TestExamplesLoad(t *testing.T) {
	for _, name := range []string{"digits", "birdstrikes"} {
		j, err := Load("../../examples/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files, err := j.InputFiles()
		if err != nil {
			t.Fatal(err)
		}
		scored, err := j.ScoreFiles()
		if err != nil || len(files) != 1 || !reflect.DeepEqual(files, scored) {
			t.Errorf("%s: input %v, score %v, %v, want one file in both", name, files, scored, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	for _, c := range badJobs {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		j, err := Parse(data, "job.yaml")
		var known *Error
		switch {
		case err == nil && len(j.Digest()) != 64:
			t.Errorf("digest %q", j.Digest())
		case err != nil && !errors.As(err, &known):
			t.Errorf("%T: %v, want an *Error", err, err)
		case known != nil && strings.Count(err.Error(), "\n") > MaxErrors:
			t.Errorf("more than %d lines: %v", MaxErrors, err)
		}
	})
}
