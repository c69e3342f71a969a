package avroio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

const (
	magic     = "Obj\x01"
	syncBytes = 16
)

// header is what a file says of itself.
type header struct {
	schema []byte
	codec  string
	sync   [syncBytes]byte
}

// block is the head of a block.
type block struct {
	at, rows, size int64
}

// blocks reads the parts of a file front to back.
type blocks struct {
	r      *bufio.Reader
	offset int64 // in the uncompressed file
	sync   [syncBytes]byte
}

// fault is an error at a place.
func (b *blocks) fault(at int64, format string, args ...any) error {
	return fmt.Errorf("byte %d: %s: the file is damaged; fetch or write it again", at, fmt.Sprintf(format, args...))
}

// cut is err, or if that is the end, that the file is truncated.
func (b *blocks) cut(what string, at int64, err error) error {
	if errors.Is(err, io.EOF) || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("the file ends within the %s at byte %d: it is truncated; fetch or write it again", what, at)
	}
	return err
}

// full reads p whole.
func (b *blocks) full(p []byte) error {
	n, err := io.ReadFull(b.r, p)
	b.offset += int64(n)
	return err
}

// long reads a number. Its error is io.EOF if there is not even the first byte.
func (b *blocks) long() (int64, error) {
	var v uint64
	for shift := 0; shift < 64; shift += 7 {
		c, err := b.r.ReadByte()
		if err != nil {
			if err == io.EOF && shift > 0 {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		b.offset++
		if v |= uint64(c&0x7f) << shift; c < 0x80 {
			return int64(v>>1) ^ -int64(v&1), nil
		}
	}
	return 0, b.fault(b.offset, "a number of more than 64 bits")
}

// header reads the file's header.
func (b *blocks) header() (*header, error) {
	var head [len(magic)]byte
	if err := b.full(head[:]); err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	switch {
	case b.offset == 0:
		return nil, errors.New("no records: the file is empty")
	case string(head[:]) != magic:
		return nil, errors.New("no Avro container file, which begins with \"Obj\" and a byte of 1: is the format right?")
	}
	h := &header{codec: "null"}
	if err := b.metadata(h); err != nil {
		return nil, b.cut("header", 0, err)
	}
	if err := b.full(h.sync[:]); err != nil {
		return nil, b.cut("header", 0, err)
	}
	if h.schema == nil {
		return nil, errors.New("the header has no avro.schema: the file is damaged; write it again")
	}
	b.sync = h.sync
	return h, nil
}

// metadata reads the header's map of names to bytes.
func (b *blocks) metadata(h *header) error {
	for {
		count, err := b.long()
		if err != nil || count == 0 {
			return err
		}
		if count < 0 {
			count = -count
			if _, err := b.long(); err != nil { // its length, which nobody needs
				return err
			}
		}
		for ; count != 0; count-- {
			key, err := b.string()
			if err != nil {
				return err
			}
			value, err := b.string()
			if err != nil {
				return err
			}
			switch string(key) {
			case "avro.schema":
				h.schema = value
			case "avro.codec":
				h.codec = string(value)
			}
		}
	}
}

// string reads bytes that carry their length.
func (b *blocks) string() ([]byte, error) {
	n, err := b.long()
	if err != nil {
		return nil, err
	}
	if n < 0 || b.offset+n > maxHeaderBytes {
		return nil, fmt.Errorf("byte %d: a text of %d bytes in the header, want a header of at most %d", b.offset, n, maxHeaderBytes)
	}
	return b.bytes(nil, n)
}

// bytes reads n bytes into buf.
func (b *blocks) bytes(buf []byte, n int64) ([]byte, error) {
	out, err := fill(b.r, buf, int(n))
	b.offset += int64(len(out))
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return out, err
}

// next reads the head of the next block, or gives false at the end.
func (b *blocks) next() (block, bool, error) {
	k := block{at: b.offset}
	var err error
	if k.rows, err = b.long(); err == io.EOF {
		return k, false, nil
	}
	if err == nil {
		k.size, err = b.long()
	}
	if err != nil {
		return k, false, b.cut("block", k.at, err)
	}
	if k.rows < 0 || k.rows > maxBlockBytes || k.size < 0 {
		return k, false, b.fault(k.at, "a block of %d records in %d bytes", k.rows, k.size)
	}
	if k.size > maxBlockBytes {
		return k, false, fmt.Errorf("byte %d: a block of %d bytes, want at most %d: write smaller blocks", k.at, k.size, maxBlockBytes)
	}
	return k, true, nil
}

// end checks the marker behind block k.
func (b *blocks) end(k block) error {
	at := b.offset
	var got [syncBytes]byte
	if err := b.full(got[:]); err != nil {
		return b.cut("block", k.at, err)
	}
	if got != b.sync {
		return b.fault(at, "the block at byte %d does not end with the file's marker", k.at)
	}
	return nil
}

// pass skips the bytes of block k.
func (b *blocks) pass(k block) error {
	n, err := b.r.Discard(int(k.size))
	if b.offset += int64(n); err != nil {
		return b.cut("block", k.at, err)
	}
	return b.end(k)
}

// read reads the bytes of block k into buf.
func (b *blocks) read(k block, buf []byte) ([]byte, error) {
	buf, err := b.bytes(buf, k.size)
	if err != nil {
		return buf, b.cut("block", k.at, err)
	}
	return buf, b.end(k)
}
