package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/millrace-go/millrace"
)

// goFile is one Go file of the repository.
type goFile struct {
	name    string // from the root, slash-separated
	pkg     string // the folder, "." for the root
	test    bool
	source  []byte
	syntax  *ast.File
	imports []string
}

// tree is the repository, read once.
type tree struct {
	files []string // all but ignored ones, from the root, slash-separated
	gos   []goFile
}

var (
	once   sync.Once
	shared tree
	broken error
)

// repository reads the repository: all files but hidden folders (.ci is read),
// testdata, binaries and what runs leave behind.
func repository(t *testing.T) *tree {
	t.Helper()
	once.Do(func() { broken = shared.read() })
	if broken != nil {
		t.Fatal(broken)
	}
	if len(shared.gos) < 50 { // a sanity check: the walk found the repository
		t.Fatalf("only %d Go files below %s", len(shared.gos), root)
	}
	return &shared
}

func (r *tree) read() error {
	return filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if name != "." && strings.HasPrefix(d.Name(), ".") && name != ".ci" || name == "out" || name == "shared" {
				return filepath.SkipDir
			}
			return nil
		}
		r.files = append(r.files, name)
		if path.Ext(name) != ".go" || strings.Contains(name, "/testdata/") {
			return nil
		}
		return r.addGo(name)
	})
}

func (r *tree) addGo(name string) error {
	source, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments)
	if err != nil {
		return err
	}
	g := goFile{name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), source: source, syntax: syntax}
	for _, im := range syntax.Imports {
		g.imports = append(g.imports, strings.Trim(im.Path.Value, `"`))
	}
	r.gos = append(r.gos, g)
	return nil
}

// lines counts the lines of a text file.
func lines(data []byte) int {
	return strings.Count(string(data), "\n")
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
