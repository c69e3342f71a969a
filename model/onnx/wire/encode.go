package wire

import (
	"io"

	"google.golang.org/protobuf/encoding/protowire"
)

// encoder walks a message twice: first it counts, for a nested message is
// preceded by its length, then it writes. Both walks meet the nested messages
// in the same order, so the lengths are a list.
type encoder struct {
	w       io.Writer // nil while counting
	n       int64     // bytes counted
	lengths []int64   // of the nested messages
	next    int       // the length that is due
	depth   int
	err     error
	scratch []byte
	// moved holds the tensors whose data goes to an external file.
	moved map[*Tensor][]Entry
}

// put writes or counts p.
func (e *encoder) put(p []byte) {
	if e.w == nil {
		e.n += int64(len(p))
		return
	}
	if e.err == nil {
		_, e.err = e.w.Write(p)
	}
}

func (e *encoder) tag(num protowire.Number, typ protowire.Type) {
	e.scratch = protowire.AppendTag(e.scratch[:0], num, typ)
	e.put(e.scratch)
}

func (e *encoder) varint(v uint64) {
	e.scratch = protowire.AppendVarint(e.scratch[:0], v)
	e.put(e.scratch)
}

func (e *encoder) text(num protowire.Number, s string) {
	e.tag(num, protowire.BytesType)
	e.varint(uint64(len(s)))
	if e.w == nil {
		e.n += int64(len(s))
	} else if e.err == nil {
		_, e.err = io.WriteString(e.w, s)
	}
}

func (e *encoder) blob(num protowire.Number, b Blob) {
	e.tag(num, protowire.BytesType)
	e.varint(uint64(b.Len()))
	if e.w == nil {
		e.n += b.Len()
	} else if e.err == nil {
		_, e.err = b.WriteTo(e.w)
	}
}

// run writes or counts what values append to a buffer, a part at a time.
func run[E any](e *encoder, values []E, appendTo func([]byte, E) []byte) {
	const part = 1 << 12
	for i, v := range values {
		e.scratch = appendTo(e.scratch, v)
		if len(e.scratch) >= part || i == len(values)-1 {
			e.put(e.scratch)
			e.scratch = e.scratch[:0]
		}
	}
}

// packed writes values as one field.
func packed[E any](e *encoder, num protowire.Number, values []E, size func(E) int, appendTo func([]byte, E) []byte) {
	var n int64
	for _, v := range values {
		n += int64(size(v))
	}
	e.tag(num, protowire.BytesType)
	e.varint(uint64(n))
	if e.w == nil {
		e.n += n
		return
	}
	e.scratch = e.scratch[:0]
	run(e, values, appendTo)
}
