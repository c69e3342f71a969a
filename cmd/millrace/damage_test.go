package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// damages are the ways in which each file is spoilt.
var damages = []struct {
	name  string
	spoil func(data []byte) []byte
}{
	{"truncated", func(data []byte) []byte { return data[:len(data)/2] }},
	{"a bit flipped", func(data []byte) []byte {
		data[len(data)*2/3] ^= 1
		return data
	}},
}

// Every file that a run reads again is found out if it was damaged.
func TestDamagedFiles(t *testing.T) {
	margin := []string{"margin: 0.9", "margin: 0.8"} // something to do for a retrain
	rounds := []string{"rounds: 2,", "rounds: 3,"}
	tests := []struct {
		name string
		file string // pattern below out
		args []string
		edit []string
		want []string
	}{
		{"model, scoring", "models/*.millrace", []string{"score", "job"}, nil, []string{"models/", "remove it and run again"}},
		{"model, nothing else changed", "models/*.millrace", []string{"retrain", "job"}, nil, []string{"models/", "remove it and run again"}},
		{"model, inspecting", "models/*.millrace", []string{"inspect"}, nil, []string{"models/"}},
		{"released Plan", "models/plan-*.json", []string{"score", "job"}, nil, []string{"models/plan-", "remove it and run again"}},
		{"plan.json", "plan.json", []string{"inspect"}, nil, []string{"plan.json", "normalize.DecodePlan"}},
		{"registry record, scoring", "registry/00000001.json", []string{"score", "job"}, nil, []string{"registry/00000001.json"}},
		{"registry record, retraining", "registry/00000001.json", []string{"retrain", "job"}, margin, []string{"registry/00000001.json"}},
		{"record of finished runs", "work/finished/00000001.json", []string{"retrain", "job"}, nil, []string{"work/finished/00000001.json"}},
		{"train manifest", "work/train-*/rounds/00000002.json", []string{"retrain", "job"}, margin, []string{"rounds/00000002.json"}},
		{"manifest of fine-tuning", "work/compress-*/step-01/rounds/00000002.json", []string{"retrain", "job"}, margin, nil},
		{"record of compress", "work/compress-*/result/00000001.json", []string{"retrain", "job"}, margin, []string{"result/00000001.json"}},
		{"manifest of prepare", "work/prepare-*/prepared.json", []string{"prepare", "job"}, nil, []string{"prepared.json", "remove it and run again"}},
		{"manifest of the fit", "work/prepare-*/fitted.json", []string{"prepare", "job"}, nil, []string{"fitted.json", "remove it and run again"}},
		{"manifest of evaluate", "work/evaluate-*/metrics.json", []string{"compress", "job"}, nil, nil},
		{"manifest of score", "work/score-*/scored.json", []string{"score", "job"}, nil, []string{"scored.json", "remove it and run again"}},
		{"statistics", "work/prepare-*/fit/columns/*", []string{"prepare", "job"}, nil, nil},
		{"training piece", "work/prepare-*/pieces/train/0000/*", []string{"train", "job"}, rounds, nil},
		{"parameters", "work/train-*/blocks/*", []string{"train", "job"}, rounds, nil},
	}
	for _, tt := range tests {
		for _, d := range damages {
			t.Run(tt.name+"/"+d.name, func(t *testing.T) {
				t.Parallel()
				dir := released(t)
				out := filepath.Join(dir, "out")
				edit(t, filepath.Join(dir, "job", "job.yaml"), tt.edit...)
				file := one(t, filepath.Join(out, filepath.FromSlash(tt.file)))
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, d.spoil(data), 0o666); err != nil {
					t.Fatal(err)
				}
				before := files(t, out)
				args := append([]string{tt.args[0], file}, tt.args[1:]...)[:len(tt.args)+1]
				if tt.args[0] != "inspect" {
					args = append(append([]string{}, tt.args...), "--out", "out")
				}
				res := millrace(t, dir, args...)
				wantFound(t, res, tt.want)
				wantReleaseUntouched(t, out, before)
				wantClean(t, dir)
				if d.name == "truncated" && res.code == 1 && strings.Contains(res.stderr, "remove it and run again") {
					wantMended(t, dir, file, tt.name)
				}
			})
		}
	}
}

// wantMended follows the advice of a message: without the file, a retrain
// makes it anew, and the release that it was is still the release.
func wantMended(t *testing.T, dir, file, name string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if name == "parameters" { // which nothing but their rounds can make again
		if err := os.RemoveAll(filepath.Dir(filepath.Dir(file))); err != nil {
			t.Fatal(err)
		}
	}
	must(t, 0, dir, "retrain", "job", "--out", "out")
	wantEveryRowOnce(t, predictions(t, filepath.Join(dir, "out")), 300)
}

// wantFound wants that a damage was found: the command fails and says where.
// Where want is empty, it may also have made the damaged file anew and ended well.
func wantFound(t *testing.T, res result, want []string) {
	t.Helper()
	if res.code == 0 && want == nil {
		return
	}
	if res.code != 1 {
		t.Fatalf("got exit code %d, want 1: %s%s", res.code, res.stdout, res.stderr)
	}
	message := res.message(t)
	for _, w := range want {
		if !strings.Contains(message, w) {
			t.Errorf("got message %q, want %q in it", message, w)
		}
	}
}
