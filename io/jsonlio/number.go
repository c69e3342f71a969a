package jsonlio

import (
	"math"
	"math/bits"
	"strconv"
	"unsafe"
)

// number is a scanned number: its place, and its value as ±mantissa·10^exponent if it has
// at most 19 significant digits.
type number struct {
	start    int // of its text
	mantissa uint64
	exponent int
	digits   int // of the mantissa
	negative bool
	float    bool // it has a point or an exponent
}

// number scans a number.
func (s *scanner) number(p int, n *number) int {
	d, start := s.data, p
	n.negative, n.float, n.exponent = false, false, 0
	if d[p] == '-' {
		n.negative = true
		p++
	}
	first := p
	c := d[p] - '0'
	if c > 9 {
		return s.badNumber(start, p)
	}
	mantissa := uint64(c)
	if p++; c != 0 && d[p]-'0' <= 9 {
		p, mantissa = digits(d, p, mantissa)
	}
	n.digits = p - first
	if d[p] == '.' {
		point := p
		p, mantissa = digits(d, p+1, mantissa)
		if p == point+1 {
			return s.fail(p, noFraction)
		}
		n.float, n.exponent = true, point+1-p
		n.digits += p - point - 1
	}
	if d[p]|0x20 == 'e' {
		if p = s.exponent(p+1, n); p < 0 {
			return -1
		}
	}
	if n.digits > 19 && n.float {
		n.digits -= leadingZeros(d, first)
	}
	n.mantissa, n.start = mantissa, start
	return p
}

// pass scans a number, as number does, and says if it has a point or an exponent.
func (s *scanner) pass(p int) (end int, float bool) {
	d, start := s.data, p
	if d[p] == '-' {
		p++
	}
	c := d[p] - '0'
	if c > 9 {
		return s.badNumber(start, p), false
	}
	if p++; c != 0 {
		p = passDigits(d, p)
	}
	if d[p] == '.' {
		float = true
		if d[p+1]-'0' > 9 {
			return s.fail(p+1, noFraction), true
		}
		p = passDigits(d, p+2)
	}
	if d[p]|0x20 == 'e' {
		var n number
		return s.exponent(p+1, &n), true
	}
	return p, float
}

// passDigits returns the first index from p that is no digit.
func passDigits(d []byte, p int) int {
	for {
		if other := others(load64(d, p) - ones*'0'); other != 0 {
			return p + bits.TrailingZeros64(other)>>3
		}
		p += 8
	}
}

// others marks the bytes that are no digits of eight from which '0' was subtracted. That
// may borrow, but only from bytes behind one that is none, and the first is what is wanted.
func others(v uint64) uint64 { return (v | (v + ones*(0x7f-9))) & highs }

const noFraction = "want a digit after the point of a number"

func (s *scanner) badNumber(start, p int) int {
	if p > start {
		return s.fail(p, "want a digit after the sign of a number")
	}
	if s.data[p] == '\n' {
		return s.fail(p, "the line ends where a value should be: one line is one object")
	}
	return s.fail(p, "want a value")
}

// digits scans digits and appends them to the mantissa, which overflows after the 19th.
func digits(d []byte, p int, mantissa uint64) (int, uint64) {
	for {
		v := load64(d, p) - ones*'0'
		other := others(v)
		if other == 0 {
			mantissa = mantissa*1e8 + eight(v)
			p += 8
			continue
		}
		n := bits.TrailingZeros64(other) >> 3
		return p + n, mantissa*powersOf10[n] + eight(v<<(64-8*n)) // with zeros before them
	}
}

var powersOf10 = [8]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7}

// eight is the number of eight digits 0 to 9, the first in the lowest byte.
func eight(v uint64) uint64 {
	v = v*10 + v>>8 // pairs, in bytes 0, 2, 4 and 6
	const pairs = 0x000000ff000000ff
	return ((v&pairs)*(100+1000000<<32) + (v>>16&pairs)*(1+10000<<32)) >> 32
}

// exponent scans what follows the e.
func (s *scanner) exponent(p int, n *number) int {
	d, negative := s.data, false
	if d[p] == '+' || d[p] == '-' {
		negative = d[p] == '-'
		p++
	}
	start, e := p, 0
	for ; d[p] >= '0' && d[p] <= '9'; p++ {
		if e < 100_000_000 { // a line has no more digits that could make up for it
			e = e*10 + int(d[p]-'0')
		}
	}
	if p == start {
		return s.fail(p, "want a digit in the exponent of a number")
	}
	if negative {
		e = -e
	}
	n.float, n.exponent = true, n.exponent+e
	return p
}

// leadingZeros counts the zeros of "0.00…" from p.
func leadingZeros(d []byte, p int) int {
	n := 0
	for ; d[p] == '0' || d[p] == '.'; p++ {
		if d[p] == '0' {
			n++
		}
	}
	return n
}

// int64 is the value of a number without point and exponent, if an int64 can hold it.
func (n *number) int64() (v int64, ok bool) {
	switch {
	case n.float || n.digits > 19:
		return 0, false
	case n.negative:
		return -int64(n.mantissa), n.mantissa <= -math.MinInt64
	}
	return int64(n.mantissa), n.mantissa <= math.MaxInt64
}

// float64 is the nearest float64 to n, ties to even, and false if that is an infinity. n ends at end.
func (s *scanner) float64(n *number, end int) (float64, bool) {
	if n.digits <= 19 {
		if f, ok := decimal(n.mantissa, n.exponent); ok {
			if n.negative {
				f = -f
			}
			return f, true
		}
	}
	f, err := strconv.ParseFloat(unsafe.String(&s.data[n.start], end-n.start), 64) // the text is not kept
	return f, err == nil
}

// survives says whether float64 keeps all digits of n, which has no point and exponent: it
// is one that float64 holds exactly, or that is what writing the float64 gives back. n ends at end.
func (s *scanner) survives(n *number, end int) bool {
	if n.digits <= 19 && n.mantissa <= 1<<53 {
		return true
	}
	f, ok := s.float64(n, end)
	if !ok {
		return false
	}
	if n.digits <= 19 && math.Abs(f) < 1<<64 && uint64(math.Abs(f)) == n.mantissa {
		return true
	}
	var buf [400]byte
	return string(strconv.AppendFloat(buf[:0], f, 'f', -1, 64)) == string(s.data[n.start:end])
}
