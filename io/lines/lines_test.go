package lines

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

// scan lists the lines of text as "number@offset:length text".
func scan(t *testing.T, text string, limit int, block int64) string {
	t.Helper()
	sc := NewScanner(t.Context(), iotest.OneByteReader(strings.NewReader(text)), limit, block, 0, 1)
	if err := sc.SkipByteOrder(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for {
		l, ok, err := sc.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return strings.Join(out, "|")
		}
		out = append(out, fmt.Sprintf("%d@%d:%d %s", l.Number, l.Offset, l.Length, l.Text))
	}
}

func TestScanner(t *testing.T) {
	x := strings.Repeat("x", 2*KeptBytes)
	for _, tt := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"breaks", "a\nb\r\n\r\nc", "1@0:1 a|2@2:1 b|3@5:0 |4@7:1 c"},
		{"a lone return stays, but for the last", "a\rb\nc\r", "1@0:3 a\rb|2@4:1 c"},
		{"byte order mark", "\ufeffa\n", "1@3:1 a"},
		{"at the limit", "12345678\n12345678\r\n", "1@0:8 12345678|2@9:8 12345678"},
		{"over the limit, little is kept", "123456789012345678901234\r\n", "1@0:24 123456789012345678901234"},
		{"over the limit", "123456789\nb", "1@0:9 123456789|2@10:1 b"},
		{"far over the limit", x + "\r\nb", fmt.Sprintf("1@0:%d %s|2@%d:1 b", len(x), x[:KeptBytes], len(x)+2)},
		{"far over the limit, last", "a\n" + x, fmt.Sprintf("1@0:1 a|2@2:%d %s", len(x), x[:KeptBytes])},
	} {
		for _, block := range []int64{16, 1 << 20} {
			if got := scan(t, tt.text, 8, block); got != tt.want {
				t.Errorf("%s, block %d: got %q, want %q", tt.name, block, got, tt.want)
			}
		}
	}
}

func TestScannerErrors(t *testing.T) {
	sc := NewScanner(t.Context(), strings.NewReader("\xff\xfea\x00"), 8, 64, 0, 1)
	if err := sc.SkipByteOrder(); err == nil || !strings.Contains(err.Error(), "UTF-16") {
		t.Errorf("got error %v, want one that says UTF-16", err)
	}
	broken := errors.New("broken")
	sc = NewScanner(t.Context(), iotest.ErrReader(broken), 8, 64, 0, 1)
	if _, ok, err := sc.Next(); ok || !errors.Is(err, broken) {
		t.Errorf("got a line %v, error %v, want %v", ok, err, broken)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sc = NewScanner(ctx, strings.NewReader("a\n"), 8, 64, 0, 1)
	if _, ok, err := sc.Next(); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("got a line %v, error %v, want %v", ok, err, context.Canceled)
	}
}
