package clean

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/millrace-go/millrace/internal/fielderr"
)

// numberFormat reads numbers that are written for people.
type numberFormat struct {
	decimal   string // one character
	thousands string // one character, or "" for none
	blank     bool   // thousands is a blank: a no-break or thin one will do
	prefixes  []string
	suffixes  []string
	percent   bool
	brackets  bool
}

func compileNumber(n *Number) (*numberFormat, error) {
	f := &numberFormat{
		decimal: n.Decimal, thousands: n.Thousands, blank: n.Thousands == " ",
		prefixes: n.Prefixes, suffixes: n.Suffixes, percent: n.Percent, brackets: n.Parentheses,
	}
	if f.decimal == "" {
		f.decimal = "."
	}
	for _, s := range []struct{ key, text string }{{"decimal", f.decimal}, {"thousands", f.thousands}} {
		if s.text != "" && !separator(s.text) {
			return nil, fielderr.New(s.key, "%q is no separator: %w", s.text, errNumberSign)
		}
	}
	if f.decimal == f.thousands {
		return nil, fielderr.New("thousands", "%q separates the decimals already", f.thousands)
	}
	for key, list := range map[string][]string{"prefixes": f.prefixes, "suffixes": f.suffixes} {
		for _, s := range list {
			if strings.TrimSpace(s) != s || s == "" || strings.ContainsAny(s, "0123456789") {
				return nil, fielderr.New(key, "%q: want text without digits or white space around it", s)
			}
		}
	}
	return f, nil
}

// separator tells whether s may stand between digits.
func separator(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return size == len(s) && r != utf8.RuneError && !unicode.IsDigit(r) && !unicode.IsLetter(r) && !strings.ContainsRune("+-()[]", r)
}

// maxNumberBytes bounds the digits, sign and exponent of a number.
const maxNumberBytes = 64

// written is a number as Go writes it, on the stack.
type written struct {
	text [maxNumberBytes]byte
	n    int
}

func (w *written) put(s string) bool {
	if w.n+len(s) > len(w.text) {
		return false
	}
	w.n += copy(w.text[w.n:], s)
	return true
}

func (w *written) putInt(v int) bool {
	b := strconv.AppendInt(w.text[:w.n], int64(v), 10)
	if len(b) > len(w.text) {
		return false
	}
	w.n = len(b)
	return true
}

func (f *numberFormat) parseInt(s string) (int64, bool) {
	var w written
	if !f.rewrite(s, &w) {
		return 0, false
	}
	return parseInt(string(w.text[:w.n]))
}

func (f *numberFormat) parseFloat(s string) (float64, bool) {
	var w written
	if !f.rewrite(s, &w) {
		return 0, false
	}
	return parseFloat(string(w.text[:w.n]))
}

// rewrite puts the number s into Go's form:
//
//	number = ["("] [sign] [prefix] [sign] digits [decimal digits] [exponent] [suffix] ["%"] [")"]
//
// with blanks allowed around prefix and suffix. A percentage is divided by a
// hundred in its exponent, so that it is rounded once.
func (f *numberFormat) rewrite(s string, w *written) bool {
	s, negative, ok := f.unwrap(s)
	if !ok {
		return false
	}
	percent := false
	if f.percent {
		s, percent = strings.CutSuffix(s, "%")
		s = strings.TrimRightFunc(s, unicode.IsSpace)
	}
	s = cutAffix(s, f.suffixes, strings.CutSuffix, strings.TrimRightFunc)
	if negative && !w.put("-") {
		return false
	}
	s, ok = f.mantissa(s, w)
	if !ok {
		return false
	}
	return exponent(s, percent, w)
}

// unwrap takes off brackets, sign and prefix.
func (f *numberFormat) unwrap(s string) (rest string, negative, ok bool) {
	if f.brackets && len(s) > 1 && s[0] == '(' && s[len(s)-1] == ')' {
		s, negative = strings.TrimSpace(s[1:len(s)-1]), true
	}
	signed := false
	for range 2 { // before the prefix, or after it
		if s != "" && (s[0] == '-' || s[0] == '+') {
			if signed || negative {
				return "", false, false // two signs
			}
			signed, negative = true, s[0] == '-'
			s = s[1:]
		}
		s = cutAffix(s, f.prefixes, strings.CutPrefix, strings.TrimLeftFunc)
	}
	return s, negative, true
}

// cutAffix takes the first affix that fits off s, and the blanks it leaves.
func cutAffix(s string, affixes []string, cut func(s, affix string) (string, bool), trim func(string, func(rune) bool) string) string {
	for _, a := range affixes {
		if rest, ok := cut(s, a); ok {
			return trim(rest, unicode.IsSpace)
		}
	}
	return s
}

// mantissa reads digits in groups of three or without any grouping, then
// decimals.
func (f *numberFormat) mantissa(s string, w *written) (rest string, ok bool) {
	s, whole := digits(s, w)
	if whole < 0 {
		return s, false
	}
	for group := 0; ; group++ {
		after, cut := f.cutThousands(s)
		if !cut {
			break
		}
		var n int
		if after, n = digits(after, w); n != 3 || group == 0 && (whole < 1 || whole > 3) {
			return s, false
		}
		s = after
	}
	decimals := 0
	if after, cut := strings.CutPrefix(s, f.decimal); cut {
		if !w.put(".") {
			return s, false
		}
		s, decimals = digits(after, w)
	}
	return s, whole+decimals > 0 && decimals >= 0
}

func (f *numberFormat) cutThousands(s string) (string, bool) {
	if f.thousands == "" {
		return s, false
	}
	if rest, ok := strings.CutPrefix(s, f.thousands); ok || !f.blank {
		return rest, ok
	}
	for _, blank := range []string{"\u00a0", "\u202f", "\u2009"} { // no-break, narrow no-break, thin
		if rest, ok := strings.CutPrefix(s, blank); ok {
			return rest, true
		}
	}
	return s, false
}

// digits moves the digits at the front of s to w; n is their number, -1 if
// there are too many.
func digits(s string, w *written) (rest string, n int) {
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	if !w.put(s[:n]) {
		return s, -1
	}
	return s[n:], n
}

// exponent reads an exponent, less two for a percentage, and wants nothing
// after it.
func exponent(s string, percent bool, w *written) bool {
	e := 0
	if s != "" {
		if s[0] != 'e' && s[0] != 'E' {
			return false
		}
		v, ok := parseInt(s[1:])
		if !ok || v < -9999 || v > 9999 {
			return false
		}
		e = int(v)
	} else if !percent {
		return true
	}
	if percent {
		e -= 2
	}
	return w.put("e") && w.putInt(e)
}
