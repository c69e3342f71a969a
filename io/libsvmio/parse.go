package libsvmio

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/lines"
)

// parser reads one row at a time.
type parser struct {
	first, last int // the indices that may be

	label    float64
	integral bool // label is an integer that int64 holds and float64 does not round
	query    int64
	hasQuery bool
	highest  int // index; first-1 without any
	at       []int
	values   []float64

	beyond int      // an index after the last, or 0
	seen   []uint32 // by index: the row that had it last
	row    uint32
	fault  fault
}

// fault says what is wrong with a row.
type fault struct{ rule, reason string }

// parse reads the row l and says what is wrong with it, if anything.
func (p *parser) parse(l lines.Line) *fault {
	if l.Length > int64(len(l.Text)) {
		return p.bad(RuleLine, "want a line of at most %d MiB, has %d bytes", maxLine>>20, l.Length)
	}
	text := l.Text
	if i := bytes.IndexByte(text, '#'); i >= 0 {
		text = text[:i]
	}
	p.start()
	word, text := next(text)
	var ok bool
	if p.label, ok = parseFloat(word); !ok {
		return p.bad(RuleLabel, "want a number first, has %q", clip(word))
	}
	p.integral = p.label == math.Trunc(p.label) && math.Abs(p.label) <= 1<<53
	for n := 0; ; n++ {
		if index, x, rest, ok := plainPair(text); ok && index >= p.first && index <= p.last && !p.repeated(index) {
			p.at, p.values, p.highest = append(p.at, index), append(p.values, x), max(p.highest, index)
			text = rest
			continue
		}
		if word, text = next(text); len(word) == 0 {
			return nil
		}
		if f := p.pair(word, n == 0); f != nil {
			return f
		}
	}
}

// plainPair reads index:value from the start of text where both are short and plain, as most are, in one pass.
func plainPair(text []byte) (index int, x float64, rest []byte, ok bool) {
	i := 0
	for i < len(text) && i < 9 && text[i]-'0' <= 9 {
		index = 10*index + int(text[i]-'0')
		i++
	}
	if i == 0 || i >= len(text) || text[i] != ':' {
		return 0, 0, nil, false
	}
	i++
	start, n, point := i, int64(0), -1
	for ; i < len(text) && i-start <= 15; i++ {
		if c := text[i] - '0'; c <= 9 {
			n = 10*n + int64(c)
		} else if text[i] == '.' && point < 0 {
			point = i
		} else {
			break
		}
	}
	digits := i - start
	if point >= 0 {
		digits--
	}
	if digits == 0 || digits > 15 || i < len(text) && !blank(text[i]) {
		return 0, 0, nil, false
	}
	x = float64(n)
	if point >= 0 {
		x /= powers[i-1-point]
	}
	return index, x, text[min(i+1, len(text)):], true
}

func (p *parser) start() {
	p.at, p.values, p.hasQuery, p.highest, p.beyond = p.at[:0], p.values[:0], false, p.first-1, 0
	if p.row++; p.row == 0 { // after 2^32 rows
		clear(p.seen)
		p.row = 1
	}
}

// pair reads index:value, or where it may be qid:query.
func (p *parser) pair(word []byte, mayQuery bool) *fault {
	colon := bytes.IndexByte(word, ':')
	if colon < 0 {
		return p.bad(RulePair, "want index:value, has %q", clip(word))
	}
	name, value := word[:colon], word[colon+1:]
	if mayQuery && string(name) == "qid" {
		var err error
		if p.query, err = strconv.ParseInt(string(value), 10, 64); err != nil {
			return p.bad(RuleQuery, "want qid and an integer, has %q", clip(word))
		}
		p.hasQuery = true
		return nil
	}
	index, ok := parseIndex(name)
	x, isNumber := parseFloat(value)
	switch {
	case !ok || !isNumber:
		return p.bad(RulePair, "want index:value, has %q", clip(word))
	case index < p.first:
		return p.bad(RuleIndex, "index %d: want at least %d (the option zero_based is for files that begin at 0)", index, p.first)
	case index > p.last:
		p.beyond = index
		return p.bad(RuleIndex, "index %d: want at most %d", index, p.last)
	case p.repeated(index):
		return p.bad(RuleIndex, "index %d is there twice", index)
	}
	p.at, p.values, p.highest = append(p.at, index), append(p.values, x), max(p.highest, index)
	return nil
}

// repeated says if the row had index before.
func (p *parser) repeated(index int) bool {
	if index >= len(p.seen) {
		p.seen = append(p.seen, make([]uint32, index+1-len(p.seen))...)
	}
	was := p.seen[index] == p.row
	p.seen[index] = p.row
	return was
}

func (p *parser) bad(rule, format string, args ...any) *fault {
	p.fault = fault{rule, fmt.Sprintf(format, args...)}
	return &p.fault
}

// clip is a part of a row as a message has it.
func clip(word []byte) string {
	const most = 40
	if len(word) > most {
		return deadletter.Cut(string(word[:most])) + "…"
	}
	return deadletter.Cut(string(word))
}

// clipLine is a row as a letter has it.
func clipLine(text []byte) string {
	return deadletter.Cut(string(text[:min(len(text), deadletter.MaxValueBytes+utf8.UTFMax)])) // Cut needs no more
}

// next cuts the first word off text; it is empty at the end.
func next(text []byte) (word, rest []byte) {
	for len(text) > 0 && blank(text[0]) {
		text = text[1:]
	}
	for i, c := range text {
		if blank(c) {
			return text[:i], text[i+1:]
		}
	}
	return text, nil
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// parseIndex reads a number without a sign.
func parseIndex(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 10 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// powers are those of ten that float64 has exactly.
var powers = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// parseFloat reads a decimal number, nan or inf, rounded to nearest. Up to 15 digits and a point are
// divided exactly (Clinger's fast path), the rest is the standard library's, but no hexadecimal.
func parseFloat(b []byte) (float64, bool) {
	digits := b
	negative := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		negative, digits = b[0] == '-', b[1:]
	}
	n, point, count := int64(0), -1, 0
	for i, c := range digits {
		switch {
		case c >= '0' && c <= '9' && count < 15:
			n, count = 10*n+int64(c-'0'), count+1
		case c == '.' && point < 0:
			point = i
		default:
			return slowFloat(b)
		}
	}
	if count == 0 {
		return 0, false
	}
	x := float64(n)
	if point >= 0 {
		x /= powers[len(digits)-1-point]
	}
	if negative {
		x = -x
	}
	return x, true
}

func slowFloat(b []byte) (float64, bool) {
	if bytes.ContainsAny(b, "xX_pP") {
		return 0, false
	}
	x, err := strconv.ParseFloat(string(b), 64)
	return x, err == nil
}
