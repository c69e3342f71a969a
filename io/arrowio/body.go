package arrowio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/millrace-go/millrace/internal/arrowsafe"
)

const (
	// maxInflated bounds what the compressed buffers of one message may take in memory.
	maxInflated = 128 << 20
	// maxPacked bounds one of them as it is stored, and the body of a message in a stream that is compressed as a
	// whole, which is in memory; what is compressed in that may take as much again.
	maxPacked = 64 << 20
	// maxHeld is the size of a body that is read at once and shared by its batches.
	maxHeld = 16 << 20
)

// body is what follows the metadata of a message.
type body struct {
	r        io.ReaderAt
	at, size int64
	held     []byte // all of it, if it is in memory
	codec    arrowsafe.Codec
	swap     bool // its numbers are big-endian
	inflated int64
}

// part is a buffer of a body.
type part struct {
	arrowsafe.Buffer
	plain []byte // decompressed
	known bool
}

// size is the length of p as a writer laid it out.
func (b *body) length(p *part) int64 {
	if b.codec != arrowsafe.NoCodec {
		return int64(len(b.inflate(p)))
	}
	return p.Len
}

// bytes returns n bytes of p from off, which the caller does not write to.
func (b *body) bytes(p *part, off, n int64) []byte {
	if have := b.length(p); off < 0 || n < 0 || off > have || n > have-off {
		fail("a buffer of %d bytes, want %d", have, off+n)
	}
	switch {
	case b.codec != arrowsafe.NoCodec:
		return slices.Clone(p.plain[off : off+n])
	case b.held != nil:
		return b.held[p.Offset+off : p.Offset+off+n : p.Offset+off+n]
	}
	return b.read(p.Offset+off, n)
}

func (b *body) read(off, n int64) []byte {
	out := make([]byte, n)
	if err := readAt(b.r, out, b.at+off); err != nil {
		panic(failure{err})
	}
	return out
}

// stored is p as it lies in the body.
func (b *body) stored(p *part) []byte {
	if b.held != nil {
		return b.held[p.Offset : p.Offset+p.Len]
	}
	return b.read(p.Offset, p.Len)
}

// hold reads a body that is not large, if much of it is wanted.
func (b *body) hold(wanted int64) {
	if b.held == nil && b.codec == arrowsafe.NoCodec && b.size <= maxHeld && wanted >= b.size/4 {
		b.held = b.read(0, b.size)
	}
}

// own is bytes that the caller may write to, in this machine's byte order: a sequence of
// numbers of so many bytes each, over and over.
func (b *body) own(p *part, off, n int64, widths ...int) []byte {
	out := b.bytes(p, off, n)
	if !b.swap || len(widths) == 1 && widths[0] == 1 {
		return out
	}
	if b.held != nil {
		out = slices.Clone(out)
	}
	for i := 0; i < len(out); {
		for _, w := range widths {
			slices.Reverse(out[i : i+w])
			i += w
		}
	}
	return out
}

// inflate decompresses p, once.
func (b *body) inflate(p *part) []byte {
	if p.known {
		return p.plain
	}
	p.known = true
	if p.Len == 0 {
		return nil
	}
	if p.Len < 8 {
		fail("a compressed buffer of %d bytes", p.Len)
	}
	most := int64(maxInflated)
	if b.held != nil {
		most = maxPacked
	}
	if p.Len > maxPacked {
		panic(failure{fmt.Errorf("a compressed buffer of more than %d MiB: write it in smaller record batches", maxPacked>>20)})
	}
	src := b.stored(p)
	size := int64(binary.LittleEndian.Uint64(src))
	src = src[8:]
	stored := size == -1 // as it is
	if stored {
		size = int64(len(src))
	}
	if size < 0 || size > most-b.inflated {
		panic(failure{fmt.Errorf("its columns take more than %d MiB when decompressed: write it in smaller record batches", most>>20)})
	}
	b.inflated += size
	if stored {
		p.plain = src
		return src
	}
	p.plain = make([]byte, size)
	if err := inflate(b.codec, p.plain, src); err != nil {
		fail("a buffer of %d bytes compressed to %d: %v", size, len(src), err)
	}
	return p.plain
}

// inflate fills dst with what src holds, which must be all of it.
func inflate(codec arrowsafe.Codec, dst, src []byte) error {
	var r io.Reader
	if codec == arrowsafe.LZ4Frame {
		r = lz4.NewReader(bytes.NewReader(src))
	} else {
		z := decoders.Get().(*zstd.Decoder)
		defer decoders.Put(z)
		if err := z.Reset(bytes.NewReader(src)); err != nil {
			return err
		}
		r = z
	}
	if _, err := io.ReadFull(r, dst); err != nil {
		return err
	}
	if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return fmt.Errorf("more follows (%v)", err)
	}
	return nil
}

// decoders are Zstandard decoders without goroutines of their own.
var decoders = sync.Pool{New: func() any {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err) // only for options that are out of range
	}
	return z
}}

// failure carries an error through a panic to where decoding began.
type failure struct{ error }

// fail ends decoding: the bytes are damaged.
func fail(format string, args ...any) {
	panic(failure{fmt.Errorf("the bytes are damaged: "+format, args...)})
}

// recoverFailure turns a failure, or any other panic of a decoder, into *err.
func recoverFailure(err *error) {
	switch p := recover().(type) {
	case nil:
	case failure:
		*err = p.error
	default:
		*err = fmt.Errorf("the bytes are damaged: %v", p)
	}
}

func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading %d bytes at %d: %w", len(b), at, err)
}
