package lint

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"
)

// sources matches the file names of srcs and embedsrcs in a BUILD file.
var (
	rule    = regexp.MustCompile(`(?ms)^(go_library|go_binary|go_test)\(\n(.*?)^\)`)
	srcs    = regexp.MustCompile(`(?ms)^    srcs = \[(.*?)\]`)
	srcName = regexp.MustCompile(`"([^"]+)"`)
)

// buildFiles lists the Go and assembly files that the rules of a BUILD file name.
func buildFiles(text string) (library, test []string) {
	for _, r := range rule.FindAllStringSubmatch(text, -1) {
		s := srcs.FindStringSubmatch(r[2])
		if s == nil {
			continue
		}
		for _, n := range srcName.FindAllStringSubmatch(s[1], -1) {
			if r[1] == "go_test" {
				test = append(test, n[1])
			} else {
				library = append(library, n[1])
			}
		}
	}
	sort.Strings(library)
	sort.Strings(test)
	return library, test
}

// BUILD files are written by internal/lint/gazelle.sh; this checks, without
// running it, that each names exactly the Go files of its folder.
func TestBuildFilesAreInStep(t *testing.T) {
	wantLibrary, wantTest := map[string][]string{}, map[string][]string{}
	for _, g := range repository(t).gos {
		switch {
		case ignored(g.source):
		case g.test:
			wantTest[g.pkg] = append(wantTest[g.pkg], path.Base(g.name))
		default:
			wantLibrary[g.pkg] = append(wantLibrary[g.pkg], path.Base(g.name))
		}
	}
	for _, name := range repository(t).files {
		if ext := path.Ext(name); ext == ".s" || ext == ".h" {
			wantLibrary[path.Dir(name)] = append(wantLibrary[path.Dir(name)], path.Base(name))
		}
	}
	folders := map[string]bool{}
	for pkg := range wantLibrary {
		folders[pkg] = true
	}
	for pkg := range wantTest {
		folders[pkg] = true
	}
	for pkg := range folders {
		data, err := os.ReadFile(filepath.Join(root, pkg, "BUILD"))
		if err != nil {
			t.Errorf("%s: no BUILD file; run internal/lint/gazelle.sh", pkg)
			continue
		}
		library, test := buildFiles(string(data))
		sort.Strings(wantLibrary[pkg])
		sort.Strings(wantTest[pkg])
		if got, want := strings.Join(library, " "), strings.Join(wantLibrary[pkg], " "); got != want {
			t.Errorf("%s/BUILD: sources %s, want %s; run internal/lint/gazelle.sh", pkg, got, want)
		}
		if got, want := strings.Join(test, " "), strings.Join(wantTest[pkg], " "); got != want {
			t.Errorf("%s/BUILD: tests %s, want %s; run internal/lint/gazelle.sh", pkg, got, want)
		}
	}
}

// ignored says whether a file is left out of every build by the constraint "ignore".
func ignored(source []byte) bool {
	return strings.Contains("\n"+string(source), "\n//go:build ignore\n")
}
