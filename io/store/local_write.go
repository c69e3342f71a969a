package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// Create implements Store.
func (l *local) Create(ctx context.Context, name string) (Writer, error) {
	return l.create(ctx, name, false)
}

// CreateNew implements Store.
func (l *local) CreateNew(ctx context.Context, name string) (Writer, error) {
	return l.create(ctx, name, true)
}

// localWriter writes a temporary file beside the object's, so that Commit is
// one rename or link within a file system.
type localWriter struct {
	ctx       context.Context
	file      *os.File // nil once closed
	temp      string
	path      string
	onlyNew   bool
	err       error // the first failure: a partial object is never committed
	committed bool
}

func (l *local) create(ctx context.Context, name string, onlyNew bool) (Writer, error) {
	p, err := l.path(name)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("store: create %s: %w", p, err)
	}
	if err := makeFolders(filepath.Dir(p)); err != nil {
		return nil, err
	}
	if st, err := os.Stat(p); err == nil && st.IsDir() {
		return nil, fault("create", p, fmt.Errorf("it is a folder, want a file"))
	}
	f, err := createTemporary(filepath.Dir(p))
	if err != nil {
		return nil, fault("create", p, err)
	}
	return &localWriter{ctx: ctx, file: f, temp: f.Name(), path: p, onlyNew: onlyNew}, nil
}

// createTemporary opens a new file in dir with a name that no other writer has.
func createTemporary(dir string) (*os.File, error) {
	for {
		name := fmt.Sprintf("%s%d-%016x", temporary, os.Getpid(), rand.Uint64())
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

func (w *localWriter) Write(p []byte) (int, error) {
	if w.err == nil && w.file == nil {
		w.err = fmt.Errorf("store: write %s: the writer is closed", w.path)
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.file.Write(p)
	w.err = fault("write", w.path, err)
	return n, w.err
}

// Commit makes the bytes durable before the name, and the name before it returns.
func (w *localWriter) Commit() error {
	switch {
	case w.err != nil:
		return w.err
	case w.file == nil:
		return fmt.Errorf("store: commit %s: the writer is closed", w.path)
	}
	if err := w.ctx.Err(); err != nil {
		w.err = fmt.Errorf("store: commit %s: %w", w.path, err)
		return w.err
	}
	w.err = fault("write", w.path, w.file.Sync())
	if err := w.file.Close(); w.err == nil {
		w.err = fault("write", w.path, err)
	}
	w.file = nil
	if w.err == nil {
		w.err = w.publish()
	}
	if w.err != nil {
		os.Remove(w.temp) // the sweep finds it if this fails
		return w.err
	}
	w.committed = true
	return nil
}

// publish gives the temporary file its name: rename(2) replaces, link(2)
// fails if the name is taken.
func (w *localWriter) publish() error {
	if !w.onlyNew {
		if err := os.Rename(w.temp, w.path); err != nil {
			return fault("commit", w.path, err)
		}
		return syncFolder(filepath.Dir(w.path))
	}
	if err := os.Link(w.temp, w.path); err != nil {
		return fault("commit", w.path, err)
	}
	os.Remove(w.temp) // the sweep finds it if this fails
	return syncFolder(filepath.Dir(w.path))
}

func (w *localWriter) Close() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	if rmErr := os.Remove(w.temp); err == nil {
		err = rmErr
	}
	return fault("discard", w.path, err)
}

// makeFolders makes dir and its parents and syncs the folder of each new one.
func makeFolders(dir string) error {
	st, err := os.Stat(dir)
	switch {
	case err == nil && st.IsDir():
		return nil
	case err == nil:
		return fault("make folder", dir, fmt.Errorf("it is a file, want a folder"))
	case !errors.Is(err, fs.ErrNotExist):
		return fault("make folder", dir, err)
	}
	parent := filepath.Dir(dir)
	if err := makeFolders(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return fault("make folder", dir, err)
	}
	return syncFolder(parent)
}

// syncFolder makes the names in dir durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil // a folder one may write but not read: its names cannot be synced
	}
	if err != nil {
		return fault("sync folder", dir, err)
	}
	defer f.Close()
	if err := f.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !isInvalid(err) {
		return fault("sync folder", dir, err)
	}
	return nil
}

// sweeper is what a store offers that leaves something behind when a writer's process is killed.
type sweeper interface {
	sweepTemporaries(ctx context.Context) (int, error)
}

// SweepTemporaries removes what killed writers left in s, and returns how many
// objects that were. Nobody may be writing to s meanwhile: hold its Lock.
func SweepTemporaries(ctx context.Context, s Store) (int, error) {
	if sw, ok := s.(sweeper); ok {
		return sw.sweepTemporaries(ctx)
	}
	return 0, nil
}

func (l *local) sweepTemporaries(ctx context.Context) (int, error) {
	if l.root == "/" {
		return 0, fmt.Errorf("store: sweep: refusing to search the whole file system; open the store of a folder")
	}
	n := 0
	err := filepath.WalkDir(l.root, func(p string, e fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || e.IsDir() || !strings.HasPrefix(e.Name(), temporary) {
			return err
		}
		n++
		return os.Remove(p)
	})
	return n, fault("sweep", l.root, err)
}
