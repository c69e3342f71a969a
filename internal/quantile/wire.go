package quantile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// wireVersion starts the binary form.
const wireVersion = 1

// AppendBinary appends the canonical binary form: equal sketches give equal
// bytes. It is the version, then as uvarints max, bits, the number of values
// and of distinct prefixes, then the whole smallest and largest key (8 bytes
// each, if there are values), then for each prefix in rising order its
// distance from the one before and its count.
func (s *Sketch) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, wireVersion)
	b = binary.AppendUvarint(b, uint64(s.max))
	b = binary.AppendUvarint(b, uint64(s.bits))
	b = binary.AppendUvarint(b, s.n)
	b = binary.AppendUvarint(b, uint64(s.used))
	if s.n == 0 {
		return b, nil
	}
	b = binary.LittleEndian.AppendUint64(b, s.lo)
	b = binary.LittleEndian.AppendUint64(b, s.hi)
	last := uint64(0)
	for _, o := range s.sorted() {
		p := o.key >> (64 - s.bits) // 0 for no bits
		b = binary.AppendUvarint(b, p-last)
		b = binary.AppendUvarint(b, o.count)
		last = p
	}
	return b, nil
}

// MarshalBinary is AppendBinary to an empty slice.
func (s *Sketch) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary sets s to a sketch written by MarshalBinary and takes
// nothing after it. What it allocates is bounded by 16 times len(b).
func (s *Sketch) UnmarshalBinary(b []byte) error {
	d := decoder{b: b}
	t, err := d.sketch()
	if err == nil && len(d.b) != 0 {
		err = fmt.Errorf("%d bytes after the sketch", len(d.b))
	}
	if err != nil {
		return fmt.Errorf("quantile.Sketch: %w", err)
	}
	*s = *t
	return nil
}

type decoder struct {
	b   []byte
	err error
}

func (d *decoder) uvarint(what string, limit uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	switch {
	case d.err != nil:
		return 0
	case n <= 0:
		d.err = fmt.Errorf("%s: truncated or overlong number", what)
		return 0
	case n > 1 && d.b[n-1] == 0:
		d.err = fmt.Errorf("%s: number not in its shortest form", what)
		return 0
	case v > limit:
		d.err = fmt.Errorf("%s: %d, want at most %d", what, v, limit)
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) key() uint64 {
	if d.err != nil || len(d.b) < 8 {
		d.err = errors.Join(d.err, errors.New("truncated range"))
		return 0
	}
	k := binary.LittleEndian.Uint64(d.b)
	d.b = d.b[8:]
	return k
}

func (d *decoder) sketch() (*Sketch, error) {
	if len(d.b) == 0 || d.b[0] != wireVersion {
		return nil, fmt.Errorf("does not start with version %d", wireVersion)
	}
	d.b = d.b[1:]
	s := &Sketch{max: int(d.uvarint("max", LargestMax)), bits: uint(d.uvarint("bits", 64))}
	s.n = d.uvarint("count", math.MaxInt64)
	used := int(d.uvarint("distinct", uint64(s.max)))
	switch {
	case d.err != nil:
		return nil, d.err
	case s.max == 0 || (s.n == 0) != (used == 0) || used == 0 && s.bits != 64:
		return nil, errors.New("header does not fit together")
	case used > len(d.b)/2: // two bytes are the least a prefix takes
		return nil, fmt.Errorf("%d distinct values in %d bytes", used, len(d.b))
	}
	size := 16
	for 4*used > 3*size {
		size *= 2
	}
	s.resize(size)
	if used > 0 {
		s.lo, s.hi = d.key(), d.key()
		if d.err == nil && (!isKey(s.lo) || !isKey(s.hi)) {
			d.err = errors.New("range ends at no value")
		}
		d.slots(s, used)
	}
	return s, d.err
}

// isKey says whether toKey gives k: not for -0, nor for other NaN than one.
func isKey(k uint64) bool { return toKey(fromKey(k)) == k }

// slots reads the prefixes into s and checks that they fit its header.
func (d *decoder) slots(s *Sketch, used int) {
	p, total := uint64(0), uint64(0)
	last := uint64(math.MaxUint64)
	if s.bits < 64 {
		last = 1<<s.bits - 1
	}
	for i := range used {
		step := d.uvarint("prefix", last-p)
		count := d.uvarint("count of a prefix", s.n-total)
		if d.err == nil && (count == 0 || i > 0 && step == 0) {
			d.err = errors.New("prefixes must rise and have counts")
		}
		if d.err != nil {
			return
		}
		p += step
		total += count
		key := p << (64 - s.bits)
		if s.Exact() && !isKey(key) {
			d.err = errors.New("prefix of no value")
			return
		}
		if i == 0 && key != s.lo&s.mask() {
			d.err = errors.New("smallest value is not in the first prefix")
			return
		}
		s.put(key, count)
	}
	if p<<(64-s.bits) != s.hi&s.mask() || s.lo > s.hi || total != s.n {
		d.err = errors.New("largest value or count does not fit the prefixes")
	}
}
