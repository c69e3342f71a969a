// Package registry keeps append-only logs of numbered records, among them the
// releases of a job's models.
//
// A log is a folder of objects 00000001.json, 00000002.json, …, each written
// once, if its name is still free: of several writers of one number exactly
// one wins. A record is readable JSON with a digest of its own bytes, so that any change of it is
// found. Nothing in a record comes from a clock: the same appends give the same bytes.
package registry

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/millrace-go/millrace/io/store"
)

// MaxRecordBytes bounds the file of one record.
const MaxRecordBytes = 16 << 20

// maxID is the last number that fits into a record's name.
const maxID = 99_999_999

// Log is an append-only log of records of type T, which must survive
// encoding/json. If *T has a method Validate() error, it is called before
// writing and after reading; if it has SetID(int), it is told its number after reading.
type Log[T any] struct {
	store  store.Store
	prefix string
}

// Open returns the log in the folder prefix of s; it need not exist yet.
func Open[T any](s store.Store, prefix string) *Log[T] {
	return &Log[T]{store: s, prefix: strings.TrimSuffix(prefix, "/")}
}

// Entry is a record and its number in the log, from 1.
type Entry[T any] struct {
	ID     int
	Record T
}

func (l *Log[T]) name(id int) string { return path.Join(l.prefix, fmt.Sprintf("%08d.json", id)) }

// Append writes rec under the number after the last and returns that number.
// If another writer takes the number first, the next one is tried.
func (l *Log[T]) Append(ctx context.Context, rec T) (int, error) {
	id, err := l.LastID(ctx)
	if err != nil {
		return 0, err
	}
	for {
		id++
		err := l.AppendAt(ctx, id, rec)
		if !errors.Is(err, store.ErrExist) {
			return id, err
		}
	}
}

// AppendAt writes rec under number id, which must be the one after the last;
// the error wraps store.ErrExist if another writer took it first. So whoever read
// the log up to id-1 appends a decision that no other record can have preceded.
func (l *Log[T]) AppendAt(ctx context.Context, id int, rec T) error {
	if id < 1 || id > maxID {
		return fmt.Errorf("registry: record number %d: want 1 to %d", id, maxID)
	}
	if id > 1 {
		if _, err := l.read(ctx, id-1); err != nil {
			return fmt.Errorf("registry: append record %d: %w", id, err)
		}
	}
	if err := validate(&rec); err != nil {
		return fmt.Errorf("registry: append %s: %w", l.name(id), err)
	}
	data, err := encode(id, rec)
	if err != nil {
		return fmt.Errorf("registry: append %s: %w", l.name(id), err)
	}
	return store.WriteNew(ctx, l.store, l.name(id), data)
}

// LastID is the number of the last record, 0 if there is none. It fails if
// numbers are missing or the folder holds something else.
func (l *Log[T]) LastID(ctx context.Context) (int, error) {
	list, err := l.store.List(ctx, strings.TrimPrefix(l.prefix+"/", "/"))
	if err != nil {
		return 0, fmt.Errorf("registry: %w", err)
	}
	last := 0
	for _, info := range list {
		switch id, ok := l.parse(info.Name); {
		case strings.HasPrefix(path.Base(info.Name), "."): // a file manager's
		case !ok:
			return 0, fmt.Errorf("registry: %s: not a record, which are named like %s: remove it", info.Name, l.name(1))
		case id != last+1:
			return 0, fmt.Errorf("registry: %s is missing but %s exists: the log has lost a record; restore it from a copy", l.name(last+1), l.name(id))
		default:
			last = id
		}
	}
	return last, nil
}

// parse returns the number in a record's name.
func (l *Log[T]) parse(name string) (int, bool) {
	var id int
	if _, err := fmt.Sscanf(path.Base(name), "%d.json", &id); err != nil {
		return 0, false
	}
	return id, id >= 1 && id <= maxID && l.name(id) == name
}

// Last returns the last record and its number; 0 and nil if the log is empty.
func (l *Log[T]) Last(ctx context.Context) (int, *T, error) {
	id, err := l.LastID(ctx)
	if err != nil || id == 0 {
		return 0, nil, err
	}
	rec, err := l.Get(ctx, id)
	if err != nil {
		return 0, nil, err
	}
	return id, &rec, nil
}

// Get returns record id; the error wraps store.ErrNotExist if there is none.
func (l *Log[T]) Get(ctx context.Context, id int) (T, error) {
	var none T
	data, err := l.read(ctx, id)
	if err != nil {
		return none, fmt.Errorf("registry: %w", err)
	}
	rec, err := decode[T](id, data)
	if err != nil {
		return none, fmt.Errorf("registry: %s: %w", l.name(id), err)
	}
	if err := validate(&rec); err != nil {
		return none, fmt.Errorf("registry: %s: %w", l.name(id), err)
	}
	if n, ok := any(&rec).(interface{ SetID(int) }); ok {
		n.SetID(id)
	}
	return rec, nil
}

func (l *Log[T]) read(ctx context.Context, id int) ([]byte, error) {
	return store.ReadAll(ctx, l.store, l.name(id), MaxRecordBytes)
}

// All returns every record in order. A missing, damaged or foreign one is an error.
func (l *Log[T]) All(ctx context.Context) ([]Entry[T], error) {
	last, err := l.LastID(ctx)
	if err != nil {
		return nil, err
	}
	var all []Entry[T]
	for id := 1; id <= last; id++ {
		rec, err := l.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		all = append(all, Entry[T]{ID: id, Record: rec})
	}
	return all, nil
}

func validate(rec any) error {
	if v, ok := rec.(interface{ Validate() error }); ok {
		return v.Validate()
	}
	return nil
}
