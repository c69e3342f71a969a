// Package storetest has the test that every store.Store passes, and stores for tests.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/millrace-go/millrace/io/store"
)

// Run checks that the stores that open returns, each empty and its own, behave as store.Store says.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	tests := []struct {
		name string
		test func(*testing.T, store.Store)
	}{
		{"write and read", testWriteRead},
		{"nothing before commit", testUncommitted},
		{"closed writer", testClosed},
		{"replace", testReplace},
		{"create new", testCreateNew},
		{"race", testRace},
		{"list", testList},
		{"glob", testGlob},
		{"move", testMove},
		{"delete", testDelete},
		{"missing", testMissing},
		{"names", testNames},
		{"cancelled", testCancelled},
		{"objects", testObjects},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

func put(t *testing.T, s store.Store, name, text string) {
	t.Helper()
	if err := store.WriteAll(t.Context(), s, name, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// wantText fails unless the object name holds text.
func wantText(t *testing.T, s store.Store, name, text string) {
	t.Helper()
	got, err := store.ReadAll(t.Context(), s, name, 1<<20)
	if err != nil || string(got) != text {
		t.Errorf("object %s: got %q, error %v, want %q", name, got, err, text)
	}
}

// wantNames fails unless the store holds exactly these names.
func wantNames(t *testing.T, s store.Store, want ...string) {
	t.Helper()
	list, err := s.List(t.Context(), "")
	var got []string
	for _, info := range list {
		got = append(got, info.Name)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the store holds %q, error %v, want %q", got, err, want)
	}
}

func testWriteRead(t *testing.T, s store.Store) {
	w, err := s.Create(t.Context(), "a/b/c")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"hello, ", "", "world"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write(%q): got %d, %v", part, n, err)
		}
	}
	if err := errors.Join(w.Commit(), w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), "a/b/c")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := make([]byte, 5)
	if n, err := r.ReadAt(p, 7); r.Size() != 12 || n != 5 || string(p) != "world" {
		t.Errorf("got size %d, %d bytes %q at 7, error %v, want 12, 5, \"world\"", r.Size(), n, p, err)
	}
	put(t, s, "empty", "")
	wantText(t, s, "empty", "")
}

func testUncommitted(t *testing.T, s store.Store) {
	w, err := s.Create(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("partial")); err != nil {
		t.Fatal(err)
	}
	wantNames(t, s)
	if _, err := s.Open(t.Context(), "x"); !errors.Is(err, store.ErrNotExist) {
		t.Errorf("Open before Commit: got error %v, want %v", err, store.ErrNotExist)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	wantNames(t, s)
}

func testClosed(t *testing.T, s store.Store) {
	for _, commit := range []bool{false, true} {
		w, err := s.Create(t.Context(), fmt.Sprint("x", commit))
		if err != nil {
			t.Fatal(err)
		}
		if commit {
			err = w.Commit()
		} else {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("late")); err == nil {
			t.Errorf("Write after the end (commit %v): no error", commit)
		}
		if err := w.Commit(); err == nil {
			t.Errorf("Commit after the end (commit %v): no error", commit)
		}
	}
	wantText(t, s, "xtrue", "")
	wantNames(t, s, "xtrue")
}

func testReplace(t *testing.T, s store.Store) {
	put(t, s, "x", "old and long")
	r, err := s.Open(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	put(t, s, "x", "new")
	wantText(t, s, "x", "new")
	p := make([]byte, r.Size())
	if _, err := r.ReadAt(p, 0); string(p) != "old and long" {
		t.Errorf("a reader from before: got %q, error %v, want the old bytes", p, err)
	}
}

func testCreateNew(t *testing.T, s store.Store) {
	if err := store.WriteNew(t.Context(), s, "log/1", []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := store.WriteNew(t.Context(), s, "log/1", []byte("second")); !errors.Is(err, store.ErrExist) {
		t.Errorf("a second writer: got error %v, want %v", err, store.ErrExist)
	}
	wantText(t, s, "log/1", "first")
	wantNames(t, s, "log/1")
}

// testRace has 8 writers want one name: one wins, and its bytes are there.
func testRace(t *testing.T, s store.Store) {
	const writers = 8
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			errs[i] = store.WriteNew(t.Context(), s, "race", bytes.Repeat([]byte{byte('0' + i)}, 1000))
		})
	}
	wg.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("writers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, store.ErrExist):
			t.Errorf("writer %d: got error %v, want %v", i, err, store.ErrExist)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	wantText(t, s, "race", strings.Repeat(string(rune('0'+winner)), 1000))
}

func testList(t *testing.T, s store.Store) {
	for _, name := range []string{"b/2", "b/10", "b-c", "a", "b/d/e", "bb/x"} {
		put(t, s, name, name)
	}
	for _, tt := range []struct {
		prefix string
		want   string
	}{
		{"", "a b-c b/10 b/2 b/d/e bb/x"}, // '-' < '/'
		{"b", "b-c b/10 b/2 b/d/e bb/x"},
		{"b/", "b/10 b/2 b/d/e"},
		{"b/1", "b/10"},
		{"b/d", "b/d/e"},
		{"c", ""},
		{"a/", ""},
		{"b/x/y", ""},
	} {
		list, err := s.List(t.Context(), tt.prefix)
		var got []string
		for _, info := range list {
			got = append(got, info.Name)
			if info.Size != int64(len(info.Name)) {
				t.Errorf("%s: got size %d, want %d", info.Name, info.Size, len(info.Name))
			}
		}
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("List(%q): got %q, error %v, want %s", tt.prefix, got, err, tt.want)
		}
	}
}

