package arrowio

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/millrace-go/millrace/internal/arrowsafe"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/stream"
)

// isFile says which of the two forms the object has, from its first bytes.
func isFile(r store.Reader) (bool, error) {
	head := make([]byte, min(8, r.Size()))
	if err := readAt(r, head, 0); err != nil {
		return false, err
	}
	switch {
	case len(head) == 0:
		return false, fmt.Errorf("empty (0 bytes): want an Arrow file or stream")
	case bytes.HasPrefix(head, []byte("FEA1")):
		return false, fmt.Errorf("a Feather file of version 1, which is not read: write it as version 2")
	}
	return bytes.HasPrefix(head, []byte(magic)), nil
}

// plainSequence reads a stream that is not compressed: bodies are left where they are.
func plainSequence(r store.Reader) *sequence {
	in := io.NewSectionReader(r, 0, r.Size())
	s := &sequence{r: in}
	s.body = func(m *message) error {
		if m.Body > r.Size()-s.at {
			return errCut
		}
		m.r, m.at = r, s.at
		_, err := in.Seek(m.Body, io.SeekCurrent)
		return err
	}
	return s
}

// passingSequence reads the messages of a stream without their bodies.
func passingSequence(ctx context.Context, r io.Reader) *sequence {
	s := &sequence{r: r}
	s.body = func(m *message) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, io.LimitReader(r, m.Body))
		if err == nil && n < m.Body {
			err = errCut
		}
		return err
	}
	return s
}

// heldSequence reads a compressed stream, with the body of one message in memory.
func heldSequence(r io.Reader) *sequence {
	s := &sequence{r: r}
	s.body = func(m *message) error {
		if m.Body > maxPacked {
			return fmt.Errorf("a record batch of %d MiB in a compressed stream, want at most %d: write it in smaller record batches, or uncompress the file",
				m.Body>>20, maxPacked>>20)
		}
		m.held = make([]byte, m.Body)
		_, err := io.ReadFull(r, m.held)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return errCut
		}
		return err
	}
	return s
}

// messages gives the record batches of a file from one on, and keeps the dictionaries in force.
type messages struct {
	nodes []*node
	dicts *dictionaries
	next  func() (*message, error) // nil at the end
}

// open finds the record batch that a span begins with.
func open(ctx context.Context, src *stream.Source, o opening) (*messages, error) {
	if !src.Plain() {
		return openStream(ctx, heldSequence(src), o, nil)
	}
	file, err := isFile(src.File)
	if err != nil {
		return nil, err
	}
	if file {
		return openFile(src.File, o)
	}
	seq := plainSequence(src.File)
	return openStream(ctx, seq, o, func() error {
		if o.offset < seq.at || o.offset > src.File.Size() {
			return errChanged
		}
		seq.at = o.offset
		_, err := seq.r.(io.Seeker).Seek(o.offset, io.SeekStart)
		return err
	})
}

// opening says where to begin.
type opening struct {
	batch  int   // which record batch
	offset int64 // where it begins
	dicts  func(nodes []*node) (bool, error)
}

func openFile(r store.Reader, o opening) (*messages, error) {
	c, err := openContainer(r, r.Size())
	if err != nil {
		return nil, err
	}
	m := &messages{dicts: newDictionaries()}
	if m.nodes, err = plan(c.footer.Schema); err != nil {
		return nil, err
	}
	wanted, err := o.dicts(m.nodes)
	if err != nil {
		return nil, err
	}
	for _, b := range c.footer.Dictionaries {
		if !wanted {
			break
		}
		d, err := c.message(b, arrowsafe.DictionaryMessage)
		if err != nil {
			return nil, err
		}
		if err := m.dicts.add(d); err != nil {
			return nil, err
		}
	}
	blocks := c.footer.Batches
	if o.batch < 0 || o.batch >= len(blocks) || blocks[o.batch].Offset != o.offset {
		return nil, errChanged
	}
	blocks = blocks[o.batch:]
	m.next = func() (*message, error) {
		if len(blocks) == 0 {
			return nil, nil
		}
		b := blocks[0]
		blocks = blocks[1:]
		return c.message(b, arrowsafe.BatchMessage)
	}
	return m, nil
}

// openStream passes over the record batches before the span, by seek if that is possible
// and no dictionary is needed.
func openStream(ctx context.Context, seq *sequence, o opening, seek func() error) (*messages, error) {
	schema, err := seq.schema()
	if err != nil {
		return nil, err
	}
	m := &messages{dicts: newDictionaries()}
	if m.nodes, err = plan(schema); err != nil {
		return nil, err
	}
	wanted, err := o.dicts(m.nodes)
	if err != nil {
		return nil, err
	}
	pass := o.batch
	if !wanted && seek != nil {
		pass = 0
		if err := seek(); err != nil {
			return nil, err
		}
	}
	m.next = func() (*message, error) {
		for {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			msg, err := seq.next()
			switch {
			case err != nil || msg == nil:
				return nil, err
			case msg.Kind == arrowsafe.SchemaMessage:
				return nil, fmt.Errorf("a second schema at %d: one stream a file", seq.at)
			case msg.Kind == arrowsafe.DictionaryMessage:
				if !wanted {
					continue
				}
				if err := m.dicts.add(msg); err != nil {
					return nil, err
				}
			case pass > 0:
				pass--
			default:
				return msg, nil
			}
		}
	}
	return m, nil
}
