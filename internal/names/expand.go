// Package names handles the names a user writes: ranges of them, and the
// nearest valid one to a misspelt one.
package names

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxNames bounds what one pattern expands to.
const MaxNames = 100_000

// Expand lists the names that pattern stands for. A pattern may hold one range
// of whole numbers: "p{0..63}" is p0, p1, … p63. A leading zero in either bound
// pads all of them to the longer bound's width: "{00..63}" is 00, 01, … 63. A
// pattern without braces is itself; "{{" and "}}" stand for single braces.
//
// It fails on an empty pattern, on braces that are no range, on a second or a
// descending range and on more than MaxNames names.
func Expand(pattern string) ([]string, error) {
	if pattern == "" {
		return nil, fmt.Errorf("empty name")
	}
	prefix, rest, found, err := literal(pattern, pattern)
	if err != nil || !found {
		return []string{prefix}, err
	}
	body, rest, closed := strings.Cut(rest, "}")
	if !closed {
		return nil, fmt.Errorf("name %q: { without }, want {first..last}, or {{ for a brace", pattern)
	}
	first, last, width, err := parseRange(pattern, body)
	if err != nil {
		return nil, err
	}
	suffix, _, again, err := literal(pattern, rest)
	if err != nil {
		return nil, err
	}
	if again {
		return nil, fmt.Errorf("name %q: a second range, want at most one", pattern)
	}
	list := make([]string, 0, last-first+1)
	for i := first; i <= last; i++ {
		list = append(list, fmt.Sprintf("%s%0*d%s", prefix, width, i, suffix))
	}
	return list, nil
}

// literal reads s up to an opening brace, and undoubles doubled braces. rest is
// what follows the brace, if one was found.
func literal(pattern, s string) (text, rest string, found bool, err error) {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '{' && c != '}' {
			out.WriteByte(c)
			continue
		}
		if i+1 < len(s) && s[i+1] == c {
			out.WriteByte(c)
			i++
			continue
		}
		if c == '}' {
			return "", "", false, fmt.Errorf("name %q: } without {, want }} for a brace", pattern)
		}
		return out.String(), s[i+1:], true, nil
	}
	return out.String(), "", false, nil
}

// parseRange reads "first..last". width is 1 unless a bound has leading zeros.
func parseRange(pattern, body string) (first, last, width int, err error) {
	from, to, ok := strings.Cut(body, "..")
	if !ok || !digits(from) || !digits(to) {
		return 0, 0, 0, fmt.Errorf("name %q: {%s} is no range, want {first..last} with whole numbers, or {{ for a brace", pattern, body)
	}
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	switch {
	case err1 != nil || err2 != nil || last-first >= MaxNames:
		return 0, 0, 0, fmt.Errorf("name %q: more than %d names", pattern, MaxNames)
	case last < first:
		return 0, 0, 0, fmt.Errorf("name %q: the range goes down, want {%s..%s}", pattern, to, from)
	}
	width = 1
	if padded(from) || padded(to) {
		width = max(len(from), len(to))
	}
	return first, last, width, nil
}

func padded(number string) bool { return len(number) > 1 && number[0] == '0' }

// digits tells whether s is one to nine decimal digits, few enough for an int
// of 32 bits.
func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 9
}

// Escape returns the pattern that expands to exactly name.
func Escape(name string) string {
	return strings.NewReplacer("{", "{{", "}", "}}").Replace(name)
}
