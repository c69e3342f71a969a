package storetest

import (
	"errors"
	"syscall"
	"testing"

	"github.com/millrace-go/millrace/io/store"
)

func TestMemory(t *testing.T) {
	Run(t, func(*testing.T) store.Store { return NewMemory() })
}

func TestFaultyFailsFromTheNth(t *testing.T) {
	for n := range 3 {
		s := FailAfter(NewMemory(), OpCommit, n, nil)
		for i := range 4 {
			err := store.WriteAll(t.Context(), s, "x", []byte{byte(i)})
			if fails := errors.Is(err, syscall.ENOSPC); fails != (i >= n) {
				t.Errorf("commit %d of a store that fails after %d: got error %v", i+1, n, err)
			}
		}
		if got, want := s.Failed(), 4-n; got != want {
			t.Errorf("after %d: got %d failures, want %d", n, got, want)
		}
	}
}

// Each operation fails, and a failed writer leaves what was there.
func TestFaultyOperations(t *testing.T) {
	for _, op := range []Op{OpOpen, OpRead, OpCreate, OpWrite, OpCommit, OpMove, OpDelete, OpList} {
		inner := NewMemory()
		if err := store.WriteAll(t.Context(), inner, "x", []byte("old")); err != nil {
			t.Fatal(err)
		}
		s := FailAfter(inner, op, 0, syscall.EIO)
		_, readErr := store.ReadAll(t.Context(), s, "x", 10)
		writeErr := store.WriteAll(t.Context(), s, "y", []byte("new"))
		newErr := store.WriteNew(t.Context(), s, "z", []byte("new"))
		_, listErr := s.List(t.Context(), "")
		_, globErr := s.Glob(t.Context(), "*")
		moveErr := s.Move(t.Context(), "x", "w")
		deleteErr := s.Delete(t.Context(), "w")
		want := map[Op]int{OpOpen: 1, OpRead: 1, OpCreate: 2, OpWrite: 2, OpCommit: 2, OpMove: 1, OpDelete: 1, OpList: 2}[op]
		got := 0
		for _, err := range []error{readErr, writeErr, newErr, listErr, globErr, moveErr, deleteErr} {
			if errors.Is(err, syscall.EIO) {
				got++
			}
		}
		if got != want || s.Failed() != want {
			t.Errorf("%s: %d calls failed, Failed is %d, want %d", op, got, s.Failed(), want)
		}
		if _, err := inner.Open(t.Context(), "y"); (op == OpWrite || op == OpCommit) && !errors.Is(err, store.ErrNotExist) {
			t.Errorf("%s failed, but there is an object: error %v", op, err)
		}
	}
}
