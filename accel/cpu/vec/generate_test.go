package vec

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The committed assembly is what the generator writes.
func TestGeneratedFilesAreInStep(t *testing.T) {
	tool, err := exec.LookPath("go")
	if err != nil || testing.Short() {
		t.Skip("needs the go command, and a second")
	}
	source, err := os.ReadFile("generate.go")
	if err != nil {
		t.Skip("needs the source files beside the test")
	}
	_, line, _ := strings.Cut(string(source), "//go:generate go ")
	args := strings.Fields(line)
	for i, a := range args {
		if strings.HasSuffix(a, ".go") {
			args[i], _ = filepath.Abs(a)
		}
	}
	cmd := exec.Command(tool, args...)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	written, err := os.ReadDir(cmd.Dir)
	if err != nil || len(written) != 19 { // six families: two of assembly, one of Go each; one for others
		t.Fatalf("the generator wrote %d files (%v), want 19", len(written), err)
	}
	for _, f := range written {
		want, err := os.ReadFile(filepath.Join(cmd.Dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: run go generate (%v)", f.Name(), err)
		}
	}
}
