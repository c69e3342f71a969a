package clean

import (
	"errors"
	"fmt"
	"strings"

	"github.com/millrace-go/millrace/internal/fielderr"
)

// form is how the values of a column are written in text, compiled. A nil form
// is the default of every type.
type form struct {
	layouts []*layout     // of dates and timestamps, tried in order; a nil one is ISO 8601
	number  *numberFormat // nil: as Go's strconv reads decimal numbers
	words   *boolWords    // nil: the words of parseBool
}

// isoFormat is the entry of Column.Formats that stands for ISO 8601.
const isoFormat = "iso"

// form compiles the keys that say how a column is written, nil if there are
// none. Its error is a FieldError.
func (c Column) form() (*form, error) {
	f := &form{}
	formats := c.Formats
	if c.Format != "" {
		if len(formats) > 0 {
			return nil, fielderr.New("formats", "there is a format already; put it at the head of formats")
		}
		l, err := compileLayout(c.Format)
		if err != nil {
			return nil, fielderr.FieldError{Path: "format", Err: err}
		}
		f.layouts = []*layout{l}
	}
	for i, text := range formats {
		var l *layout
		if text != isoFormat {
			var err error
			if l, err = compileLayout(text); err != nil {
				return nil, fielderr.FieldError{Path: fmt.Sprintf("formats[%d]", i), Err: err}
			}
		}
		f.layouts = append(f.layouts, l)
	}
	var err error
	if c.Number != nil {
		if f.number, err = compileNumber(c.Number); err != nil {
			return nil, under("number", err)
		}
	}
	if c.Bool != nil {
		if f.words, err = compileWords(c.Bool); err != nil {
			return nil, under("bool", err)
		}
	}
	if len(f.layouts) == 0 && f.number == nil && f.words == nil {
		return nil, nil
	}
	return f, f.oneMeaning()
}

// under puts prefix before the path of a FieldError.
func under(prefix string, err error) error { return fielderr.All(err)[0].Under(prefix) }

// oneMeaning fails if the column is said to be of two types.
func (f *form) oneMeaning() error {
	switch {
	case f.words != nil && (f.number != nil || len(f.layouts) > 0):
		return fielderr.New("bool", "the column has a number or a format too; keep one")
	case f.number != nil && len(f.layouts) > 0:
		return fielderr.New("number", "the column has a format too; keep one")
	}
	return nil
}

// takes is an error unless the form is one of kind k.
func (f *form) takes(k kind) error {
	switch {
	case f == nil:
	case len(f.layouts) > 0 && k != kindDate && k != kindTimestamp:
		return fielderr.New("format", "a format is for dates and timestamps, the type is %v", k)
	case f.number != nil && k != kindInt64 && k != kindFloat64:
		return fielderr.New("number", "number is for int64 and float64, the type is %v", k)
	case f.number != nil && f.number.percent && k == kindInt64:
		return fielderr.New("number.percent", "a percentage is a fraction; the type is int64, want float64")
	case f.words != nil && k != kindBool:
		return fielderr.New("bool", "these words are for a bool, the type is %v", k)
	}
	return nil
}

// kind is the type of a column that is written so and names none; ok is false
// if the form does not tell.
func (f *form) kind() (k kind, ok bool) {
	switch {
	case f == nil:
		return 0, false
	case f.number != nil:
		return kindFloat64, true
	case f.words != nil:
		return kindBool, true
	}
	for _, l := range f.layouts {
		if l != nil && l.hasTime() {
			return kindTimestamp, true
		}
	}
	return kindDate, true
}

// parserOf gives the parser of every kind but string and float64.
func (f *form) parserOf(k kind) textParser {
	switch k {
	case kindInt64:
		if f != nil && f.number != nil {
			return f.number.parseInt
		}
		return parseInt
	case kindBool:
		if f != nil && f.words != nil {
			return f.words.parse
		}
		return parseBool
	case kindDate:
		return f.firstOf(parseISODate, (*layout).parseDate)
	case kindTimestamp:
		return f.firstOf(parseISOTimestamp, (*layout).parseTimestamp)
	}
	panic(fmt.Sprintf("clean: no integer form of %v", k))
}

// floatParser gives the parser of float64.
func (f *form) floatParser() func(string) (float64, bool) {
	if f != nil && f.number != nil {
		return f.number.parseFloat
	}
	return parseFloat
}

// firstOf tries the layouts in order.
func (f *form) firstOf(iso textParser, by func(*layout, string) (int64, bool)) textParser {
	if f == nil || len(f.layouts) == 0 {
		return iso
	}
	parsers := make([]textParser, len(f.layouts))
	for i, l := range f.layouts {
		if parsers[i] = iso; l != nil {
			parsers[i] = func(s string) (int64, bool) { return by(l, s) }
		}
	}
	if len(parsers) == 1 {
		return parsers[0]
	}
	return func(s string) (int64, bool) {
		for _, parse := range parsers {
			if v, ok := parse(s); ok {
				return v, true
			}
		}
		return 0, false
	}
}

// boolWords are the texts of true and false.
type boolWords struct{ yes, no []string }

func compileWords(b *BoolWords) (*boolWords, error) {
	w := &boolWords{yes: b.True, no: b.False}
	if len(w.yes) == 0 || len(w.no) == 0 {
		return nil, fielderr.New("", "want at least one text for each of true and false")
	}
	for i, s := range w.no {
		if contains(w.yes, s) {
			return nil, fielderr.New(fmt.Sprintf("false[%d]", i), "%q is among the texts of true", s)
		}
	}
	return w, nil
}

// parse compares in any letter case.
func (w *boolWords) parse(s string) (int64, bool) {
	if contains(w.yes, s) {
		return 1, true
	}
	return 0, contains(w.no, s)
}

func contains(words []string, s string) bool {
	for _, w := range words {
		if w == s || strings.EqualFold(w, s) {
			return true
		}
	}
	return false
}

// errNumberSign is what a separator may not be.
var errNumberSign = errors.New("want one character other than a digit, a letter, a sign or a bracket")
