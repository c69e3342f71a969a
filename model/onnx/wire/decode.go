package wire

import (
	"errors"
	"io"
	"reflect"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	windowBytes = 1 << 16 // read at once from a file
	inlineBytes = 1 << 12 // raw data of more stays in the file
)

// memory is an input that is all in memory: its parts are used where they are.
type memory []byte

// ReadAt is io.ReaderAt's.
func (m memory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(m)) {
		return 0, io.EOF
	}
	n := copy(p, m[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// decoder reads protobuf from src, never beyond end.
type decoder struct {
	src      io.ReaderAt
	size     int64
	pos, end int64
	win      []byte // src from winAt on
	winAt    int64
	opt      Options // with the defaults filled in
	bytes    int64   // of memory that may still be allocated
	messages int     // that may still be read
	depth    int
}

func newDecoder(src io.ReaderAt, size int64, opt Options) *decoder {
	d := &decoder{src: src, size: size, end: size, opt: opt, bytes: opt.MaxBytes, messages: opt.MaxMessages}
	if m, ok := src.(memory); ok {
		d.win = m
	}
	return d
}

// charge takes n bytes of memory from the allowance.
func (d *decoder) charge(n int64) error {
	if n > d.bytes {
		return limitError("decoding takes more than %d bytes of memory", d.opt.MaxBytes)
	}
	d.bytes -= n
	return nil
}

// peek returns the next n bytes, at most windowBytes, or all that are left before end.
func (d *decoder) peek(n int64) ([]byte, error) {
	n = min(n, d.end-d.pos)
	at := d.pos - d.winAt
	if at < 0 || at+n > int64(len(d.win)) {
		if cap(d.win) < windowBytes {
			d.win = make([]byte, windowBytes)
		}
		d.win = d.win[:min(windowBytes, d.size-d.pos)]
		if err := readFull(d.src, d.win, d.pos); err != nil {
			d.win = d.win[:0]
			return nil, err
		}
		d.winAt, at = d.pos, 0
	}
	return d.win[at : at+n], nil
}

// bytesOf reads the next n bytes; those of an input in memory are not copied.
func (d *decoder) bytesOf(n int64) ([]byte, error) {
	if m, ok := d.src.(memory); ok {
		p := m[d.pos : d.pos+n : d.pos+n]
		d.pos += n
		return p, nil
	}
	if err := d.charge(n); err != nil {
		return nil, err
	}
	p := make([]byte, n)
	if n <= windowBytes {
		w, err := d.peek(n)
		if err != nil {
			return nil, err
		}
		copy(p, w)
	} else if err := readFull(d.src, p, d.pos); err != nil {
		return nil, err
	}
	d.pos += n
	return p, nil
}

// consumed moves on by n bytes, or explains the negative n of protowire.
func (d *decoder) consumed(n int, what string) error {
	if n >= 0 {
		d.pos += int64(n)
		return nil
	}
	if err := protowire.ParseError(n); !errors.Is(err, io.ErrUnexpectedEOF) {
		return syntaxError("%s: %v", what, err)
	}
	return syntaxError("%s: truncated", what)
}

func (d *decoder) varint() (uint64, error) {
	p, err := d.peek(10)
	if err != nil {
		return 0, err
	}
	v, n := protowire.ConsumeVarint(p)
	return v, d.consumed(n, "varint")
}

func (d *decoder) tag() (protowire.Number, protowire.Type, error) {
	p, err := d.peek(10)
	if err != nil {
		return 0, 0, err
	}
	num, typ, n := protowire.ConsumeTag(p)
	return num, typ, d.consumed(n, "field number")
}

// length reads the length of a field that follows.
func (d *decoder) length() (int64, error) {
	v, err := d.varint()
	if err != nil {
		return 0, err
	}
	if v > uint64(d.end-d.pos) {
		return 0, syntaxError("truncated: %d bytes announced, %d left", v, d.end-d.pos)
	}
	return int64(v), nil
}

// text reads a string field.
func (d *decoder) text() (string, error) {
	n, err := d.length()
	if err != nil {
		return "", err
	}
	if n <= windowBytes {
		p, err := d.peek(n)
		if err != nil {
			return "", err
		}
		d.pos += n
		return string(p), d.charge(n)
	}
	if err := d.charge(n); err != nil { // for the string itself
		return "", err
	}
	p, err := d.bytesOf(n)
	return string(p), err
}

// blob reads a bytes field, or notes where it is.
func (d *decoder) blob() (Blob, error) {
	n, err := d.length()
	if err != nil {
		return Blob{}, err
	}
	if _, ok := d.src.(memory); ok || n <= inlineBytes {
		p, err := d.bytesOf(n)
		return NewBlob(p), err
	}
	b := Blob{src: d.src, off: d.pos, n: n}
	d.pos += n
	return b, nil
}

// skip passes over the value of a field that no table knows.
func (d *decoder) skip(typ protowire.Type) error {
	var n int64
	var err error
	switch typ {
	case protowire.VarintType:
		_, err = d.varint()
	case protowire.Fixed32Type:
		n = 4
	case protowire.Fixed64Type:
		n = 8
	case protowire.BytesType:
		n, err = d.length()
	default:
		err = syntaxError("wire type %d, which ONNX has not", typ)
	}
	if err == nil && n > d.end-d.pos {
		err = syntaxError("truncated")
	}
	if err == nil {
		d.pos += n
	}
	return err
}

// add appends e to *list within the allowance.
func add[E any](d *decoder, list *[]E, e E) error {
	if len(*list) == cap(*list) {
		n := max(2, 2*len(*list))
		if err := d.charge(int64(n) * int64(reflect.TypeFor[E]().Size())); err != nil {
			return err
		}
		*list = append(make([]E, 0, n), *list...)
	}
	*list = append(*list, e)
	return nil
}
