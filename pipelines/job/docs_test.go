package job

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/job.md")

func TestDocs(t *testing.T) {
	const file = root + "/docs/job.md"
	want := renderDocs(t)
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/job.md is out of step with the types; run go generate ./pipelines/job")
	}
}

func TestFullExampleLoads(t *testing.T) {
	if _, err := Load("testdata/full.yaml"); err != nil {
		t.Error(err)
	}
}

// Every key has a meaning, and every one that is no section an example.
func TestDocsAreComplete(t *testing.T) {
	renderDocs(t)
	g := &docs{t: t, comments: map[string]string{}, parsed: map[string]bool{}, examples: map[string]string{}}
	g.addExamples("testdata/full.yaml")
	g.addExamples(root + "/examples/digits/job.yaml")
	g.section(reflect.ValueOf(Defaults()).Elem(), "")
	for _, s := range g.sections {
		for _, k := range s.Keys {
			if k.Doc == "" {
				t.Errorf("%s: key %s has no doc comment", s.Title, k.Key)
			}
			if k.Example == "" && !strings.Contains(k.Type, "section") {
				t.Errorf("%s: key %s has no example in testdata/full.yaml", s.Title, k.Key)
			}
		}
	}
}

// Where a comment gives a number as the default, it is the one that holds.
func TestCommentsGiveTheRightDefaults(t *testing.T) {
	g := &docs{t: t, comments: map[string]string{}, parsed: map[string]bool{}, examples: map[string]string{}}
	g.section(reflect.ValueOf(Defaults()).Elem(), "")
	said := regexp.MustCompile(`(?i)\bdefault(?: is)? ([0-9][0-9.,e-]*)`)
	checked := 0
	for _, s := range g.sections {
		for _, k := range s.Keys {
			m := said.FindStringSubmatch(k.Doc)
			if m == nil || !strings.HasPrefix(k.Default, "`") {
				continue
			}
			want, err1 := strconv.ParseFloat(strings.Trim(k.Default, "`"), 64)
			got, err2 := strconv.ParseFloat(strings.TrimRight(strings.ReplaceAll(m[1], ",", ""), "."), 64)
			if checked++; err1 != nil || err2 != nil || got != want {
				t.Errorf("%s %s: the comment says %q, Defaults %s", s.Title, k.Key, m[1], k.Default)
			}
		}
	}
	if checked < 20 { // 27 when this was written: fewer means that the pattern no longer matches
		t.Errorf("only %d comments checked", checked)
	}
}
