// Package codec stores tensors in few bytes, losslessly: bit streams,
// canonical Huffman codes, and a tensor coding that picks, for each tensor, the
// smallest of several layouts. See Han, Mao & Dally, Deep Compression,
// https://arxiv.org/abs/1510.00149; departures are in the README.
package codec

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// errShort says that a stream ended within a value.
var errShort = errors.New("data ends too early")

// Writer appends bits, the most significant first. The zero value is ready.
type Writer struct {
	buf []byte
	acc uint64 // the low n bits are pending
	n   uint
}

// WriteBits appends the low n bits of v; n is at most 32.
func (w *Writer) WriteBits(v uint32, n uint) {
	w.acc = w.acc<<n | uint64(v)&(1<<n-1)
	w.n += n
	if w.n >= 32 {
		w.n -= 32
		w.buf = binary.BigEndian.AppendUint32(w.buf, uint32(w.acc>>w.n))
	}
}

// WriteUnary appends q ones and a zero.
func (w *Writer) WriteUnary(q uint32) {
	for ; q >= 31; q -= 31 {
		w.WriteBits(1<<31-1, 31)
	}
	w.WriteBits(1<<(q+1)-2, uint(q)+1)
}

// WriteRice appends v in a Rice code: v>>k in unary, then its low k bits.
func (w *Writer) WriteRice(v uint32, k uint) {
	w.WriteUnary(v >> k)
	w.WriteBits(v, k)
}

// WriteGamma appends v in an Elias gamma code of v+1; v is at most 2^32-2.
func (w *Writer) WriteGamma(v uint32) {
	n := uint(bits.Len32(v + 1))
	w.WriteBits(0, n-1)
	w.WriteBits(v+1, n)
}

// Len is the number of bits written.
func (w *Writer) Len() int { return 8*len(w.buf) + int(w.n) }

// Bytes ends the stream, padded with zero bits to a whole byte, and returns it.
func (w *Writer) Bytes() []byte {
	out := w.buf
	for n := w.n; n > 0; {
		if n < 8 {
			return append(out, byte(w.acc<<(8-n)))
		}
		n -= 8
		out = append(out, byte(w.acc>>n))
	}
	return out
}

// Reader reads what a Writer wrote. Reading past the end gives zeros and sets
// an error that Err reports, so that a caller may check once for many reads.
type Reader struct {
	buf   []byte
	acc   uint64 // the top n bits are pending, the rest is zero
	n     uint
	short bool
}

// NewReader reads buf, which it keeps.
func NewReader(buf []byte) *Reader { return &Reader{buf: buf} }

// fill makes at least 32 bits pending, as far as the stream has them.
func (r *Reader) fill() {
	if len(r.buf) >= 4 && r.n <= 32 {
		r.acc |= uint64(binary.BigEndian.Uint32(r.buf)) << (32 - r.n)
		r.buf, r.n = r.buf[4:], r.n+32
		return
	}
	for len(r.buf) > 0 && r.n <= 56 {
		r.acc |= uint64(r.buf[0]) << (56 - r.n)
		r.buf, r.n = r.buf[1:], r.n+8
	}
}

// skip drops n pending bits.
func (r *Reader) skip(n uint) {
	if n > r.n {
		r.short, r.acc, r.n = true, 0, 0
		return
	}
	r.acc <<= n
	r.n -= n
}

// ReadBits reads n bits, at most 32.
func (r *Reader) ReadBits(n uint) uint32 {
	if r.n < n {
		r.fill()
	}
	v := uint32(r.acc >> 32 >> (32 - n))
	r.skip(n)
	return v
}

// ReadUnary reads what WriteUnary wrote. The run is bounded by the stream.
func (r *Reader) ReadUnary() uint32 {
	q := uint32(0)
	for {
		r.fill()
		ones := uint(bits.LeadingZeros64(^r.acc))
		if ones < r.n {
			r.skip(ones + 1)
			return q + uint32(ones)
		}
		if len(r.buf) == 0 {
			r.short, r.acc, r.n = true, 0, 0
			return 0
		}
		q += uint32(r.n)
		r.acc, r.n = 0, 0
	}
}

// ReadRice reads what WriteRice wrote. A value beyond 32 bits sets the error.
func (r *Reader) ReadRice(k uint) uint32 {
	q := r.ReadUnary()
	if q > uint32(1<<(32-k)-1) {
		r.short = true
		return 0
	}
	return q<<k | r.ReadBits(k)
}

// ReadGamma reads what WriteGamma wrote. A longer code sets the error.
func (r *Reader) ReadGamma() uint32 {
	r.fill()
	zeros := uint(bits.LeadingZeros64(r.acc))
	if zeros > 31 || zeros >= r.n {
		r.short, r.acc, r.n = true, 0, 0
		return 0
	}
	r.skip(zeros)
	return r.ReadBits(zeros+1) - 1
}

// Err reports whether any read went past the end.
func (r *Reader) Err() error {
	if r.short {
		return errShort
	}
	return nil
}

// Close reports an error if a read went past the end, or if more than the
// zero padding of the last byte is left.
func (r *Reader) Close() error {
	switch {
	case r.short:
		return errShort
	case len(r.buf) > 0 || r.n >= 8:
		return errors.New("unused bytes at the end")
	case r.acc != 0:
		return errors.New("padding is not zero")
	}
	return nil
}
