package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
)

func local(t *testing.T, root string) store.Store {
	t.Helper()
	s, err := store.Local(root)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, s store.Store, name, text string) {
	t.Helper()
	if err := store.WriteAll(t.Context(), s, name, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestLocal(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return local(t, t.TempDir()) })
}

func TestAt(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a folder", "100%")
	s := local(t, root)
	write(t, s, "x", "text")
	again, err := store.At(s.URI())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := store.ReadAll(t.Context(), again, "x", 10); string(got) != "text" || err != nil {
		t.Errorf("through %s: got %q, error %v, want \"text\"", s.URI(), got, err)
	}
	for uri, want := range map[string]string{
		"gs://bucket/x": `scheme "gs"`,
		"/plain/path":   `scheme ""`,
		"file://host/x": "want file:///absolute/folder",
		"file:relative": "want file:///absolute/folder",
		"file:///x?y=1": "want file:///absolute/folder",
		"%":             "store.At",
	} {
		if _, err := store.At(uri); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("At(%q): got error %v, want one with %q", uri, err, want)
		}
	}
}

// In the store of "/" names may be absolute, and come back so.
func TestAbsoluteNames(t *testing.T) {
	dir := t.TempDir()
	write(t, local(t, dir), "d/x.csv", "text")
	s := local(t, "/")
	name := filepath.Join(dir, "d/x.csv")
	for _, n := range []string{name, name[1:]} {
		if got, err := store.ReadAll(t.Context(), s, n, 10); string(got) != "text" || err != nil {
			t.Errorf("%s: got %q, error %v, want \"text\"", n, got, err)
		}
		got, err := s.Glob(t.Context(), strings.TrimSuffix(n, "x.csv")+"*")
		if err != nil || !slices.Equal(got, []string{n}) {
			t.Errorf("Glob: got %q, error %v, want %q", got, err, n)
		}
		list, err := s.List(t.Context(), strings.TrimSuffix(n, ".csv"))
		if err != nil || len(list) != 1 || list[0] != (store.Info{Name: n, Size: 4}) {
			t.Errorf("List: got %+v, error %v, want %s of 4 bytes", list, err, n)
		}
	}
	if _, err := local(t, dir).Open(t.Context(), name); err == nil || !strings.Contains(err.Error(), "absolute") {
		t.Errorf("an absolute name in another store: got error %v, want one that says so", err)
	}
}

func TestGlobAnyFolders(t *testing.T) {
	s := local(t, t.TempDir())
	for _, name := range []string{"a.csv", "d/b.csv", "d/e/c.csv", "d/e/f/g.csv", "h/e/i.csv", "h/j.txt"} {
		write(t, s, name, "")
	}
	for _, tt := range []struct{ pattern, want string }{
		{"**/*.csv", "a.csv d/b.csv d/e/c.csv d/e/f/g.csv h/e/i.csv"},
		{"d/**", "d/b.csv d/e/c.csv d/e/f/g.csv"},
		{"d/**/*.csv", "d/b.csv d/e/c.csv d/e/f/g.csv"},
		{"**/e/*.csv", "d/e/c.csv h/e/i.csv"},
		{"**/e/**/*.csv", "d/e/c.csv d/e/f/g.csv h/e/i.csv"},
		{"**/**/**/**/**/**/**/**/*.txt", "h/j.txt"}, // no exponential search
		{"**", "a.csv d/b.csv d/e/c.csv d/e/f/g.csv h/e/i.csv h/j.txt"},
		{"*/**/i.csv", "h/e/i.csv"},
		{"**.csv", "a.csv"}, // within a segment ** is *
	} {
		got, err := s.Glob(t.Context(), tt.pattern)
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("Glob(%q): got %q, error %v, want %s", tt.pattern, got, err, tt.want)
		}
	}
}

