package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"sort"

	"github.com/millrace-go/millrace/io/store"
)

// Sink says where a transform's parts go: objects of a store under a prefix.
// With an empty Prefix dead letters are counted and not written.
type Sink struct {
	Store  string // URI
	Prefix string // without a slash at its end
}

// Spool writes the parts of one bundle: for each kind one part a span. A part's
// name is made of its kind, span and first row, and its content depends on the
// data alone, so a repeated bundle writes the same objects again.
type Spool[W io.Closer] struct {
	sink Sink
	ext  string
	open func(io.Writer) (W, error)

	store store.Store
	span  int
	parts map[string]*openPart[W]
	done  []Part
}

type openPart[W io.Closer] struct {
	Part
	object store.Writer
	sum    hash.Hash
	bytes  int64
	writer W
}

func (p *openPart[W]) Write(data []byte) (int, error) {
	n, err := p.object.Write(data)
	p.sum.Write(data[:n])
	p.bytes += int64(n)
	return n, err
}

// NewSpool returns a spool whose parts are written by what open returns, in
// objects whose names end in ext (such as ".parquet").
func NewSpool[W io.Closer](sink Sink, ext string, open func(io.Writer) (W, error)) (*Spool[W], error) {
	s, err := store.At(sink.Store)
	if err != nil {
		return nil, err
	}
	return &Spool[W]{sink: sink, ext: ext, open: open, store: s, parts: map[string]*openPart[W]{}}, nil
}

// Writer returns the writer for n rows from row on of a span, of a kind. A new
// span completes the parts of the one before.
func (s *Spool[W]) Writer(ctx context.Context, kind string, span int, row, n int64) (W, error) {
	if span != s.span {
		if err := s.complete(); err != nil {
			var none W
			return none, err
		}
		s.span = span
	}
	p := s.parts[kind]
	if p == nil {
		var err error
		if p, err = s.start(ctx, kind, span, row); err != nil {
			var none W
			return none, err
		}
		s.parts[kind] = p
	}
	p.Rows += n
	return p.writer, nil
}

func (s *Spool[W]) start(ctx context.Context, kind string, span int, row int64) (*openPart[W], error) {
	name := fmt.Sprintf("%s/%s/%06d-%012d%s", s.sink.Prefix, kind, span, row, s.ext)
	object, err := s.store.Create(ctx, name)
	if err != nil {
		return nil, err
	}
	p := &openPart[W]{
		Part:   Part{Kind: kind, Span: span, FirstRow: row, Object: store.Ref{Name: name}},
		object: object, sum: sha256.New(),
	}
	if p.writer, err = s.open(p); err != nil {
		object.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// Flush completes what is open and returns all parts since the last Flush.
func (s *Spool[W]) Flush() ([]Part, error) {
	if err := s.complete(); err != nil {
		return nil, err
	}
	done := s.done
	s.done = nil
	return done, nil
}

func (s *Spool[W]) complete() error {
	kinds := make([]string, 0, len(s.parts))
	for kind := range s.parts {
		kinds = append(kinds, kind)
	}
	sort.Strings(kinds)
	for _, kind := range kinds {
		p := s.parts[kind]
		delete(s.parts, kind)
		if err := p.finish(); err != nil {
			return err
		}
		s.done = append(s.done, p.Part)
	}
	return nil
}

func (p *openPart[W]) finish() error {
	defer p.object.Close()
	if err := p.writer.Close(); err != nil {
		return fmt.Errorf("%s: %w", p.Object.Name, err)
	}
	if err := p.object.Commit(); err != nil {
		return err
	}
	p.Object.SHA256 = hex.EncodeToString(p.sum.Sum(nil))
	p.Object.Bytes = p.bytes
	return nil
}

// Abandon discards what is open; the spool can be used again.
func (s *Spool[W]) Abandon() {
	for kind, p := range s.parts {
		p.object.Close()
		delete(s.parts, kind)
	}
	s.done = nil
}
