package arrowio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/millrace-go/millrace/internal/arrowsafe"
)

// The frame of an Arrow IPC file: the magic, padded to 8 bytes, at its start, and the length
// of the footer and the magic at its end.
const (
	magic        = "ARROW1"
	frameTail    = 4 + int64(len(magic))
	maxMetadata  = 32 << 20
	continuation = 0xFFFFFFFF
)

// message is a message of a file, and where its body is.
type message struct {
	*arrowsafe.Message
	at   int64 // of the body in r
	r    io.ReaderAt
	held []byte // the body, where there is no r
	swap bool
}

func (m *message) body() *body {
	return &body{r: m.r, at: m.at, size: m.Body, held: m.held, codec: m.Batch.Codec, swap: m.swap}
}

// container is an Arrow IPC file.
type container struct {
	r      io.ReaderAt
	footer *arrowsafe.Footer
}

// openContainer reads the footer of a file of size bytes.
func openContainer(r io.ReaderAt, size int64) (*container, error) {
	if size < 8+frameTail {
		return nil, fmt.Errorf("%d bytes are no Arrow file: it is cut short", size)
	}
	tail := make([]byte, frameTail)
	if err := readAt(r, tail, size-frameTail); err != nil {
		return nil, err
	}
	if string(tail[4:]) != magic {
		return nil, fmt.Errorf("it does not end with %q: it is cut short or damaged, fetch or write it again", magic)
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	if n < 8 || n > maxMetadata || n > size-8-frameTail {
		return nil, fmt.Errorf("a footer of %d bytes in a file of %d: it is damaged, fetch or write it again", n, size)
	}
	b := make([]byte, n)
	if err := readAt(r, b, size-frameTail-n); err != nil {
		return nil, err
	}
	footer, err := arrowsafe.ReadFooter(b, size-frameTail-n)
	if err != nil {
		return nil, err
	}
	return &container{r: r, footer: footer}, nil
}

// message reads the message at b, which must be of kind.
func (c *container) message(b arrowsafe.Block, kind arrowsafe.Kind) (*message, error) {
	if b.Metadata > maxMetadata {
		return nil, fmt.Errorf("a message at %d with metadata of %d bytes", b.Offset, b.Metadata)
	}
	meta := make([]byte, b.Metadata)
	if err := readAt(c.r, meta, b.Offset); err != nil {
		return nil, err
	}
	frame := 8
	if binary.LittleEndian.Uint32(meta) != continuation { // before format 0.15
		frame = 4
	}
	n := int64(binary.LittleEndian.Uint32(meta[frame-4:]))
	if n > int64(len(meta)-frame) {
		return nil, fmt.Errorf("a message at %d of %d bytes in a block of %d: it is damaged, fetch or write it again", b.Offset, n, len(meta))
	}
	m, err := arrowsafe.ReadMessage(meta[frame : int64(frame)+n])
	if err != nil {
		return nil, fmt.Errorf("message at %d: %w", b.Offset, err)
	}
	if m.Kind != kind || m.Body > b.Body {
		return nil, fmt.Errorf("message at %d: kind %d with a body of %d bytes, want %d with %d: it is damaged, fetch or write it again",
			b.Offset, m.Kind, m.Body, kind, b.Body)
	}
	return &message{Message: m, at: b.Offset + int64(b.Metadata), r: c.r, swap: c.footer.Schema.BigEndian}, nil
}

// sequence reads the messages of an Arrow IPC stream from its beginning.
type sequence struct {
	r    io.Reader
	at   int64 // the bytes read
	swap bool
	// body takes the body of a message off r, and says where it is, unless it is passed over.
	body func(m *message) error
}

var errCut = errors.New("the stream ends without its end mark: it is cut short, or its writer was not closed; fetch or write it again")

// read fills b.
func (s *sequence) read(b []byte) error {
	n, err := io.ReadFull(s.r, b)
	s.at += int64(n)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errCut
	}
	return err
}

// next returns the next message, or nil at the end of the stream.
func (s *sequence) next() (*message, error) {
	start := s.at
	var word [4]byte
	if err := s.read(word[:]); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(word[:]) == continuation {
		if err := s.read(word[:]); err != nil {
			return nil, err
		}
	}
	n := int64(binary.LittleEndian.Uint32(word[:]))
	if n == 0 {
		return nil, s.end()
	}
	if n > maxMetadata {
		return nil, fmt.Errorf("no message begins at %d: this is no Arrow stream, or it is damaged", start)
	}
	meta, err := io.ReadAll(io.LimitReader(s.r, n)) // which asks for no more memory than there are bytes
	s.at += int64(len(meta))
	if err == nil && int64(len(meta)) < n {
		err = errCut
	}
	if err != nil {
		return nil, err
	}
	m, err := arrowsafe.ReadMessage(meta)
	if err != nil {
		return nil, fmt.Errorf("message at %d: %w", start, err)
	}
	out := &message{Message: m, swap: s.swap}
	if err := s.body(out); err != nil {
		return nil, err
	}
	s.at += m.Body
	return out, nil
}

// end wants nothing behind the end mark.
func (s *sequence) end() error {
	n, err := io.ReadFull(s.r, make([]byte, 1))
	if n > 0 {
		return fmt.Errorf("there are bytes behind the end of the stream, at %d: one stream a file", s.at)
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// schema reads the first message.
func (s *sequence) schema() (*arrowsafe.Schema, error) {
	m, err := s.next()
	switch {
	case err != nil:
		return nil, err
	case m == nil || m.Kind != arrowsafe.SchemaMessage:
		return nil, errors.New("the stream does not begin with a schema: this is no Arrow stream, or it is damaged")
	}
	s.swap = m.Schema.BigEndian
	return m.Schema, nil
}
