package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/millrace-go/millrace/io/store"
)

func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	dir := released(t)
	out := filepath.Join(dir, "out")
	before := files(t, out)
	release, err := store.Lock(out) // as another run would
	if err != nil {
		t.Fatal(err)
	}
	res := must(t, 1, dir, "retrain", "job", "--out", "out")
	holder := fmt.Sprintf("another run (process %d) holds", os.Getpid())
	if message := res.message(t); !strings.Contains(message, holder) || !strings.Contains(message, "choose another --out") {
		t.Errorf("got message %q, want %q and a remedy in it", message, holder)
	}
	for name, sum := range files(t, out) {
		if before[name] != sum {
			t.Errorf("%s changed while another run held the folder", name)
		}
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	must(t, 0, dir, "retrain", "job", "--out", "out")
}

func TestOutBelowAFile(t *testing.T) {
	t.Parallel()
	dir := fresh(t, smallRows(300))
	res := must(t, 1, dir, "retrain", "job", "--out", "job/rows.csv/out")
	if message := res.message(t); !strings.Contains(message, "rows.csv") || !strings.Contains(message, "want a folder") {
		t.Errorf("got message %q, want the path and what it should be", message)
	}
	if got := read(t, filepath.Join(dir, "job", "rows.csv")); got != smallRows(300) {
		t.Error("the file in the way was changed")
	}
}

// A write that fails at some point in the middle, as on a full disk: no file
// may be larger than a limit, which different steps run into.
func TestWritesFail(t *testing.T) {
	for _, limit := range []int{0, 200, 1000, 3000} {
		t.Run(fmt.Sprintf("after %d bytes", limit), func(t *testing.T) {
			t.Parallel()
			dir := released(t)
			before := files(t, filepath.Join(dir, "out"))
			edit(t, filepath.Join(dir, "job", "job.yaml"), "name: small", "name: small\nseed: 2")
			write(t, filepath.Join(dir, "job", "rows.csv"), smallRows(330))
			cmd := command(t, dir, "retrain", "job", "--out", "out")
			cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", fileLimit, limit))
			res := finish(t, cmd)
			if res.code != 1 {
				t.Fatalf("got exit code %d, want 1: %s", res.code, res.stderr)
			}
			if message := res.message(t); !strings.Contains(message, "file too large") {
				t.Errorf("got message %q, want the system's error in it", message)
			}
			wantReleaseUntouched(t, filepath.Join(dir, "out"), before)
			wantClean(t, dir)
			must(t, 0, dir, "retrain", "job", "--out", "out") // with room, it goes on
			wantEveryRowOnce(t, predictions(t, filepath.Join(dir, "out")), 330)
		})
	}
}

func TestDiskFull(t *testing.T) {
	dir := fresh(t, smallRows(300))
	disk := filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=16k"); err != nil {
		t.Skipf("cannot mount a small disk, which needs the superuser: %v", err)
	}
	defer syscall.Unmount(disk, 0)
	res := must(t, 1, dir, "retrain", "job", "--out", "disk/out")
	if message := res.message(t); !strings.Contains(message, "free some space and run again") {
		t.Errorf("got message %q, want a remedy in it", message)
	}
	wantClean(t, dir)
}
