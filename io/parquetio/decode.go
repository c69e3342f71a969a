package parquetio

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/parquet"
)

// Decoders append exactly n values, nulls not among them, or fail. Those of
// fixed-width values append n*width bytes to dst (a boolean is one byte).
type fixedDecoder interface {
	decode(dst []byte, n int) ([]byte, error)
}

// Those of binary values append to text.
type binaryDecoder interface {
	decode(dst *text, n int) error
}

// text is a list of byte strings: value i is data[ends[i-1]:ends[i]].
type text struct {
	data []byte
	ends []int32
	// maxCell bounds a value. A longer one is kept as its first cutBytes
	// bytes, and its index goes to long.
	maxCell int
	long    []int
	longest int // bytes of the longest value
}

// maxTextBytes bounds the text of one column of one batch.
const maxTextBytes = 512 << 20

var errTooMuchText = fmt.Errorf("more than %d bytes of text in a batch: ask for fewer rows a batch", maxTextBytes)

// cutBytes is what is kept of a cell that is too long, for its dead letter.
const cutBytes = 1 << 10

func (t *text) add(b []byte) error {
	if len(b) > t.maxCell {
		t.long = append(t.long, len(t.ends))
		b = b[:min(cutBytes, t.maxCell)]
	}
	if len(t.data)+len(b) > maxTextBytes {
		return errTooMuchText
	}
	t.longest = max(t.longest, len(b))
	t.data = append(t.data, b...)
	t.ends = append(t.ends, int32(len(t.data)))
	return nil
}

func (t *text) value(i int) []byte {
	if i == 0 {
		return t.data[:t.ends[0]]
	}
	return t.data[t.ends[i-1]:t.ends[i]]
}

// plainFixed is PLAIN of values of width bytes, little-endian.
type plainFixed struct {
	b     []byte
	width int
}

func (d *plainFixed) decode(dst []byte, n int) ([]byte, error) {
	size := n * d.width
	if size > len(d.b) {
		return dst, errValuesShort
	}
	dst = append(dst, d.b[:size]...)
	d.b = d.b[size:]
	return dst, nil
}

// plainBool is PLAIN of booleans: bits from the lowest up.
type plainBool struct {
	b  []byte
	at int
}

func (d *plainBool) decode(dst []byte, n int) ([]byte, error) {
	if d.at+n > 8*len(d.b) {
		return dst, errValuesShort
	}
	for range n {
		dst = append(dst, d.b[d.at>>3]>>(d.at&7)&1)
		d.at++
	}
	return dst, nil
}

// rleBool is RLE of booleans.
type rleBool struct {
	h       *hybrid
	scratch []uint32
}

func newRLEBool(b []byte) (fixedDecoder, error) {
	if len(b) < 4 || int64(binary.LittleEndian.Uint32(b)) > int64(len(b)-4) {
		return nil, errValuesShort
	}
	h, err := newHybrid(b[4:4+binary.LittleEndian.Uint32(b)], 1)
	return &rleBool{h: h}, err
}

func (d *rleBool) decode(dst []byte, n int) ([]byte, error) {
	d.scratch = sized(d.scratch, n)
	if err := d.h.values(d.scratch); err != nil {
		return dst, err
	}
	for _, v := range d.scratch {
		dst = append(dst, byte(v&1))
	}
	return dst, nil
}

// plainBinary is PLAIN of byte strings: each after its length in 4 bytes.
type plainBinary struct{ b []byte }

func (d *plainBinary) decode(dst *text, n int) error {
	for range n {
		if len(d.b) < 4 {
			return errValuesShort
		}
		size := int64(binary.LittleEndian.Uint32(d.b))
		if size > int64(len(d.b)-4) {
			return fmt.Errorf("a value of %d bytes where %d are left of the page", size, len(d.b)-4)
		}
		if err := dst.add(d.b[4 : 4+size]); err != nil {
			return err
		}
		d.b = d.b[4+size:]
	}
	return nil
}

// asFixed gives the values of a binary decoder that are all width bytes long.
type asFixed struct {
	inner binaryDecoder
	width int
}

func (d *asFixed) decode(dst []byte, n int) ([]byte, error) {
	t := text{maxCell: math.MaxInt32}
	if err := d.inner.decode(&t, n); err != nil {
		return dst, err
	}
	if len(t.data) != n*d.width {
		return dst, fmt.Errorf("values of %d bytes in all, want %d of %d", len(t.data), n, d.width)
	}
	for i, end := range t.ends {
		if int(end) != (i+1)*d.width {
			return dst, fmt.Errorf("a value that is not %d bytes long", d.width)
		}
	}
	return append(dst, t.data...), nil
}

// byteStreamSplit is BYTE_STREAM_SPLIT: the first bytes of all values, then
// the second bytes, and so on.
type byteStreamSplit struct {
	b         []byte
	width     int
	total, at int
}

func newByteStreamSplit(b []byte, width, values int) (fixedDecoder, error) {
	if len(b) != width*values {
		return nil, fmt.Errorf("%d bytes for %d values of %d", len(b), values, width)
	}
	return &byteStreamSplit{b: b, width: width, total: values}, nil
}

func (d *byteStreamSplit) decode(dst []byte, n int) ([]byte, error) {
	if n > d.total-d.at {
		return dst, errValuesShort
	}
	for i := d.at; i < d.at+n; i++ {
		for j := range d.width {
			dst = append(dst, d.b[j*d.total+i])
		}
	}
	d.at += n
	return dst, nil
}

// sized returns a slice of n elements, s itself if it has room.
func sized(s []uint32, n int) []uint32 {
	if cap(s) < n {
		return make([]uint32, n)
	}
	return s[:n]
}

// isDictionary says whether values are indices of a dictionary.
func isDictionary(e parquet.Encoding) bool {
	return e == parquet.Encodings.RLEDict || e == parquet.Encodings.PlainDict
}
