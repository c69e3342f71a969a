package wire

import (
	"errors"
	"fmt"
	"io"
)

// Blob is a run of bytes, in memory or still in the file it was found in. The
// zero Blob is empty. A Blob in a file can be read as long as the file is
// open, by several goroutines at once.
type Blob struct {
	data   []byte
	src    io.ReaderAt // nil: data is all
	off, n int64
}

// NewBlob returns data as a Blob, which keeps data itself.
func NewBlob(data []byte) Blob {
	if len(data) == 0 {
		return Blob{}
	}
	return Blob{data: data}
}

// Len is the number of bytes.
func (b Blob) Len() int64 {
	if b.src == nil {
		return int64(len(b.data))
	}
	return b.n
}

// InMemory says whether Bytes costs nothing.
func (b Blob) InMemory() bool { return b.src == nil }

// Bytes returns the bytes, read now if they are in a file. Do not write to them:
// they may be the ones given to NewBlob or Unmarshal.
func (b Blob) Bytes() ([]byte, error) {
	if b.src == nil {
		return b.data, nil
	}
	if err := b.checkSource(); err != nil {
		return nil, err
	}
	p := make([]byte, b.n)
	return p, readFull(b.src, p, b.off)
}

// ReadAt reads len(p) bytes from offset off of the Blob, as io.ReaderAt does.
func (b Blob) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("onnx: negative offset %d", off)
	}
	if off >= b.Len() {
		return 0, io.EOF
	}
	var short error
	if left := b.Len() - off; int64(len(p)) > left {
		p, short = p[:left], io.EOF
	}
	if b.src == nil {
		return copy(p, b.data[off:]), short
	}
	if err := readFull(b.src, p, b.off+off); err != nil {
		return 0, err
	}
	return len(p), short
}

// WriteTo writes the bytes to w, a part at a time.
func (b Blob) WriteTo(w io.Writer) (int64, error) {
	if b.src == nil {
		n, err := w.Write(b.data)
		return int64(n), err
	}
	const part = 1 << 20
	p := make([]byte, min(b.n, part))
	for done := int64(0); done < b.n; {
		p = p[:min(b.n-done, part)]
		if err := readFull(b.src, p, b.off+done); err != nil {
			return done, err
		}
		n, err := w.Write(p)
		done += int64(n)
		if err != nil {
			return done, err
		}
	}
	return b.n, nil
}

// checkSource finds out, before memory is allocated for it, whether the source
// holds the bytes, if it is one that can tell.
func (b Blob) checkSource() error {
	if s, ok := b.src.(interface{ holds(end int64) error }); ok {
		return s.holds(b.off + b.n)
	}
	return nil
}

// readFull fills p from offset off.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return fmt.Errorf("reading %d bytes at %d: %w", len(p), off, io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("reading %d bytes at %d: %w", len(p), off, err)
}
