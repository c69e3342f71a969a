package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
)

// Ref names an object and what it must contain: what crosses a shuffle
// instead of the object.
type Ref struct {
	Name   string `json:"name"`   // in its store
	SHA256 string `json:"sha256"` // lower-case hex
	Bytes  int64  `json:"bytes"`
}

// RefOf is the Ref of data under name.
func RefOf(name string, data []byte) Ref {
	sum := sha256.Sum256(data)
	return Ref{Name: name, SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(data))}
}

// ReadAll returns the bytes of an object of at most limit bytes.
func ReadAll(ctx context.Context, s Store, name string, limit int64) ([]byte, error) {
	r, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Size() > limit {
		return nil, fmt.Errorf("store: object %s: has %d bytes, want at most %d", name, r.Size(), limit)
	}
	data := make([]byte, r.Size())
	n, err := r.ReadAt(data, 0)
	if err != nil && !(errors.Is(err, io.EOF) && n == len(data)) {
		return nil, fmt.Errorf("store: read %s: %w after %d of %d bytes", name, err, n, len(data))
	}
	return data, nil
}

// WriteAll makes data the object name, replacing it atomically.
func WriteAll(ctx context.Context, s Store, name string, data []byte) error {
	return writeWith(ctx, s.Create, name, data)
}

// WriteNew makes data the object name; the error wraps ErrExist if there is one already.
func WriteNew(ctx context.Context, s Store, name string, data []byte) error {
	return writeWith(ctx, s.CreateNew, name, data)
}

func writeWith(ctx context.Context, create func(context.Context, string) (Writer, error), name string, data []byte) error {
	w, err := create(ctx, name)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Commit()
}

// PutObject stores data as prefix/<its SHA-256> and returns its Ref. An
// object that is there already and whole is left alone, a damaged one is replaced.
func PutObject(ctx context.Context, s Store, prefix string, data []byte) (Ref, error) {
	sum := sha256.Sum256(data)
	return PutNamed(ctx, s, path.Join(prefix, hex.EncodeToString(sum[:])), data)
}

// PutNamed is PutObject under a name of the caller's choice.
func PutNamed(ctx context.Context, s Store, name string, data []byte) (Ref, error) {
	ref := RefOf(name, data)
	old, err := ReadAll(ctx, s, name, ref.Bytes)
	if err == nil && bytes.Equal(old, data) {
		return ref, nil
	}
	if err := WriteAll(ctx, s, name, data); err != nil {
		return Ref{}, err
	}
	return ref, nil
}

// damaged ends the message on an object that is not what its Ref says.
const damaged = "the file was changed or damaged; remove it and run again"

// GetObject returns the bytes that ref names, after checking their number and digest.
func GetObject(ctx context.Context, s Store, ref Ref) ([]byte, error) {
	r, err := s.Open(ctx, ref.Name)
	if err != nil {
		return nil, err
	}
	size := r.Size()
	r.Close()
	if size != ref.Bytes {
		return nil, fmt.Errorf("store: object %s: has %d bytes, want %d: %s", ref.Name, size, ref.Bytes, damaged)
	}
	data, err := ReadAll(ctx, s, ref.Name, ref.Bytes)
	if err != nil {
		return nil, err
	}
	if got := RefOf(ref.Name, data).SHA256; got != ref.SHA256 {
		return nil, fmt.Errorf("store: object %s: digest %s, want %s: %s", ref.Name, got, ref.SHA256, damaged)
	}
	return data, nil
}

// NewReader reads an object front to back from offset, n bytes of it or all
// that follows if n is negative. It leaves r open.
func NewReader(r Reader, offset, n int64) io.Reader {
	if n < 0 {
		n = max(0, r.Size()-offset)
	}
	return io.NewSectionReader(r, offset, n)
}
