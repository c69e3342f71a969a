package deadletter

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCut(t *testing.T) {
	full := strings.Repeat("a", MaxValueBytes)
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "12,5 km", "12,5 km"},
		{"exactly full", full, full},
		{"one too long", full + "a", full},
		{"rune across the end", full[1:] + "é", full[1:]},
		{"rune before the end", full[2:] + "é!", full[2:] + "é"},
		{"latin-1 byte", "caf\xe9", `caf\xe9`},
		{"escape across the end", full[2:] + "\xff", full[2:]},
		{"controls", "a\x00b\nc\td", `a\x00b\nc\td`},
		{"invisible", "a\u200bb", `a\u200bb`},
		{"real replacement character", "\uFFFD", "\uFFFD"},
		{"cut rune", "\xe2\x82", `\xe2\x82`},
		{"backslash stays", `C:\temp`, `C:\temp`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Cut(tt.in); got != tt.want {
				t.Errorf("Cut(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzCut(f *testing.F) {
	f.Add("plain")
	f.Add("\xff\xfe\x00" + strings.Repeat("é", 200))
	f.Fuzz(func(t *testing.T, s string) {
		got := Cut(s)
		if len(got) > MaxValueBytes || !utf8.ValidString(got) {
			t.Errorf("Cut(%q) = %q: %d bytes, valid %v", s, got, len(got), utf8.ValidString(got))
		}
		if again := Cut(got); again != got {
			t.Errorf("Cut(%q) = %q, want a fixed point", got, again)
		}
	})
}
