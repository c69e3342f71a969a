package jsonlio

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// The scanners read one token of data from an index and return the index behind it, or
// -1 after they noted a fault. Each line of data ends with "\n", which no token
// contains, and padBytes of anything follow the last: so none of them looks for the end of data.
const padBytes = 8

// maxDepth bounds how deep arrays and objects are nested, the row itself being 1.
const maxDepth = 512

// fault is why a line is no row.
type fault struct {
	rule, reason string
	column       string
	at           int // in data
	value        []byte
}

// scanner holds the text, and the fault of the line that is being read.
type scanner struct {
	data  []byte
	fault fault
}

// fail notes a fault of syntax at p.
func (s *scanner) fail(p int, reason string) int {
	s.fault = fault{rule: RuleSyntax, reason: reason, at: p}
	return -1
}

func load64(d []byte, p int) uint64 { return binary.LittleEndian.Uint64(d[p : p+8]) }

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stringEnd returns the first index from p of a quote, a backslash or a control character.
//
// It looks at eight bytes at once. A borrow may mark a byte wrongly, but only one
// behind a byte that is marked rightly, and the first is what is wanted.
func stringEnd(d []byte, p int) int {
	for {
		v := load64(d, p)
		quote, slash := v^ones*'"', v^ones*'\\'
		if found := ((quote-ones)&^quote | (slash-ones)&^slash | (v-ones*' ')&^v) & highs; found != 0 {
			return p + bits.TrailingZeros64(found)>>3
		}
		p += 8
	}
}

// space passes over blanks, but not over the end of the line.
func space(d []byte, p int) int {
	for d[p] == ' ' || d[p] == '\t' || d[p] == '\r' {
		p++
	}
	return p
}

// text scans a string from its opening quote and says if it has escapes.
func (s *scanner) text(p int) (end int, escaped bool) {
	p = stringEnd(s.data, p+1)
	if s.data[p] == '"' {
		return p + 1, false
	}
	for {
		switch c := s.data[p]; {
		case c == '"':
			return p + 1, true
		case c != '\\':
			return s.badText(p), true
		}
		if p = s.escape(p); p < 0 {
			return -1, true
		}
		p = stringEnd(s.data, p)
	}
}

func (s *scanner) badText(p int) int {
	if s.data[p] == '\n' {
		return s.fail(p, "the line ends within a string: close it, and write a line break in it as \\n")
	}
	return s.fail(p, "a control character in a string: write it as an escape")
}

// escape scans one escape, or the two of a pair of surrogates.
func (s *scanner) escape(p int) int {
	switch s.data[p+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return p + 2
	case 'u':
		r := hex4(s.data, p+2)
		switch {
		case r < 0:
			return s.fail(p, "an escape \\u without four hexadecimal digits")
		case !utf16.IsSurrogate(r):
			return p + 6
		case s.data[p+6] == '\\' && s.data[p+7] == 'u' && utf16.DecodeRune(r, hex4(s.data, p+8)) != utf8.RuneError:
			return p + 12
		}
		s.fault = fault{rule: RuleUTF8, reason: "half of a surrogate pair, which is no character: write both halves", at: p}
		return -1
	}
	return s.fail(p, "an escape that JSON does not have")
}

// hex4 reads four hexadecimal digits, or returns -1. It does not look behind one that is none.
func hex4(d []byte, p int) rune {
	var r rune
	for i := range 4 {
		c := d[p+i]
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// appendText appends what a scanned string's text, without its quotes, stands for.
func appendText(dst, src []byte) []byte {
	for i := 0; i < len(src); i++ {
		c := src[i]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = src[i]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(src, i+1)
			i += 4
			if utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, hex4(src, i+3))
				i += 6
			}
			dst = utf8.AppendRune(dst, r)
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// word scans the rest of true, false or null.
func (s *scanner) word(p int, want string) int {
	if string(s.data[p:p+len(want)]) != want {
		return s.fail(p, "want a value")
	}
	return p + len(want)
}

// skip scans any value, which is in depth arrays and objects.
func (s *scanner) skip(p, depth int) int {
	switch c := s.data[p]; c {
	case '"':
		p, _ = s.text(p)
		return p
	case 't':
		return s.word(p, "true")
	case 'f':
		return s.word(p, "false")
	case 'n':
		return s.word(p, "null")
	case '{':
		return s.skipObject(p, depth+1)
	case '[':
		return s.skipArray(p, depth+1)
	}
	p, _ = s.pass(p)
	return p
}

func (s *scanner) skipArray(p, depth int) int {
	if depth > maxDepth {
		return s.tooDeep(p)
	}
	if p = space(s.data, p+1); s.data[p] == ']' {
		return p + 1
	}
	for {
		if p = s.skip(p, depth); p < 0 {
			return -1
		}
		switch p = space(s.data, p); s.data[p] {
		case ']':
			return p + 1
		case ',':
			p = space(s.data, p+1)
		default:
			return s.fail(p, "want a comma or ] after a value")
		}
	}
}

func (s *scanner) skipObject(p, depth int) int {
	if depth > maxDepth {
		return s.tooDeep(p)
	}
	if p = space(s.data, p+1); s.data[p] == '}' {
		return p + 1
	}
	for {
		if _, p, _ = s.key(p); p < 0 {
			return -1
		}
		if p = s.skip(space(s.data, p), depth); p < 0 {
			return -1
		}
		switch p = space(s.data, p); s.data[p] {
		case '}':
			return p + 1
		case ',':
			p = space(s.data, p+1)
		default:
			return s.fail(p, "want a comma or } after a value")
		}
	}
}

// key scans the name of a member at p and the colon. The text of the name ends at
// index quote; escaped says if it has escapes.
func (s *scanner) key(p int) (quote, end int, escaped bool) {
	if s.data[p] != '"' {
		return 0, s.fail(p, "want a member's name in quotes"), false
	}
	p, escaped = s.text(p)
	if p < 0 {
		return 0, -1, escaped
	}
	quote = p - 1
	if p = space(s.data, p); s.data[p] != ':' {
		return 0, s.fail(p, "want a colon after a member's name"), escaped
	}
	return quote, p + 1, escaped
}

func (s *scanner) tooDeep(p int) int {
	s.fault = fault{rule: RuleDepth, reason: "arrays and objects nested more than 512 deep", at: p}
	return -1
}
