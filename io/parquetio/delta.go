package parquetio

import (
	"encoding/binary"
	"fmt"
)

// delta decodes DELTA_BINARY_PACKED integers: blocks of differences, less
// their minimum, packed in miniblocks of a width each. Arithmetic wraps.
type delta struct {
	b         []byte
	miniSize  int // values a miniblock
	miniCount int // miniblocks a block

	total   int // values left
	first   bool
	last    uint64
	min     uint64
	widths  []byte // of the miniblocks left in the block
	mini    []byte // the miniblock being read
	width   int
	bit     int
	pending int // values left in the miniblock
}

func newDelta(b []byte) (*delta, error) {
	d := &delta{b: b, first: true}
	block, minis, total := d.uvarint(), d.uvarint(), d.uvarint()
	first := d.uvarint()
	if d.b == nil {
		return nil, errValuesShort
	}
	if minis == 0 || block == 0 || block > 1<<20 || block%minis != 0 || block/minis%8 != 0 || total > 1<<31 {
		return nil, fmt.Errorf("delta encoding with blocks of %d values in %d parts", block, minis)
	}
	d.miniCount, d.miniSize, d.total = int(minis), int(block/minis), int(total)
	d.last = first>>1 ^ -(first & 1)
	return d, nil
}

// uvarint sets b to nil if there is none.
func (d *delta) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.b = nil
		return 0
	}
	d.b = d.b[n:]
	if d.b == nil {
		d.b = []byte{}
	}
	return v
}

func (d *delta) next() (uint64, error) {
	if d.total == 0 {
		return 0, errValuesShort
	}
	d.total--
	if d.first {
		d.first = false
		return d.last, nil
	}
	if d.pending == 0 {
		if err := d.miniblock(); err != nil {
			return 0, err
		}
	}
	d.last += d.min + loadBits(d.mini, d.bit, d.width)
	d.bit += d.width
	d.pending--
	return d.last, nil
}

func (d *delta) miniblock() error {
	if len(d.widths) == 0 {
		v := d.uvarint()
		if len(d.b) < d.miniCount {
			return errValuesShort
		}
		d.min = v>>1 ^ -(v & 1)
		d.widths, d.b = d.b[:d.miniCount], d.b[d.miniCount:]
	}
	d.width, d.widths = int(d.widths[0]), d.widths[1:]
	if d.width > 64 {
		return fmt.Errorf("differences of %d bits", d.width)
	}
	size := d.miniSize * d.width / 8
	if size > len(d.b) {
		// The last miniblock may lack its padding.
		if need := (min(d.miniSize, d.total+1)*d.width + 7) / 8; need > len(d.b) {
			return errValuesShort
		}
		size = len(d.b)
	}
	d.mini, d.b = d.b[:size], d.b[size:]
	d.bit, d.pending = 0, d.miniSize
	return nil
}

// rest returns the bytes after the last value; all values must be read.
func (d *delta) rest() []byte { return d.b }

// loadBits reads a little-endian integer of width bits, at most 64, from bit
// at of b.
func loadBits(b []byte, at, width int) uint64 {
	v := uint64(0)
	for got := 0; got < width; {
		k := min(8-at&7, width-got)
		v |= uint64(b[at>>3]>>(at&7)) & (1<<k - 1) << got
		at, got = at+k, got+k
	}
	return v
}

// deltaFixed is DELTA_BINARY_PACKED of int32 or int64.
type deltaFixed struct {
	d     *delta
	width int
}

func (d *deltaFixed) decode(dst []byte, n int) ([]byte, error) {
	for range n {
		v, err := d.d.next()
		if err != nil {
			return dst, err
		}
		if d.width == 4 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
		} else {
			dst = binary.LittleEndian.AppendUint64(dst, v)
		}
	}
	return dst, nil
}

// lengths returns a decoder of the n lengths at the front of b, and what
// follows them. They are decoded twice rather than kept: a few bytes can say
// many millions.
func lengths(b []byte, n int) (d *delta, rest []byte, err error) {
	if d, err = newDelta(b); err != nil {
		return nil, nil, err
	}
	if d.total != n {
		return nil, nil, fmt.Errorf("%d lengths for %d values", d.total, n)
	}
	for range n {
		if _, err := d.next(); err != nil {
			return nil, nil, err
		}
	}
	rest = d.rest()
	d, err = newDelta(b)
	return d, rest, err
}

func (d *delta) length() (int, error) {
	v, err := d.next()
	if n := int32(v); err == nil && n < 0 {
		err = fmt.Errorf("a length of %d", n)
	}
	return int(int32(v)), err
}

// deltaLength is DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.
type deltaLength struct {
	lengths *delta
	b       []byte
}

func newDeltaLength(b []byte, values int) (*deltaLength, error) {
	d, rest, err := lengths(b, values)
	return &deltaLength{d, rest}, err
}

func (d *deltaLength) decode(dst *text, n int) error {
	for range n {
		b, err := d.next()
		if err != nil {
			return err
		}
		if err := dst.add(b); err != nil {
			return err
		}
	}
	return nil
}

func (d *deltaLength) next() ([]byte, error) {
	n, err := d.lengths.length()
	if err != nil {
		return nil, err
	}
	if n > len(d.b) {
		return nil, errValuesShort
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b, nil
}

// deltaStrings is DELTA_BYTE_ARRAY: the length of the prefix that each value
// shares with the one before, then the suffixes.
type deltaStrings struct {
	prefixes *delta
	suffixes *deltaLength
	last     []byte
}

func newDeltaStrings(b []byte, values int) (*deltaStrings, error) {
	prefixes, rest, err := lengths(b, values)
	if err != nil {
		return nil, err
	}
	suffixes, err := newDeltaLength(rest, values)
	return &deltaStrings{prefixes: prefixes, suffixes: suffixes}, err
}

func (d *deltaStrings) decode(dst *text, n int) error {
	for range n {
		suffix, err := d.suffixes.next()
		if err != nil {
			return err
		}
		prefix, err := d.prefixes.length()
		if err != nil {
			return err
		}
		if prefix > len(d.last) {
			return fmt.Errorf("a prefix of %d bytes of a value of %d", prefix, len(d.last))
		}
		d.last = append(d.last[:prefix], suffix...)
		if err := dst.add(d.last); err != nil {
			return err
		}
	}
	return nil
}
