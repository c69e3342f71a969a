package nearby

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/transforms/ledger"
)

// setWriter writes sets end to end: the number of shingles in 4 bytes, then 8
// bytes each.
type setWriter struct {
	w       io.Writer
	written int64
	buffer  []byte
}

func newSetWriter(w io.Writer) (*setWriter, error) { return &setWriter{w: w}, nil }

// put writes a set and says where it lies.
func (s *setWriter) put(set []uint64) (offset int64, err error) {
	s.buffer = binary.LittleEndian.AppendUint32(s.buffer[:0], uint32(len(set)))
	for _, x := range set {
		s.buffer = binary.LittleEndian.AppendUint64(s.buffer, x)
	}
	offset = s.written
	s.written += int64(len(s.buffer))
	_, err = s.w.Write(s.buffer)
	return offset, err
}

func (s *setWriter) Close() error { return nil }

// hashOf is the hash of a whole set.
func hashOf(set []uint64) uint64 {
	var h xxh3.Hasher
	var b [8]byte
	for _, x := range set {
		binary.LittleEndian.PutUint64(b[:], x)
		h.Write(b[:])
	}
	return h.Sum64()
}

// openSets is how many objects of sets are open at once.
const openSets = 64

// setReader reads sets of the parts that a manifest names.
type setReader struct {
	store  store.Store
	parts  map[int][]ledger.Part // by span
	open   map[string]store.Reader
	buffer []byte
	set    []uint64
}

func newSetReader(s store.Store, manifest *ledger.Entry) *setReader {
	r := &setReader{store: s, parts: map[int][]ledger.Part{}, open: map[string]store.Reader{}}
	for _, p := range manifest.Of("sets") {
		r.parts[p.Span] = append(r.parts[p.Span], p)
	}
	return r
}

// read gives the set of a member; the next call overwrites it.
func (r *setReader) read(ctx context.Context, m Member) ([]uint64, error) {
	from, err := r.reader(ctx, m)
	if err != nil {
		return nil, err
	}
	head, err := r.bytes(from, m.Offset, 4)
	if err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(head))
	if n > (from.Size()-m.Offset-4)/8 {
		return nil, fmt.Errorf("nearby: a set of %d shingles at %d of %d bytes", n, m.Offset, from.Size())
	}
	data, err := r.bytes(from, m.Offset+4, 8*n)
	if err != nil {
		return nil, err
	}
	r.set = r.set[:0]
	for ; len(data) > 0; data = data[8:] {
		r.set = append(r.set, binary.LittleEndian.Uint64(data))
	}
	return r.set, nil
}

func (r *setReader) bytes(from store.Reader, offset, n int64) ([]byte, error) {
	if int64(cap(r.buffer)) < n {
		r.buffer = make([]byte, n)
	}
	p := r.buffer[:n]
	got, err := from.ReadAt(p, offset)
	if err != nil && !(errors.Is(err, io.EOF) && got == len(p)) {
		return nil, fmt.Errorf("nearby: sets: %w", err)
	}
	return p, nil
}

// reader opens the part that holds a member: the last of its span that begins
// at its row or before.
func (r *setReader) reader(ctx context.Context, m Member) (store.Reader, error) {
	var part *ledger.Part
	for i, p := range r.parts[m.Span()] {
		if p.FirstRow <= m.Row() && (part == nil || p.FirstRow > part.FirstRow) {
			part = &r.parts[m.Span()][i]
		}
	}
	if part == nil {
		return nil, fmt.Errorf("nearby: no sets of span %d, row %d", m.Span(), m.Row())
	}
	if open, ok := r.open[part.Object.Name]; ok {
		return open, nil
	}
	if err := store.Verify(ctx, r.store, part.Object); err != nil {
		return nil, err
	}
	if len(r.open) == openSets {
		if err := r.close(); err != nil {
			return nil, err
		}
	}
	open, err := r.store.Open(ctx, part.Object.Name)
	if err == nil {
		r.open[part.Object.Name] = open
	}
	return open, err
}

func (r *setReader) close() error {
	var errs []error
	for name, open := range r.open {
		errs = append(errs, open.Close())
		delete(r.open, name)
	}
	return errors.Join(errs...)
}