func TestSweepTemporaries(t *testing.T) {
	root := t.TempDir()
	s := local(t, root)
	for _, name := range []string{"x", "d/y", "d/z"} {
		w, err := s.Create(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("text")); err != nil {
			t.Fatal(err)
		}
		if name == "d/z" { // the others are abandoned, as by a killed process
			if err := w.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := store.SweepTemporaries(t.Context(), s); n != 2 || err != nil {
		t.Errorf("got %d removed, error %v, want 2", n, err)
	}
	var left []string
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			left = append(left, strings.TrimPrefix(p, root))
		}
		return err
	})
	if err != nil || !slices.Equal(left, []string{"/d/z"}) {
		t.Errorf("left are %q, error %v, want /d/z", left, err)
	}
	if _, err := store.SweepTemporaries(t.Context(), local(t, "/")); err == nil {
		t.Error("a sweep of the whole file system: no error")
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	root := t.TempDir()
	s := local(t, root)
	write(t, s, "file", "")
	write(t, s, "folder/x", "")
	cases := map[string]struct {
		do   func() error
		want string
	}{
		"folder as a file": {func() error { _, err := s.Open(t.Context(), "folder"); return err }, "it is a folder, want a file"},
		"file as a folder": {func() error { _, err := s.Create(t.Context(), "file/x"); return err }, "want a folder"},
		"write to folder":  {func() error { _, err := s.Create(t.Context(), "folder"); return err }, "it is a folder, want a file"},
		"move a folder":    {func() error { return s.Move(t.Context(), "folder", "y") }, "it is a folder, want a file"},
		"delete a folder":  {func() error { return s.Delete(t.Context(), "folder") }, "it is a folder, want a file"},
		"long name":        {func() error { return store.WriteAll(t.Context(), s, strings.Repeat("x", 300), nil) }, "too long"},
		"reserved name":    {func() error { return store.WriteAll(t.Context(), s, ".millrace-lock", nil) }, "reserved"},
		"over the limit":   {func() error { _, err := store.ReadAll(t.Context(), s, "folder/x", -1); return err }, "want at most -1"},
		"empty root":       {func() error { _, err := store.Local(""); return err }, "empty root"},
		"root is a file":   {func() error { _, err := store.Local(filepath.Join(root, "file")); return err }, "it is a file, want a folder"},
	}
	for name, c := range cases {
		if err := c.do(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestDiskFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full on this system: ", err)
	}
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, cause := f.Write([]byte("x"))
	if !errors.Is(cause, syscall.ENOSPC) {
		t.Fatalf("/dev/full: got error %v, want %v", cause, syscall.ENOSPC)
	}
	err = store.Explain("write", "out/x", cause)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free some space") || !strings.Contains(err.Error(), "out/x") {
		t.Errorf("got %v, want the object, the cause and the remedy", err)
	}
}

// Links are followed, but not around in circles.
func TestSymbolicLinks(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	s := local(t, root)
	write(t, local(t, other), "d/x", "text")
	links := map[string]string{"file": other + "/d/x", "folder": other + "/d", "dangling": other + "/none", "self": ".", "d": other}
	links["folder/back"] = root // through folder into other/d, and from there to the root again
	for _, link := range slices.Sorted(maps.Keys(links)) {
		if err := os.Symlink(links[link], filepath.Join(root, link)); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	}
	got, err := s.Glob(t.Context(), "**")
	if err != nil || strings.Join(got, " ") != "d/d/x file folder/x" {
		t.Errorf("got %q, error %v, want d/d/x, file and folder/x", got, err)
	}
}

func TestLock(t *testing.T) {
	root := filepath.Join(t.TempDir(), "out")
	release, err := store.Lock(root)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.Lock(root)
	if want := fmt.Sprintf("another run (process %d) holds %s", os.Getpid(), root); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a second lock: got error %v, want %q", err, want)
	}
	if list, err := local(t, root).List(t.Context(), ""); len(list) != 0 || err != nil {
		t.Errorf("the lock is listed as an object: %+v, error %v", list, err)
	}
	if err := errors.Join(release(), release()); err != nil {
		t.Error(err)
	}
	release, err = store.Lock(root)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

// A lock ends with its process, even if that is killed.
func TestLockOfKilledProcess(t *testing.T) {
	const variable = "MILLRACE_TEST_LOCK"
	if root := os.Getenv(variable); root != "" {
		if _, err := store.Lock(root); err != nil {
			t.Fatal(err)
		}
		fmt.Println("locked")
		time.Sleep(time.Hour) // not select {}: with nothing else to do, the runtime would call that a deadlock
	}
	root := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestLockOfKilledProcess$")
	cmd.Env = append(os.Environ(), variable+"="+root)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Errorf("the other process said %q, error %v", line, err)
	}
	if _, err := store.Lock(root); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d", cmd.Process.Pid)) {
		t.Errorf("while it lives: got error %v, want one that names process %d", err, cmd.Process.Pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // says "killed"
	release, err := store.Lock(root)
	if err != nil {
		t.Fatalf("after its death: %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

// A writer killed at any moment leaves the old object or the new one, never a part.
func TestKilledWriter(t *testing.T) {
	const variable, size = "MILLRACE_TEST_WRITER", 1 << 20
	if root := os.Getenv(variable); root != "" {
		s := local(t, root)
		for i := byte(0); ; i++ {
			write(t, s, "x", strings.Repeat(string(rune('a'+i%26)), size))
			if i == 0 {
				fmt.Println("written")
			}
		}
	}
	root := t.TempDir()
	for kill := range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
		cmd.Env = append(os.Environ(), variable+"="+root)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "written\n" {
			t.Errorf("the other process said %q, error %v", line, err)
		}
		time.Sleep(time.Duration(kill) * 7 * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait() // says "killed"
		s := local(t, root)
		data, err := store.ReadAll(t.Context(), s, "x", size)
		if err != nil || len(data) != size || strings.Count(string(data), string(data[:1])) != size {
			t.Fatalf("kill %d: got %d bytes, error %v, want %d equal ones", kill, len(data), err, size)
		}
		if _, err := store.SweepTemporaries(t.Context(), s); err != nil {
			t.Error(err)
		}
		if files, err := os.ReadDir(root); err != nil || len(files) != 1 {
			t.Errorf("kill %d: after the sweep the folder holds %v, error %v, want x alone", kill, files, err)
		}
	}
}
