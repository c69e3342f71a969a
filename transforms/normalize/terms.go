package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// splitter cuts texts into terms.
type splitter struct {
	split    string
	lower    bool
	min, max int

	at   []int // where words start and end, two a word
	join []byte
}

// each calls f for every term of text, in order of where it starts and then
// of length. A term of several words has one space between them. The string
// is valid during the call only. Bytes that are not UTF-8 count as U+FFFD.
func (s *splitter) each(text string, f func(term string)) {
	text = strings.ToValidUTF8(text, "\ufffd")
	if s.lower {
		text = strings.ToLower(text)
	}
	s.cut(text)
	words := len(s.at) / 2
	for i := range words {
		s.join = s.join[:0]
		for n := 1; n <= s.max && i+n <= words; n++ {
			word := text[s.at[2*(i+n-1)]:s.at[2*(i+n-1)+1]]
			if n > 1 && s.split != splitCharacters {
				s.join = append(s.join, ' ')
			}
			s.join = append(s.join, word...)
			if n >= s.min {
				f(string(s.join))
			}
		}
	}
}

// cut finds the words.
func (s *splitter) cut(text string) {
	s.at = s.at[:0]
	start := -1
	for i, r := range text {
		if s.split == splitCharacters {
			s.at = append(s.at, i, i+utf8.RuneLen(r))
			continue
		}
		if s.inWord(r) {
			if start < 0 {
				start = i
			}
		} else if start >= 0 {
			s.at, start = append(s.at, start, i), -1
		}
	}
	if start >= 0 {
		s.at = append(s.at, start, len(text))
	}
}

func (s *splitter) inWord(r rune) bool {
	if s.split == splitSpaces {
		return !unicode.IsSpace(r)
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}
