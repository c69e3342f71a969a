// Package shareddata finds the public data sets that lie beside the
// repository, for tests.
package shareddata

import (
	"os"
	"path/filepath"
	"testing"
)

// Path returns the file or folder name below ../shared/data. Without it the
// test is skipped, or fails where the environment says CI=true.
func Path(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
	path := filepath.Join(filepath.Dir(dir), "shared", "data", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI must have the shared data: %v", err)
		}
		t.Skipf("no shared data beside the repository: %v", err)
	}
	return path
}