func testGlob(t *testing.T, s store.Store) {
	for _, name := range []string{"a.csv", "d/b.csv", "d/c.txt", "d/e/f.csv", "d2/g.csv"} {
		put(t, s, name, "")
	}
	for _, tt := range []struct{ pattern, want string }{
		{"*.csv", "a.csv"},
		{"d/*.csv", "d/b.csv"},
		{"d*/?.csv", "d/b.csv d2/g.csv"},
		{"d/[bc].*", "d/b.csv d/c.txt"},
		{"a.csv", "a.csv"},
		{"x*", ""},
		{"nowhere/*.csv", ""},
	} {
		got, err := s.Glob(t.Context(), tt.pattern)
		if err != nil || strings.Join(got, " ") != tt.want {
			t.Errorf("Glob(%q): got %q, error %v, want %s", tt.pattern, got, err, tt.want)
		}
	}
	if _, err := s.Glob(t.Context(), "d/[b"); err == nil {
		t.Error("Glob of a malformed pattern: no error")
	}
}

func testMove(t *testing.T, s store.Store) {
	put(t, s, "from", "new")
	put(t, s, "to/there", "old")
	if err := s.Move(t.Context(), "from", "to/there"); err != nil {
		t.Fatal(err)
	}
	wantText(t, s, "to/there", "new")
	if err := s.Move(t.Context(), "to/there", "made/for/it"); err != nil {
		t.Fatal(err)
	}
	wantText(t, s, "made/for/it", "new")
	wantNames(t, s, "made/for/it")
}

func testDelete(t *testing.T, s store.Store) {
	put(t, s, "d/x", "")
	put(t, s, "d/y", "")
	for range 2 { // a missing object is no error
		if err := s.Delete(t.Context(), "d/x"); err != nil {
			t.Error(err)
		}
	}
	wantNames(t, s, "d/y")
}

func testMissing(t *testing.T, s store.Store) {
	if _, err := s.Open(t.Context(), "no/such"); !errors.Is(err, store.ErrNotExist) || !strings.Contains(err.Error(), "no/such") {
		t.Errorf("Open: got error %v, want one that names the object and wraps %v", err, store.ErrNotExist)
	}
	if err := s.Move(t.Context(), "no/such", "x"); !errors.Is(err, store.ErrNotExist) {
		t.Errorf("Move: got error %v, want %v", err, store.ErrNotExist)
	}
}

func testNames(t *testing.T, s store.Store) {
	for _, name := range []string{"", "..", "../x", "a/../../x", "a//b", "a/", "./a", "/a"} {
		if w, err := s.Create(t.Context(), name); err == nil {
			w.Close()
			t.Errorf("Create(%q): no error, want one: the name is not clean or leaves the store", name)
		}
	}
	wantNames(t, s)
}

func testCancelled(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	w, err := s.Create(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := w.Commit(); !errors.Is(err, context.Canceled) {
		t.Errorf("Commit: got error %v, want %v", err, context.Canceled)
	}
	w.Close()
	if _, err := s.Open(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: got error %v, want %v", err, context.Canceled)
	}
	wantNames(t, s)
}

func testObjects(t *testing.T, s store.Store) {
	data := []byte("some bytes")
	ref, err := store.PutObject(t.Context(), s, "objects", data)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Ref{Name: "objects/" + ref.SHA256, SHA256: ref.SHA256, Bytes: 10}
	if ref != want || store.RefOf(ref.Name, data) != ref {
		t.Errorf("got %+v, want %+v", ref, want)
	}
	got, err := store.GetObject(t.Context(), s, ref)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %q, error %v, want %q", got, err, data)
	}
	for _, text := range []string{"some bytez", "some byte", "some bytes "} {
		put(t, s, ref.Name, text)
		if _, err := store.GetObject(t.Context(), s, ref); err == nil || !strings.Contains(err.Error(), "changed or damaged") {
			t.Errorf("an object changed to %q: got error %v, want one that says so", text, err)
		}
		if again, err := store.PutObject(t.Context(), s, "objects", data); err != nil || again != ref {
			t.Errorf("putting it again: got %+v, error %v, want %+v", again, err, ref)
		}
		wantText(t, s, ref.Name, string(data))
	}
}
