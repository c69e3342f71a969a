// Package stream reads the uncompressed bytes of an object from the front: of a plain
// one, or one in gzip, Zstandard or bzip2, which is known by its first bytes.
package stream

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace-go/millrace/io/store"
)

// BlockBytes is what is read of an object at once.
const BlockBytes = 256 << 10

// maxWindow bounds what a Zstandard frame may make its reader remember: the window of
// its highest level without long mode.
const maxWindow = 128 << 20

// compression is a way of compressing a stream.
type compression struct {
	name, extension, magic string
	open                   func(r io.Reader) (io.Reader, error)
}

// compressions lists those that are read.
var compressions = []compression{
	{"gzip", ".gz", "\x1f\x8b", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"Zstandard", ".zst", "\x28\xb5\x2f\xfd", openZstd},
	{"bzip2", ".bz2", "BZh", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
}

func openZstd(r io.Reader) (io.Reader, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
}

// Trim is a name without the extension of a compression.
func Trim(name string) string {
	for _, c := range compressions {
		if n := len(name) - len(c.extension); n >= 0 && strings.EqualFold(name[n:], c.extension) {
			return name[:n]
		}
	}
	return name
}

// Extensions lists the extensions of compressed files.
func Extensions() []string {
	var list []string
	for _, c := range compressions {
		list = append(list, c.extension)
	}
	return list
}

// Source is an open object. Reading it gives the uncompressed bytes from the beginning.
type Source struct {
	File store.Reader // the stored bytes
	text io.Reader
	how  *compression // nil for a plain object
}

// Open opens the object name. What is read of its stored bytes also goes to seen,
// unless that is nil. The caller closes the Source.
func Open(ctx context.Context, s store.Store, name string, seen io.Writer) (*Source, error) {
	file, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	src := &Source{File: file, text: store.NewReader(file, 0, -1)}
	if seen != nil {
		src.text = io.TeeReader(src.text, seen)
	}
	if err := src.uncompress(name); err != nil {
		file.Close()
		return nil, err
	}
	return src, nil
}

// uncompress puts a decompressor before the text of a compressed object.
func (src *Source) uncompress(name string) error {
	magic := make([]byte, min(4, src.File.Size()))
	if n, err := src.File.ReadAt(magic, 0); err != nil && n < len(magic) {
		return err
	}
	for i, c := range compressions {
		if strings.HasPrefix(string(magic), c.magic) && (c.name != "bzip2" || isBzip2(magic)) {
			src.how = &compressions[i]
			return src.decompress()
		}
		if len(magic) > 0 && strings.HasSuffix(strings.ToLower(name), c.extension) {
			return fmt.Errorf("not %s data, but named %s: rename the file, or compress it again", c.name, c.extension)
		}
	}
	return nil
}

// isBzip2 tells bzip2 from text that begins with its letters: a digit follows.
func isBzip2(magic []byte) bool { return len(magic) == 4 && magic[3] >= '1' && magic[3] <= '9' }

func (src *Source) decompress() error {
	stored := &remembering{r: src.text}
	text, err := src.how.open(bufio.NewReaderSize(stored, BlockBytes))
	d := &decompressed{text: text, stored: stored, name: src.how.name}
	if err != nil {
		return d.explain(err)
	}
	src.text = d
	return nil
}

// Plain says that the object is not compressed, so that its bytes may be read from any offset.
func (src *Source) Plain() bool { return src.how == nil }

// Block is what to read at once: no more than a plain object has, and a byte to see
// its end.
func (src *Source) Block() int64 {
	if src.Plain() {
		return src.File.Size() + 1
	}
	return BlockBytes
}

// Read reads uncompressed bytes. An error of the compressed data is a *DamageError.
func (src *Source) Read(p []byte) (int, error) { return src.text.Read(p) }

// Close closes the object, and what a decompressor holds.
func (src *Source) Close() error {
	if d, ok := src.text.(*decompressed); ok {
		if z, ok := d.text.(*zstd.Decoder); ok {
			z.Close()
		}
	}
	return src.File.Close()
}

// remembering is a reader that keeps its error.
type remembering struct {
	r   io.Reader
	err error // io.EOF at the end
}

func (m *remembering) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	if err != nil {
		m.err = err
	}
	return n, err
}

// decompressed tells errors of the compressed data from those of reading it.
type decompressed struct {
	text   io.Reader
	stored *remembering
	name   string
}

func (d *decompressed) Read(p []byte) (int, error) {
	n, err := d.text.Read(p)
	if err != nil && err != io.EOF {
		err = d.explain(err)
	}
	return n, err
}

func (d *decompressed) explain(err error) error {
	if d.stored.err != nil && d.stored.err != io.EOF {
		return d.stored.err
	}
	cut := errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
	if cut {
		err = io.ErrUnexpectedEOF
	}
	return &DamageError{Compression: d.name, Truncated: cut, Err: err}
}

// DamageError says that compressed data cannot be decompressed.
type DamageError struct {
	Compression string
	Truncated   bool // the data ends too early
	After       string
	Err         error // of the decompressor
}

// Error names the place, if it is known, and the remedy.
func (e *DamageError) Error() string {
	if e.Truncated {
		return fmt.Sprintf("unexpected end of %s data%s: the file is truncated; fetch or write it again: %v", e.Compression, e.After, e.Err)
	}
	return fmt.Sprintf("damaged %s data%s: fetch or write the file again: %v", e.Compression, e.After, e.Err)
}

// Unwrap is the decompressor's error.
func (e *DamageError) Unwrap() error { return e.Err }

// AfterRow adds to a *DamageError how many rows were read before; other errors stay as
// they are.
func AfterRow(err error, rows int64) error {
	var d *DamageError
	if !errors.As(err, &d) || d.After != "" {
		return err
	}
	at := *d
	at.After = fmt.Sprintf(" after row %d", rows)
	return &at
}
