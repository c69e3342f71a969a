package storetest

import (
	"context"
	"fmt"
	"sync"
	"syscall"

	"github.com/millrace-go/millrace/io/store"
)

// Op is a kind of operation that a Faulty store can fail.
type Op string

// The operations.
const (
	OpOpen   Op = "open"
	OpRead   Op = "read" // ReadAt
	OpCreate Op = "create"
	OpWrite  Op = "write"
	OpCommit Op = "commit"
	OpMove   Op = "move"
	OpDelete Op = "delete"
	OpList   Op = "list" // List and Glob
)

// Faulty is a Store that fails the nth operation of one kind and all that
// follow, as a disk does that is full. It may be used by several goroutines.
type Faulty struct {
	store.Store
	op  Op
	err error

	mu     sync.Mutex
	left   int // operations before the first failure
	failed int
}

// FailAfter wraps s: n operations of kind op succeed, further ones fail with
// err; if err is nil, with ENOSPC. Try n = 0, 1, 2, … until Failed is 0 to fail a job at every step.
func FailAfter(s store.Store, op Op, n int, err error) *Faulty {
	if err == nil {
		err = syscall.ENOSPC
	}
	return &Faulty{Store: s, op: op, err: err, left: n}
}

// Failed is the number of operations that were failed.
func (f *Faulty) Failed() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

func (f *Faulty) try(op Op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case op != f.op:
		return nil
	case f.left > 0:
		f.left--
		return nil
	}
	f.failed++
	return fmt.Errorf("store: %s %s: %w (injected by a test)", op, name, f.err)
}

// Open implements store.Store.
func (f *Faulty) Open(ctx context.Context, name string) (store.Reader, error) {
	if err := f.try(OpOpen, name); err != nil {
		return nil, err
	}
	r, err := f.Store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return &faultyReader{r, f, name}, nil
}

type faultyReader struct {
	store.Reader
	f    *Faulty
	name string
}

func (r *faultyReader) ReadAt(p []byte, off int64) (int, error) {
	if err := r.f.try(OpRead, r.name); err != nil {
		return 0, err
	}
	return r.Reader.ReadAt(p, off)
}

// Create implements store.Store.
func (f *Faulty) Create(ctx context.Context, name string) (store.Writer, error) {
	return f.create(ctx, name, f.Store.Create)
}

// CreateNew implements store.Store.
func (f *Faulty) CreateNew(ctx context.Context, name string) (store.Writer, error) {
	return f.create(ctx, name, f.Store.CreateNew)
}

func (f *Faulty) create(ctx context.Context, name string, create func(context.Context, string) (store.Writer, error)) (store.Writer, error) {
	if err := f.try(OpCreate, name); err != nil {
		return nil, err
	}
	w, err := create(ctx, name)
	if err != nil {
		return nil, err
	}
	return &faultyWriter{w, f, name}, nil
}

type faultyWriter struct {
	store.Writer
	f    *Faulty
	name string
}

// Write writes half of p before it fails.
func (w *faultyWriter) Write(p []byte) (int, error) {
	if err := w.f.try(OpWrite, w.name); err != nil {
		n, _ := w.Writer.Write(p[:len(p)/2])
		return n, err
	}
	return w.Writer.Write(p)
}

func (w *faultyWriter) Commit() error {
	if err := w.f.try(OpCommit, w.name); err != nil {
		return err
	}
	return w.Writer.Commit()
}

// List implements store.Store.
func (f *Faulty) List(ctx context.Context, prefix string) ([]store.Info, error) {
	if err := f.try(OpList, prefix); err != nil {
		return nil, err
	}
	return f.Store.List(ctx, prefix)
}

// Glob implements store.Store.
func (f *Faulty) Glob(ctx context.Context, pattern string) ([]string, error) {
	if err := f.try(OpList, pattern); err != nil {
		return nil, err
	}
	return f.Store.Glob(ctx, pattern)
}

// Move implements store.Store.
func (f *Faulty) Move(ctx context.Context, from, to string) error {
	if err := f.try(OpMove, from); err != nil {
		return err
	}
	return f.Store.Move(ctx, from, to)
}

// Delete implements store.Store.
func (f *Faulty) Delete(ctx context.Context, name string) error {
	if err := f.try(OpDelete, name); err != nil {
		return err
	}
	return f.Store.Delete(ctx, name)
}
