package arrowsafe

import (
	"encoding/binary"
	"fmt"
)

// Batch is the metadata of a record batch, or of the values of a dictionary.
type Batch struct {
	Rows    int64
	Nodes   []Node   // one a field, children after their parent
	Buffers []Buffer // those of each node, in the order of Arrow's layouts
	// Variadic has, for each field of a view type, how many data buffers it has.
	Variadic []int64
	Codec    Codec
}

// Node is the length and the number of nulls of a field.
type Node struct{ Rows, Nulls int64 }

// Buffer is a part of the body.
type Buffer struct{ Offset, Len int64 }

// Codec says how the buffers of a body are compressed.
type Codec int

// The codecs of Arrow.
const (
	NoCodec Codec = iota
	LZ4Frame
	ZSTD
)

// Kind says what a message carries.
type Kind int

// The kinds of messages that are read.
const (
	SchemaMessage     Kind = 1
	DictionaryMessage Kind = 2
	BatchMessage      Kind = 3
)

// Message is the metadata of one message; of its fields after Body, those of its kind are set.
type Message struct {
	Kind   Kind
	Body   int64 // bytes of the body that follows
	Schema *Schema
	Batch  *Batch // of a record batch, or the values of a dictionary
	ID     int64  // of the dictionary
	Delta  bool   // the values go behind those that the dictionary has
}

// ReadMessage reads b, the metadata of a message without its frame. The buffers that it
// names lie within the body, in any order.
func ReadMessage(b []byte) (m *Message, err error) {
	defer Recover(&err, "arrow message")
	f := flat(b)
	m = &Message{}
	var h int
	if m.Body, m.Kind, h, err = header(f); err != nil {
		return nil, fmt.Errorf("arrow message: %w", err)
	}
	switch m.Kind {
	case SchemaMessage:
		m.Schema, err = readSchema(f, h, f.short(f.root(), msgVersion, 0))
	case BatchMessage:
		m.Batch, err = readBatch(f, h, m.Body)
	case DictionaryMessage:
		data := f.field(h, dictData)
		if data == 0 {
			return nil, fmt.Errorf("arrow message: a dictionary without values")
		}
		m.ID, m.Delta = f.long(h, dictID, 0), f.flag(h, dictDelta)
		m.Batch, err = readBatch(f, f.indirect(data), m.Body)
	}
	if err != nil {
		return nil, fmt.Errorf("arrow message: %w", err)
	}
	return m, nil
}

// readBatch reads the table h, a RecordBatch.
func readBatch(f flat, h int, body int64) (*Batch, error) {
	batch := &Batch{Rows: f.long(h, batchLength, 0)}
	if batch.Rows < 0 {
		return nil, fmt.Errorf("%d rows", batch.Rows)
	}
	if p := f.field(h, batchCompression); p != 0 {
		c := f.indirect(p)
		codec, method := f.byte(c, 0), f.byte(c, 1)
		if codec > 1 || method != 0 {
			return nil, fmt.Errorf("its buffers are compressed in an unknown way (codec %d, method %d)", codec, method)
		}
		batch.Codec = LZ4Frame + Codec(codec)
	}
	first, n := f.vector(f.field(h, batchNodes), 16)
	batch.Nodes = make([]Node, n)
	for i := range batch.Nodes {
		batch.Nodes[i] = Node{f.i64(first + 16*i), f.i64(first + 16*i + 8)}
	}
	first, n = f.vector(f.field(h, batchVariadic), 8)
	for i := range n {
		batch.Variadic = append(batch.Variadic, f.i64(first+8*i))
	}
	first, n = f.vector(f.field(h, batchBuffers), 16)
	batch.Buffers = make([]Buffer, n)
	for i := range batch.Buffers {
		buf := Buffer{f.i64(first + 16*i), f.i64(first + 16*i + 8)}
		if buf.Offset < 0 || buf.Len < 0 || buf.Offset > body || buf.Len > body-buf.Offset {
			return nil, fmt.Errorf("buffer %d at %d of %d bytes in a body of %d", i, buf.Offset, buf.Len, body)
		}
		batch.Buffers[i] = buf
	}
	return batch, nil
}

// CheckBatch reads b, the framed metadata of a record batch whose block
// promises a body of that many bytes. Its buffers lie in the body, one after
// the other, and are not compressed.
func CheckBatch(b []byte, body int64) (*Batch, error) {
	if len(b) < 8 || binary.LittleEndian.Uint32(b) != continuation {
		return nil, fmt.Errorf("arrow message: no message begins here")
	}
	m, err := ReadMessage(b[8:])
	if err != nil {
		return nil, err
	}
	if m.Kind != BatchMessage || m.Body != body {
		return nil, fmt.Errorf("arrow message: kind %d with a body of %d bytes, want %d with %d", m.Kind, m.Body, BatchMessage, body)
	}
	if m.Batch.Codec != NoCodec {
		return nil, fmt.Errorf("arrow message: its buffers are compressed")
	}
	end := int64(0)
	for i, buf := range m.Batch.Buffers {
		if buf.Offset < end {
			return nil, fmt.Errorf("arrow message: buffer %d at %d of %d bytes in a body of %d", i, buf.Offset, buf.Len, body)
		}
		end = buf.Offset + buf.Len
	}
	return m.Batch, nil
}
