package lint

import (
	"bytes"
	"go/format"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestGofmt(t *testing.T) {
	for _, g := range repository(t).gos {
		want, err := format.Source(g.source)
		if err != nil {
			t.Errorf("%s: %v", g.name, err)
		} else if !bytes.Equal(g.source, want) {
			t.Errorf("%s: run gofmt -w", g.name)
		}
	}
}

// maxLines bounds a Go file; a longer one holds two subjects.
const maxLines = 600

func TestFilesAreSmall(t *testing.T) {
	for _, g := range repository(t).gos {
		if n := lines(g.source); n > maxLines {
			t.Errorf("%s: %d lines, want at most %d", g.name, n, maxLines)
		}
	}
}

func TestEveryPackageHasADocComment(t *testing.T) {
	documented := map[string]bool{}
	for _, g := range repository(t).gos {
		if !g.test {
			documented[g.pkg] = documented[g.pkg] || strings.TrimSpace(g.syntax.Doc.Text()) != ""
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("%s: no package comment", pkg)
		}
	}
}

// forbidden is what no text of the repository may hold: notes to self and
// paths of somebody's machine. The words are put together here, so that this
// file does not match itself.
var forbidden = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|(^|[\s"'(=:])/(ro` + `ot|wo` + `rk|ho` + `me|Us` + `ers)/`)

// texts are the files searched for them, by extension or whole name.
var texts = map[string]bool{
	".go": true, ".s": true, ".md": true, ".yaml": true, ".yml": true, ".sh": true, ".tmpl": true,
	"run": true, "BUILD": true, "MODULE.bazel": true, "go.mod": true,
}

func TestNoForbiddenWords(t *testing.T) {
	for _, name := range repository(t).files {
		if !texts[path.Ext(name)] && !texts[path.Base(name)] {
			continue
		}
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(data), "\n") {
			if word := forbidden.FindString(line); word != "" {
				t.Errorf("%s:%d: %q does not belong here", name, i+1, strings.TrimSpace(word))
			}
		}
	}
}

func TestForbiddenWords(t *testing.T) {
	for text, want := range map[string]bool{
		"// TO" + "DO: later":           true,
		"see /wo" + "rk/x":              true,
		`open("/ro` + `ot/x")`:          true,
		"/ho" + "me/x":                  true,
		"docs/wo" + "rk/x":              false,
		"work/rounds":                   false,
		"https://example.org/ho" + "me": false,
		"A method":                      false,
	} {
		if got := forbidden.MatchString(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

// No test of this repository is kept for its name alone.
func TestTestsAssertSomething(t *testing.T) {
	for _, g := range repository(t).gos {
		if g.test {
			reportEmptyTests(t, g)
		}
	}
}
