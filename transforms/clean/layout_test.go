package clean

import (
	"strings"
	"testing"
	"time"
)

// bad marks a text that must not parse.
const bad = ""

// checkTimestamp compares micros with a time in RFC 3339, or bad.
func checkTimestamp(t *testing.T, text string, micros int64, ok bool, want string) {
	t.Helper()
	got := bad
	if ok {
		got = time.UnixMicro(micros).UTC().Format(time.RFC3339Nano)
	}
	if got != want {
		t.Errorf("%q: got %q, want %q", text, got, want)
	}
}

func TestParseISOTimestamp(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"2001-02-03T04:05:06Z", "2001-02-03T04:05:06Z"},
		{"2001-02-03 04:05:06", "2001-02-03T04:05:06Z"}, // a blank, and UTC without a zone
		{"2001-02-03t04:05:06z", "2001-02-03T04:05:06Z"},
		{"2001-02-03T04:05:06.5Z", "2001-02-03T04:05:06.5Z"},
		{"2001-02-03T04:05:06.123456789", "2001-02-03T04:05:06.123456Z"}, // cut, not rounded
		{"2001-02-03T00:05:06+01:30", "2001-02-02T22:35:06Z"},
		{"2001-02-03T23:05:06-0130", "2001-02-04T00:35:06Z"},
		{"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
		{"2001-02-03T24:00:00", bad}, {"2001-02-03T04:60:00", bad}, {"2001-02-03T04:05:60", bad},
		{"2001-02-30T04:05:06", bad}, {"2001-02-03", bad}, {"2001-02-03T04:05", bad},
		{"2001-02-03T04:05:06.", bad}, {"2001-02-03T04:05:06.1234567890", bad},
		{"2001-02-03T04:05:06+1", bad}, {"2001-02-03T04:05:06+01:3", bad}, {"2001-02-03T04:05:06+24:00", bad},
		{"2001-02-03T04:05:06Zx", bad}, {"2001-02-03_04:05:06", bad},
	} {
		micros, ok := parseISOTimestamp(c.text)
		checkTimestamp(t, c.text, micros, ok, c.want)
	}
}

func TestLayout(t *testing.T) {
	for _, c := range []struct{ format, text, want string }{
		{"%Y-%m-%d", "2001-2-3", "2001-02-03T00:00:00Z"}, // no leading zeros needed
		{"%Y-%m-%d", "01-2-3", bad},
		{"%Y%m%d", "20010203", "2001-02-03T00:00:00Z"},
		{"%d %b %Y", "3 FEB 2001", "2001-02-03T00:00:00Z"},
		{"%d %b %Y", "3 Fev 2001", bad},
		{"%m/%d/%y", "02/03/68", "2068-02-03T00:00:00Z"},
		{"%m/%d/%y", "02/03/69", "1969-02-03T00:00:00Z"},
		{"%Y.%j", "2000.366", "2000-12-31T00:00:00Z"},
		{"%Y.%j", "2001.366", bad},
		{"%Y-%m-%d", "2001-02-29", bad},
		{"%Y-%m-%d %H:%M:%S.%f%z", "2001-02-03 4:5:6.25+01:00", "2001-02-03T03:05:06.25Z"},
		{"%Y-%m-%dT%H%z", "2001-02-03T4Z", "2001-02-03T04:00:00Z"},
		{"%Y-%m-%dT%H%z", "2001-02-03T4", bad}, // a zone is asked for
		{"%Y-%m-%d", "2001-02-03 ", bad},
		{"%Y-%m-%d", "2001-02", bad},
		{"100%% %Y-%m-%d", "100% 2001-02-03", "2001-02-03T00:00:00Z"},
	} {
		l, err := compileLayout(c.format)
		if err != nil {
			t.Errorf("%q: %v", c.format, err)
			continue
		}
		micros, ok := l.parseTimestamp(c.text)
		checkTimestamp(t, c.text, micros, ok, c.want)
	}
}

func TestLayoutDateIsAsWritten(t *testing.T) {
	l, err := compileLayout("%Y-%m-%d %H:%M%z")
	if err != nil {
		t.Fatal(err)
	}
	days, ok := l.parseDate("2001-02-03 23:30-05:00") // the 4th in UTC
	if want := daysFromCivil(2001, 2, 3); !ok || days != want {
		t.Errorf("got day %d, %v, want %d", days, ok, want)
	}
}

func TestLayoutErrors(t *testing.T) {
	for _, c := range []struct{ format, want string }{
		{"%Y-%m-%d%", "single %"},
		{"%Q", "unknown %Q, want %Y %y %m"},
		{"%Y-%Y-%m-%d", "%Y twice"},
		{"%m-%d", "want a year"},
		{"%Y%y%m%d", "want a year"},
		{"%Y-%m", "want a month"},
		{"%Y-%d", "want a month"},
		{"%Y-%m-%d-%j", "want a month"},
		{"%Y-%m-%b-%d", "want a month"},
		{"%Y-%m-%d %M", "%M without %H"},
		{"%Y-%m-%d %H:%S", "%S without %M"},
		{"YYYY-MM-DD", "want a year"},
	} {
		if _, err := compileLayout(c.format); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q in it", c.format, err, c.want)
		}
	}
}
