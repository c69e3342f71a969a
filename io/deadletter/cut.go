package deadletter

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Cut makes a cell fit for a Letter's Value: bytes that are not UTF-8, and
// characters that do not print, become the escapes of strconv.Quote (\xff,
// \n, \u200b), and what is longer than MaxValueBytes is cut where a character
// or an escape ends. Backslashes stay as they are.
func Cut(value string) string { return printable(value, MaxValueBytes) }

// Printable is Cut without a limit.
func Printable(s string) string { return printable(s, math.MaxInt) }

func printable(value string, limit int) string {
	if len(value) <= limit && isPrintable(value) {
		return value
	}
	var out strings.Builder
	for i := 0; i < len(value); {
		r, size := utf8.DecodeRuneInString(value[i:])
		piece := value[i : i+size]
		if r == utf8.RuneError && size == 1 || !unicode.IsPrint(r) {
			piece = strconv.Quote(piece)
			piece = piece[1 : len(piece)-1]
		}
		if out.Len()+len(piece) > limit {
			break
		}
		out.WriteString(piece)
		i += size
	}
	return out.String()
}

func isPrintable(s string) bool {
	for i, r := range s {
		if !unicode.IsPrint(r) || r == utf8.RuneError && s[i] != "\uFFFD"[0] {
			return false
		}
	}
	return true
}
