package parquetio

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow/bitutil"
)

var errValuesShort = errors.New("the page ends before its values do")

// hybrid decodes Parquet's RLE / bit-packing hybrid: runs of one value, and
// runs of groups of eight values of width bits each.
// See https://parquet.apache.org/docs/file-format/data-pages/encodings/.
type hybrid struct {
	b     []byte
	width int

	left   int    // values left in the run
	value  uint32 // of a run of one value
	packed []byte // of a bit-packed run; nil in the other kind
	bit    int    // position in packed
}

func newHybrid(b []byte, width int) (*hybrid, error) {
	if width > 32 {
		return nil, fmt.Errorf("values of %d bits, at most 32 are possible", width)
	}
	return &hybrid{b: b, width: width}, nil
}

// run makes left positive, reading the head of the next run if need be.
func (h *hybrid) run() error {
	for h.left == 0 {
		head, n := binary.Uvarint(h.b)
		if n <= 0 || head > 1<<40 {
			return errValuesShort
		}
		h.b = h.b[n:]
		if head&1 == 1 {
			h.startPacked(int(head >> 1))
			if h.left == 0 && head > 1 {
				return errValuesShort
			}
		} else if err := h.startRun(int(head >> 1)); err != nil {
			return err
		}
	}
	return nil
}

// startPacked takes what there is of groups: writers may leave out the
// padding of the last group.
func (h *hybrid) startPacked(groups int) {
	size := min(groups*h.width, len(h.b))
	h.packed, h.b, h.bit = h.b[:size:size], h.b[size:], 0
	if h.width == 0 {
		h.packed, h.value, h.left = nil, 0, groups*8
		return
	}
	h.left = size * 8 / h.width
}

func (h *hybrid) startRun(n int) error {
	size := (h.width + 7) / 8
	if size > len(h.b) {
		return errValuesShort
	}
	h.value = 0
	for i, c := range h.b[:size] {
		h.value |= uint32(c) << (8 * i)
	}
	h.packed, h.b, h.left = nil, h.b[size:], n
	return nil
}

// values fills dst.
func (h *hybrid) values(dst []uint32) error {
	for len(dst) > 0 {
		if err := h.run(); err != nil {
			return err
		}
		n := min(h.left, len(dst))
		if h.packed == nil {
			for i := range dst[:n] {
				dst[i] = h.value
			}
		} else {
			unpack(dst[:n], h.packed, h.bit, h.width)
			h.bit += n * h.width
		}
		h.left -= n
		dst = dst[n:]
	}
	return nil
}

// unpack reads len(dst) values of width bits from bit at of b, which has them.
func unpack(dst []uint32, b []byte, at, width int) {
	mask := uint64(1)<<width - 1
	for i := range dst {
		p := at >> 3
		var word uint64
		if p+8 <= len(b) {
			word = binary.LittleEndian.Uint64(b[p:])
		} else {
			for j, c := range b[p:] {
				word |= uint64(c) << (8 * j)
			}
		}
		dst[i] = uint32(word >> (at & 7) & mask)
		at += width
	}
}

// bitmap appends n values of one bit to the bits of dst from position at, and
// returns how many are 1.
func (h *hybrid) bitmap(dst []byte, at, n int) (ones int, err error) {
	for n > 0 {
		if err := h.run(); err != nil {
			return ones, err
		}
		k := min(h.left, n)
		switch {
		case h.packed != nil:
			bitutil.CopyBitmap(h.packed, h.bit, k, dst, at)
			ones += bitutil.CountSetBits(dst, at, k)
			h.bit += k
		case h.value > 1:
			return ones, fmt.Errorf("level %d, at most 1 is possible", h.value)
		default:
			bitutil.SetBitsTo(dst, int64(at), int64(k), h.value == 1)
			ones += k * int(h.value)
		}
		h.left -= k
		at, n = at+k, n-k
	}
	return ones, nil
}
