package exactsum

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// wireVersion starts the binary form.
const wireVersion = 1

const wireNegative = 1 << 7

// AppendBinary appends the sum's canonical binary form: equal sums give equal
// bytes, however they came about. The form is the version, a byte of flags
// (sign and the non-finite values seen), the first used digit, the number of
// used digits, and these, 4 bytes each, little endian: 20 to 40 bytes for
// usual data.
func (s *Sum) AppendBinary(b []byte) ([]byte, error) {
	neg, digits := s.magnitude()
	first, end := 0, limbs
	for end > 0 && digits[end-1] == 0 {
		end--
	}
	for first < end && digits[first] == 0 {
		first++
	}
	if first == end {
		first, end = 0, 0
	}
	flags := s.special
	if neg {
		flags |= wireNegative
	}
	b = append(b, wireVersion, flags, byte(first), byte(end-first))
	for _, d := range digits[first:end] {
		b = binary.LittleEndian.AppendUint32(b, d)
	}
	return b, nil
}

// MarshalBinary is AppendBinary to an empty slice.
func (s *Sum) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary sets s to a sum written by MarshalBinary. It takes the
// canonical form only, and nothing after it.
func (s *Sum) UnmarshalBinary(b []byte) error {
	rest, err := s.Consume(b)
	if err != nil {
		return err
	}
	if len(rest) != 0 {
		return fmt.Errorf("exactsum.Sum: %d bytes after the sum", len(rest))
	}
	return nil
}

// Consume sets s to the sum at the start of b and returns what follows it. On
// an error s is an empty sum.
func (s *Sum) Consume(b []byte) (rest []byte, err error) {
	*s = Sum{}
	if len(b) < 4 {
		return nil, errors.New("exactsum.Sum: shorter than its header of 4 bytes")
	}
	flags, first, n := b[1], int(b[2]), int(b[3])
	switch {
	case b[0] != wireVersion:
		return nil, fmt.Errorf("exactsum.Sum: version %d, want %d", b[0], wireVersion)
	case flags&^(wireNegative|sawPosInf|sawNegInf|sawNaN) != 0:
		return nil, fmt.Errorf("exactsum.Sum: unknown flags %#x", flags)
	case first+n > limbs || n == 0 && (first != 0 || flags&wireNegative != 0):
		return nil, fmt.Errorf("exactsum.Sum: digits %d to %d, want at most %d", first, first+n, limbs)
	case len(b) < 4+4*n:
		return nil, fmt.Errorf("exactsum.Sum: %d bytes, want %d", len(b), 4+4*n)
	}
	digits := b[4 : 4+4*n]
	for i := range n {
		s.limb[first+i] = int64(binary.LittleEndian.Uint32(digits[4*i:]))
	}
	if n > 0 && (s.limb[first] == 0 || s.limb[first+n-1] == 0) || s.limb[limbs-1] >= 1<<31 {
		*s = Sum{}
		return nil, errors.New("exactsum.Sum: not in canonical form")
	}
	if flags&wireNegative != 0 {
		for i := range s.limb {
			s.limb[i] = -s.limb[i]
		}
	}
	s.special = flags &^ wireNegative
	s.pending = 1
	return b[4+4*n:], nil
}
