package clean

import (
	"math"
	"strconv"
	"strings"
)

// parseInt takes what an int64 looks like in text: base 10, an optional sign.
// "12.0", "1e3" and "0x1f" are no integers.
func parseInt(s string) (int64, bool) {
	if len(s) == 0 || len(s) > 18 { // up to 18 characters cannot overflow
		v, err := strconv.ParseInt(s, 10, 64)
		return v, err == nil
	}
	digits := s
	if s[0] == '-' || s[0] == '+' {
		digits = s[1:]
	}
	if digits == "" {
		return 0, false
	}
	var v int64
	for i := range len(digits) {
		d := digits[i] - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + int64(d)
	}
	if s[0] == '-' {
		v = -v
	}
	return v, true
}

// parseFloat takes a decimal number, and NaN and ±Inf in any letter case,
// which the finite rule then refuses. A number too large for float64 becomes
// ±Inf. Hexadecimal numbers and underscores are no numbers.
func parseFloat(s string) (float64, bool) {
	if strings.ContainsAny(s, "xX_") {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil || math.IsInf(v, 0)
}

// parseBool takes true/false, t/f, yes/no and 1/0 in any letter case.
func parseBool(s string) (int64, bool) {
	switch len(s) {
	case 1:
		switch s[0] {
		case '1', 't', 'T':
			return 1, true
		case '0', 'f', 'F':
			return 0, true
		}
	case 2:
		return 0, strings.EqualFold(s, "no")
	case 3:
		return 1, strings.EqualFold(s, "yes")
	case 4:
		return 1, strings.EqualFold(s, "true")
	case 5:
		return 0, strings.EqualFold(s, "false")
	}
	return 0, false
}

// parseISODate takes YYYY-MM-DD.
func parseISODate(s string) (int64, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	year, ok1 := fixed(s[0:4])
	month, ok2 := fixed(s[5:7])
	day, ok3 := fixed(s[8:10])
	if !ok1 || !ok2 || !ok3 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return daysFromCivil(year, month, day), true
}

// parseISOTimestamp takes YYYY-MM-DD, then T, t or a blank, then hh:mm:ss, a
// fraction of up to nine digits (those beyond the sixth are cut), and Z, z or
// ±hh:mm. Without a zone it is UTC.
func parseISOTimestamp(s string) (int64, bool) {
	if len(s) < 19 || s[10] != 'T' && s[10] != 't' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	days, ok := parseISODate(s[:10])
	hour, ok1 := fixed(s[11:13])
	minute, ok2 := fixed(s[14:16])
	second, ok3 := fixed(s[17:19])
	if !ok || !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	micros, rest, ok := fraction(s[19:])
	if !ok {
		return 0, false
	}
	offset, rest, ok := zone(rest)
	if !ok || rest != "" {
		return 0, false
	}
	seconds := int64(hour*3600+minute*60+second) - int64(offset)
	return days*microsPerDay + seconds*microsPerSecond + micros, true
}

// fraction reads ".ddd" from the front of s, if it is there, as microseconds.
func fraction(s string) (micros int64, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	n := 1
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == 1 || n > 10 {
		return 0, "", false
	}
	unit := int64(microsPerSecond / 10)
	for _, c := range []byte(s[1:n]) {
		micros += int64(c-'0') * unit
		unit /= 10
	}
	return micros, s[n:], true
}

// zone reads Z, ±hh:mm or ±hhmm from the front of s, as seconds east of UTC.
// Nothing is UTC.
func zone(s string) (offset int, rest string, ok bool) {
	if s == "" {
		return 0, "", true
	}
	if s[0] == 'Z' || s[0] == 'z' {
		return 0, s[1:], true
	}
	if len(s) < 5 || s[0] != '+' && s[0] != '-' {
		return 0, s, s[0] != '+' && s[0] != '-'
	}
	minutes := s[3:]
	if minutes[0] == ':' {
		minutes = minutes[1:]
	}
	if len(minutes) < 2 {
		return 0, s, false
	}
	h, ok1 := fixed(s[1:3])
	m, ok2 := fixed(minutes[:2])
	if !ok1 || !ok2 || h > 23 || m > 59 {
		return 0, s, false
	}
	offset = h*3600 + m*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, minutes[2:], true
}

// fixed reads decimal digits only.
func fixed(s string) (int, bool) {
	v := 0
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, false
		}
		v = v*10 + int(d)
	}
	return v, true
}
