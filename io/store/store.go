// Package store reads and writes objects by name: local files today, behind
// the few methods that a cloud bucket has as well.
package store

import (
	"context"
	"errors"
	"io"
)

// ErrExist is wrapped by Commit of a writer made by CreateNew when the name is taken.
var ErrExist = errors.New("object exists")

// ErrNotExist is wrapped where a name is missing.
var ErrNotExist = errors.New("object does not exist")

// Info describes an object.
type Info struct {
	Name string
	Size int64
}

// Reader reads one object, at any offset.
type Reader interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Writer writes one object. Nothing is visible under its name before Commit
// returns nil; Close without Commit discards what was written and is safe after Commit.
type Writer interface {
	io.Writer
	Commit() error
	io.Closer
}

// Store is a flat namespace of objects; names are slash-separated.
type Store interface {
	Open(ctx context.Context, name string) (Reader, error)
	// Create replaces name atomically on Commit.
	Create(ctx context.Context, name string) (Writer, error)
	// CreateNew makes Commit fail with ErrExist if name exists by then: of
	// several writers exactly one wins.
	CreateNew(ctx context.Context, name string) (Writer, error)
	// List returns the objects whose name starts with prefix, in name order.
	List(ctx context.Context, prefix string) ([]Info, error)
	// Glob returns the names that match pattern (path.Match syntax, and ** for any folders), in name order.
	Glob(ctx context.Context, pattern string) ([]string, error)
	// Move renames an object, replacing to atomically.
	Move(ctx context.Context, from, to string) error
	// Delete removes an object; a missing one is no error.
	Delete(ctx context.Context, name string) error
	// URI names the store itself; At(URI()) opens the same one in another process.
	URI() string
}
