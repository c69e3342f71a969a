package job

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestInputFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.csv", "b.csv.gz", "c.txt", ".hidden.csv", "sub/d.csv", "sub/deep/e.csv", "sub/deep/f.parquet", "sub/.git/g.csv"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a.csv", filepath.Join(dir, "link.csv")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		patterns []string
		want     []string
		err      string
	}{
		{"one file", []string{"a.csv"}, []string{"a.csv"}, ""},
		{"a star stays in its folder and leaves hidden files", []string{"*.csv"}, []string{"a.csv", "link.csv"}, ""},
		{"a hidden file by name", []string{".h*.csv"}, []string{".hidden.csv"}, ""},
		{"any folder, none included", []string{"**/*.csv"}, []string{"a.csv", "link.csv", "sub/d.csv", "sub/deep/e.csv"}, ""},
		{"below a folder", []string{"sub/**/*.csv"}, []string{"sub/d.csv", "sub/deep/e.csv"}, ""},
		{"a star for a folder", []string{"*/d.csv"}, []string{"sub/d.csv"}, ""},
		{"two globs, one file once", []string{"a.csv", "?.csv"}, []string{"a.csv"}, ""},
		{"order by name, not by glob", []string{"sub/d.csv", "a.csv"}, []string{"a.csv", "sub/d.csv"}, ""},
		{"out of the folder", []string{"sub/../a.csv"}, []string{"a.csv"}, ""},
		{"absolute", []string{filepath.ToSlash(dir) + "/s*/d.csv"}, []string{filepath.ToSlash(dir) + "/sub/d.csv"}, ""},
		{"no match", []string{"a.csv", "z*.csv"}, nil, `job.yaml: input.files[1]: no file matches "z*.csv"`},
		{"a folder is no file", []string{"su?"}, nil, `no file matches "su?"`},
		{"unknown extension", []string{"c.*"}, nil, `"c.txt": the extension is none of`},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := Defaults()
			j.Dir, j.File, j.Input.Files = dir, "job.yaml", c.patterns
			files, err := j.InputFiles()
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got %v, %v, want %s", files, err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range files {
				got = append(got, f.Name)
				if _, err := os.Stat(f.Path); err != nil {
					t.Error(err)
				}
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestErrorAtPointsIntoTheFile(t *testing.T) {
	j, err := load(minimal)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"input.files[0]":               "job.yaml:2:11: input.files[0]: boom",
		"normalize.features[0].column": "job.yaml:5:15: normalize.features[0].column: boom",
		"model.hidden":                 "job.yaml:7:1: model.hidden: boom", // not in the file: its section
		"train.rounds":                 "job.yaml:1:1: train.rounds: boom",
	} {
		if got := j.ErrorAt(path, "boom").Error(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFormatAndDelimiter(t *testing.T) {
	for _, c := range []struct{ format, delimiter, name, wantFormat, wantDelimiter string }{
		{"", "", "a.csv", "csv", ","},
		{"", "", "A.CSV.GZ", "csv", ","},
		{"", "", "a.tsv", "csv", "\t"},
		{"", "", "a.tsv.gz", "csv", "\t"},
		{"", ";", "a.tsv", "csv", ";"},
		{"", "", "a.parquet", "parquet", ","},
		{"csv", "", "a.txt", "csv", ","},
		{"", "", "dir/*", "", ","}, // known once resolved
	} {
		j := Defaults()
		j.Input.Format, j.Input.CSV.Delimiter = c.format, c.delimiter
		format, err := j.Input.FormatOf(c.name)
		if err != nil || format != c.wantFormat {
			t.Errorf("FormatOf(%q) = %q, %v, want %q", c.name, format, err, c.wantFormat)
		}
		o, err := j.TableOptions(&j.Input, c.name)
		if err != nil || o.Delimiter != c.wantDelimiter {
			t.Errorf("TableOptions(%q): delimiter %q, %v, want %q", c.name, o.Delimiter, err, c.wantDelimiter)
		}
	}
}
