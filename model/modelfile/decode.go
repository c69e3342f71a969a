package modelfile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/millrace-go/millrace/model/weights"
)

// File is a decoded model file.
type File struct {
	Header
	// Tensors are the weights, in the order they were written.
	Tensors weights.Set
	// Digest is that of the whole file, as Encode returned it.
	Digest string
	// Report says how the tensors are stored.
	Report Report
}

// Decode reads a model file of size bytes. It verifies the trailing digest
// first, so that any missing or changed byte is an error that wraps ErrDamaged;
// then it parses, and what has a right digest but wrong content is an error as well. It
// allocates no more than a constant and a multiple of size. r is read twice.
func Decode(r io.ReaderAt, size int64) (*File, error) {
	digest, err := verify(r, size)
	if err != nil {
		return nil, fmt.Errorf("modelfile.Decode: %w", err)
	}
	f, err := parse(r, size)
	if err != nil {
		return nil, fmt.Errorf("modelfile.Decode: the digest is right, but the content is not: %w; was it written by another version?", err)
	}
	f.Digest = digest
	return f, nil
}

// DecodeBytes is Decode from memory.
func DecodeBytes(data []byte) (*File, error) {
	return Decode(bytes.NewReader(data), int64(len(data)))
}

// verify returns the file's digest if the one at its end is right.
func verify(r io.ReaderAt, size int64) (digest string, err error) {
	if size < int64(len(magic))+sha256.Size {
		return "", fmt.Errorf("%d bytes, want at least %d: %w", size, len(magic)+sha256.Size, ErrDamaged)
	}
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, io.NewSectionReader(r, 0, size-sha256.Size), make([]byte, 1<<16)); err != nil {
		return "", err
	}
	var want [sha256.Size]byte
	if _, err := r.ReadAt(want[:], size-sha256.Size); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if got := sum.Sum(nil); !bytes.Equal(got, want[:]) {
		return "", fmt.Errorf("content has sha256 %x, the file's end says %x: %w", got, want, ErrDamaged)
	}
	sum.Write(want[:])
	return digestString(sum.Sum(nil)), nil
}

// parse reads a file whose digest is right.
func parse(r io.ReaderAt, size int64) (*File, error) {
	p := &parser{r: bufio.NewReader(io.NewSectionReader(r, 0, size-sha256.Size)), left: size - sha256.Size}
	if got, err := p.bytes(uint64(len(magic))); err != nil || string(got) != magic {
		return nil, fmt.Errorf("first bytes %q, want %q", got, magic)
	}
	ix, err := p.header()
	if err != nil {
		return nil, err
	}
	if err := checkTensors(ix.Tensors, size); err != nil {
		return nil, err
	}
	f := &File{Header: ix.Header}
	f.Report.HeaderBytes = size - p.left
	for _, e := range ix.Tensors {
		if err := p.tensor(f, e); err != nil {
			return nil, err
		}
	}
	if p.left != 0 {
		return nil, fmt.Errorf("%d unused bytes after the last tensor", p.left)
	}
	f.Report.finish(size)
	return f, nil
}

// parser reads a file front to back.
type parser struct {
	r    *bufio.Reader
	left int64 // bytes before the digest
}

// ReadByte lets binary.ReadUvarint count.
func (p *parser) ReadByte() (byte, error) {
	b, err := p.r.ReadByte()
	if err == nil {
		p.left--
	}
	return b, err
}

// bytes reads n bytes, which must be there.
func (p *parser) bytes(n uint64) ([]byte, error) {
	if n > uint64(p.left) {
		return nil, fmt.Errorf("a part of %d bytes where %d are left", n, p.left)
	}
	out := make([]byte, n)
	if _, err := io.ReadFull(p.r, out); err != nil {
		return nil, err
	}
	p.left -= int64(n)
	return out, nil
}

func (p *parser) header() (index, error) {
	stored, err := binary.ReadUvarint(p)
	if err != nil {
		return index{}, fmt.Errorf("header: length: %w", err)
	}
	inflated, err := binary.ReadUvarint(p)
	if err != nil {
		return index{}, fmt.Errorf("header: inflated length: %w", err)
	}
	text, err := p.bytes(stored)
	if err != nil {
		return index{}, fmt.Errorf("header: %w", err)
	}
	return decodeHeader(text, inflated)
}

// tensor reads one tensor into f.
func (p *parser) tensor(f *File, e entry) error {
	n, err := binary.ReadUvarint(p)
	if err != nil {
		return fmt.Errorf("tensor %q: length: %w", e.Name, err)
	}
	payload, err := p.bytes(n)
	if err != nil {
		return fmt.Errorf("tensor %q: %w", e.Name, err)
	}
	t, st, err := Coded{e.Name, e.Shape, payload}.decode()
	if err != nil {
		return err
	}
	f.Tensors = append(f.Tensors, t)
	f.Report.add(t, st, len(payload))
	return nil
}
