package clean

import (
	"fmt"
	"strings"
)

// layout is a compiled strftime format: what %d stands for, or a literal byte.
type layout struct {
	steps []layoutStep
}

type layoutStep struct {
	directive byte // 0: literal must come next
	literal   byte
}

// fields collects what a layout reads. Its zero value is not a date.
type fields struct {
	year, month, day, dayOfYear int
	hour, minute, second        int
	micros                      int64
	offset                      int // seconds east of UTC
}

// directives are those a format may hold: year %Y (four digits) or %y (two:
// 69-99 are 19xx, 00-68 are 20xx), month %m or %b (English, three letters, any
// letter case), day %d, day of the year %j, %H %M %S, fraction of a second %f
// (one to nine digits) and zone %z (Z, ±hhmm, ±hh:mm). Numbers other than %Y
// need no leading zeros. %% is a percent sign.
const directives = "YymbdjHMSfz"

// compileLayout checks that format names one date, and a time only with its
// hour.
func compileLayout(format string) (*layout, error) {
	l := &layout{}
	seen := map[byte]bool{}
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c != '%' {
			l.steps = append(l.steps, layoutStep{literal: c})
			continue
		}
		if i++; i == len(format) {
			return nil, fmt.Errorf("format %q ends in a single %%, want %%%%", format)
		}
		c = format[i]
		switch {
		case c == '%':
			l.steps = append(l.steps, layoutStep{literal: '%'})
		case strings.IndexByte(directives, c) < 0:
			return nil, fmt.Errorf("format %q: unknown %%%c, want %%%s or %%%%", format, c, strings.Join(strings.Split(directives, ""), " %"))
		case seen[c]:
			return nil, fmt.Errorf("format %q: %%%c twice", format, c)
		default:
			seen[c] = true
			l.steps = append(l.steps, layoutStep{directive: c})
		}
	}
	return l, checkLayout(format, seen)
}

func checkLayout(format string, seen map[byte]bool) error {
	if seen['Y'] == seen['y'] {
		return fmt.Errorf("format %q: want a year, %%Y or %%y", format)
	}
	byMonth := seen['d'] && !seen['j'] && seen['m'] != seen['b']
	byDay := seen['j'] && !seen['d'] && !seen['m'] && !seen['b']
	if !byMonth && !byDay {
		return fmt.Errorf("format %q: want a month (%%m or %%b) and a day %%d, or a day of the year %%j", format)
	}
	for _, pair := range []string{"MH", "SM", "fS"} {
		if seen[pair[0]] && !seen[pair[1]] {
			return fmt.Errorf("format %q: %%%c without %%%c", format, pair[0], pair[1])
		}
	}
	return nil
}

// hasTime tells whether the layout reads a time of day.
func (l *layout) hasTime() bool {
	for _, s := range l.steps {
		if s.directive == 'H' {
			return true
		}
	}
	return false
}

// parseDate gives the days of the date as it is written; a time and a zone are
// read and left out.
func (l *layout) parseDate(s string) (int64, bool) {
	var f fields
	if !l.read(s, &f) {
		return 0, false
	}
	return f.days()
}

// parseTimestamp gives microseconds, UTC unless the layout reads a zone.
func (l *layout) parseTimestamp(s string) (int64, bool) {
	var f fields
	if !l.read(s, &f) {
		return 0, false
	}
	days, ok := f.days()
	seconds := int64(f.hour*3600+f.minute*60+f.second) - int64(f.offset)
	return days*microsPerDay + seconds*microsPerSecond + f.micros, ok
}

func (l *layout) read(s string, f *fields) bool {
	for _, step := range l.steps {
		ok := false
		if step.directive != 0 {
			s, ok = f.take(step.directive, s)
		} else if s != "" && s[0] == step.literal {
			s, ok = s[1:], true
		}
		if !ok {
			return false
		}
	}
	return s == ""
}

// take reads one directive from the front of s.
func (f *fields) take(directive byte, s string) (rest string, ok bool) {
	switch directive {
	case 'Y':
		if len(s) < 4 {
			return s, false
		}
		f.year, ok = fixed(s[:4])
		return s[4:], ok
	case 'y':
		f.year, rest, ok = number(s, 2, 0, 99)
		if f.year += 1900; f.year < 1969 {
			f.year += 100
		}
	case 'm':
		f.month, rest, ok = number(s, 2, 1, 12)
	case 'b':
		f.month, rest, ok = monthName(s)
	case 'd':
		f.day, rest, ok = number(s, 2, 1, 31)
	case 'j':
		f.dayOfYear, rest, ok = number(s, 3, 1, 366)
	case 'H':
		f.hour, rest, ok = number(s, 2, 0, 23)
	case 'M':
		f.minute, rest, ok = number(s, 2, 0, 59)
	case 'S':
		f.second, rest, ok = number(s, 2, 0, 59)
	case 'f':
		f.micros, rest, ok = digitsAsMicros(s)
	case 'z':
		if s == "" {
			return s, false
		}
		f.offset, rest, ok = zone(s)
		ok = ok && len(rest) < len(s)
	}
	return rest, ok
}

// number reads up to width digits, at least one.
func number(s string, width, low, high int) (v int, rest string, ok bool) {
	n := 0
	for n < width && n < len(s) && s[n]-'0' <= 9 {
		v = v*10 + int(s[n]-'0')
		n++
	}
	return v, s[n:], n > 0 && v >= low && v <= high
}

func digitsAsMicros(s string) (micros int64, rest string, ok bool) {
	unit, n := int64(microsPerSecond/10), 0
	for n < 9 && n < len(s) && s[n]-'0' <= 9 {
		micros += int64(s[n]-'0') * unit
		unit /= 10
		n++
	}
	return micros, s[n:], n > 0
}

const monthNames = "janfebmaraprmayjunjulaugsepoctnovdec"

func monthName(s string) (month int, rest string, ok bool) {
	if len(s) < 3 {
		return 0, s, false
	}
	for m := range 12 {
		if strings.EqualFold(s[:3], monthNames[3*m:3*m+3]) {
			return m + 1, s[3:], true
		}
	}
	return 0, s, false
}

// days is the date of the fields, if it exists.
func (f *fields) days() (int64, bool) {
	if f.dayOfYear > 0 {
		exists := f.dayOfYear < 366 || leap(f.year)
		return daysFromCivil(f.year, 1, 1) + int64(f.dayOfYear-1), exists
	}
	if f.day > daysIn(f.year, f.month) {
		return 0, false
	}
	return daysFromCivil(f.year, f.month, f.day), true
}
