package lint

import (
	"strings"
	"testing"
)

// floor says what the packages below a folder may import of the project and
// of others; "std" stands for the standard library, which all may.
type floor struct {
	folder string
	own    []string // folders of this module
	others []string // import path prefixes; nil allows none, "*" any
}

// floors is the house of CONTRIBUTING.md, the innermost folder first.
var floors = []floor{
	{"cmd", []string{"*"}, []string{"*"}},
	{"pipelines", []string{"pipelines", "transforms", "runners", "model", "io", "accel", "internal"}, []string{"*"}},
	{"transforms", []string{"transforms", "model", "io", "accel", "internal"}, []string{"*"}},
	{"model", []string{"model", "accel", "internal"}, notBeamNorArrow},
	{"io/batch", []string{"io", "internal"}, []string{"*"}}, // registers the coder with Beam
	{"io", []string{"io", "internal"}, notBeam},
	{"runners", []string{"runners", "io", "internal"}, []string{"*"}},
	{"accel", []string{"accel", "internal"}, []string{"golang.org/x/sys"}},
	{"internal/lint", []string{}, nil},
	{"internal", []string{"internal"}, []string{"*"}},
}

// These stand for any import but the engines named.
var (
	notBeam         = []string{"*", "!github.com/apache/beam/"}
	notBeamNorArrow = []string{"*", "!github.com/apache/beam/", "!github.com/apache/arrow/"}
)

func floorOf(pkg string) *floor {
	for i := range floors {
		if pkg == floors[i].folder || strings.HasPrefix(pkg, floors[i].folder+"/") {
			return &floors[i]
		}
	}
	return nil
}

// allows says whether a package on the floor may import path.
func (f *floor) allows(path string) bool {
	list := f.others
	if own, ok := strings.CutPrefix(path, module+"/"); ok {
		path, list = own, f.own
	} else if !strings.Contains(strings.SplitN(path, "/", 2)[0], ".") {
		return true // the standard library
	}
	ok := false
	for _, p := range list {
		if banned, not := strings.CutPrefix(p, "!"); not {
			if strings.HasPrefix(path, banned) {
				return false
			}
			continue
		}
		ok = ok || p == "*" || path == p || strings.HasPrefix(path, p+"/")
	}
	return ok
}

// Imports point down only. A test may reach further, to generate or to check
// data, but never up into cmd.
func TestImportsPointDown(t *testing.T) {
	for _, g := range repository(t).gos {
		f := floorOf(g.pkg)
		if f == nil {
			t.Errorf("%s: no floor holds Go files in %s; see the table in CONTRIBUTING.md", g.name, g.pkg)
			continue
		}
		for _, im := range g.imports {
			switch {
			case g.test && im != module+"/cmd" && !strings.HasPrefix(im, module+"/cmd/"):
			case !f.allows(im):
				t.Errorf("%s: imports %s, which %s may not", g.name, im, f.folder)
			}
		}
	}
}

func TestFloors(t *testing.T) {
	for _, c := range []struct {
		pkg, path string
		want      bool
	}{
		{"model/nn", "math", true},
		{"model/nn", "github.com/apache/beam/sdks/v2/go/pkg/beam", false},
		{"model/nn", "github.com/apache/arrow/go/v15/arrow", false},
		{"model/nn", "gorgonia.org/tensor", true},
		{"model/nn", module + "/accel/cpu", true},
		{"model/nn", module + "/io/batch", false},
		{"io/batch", "github.com/apache/beam/sdks/v2/go/pkg/beam", true},
		{"io/csvio", "github.com/apache/beam/sdks/v2/go/pkg/beam", false},
		{"io/csvio", "github.com/apache/arrow/go/v15/arrow", true},
		{"accel/cpu", "github.com/zeebo/xxh3", false},
		{"accel/cpu", module + "/model/nn", false},
		{"transforms/clean", module + "/pipelines/job", false},
		{"pipelines/job", module + "/cmd/millrace", false},
		{"internal/names", module + "/io/batch", false},
		{"cmd/millrace", module + "/pipelines/job", true},
	} {
		if got := floorOf(c.pkg).allows(c.path); got != c.want {
			t.Errorf("may %s import %s? got %v, want %v", c.pkg, c.path, got, c.want)
		}
	}
}

// A package called io would hide the standard one.
func TestNoGoFileInFoldersOfFolders(t *testing.T) {
	for _, g := range repository(t).gos {
		switch g.pkg {
		case ".", "io", "cmd", "internal", "examples", "docs":
			t.Errorf("%s: put Go files into a folder below %s", g.name, g.pkg)
		}
	}
}

// Two versions of Arrow's Parquet cannot be linked into one binary.
func TestOneArrow(t *testing.T) {
	for _, g := range repository(t).gos {
		for _, im := range g.imports {
			if strings.HasPrefix(im, "github.com/apache/arrow") && !strings.HasPrefix(im, "github.com/apache/arrow/go/v15/") {
				t.Errorf("%s: imports %s, want arrow/go/v15", g.name, im)
			}
		}
	}
}
