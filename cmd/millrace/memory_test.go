package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/millrace-go/millrace/internal/shareddata"
)

// flights is a table of three million rows beside the repository.
const flights = "tabular/flights/flights-3m.parquet"

// TestMemoryIsFlat prepares a table once and ten times over: the peak of the
// resident set grows by less than a tenth, and stays below 1 GiB.
func TestMemoryIsFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("prepares 33 million rows; not with -short")
	}
	source := shareddata.Path(t, flights)
	one, ten := preparePeak(t, source, 1), preparePeak(t, source, 10)
	t.Logf("peak resident set: %d KiB for 3 million rows, %d KiB for 30 million: %+.1f %%", one, ten, 100*float64(ten-one)/float64(one))
	if ten*10 >= one*11 {
		t.Errorf("ten times the rows took %d KiB, once %d: want less than a tenth more", ten, one)
	}
	if limit := int64(1 << 20); one > limit || ten > limit {
		t.Errorf("took %d and %d KiB, want at most %d", one, ten, limit)
	}
}

// preparePeak runs prepare on copies of a file and returns its peak resident set in KiB.
func preparePeak(t *testing.T, source string, copies int) int64 {
	t.Helper()
	dir := t.TempDir()
	job := read(t, "testdata/flights.yaml")
	write(t, filepath.Join(dir, "job", "job.yaml"), job)
	for i := range copies {
		if err := os.Symlink(source, filepath.Join(dir, "job", fmt.Sprintf("%02d.parquet", i))); err != nil {
			t.Fatal(err)
		}
	}
	cmd := command(t, dir, "prepare", "job", "--out", "out", "--workers", "2")
	if res := finish(t, cmd); res.code != exitDone {
		t.Fatalf("exit %d: %s", res.code, res.stderr)
	}
	os.RemoveAll(filepath.Join(dir, "out"))
	return cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
}
