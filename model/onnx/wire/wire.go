// Package wire reads and writes the messages of ONNX files: models, and the
// tensors, sequences and optional values of ONNX's test data.
//
// The structs follow the protobuf definition, with shorter names; a table per
// message says how each field is read and written. What a graph means is not
// looked at here, but a message that is returned is sound in itself: the data
// of each tensor is as long as its dims ask for, each attribute has the value
// its type announces.
//
// Files may come from anybody. Reading takes a bounded amount of memory and
// leaves the data of large tensors where it is until it is asked for.
package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Options bounds what reading a file may cost. The zero value is usable.
type Options struct {
	// MaxBytes bounds the memory that decoding allocates, without the raw data
	// of large tensors, which stays in its file. The default is 1 GiB.
	MaxBytes int64
	// MaxMessages bounds the number of nodes, attributes, tensors and other
	// messages. The default is 16 Mi.
	MaxMessages int
	// MaxDepth bounds how deep messages are nested; a graph in an attribute of a
	// node adds 3. The default is 100, as in other protobuf readers.
	MaxDepth int
	// Folder is where external data is looked for: paths that lead out of
	// it are refused, by name or by link. Open sets it to the file's folder. If
	// it is empty, tensors in other files can be decoded, but not their data.
	Folder string
}

const (
	defaultBytes    = 1 << 30
	defaultMessages = 1 << 24
	defaultDepth    = 100
)

func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultBytes
	}
	if o.MaxMessages == 0 {
		o.MaxMessages = defaultMessages
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = defaultDepth
	}
	return o
}

// Message is any message that can stand at the root of a file.
type Message interface {
	Model | Graph | Node | Attribute | Function | ValueInfo | Type | Tensor | SparseTensor | SequenceValue | MapValue | OptionalValue
}

// Decode reads a message of size bytes. The raw data of its large tensors is
// read from r later, on demand. Errors are *Error.
func Decode[T Message](r io.ReaderAt, size int64, opt Options) (*T, error) {
	v := new(T)
	m := tableOf(v)
	d := newDecoder(r, size, opt.withDefaults())
	if err := d.charge(m.bytes); err != nil {
		return nil, within(m.name, 0, err)
	}
	if err := m.decode(d, v, size, m.name); err != nil {
		return nil, err
	}
	return v, nil
}

// Unmarshal is Decode from memory. The raw data of tensors is a part of data,
// which must not change as long as they are used.
func Unmarshal[T Message](data []byte, opt Options) (*T, error) {
	return Decode[T](memory(data), int64(len(data)), opt)
}

// File is a model in an open file.
type File struct {
	*Model
	f *os.File
}

// Open opens and decodes a model file. The caller closes it once it needs no
// more data of the model's tensors.
func Open(path string, opt Options) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := decodeFile(f, path, opt)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return &File{m, f}, nil
}

func decodeFile(f *os.File, path string, opt Options) (*Model, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if opt.Folder == "" {
		opt.Folder = filepath.Dir(path)
	}
	return Decode[Model](f, info.Size(), opt)
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }

// maxEncoded is what readers of protobuf take at most.
const maxEncoded = 1<<31 - 1

// Encode writes v. Equal messages give equal bytes: fields stand in the order
// of their numbers and lists in their own, maps there are none. Data that is
// in an external file stays there and is referred to, unless its tensor's
// Location is set to Inline.
//
// It fails if v would be refused by Decode, or is 2 GiB or larger, which other
// readers cannot take: see Save.
func Encode[T Message](w io.Writer, v *T) error { return encode(w, v, nil) }

func encode[T Message](w io.Writer, v *T, moved map[*Tensor][]Entry) error {
	m := tableOf(v)
	place := func() string { return m.name }
	e := &encoder{moved: moved}
	m.encode(e, v, place)
	if e.err != nil {
		return e.err
	}
	if e.n > maxEncoded {
		return within(m.name, -1, limitError("%d bytes, but a message has at most %d; keep tensors in an external file", e.n, maxEncoded))
	}
	b := bufio.NewWriterSize(w, windowBytes)
	e.w = b
	m.encode(e, v, place)
	if e.err != nil {
		return e.err
	}
	if err := b.Flush(); err != nil {
		return within(m.name, -1, err)
	}
	return nil
}

// tableOf returns the table of v's message.
func tableOf[T Message](v *T) *message[T] {
	var m any
	switch any(v).(type) {
	case *Model:
		m = &tables.model
	case *Graph:
		m = &tables.graph
	case *Node:
		m = &tables.node
	case *Attribute:
		m = &tables.attribute
	case *Function:
		m = &tables.function
	case *ValueInfo:
		m = &tables.valueInfo
	case *Type:
		m = &tables.typ
	case *Tensor:
		m = &tables.tensor
	case *SparseTensor:
		m = &tables.sparse
	case *SequenceValue:
		m = &tables.sequence
	case *MapValue:
		m = &tables.mapping
	case *OptionalValue:
		m = &tables.optional
	}
	return m.(*message[T])
}
