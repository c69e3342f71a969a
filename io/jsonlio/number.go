package jsonlio

import (
	"math"
	"strconv"
	"unsafe"
)

// number is a scanned number: its text, and its value as ±mantissa·10^exponent if it has
// at most 19 significant digits.
type number struct {
	text     []byte
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
	mantissa := uint64(0)
	if d[p] == '0' {
		p++
	} else if p, mantissa = digits(d, p, 0); p == first {
		return s.badNumber(start, p)
	}
	n.digits = p - first
	if d[p] == '.' {
		point := p
		p, mantissa = digits(d, p+1, mantissa)
		if p == point+1 {
			return s.fail(p, "want a digit after the point of a number")
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
	n.mantissa, n.text = mantissa, d[start:p]
	return p
}

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
		if (v|(v+ones*(0x7f-9)))&highs != 0 {
			break
		}
		mantissa = mantissa*1e8 + eight(v)
		p += 8
	}
	for {
		c := d[p] - '0'
		if c > 9 {
			return p, mantissa
		}
		mantissa = mantissa*10 + uint64(c)
		p++
	}
}

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

// float64 is the nearest float64, ties to even, and false if that is an infinity.
func (n *number) float64() (float64, bool) {
	if n.digits <= 19 {
		if f, ok := decimal(n.mantissa, n.exponent); ok {
			if n.negative {
				f = -f
			}
			return f, true
		}
	}
	f, err := strconv.ParseFloat(unsafe.String(&n.text[0], len(n.text)), 64) // the text is not kept
	return f, err == nil
}

// survives says whether float64 keeps all digits of a number without point and exponent: it
// is one that float64 holds exactly, or that is what writing the float64 gives back.
func (n *number) survives() bool {
	if n.digits <= 19 && n.mantissa <= 1<<53 {
		return true
	}
	f, ok := n.float64()
	if !ok {
		return false
	}
	if n.digits <= 19 && math.Abs(f) < 1<<64 && uint64(math.Abs(f)) == n.mantissa {
		return true
	}
	var buf [400]byte
	return string(strconv.AppendFloat(buf[:0], f, 'f', -1, 64)) == string(n.text)
}
