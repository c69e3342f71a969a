package csvio

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/millrace-go/millrace/io/store"
)

const (
	gzipMagic = "\x1f\x8b"
	byteOrder = "\ufeff"
)

// source is an open file and its text from the beginning.
type source struct {
	file store.Reader
	text io.Reader
	gzip bool
}

// openSource opens the file name. What it reads of the stored bytes also goes to seen, if that is not nil.
func openSource(ctx context.Context, s store.Store, name string, seen io.Writer) (*source, error) {
	file, err := s.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	src := &source{file: file, text: store.NewReader(file, 0, -1)}
	if seen != nil {
		src.text = io.TeeReader(src.text, seen)
	}
	if err := src.unzip(name); err != nil {
		file.Close()
		return nil, err
	}
	return src, nil
}

// unzip puts a decompressor before the text of a gzip file, which is known by its first bytes.
func (src *source) unzip(name string) error {
	magic := make([]byte, min(int64(len(gzipMagic)), src.file.Size()))
	if n, err := src.file.ReadAt(magic, 0); err != nil && n < len(magic) {
		return err
	}
	if src.gzip = string(magic) == gzipMagic; !src.gzip {
		if len(magic) > 0 && strings.HasSuffix(strings.ToLower(name), ".gz") {
			return fmt.Errorf("not gzip data, but named .gz: rename the file, or compress it again")
		}
		return nil
	}
	zr, err := gzip.NewReader(bufio.NewReaderSize(src.text, blockBytes))
	if err != nil {
		return zipError(err, 0)
	}
	src.text = zr
	return nil
}

// block is what to read at once: no more than a plain file has, and a byte to see its end.
func (src *source) block() int64 {
	if src.gzip {
		return blockBytes
	}
	return src.file.Size() + 1
}

func (src *source) Close() error { return src.file.Close() }

// zipError explains a decompressor's error after a number of rows; other errors stay as they are.
func zipError(err error, rows int64) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return fmt.Errorf("unexpected end of gzip data after row %d: the file is truncated; fetch or write it again: %w", rows, io.ErrUnexpectedEOF)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, &corrupt):
		return fmt.Errorf("damaged gzip data after row %d: fetch or write the file again: %w", rows, err)
	}
	return err
}

// skipByteOrder passes over a byte order mark at the start of the text.
func (s *scanner) skipByteOrder() error {
	s.fill()
	switch {
	case bytes.HasPrefix(s.buf, []byte(byteOrder)):
		s.pos += len(byteOrder)
		s.offset += int64(len(byteOrder))
	case bytes.HasPrefix(s.buf, []byte("\xff\xfe")), bytes.HasPrefix(s.buf, []byte("\xfe\xff")):
		return fmt.Errorf("line 1: the file is UTF-16: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)")
	}
	return nil
}
