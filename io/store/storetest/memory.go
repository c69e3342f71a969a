package storetest

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/millrace-go/millrace/io/store"
)

// Memory is a Store in this process's memory, for tests that write much and
// need no disk. Glob supports no **.
type Memory struct {
	mu      sync.Mutex
	objects map[string][]byte
}

// NewMemory returns an empty store.
func NewMemory() *Memory { return &Memory{objects: map[string][]byte{}} }

// URI implements store.Store; no other process can open it.
func (m *Memory) URI() string { return "memory:" }

// Open implements store.Store.
func (m *Memory) Open(ctx context.Context, name string) (store.Reader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[name]
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("storetest: open %s: %w", name, store.ErrNotExist)
	}
	return memoryReader{bytes.NewReader(data)}, nil
}

type memoryReader struct{ *bytes.Reader }

func (memoryReader) Close() error { return nil }

// Create implements store.Store.
func (m *Memory) Create(ctx context.Context, name string) (store.Writer, error) {
	return m.create(ctx, name, false)
}

// CreateNew implements store.Store.
func (m *Memory) CreateNew(ctx context.Context, name string) (store.Writer, error) {
	return m.create(ctx, name, true)
}

func (m *Memory) create(ctx context.Context, name string, onlyNew bool) (store.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if name == "" || path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "..") {
		return nil, fmt.Errorf("storetest: object name %q: want clean and relative", name)
	}
	return &memoryWriter{store: m, ctx: ctx, name: name, onlyNew: onlyNew}, nil
}

type memoryWriter struct {
	bytes.Buffer
	store   *Memory
	ctx     context.Context
	name    string
	onlyNew bool
	closed  bool
}

func (w *memoryWriter) Write(p []byte) (int, error) {
	if w.closed {
		return 0, fmt.Errorf("storetest: write %s: the writer is closed", w.name)
	}
	return w.Buffer.Write(p)
}

func (w *memoryWriter) Commit() error {
	if w.closed {
		return fmt.Errorf("storetest: commit %s: the writer is closed", w.name)
	}
	w.closed = true
	if err := w.ctx.Err(); err != nil {
		return err
	}
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if _, ok := w.store.objects[w.name]; ok && w.onlyNew {
		return fmt.Errorf("storetest: commit %s: %w", w.name, store.ErrExist)
	}
	w.store.objects[w.name] = w.Bytes()
	return nil
}

func (w *memoryWriter) Close() error {
	w.closed = true
	return nil
}

// List implements store.Store.
func (m *Memory) List(ctx context.Context, prefix string) ([]store.Info, error) {
	return m.find(ctx, func(name string) (bool, error) { return strings.HasPrefix(name, prefix), nil })
}

// Glob implements store.Store, but for **.
func (m *Memory) Glob(ctx context.Context, pattern string) ([]string, error) {
	if strings.Contains(pattern, "**") {
		return nil, fmt.Errorf("storetest: pattern %q: a Memory knows no **", pattern)
	}
	found, err := m.find(ctx, func(name string) (bool, error) { return path.Match(pattern, name) })
	var names []string
	for _, info := range found {
		names = append(names, info.Name)
	}
	return names, err
}

func (m *Memory) find(ctx context.Context, match func(string) (bool, error)) ([]store.Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []store.Info
	for name, data := range m.objects {
		ok, err := match(name)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, store.Info{Name: name, Size: int64(len(data))})
		}
	}
	slices.SortFunc(found, func(a, b store.Info) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

// Move implements store.Store.
func (m *Memory) Move(ctx context.Context, from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[from]
	if err := ctx.Err(); err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("storetest: move %s: %w", from, store.ErrNotExist)
	}
	if from != to {
		m.objects[to] = data
		delete(m.objects, from)
	}
	return nil
}

// Delete implements store.Store.
func (m *Memory) Delete(ctx context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
	return ctx.Err()
}
