package stream

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
)

const text = "a,b\n1,2\n"

// bzipped is text as bzip2 writes it: the standard library only reads that.
const bzipped = "425a6839314159265359bf87407f00000359000010000430003000200030c00869b28823278bb9229c28485fc3a03f80"

func gzipped(t *testing.T) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstandard(t *testing.T) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(text), nil)
}

func bzip(t *testing.T) []byte {
	b, err := hex.DecodeString(bzipped)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// read reads an object of those bytes to its end.
func read(t *testing.T, name string, data []byte) (got string, plain bool, err error) {
	s := storetest.NewMemory()
	if err := store.WriteAll(t.Context(), s, name, data); err != nil {
		t.Fatal(err)
	}
	var seen bytes.Buffer
	src, err := Open(t.Context(), s, name, &seen)
	if err != nil {
		return "", false, err
	}
	defer src.Close()
	all, err := io.ReadAll(src)
	if err == nil && !bytes.Equal(seen.Bytes(), data) {
		t.Errorf("%s: %d stored bytes seen, want all %d", name, seen.Len(), len(data))
	}
	return string(all), src.Plain(), err
}

func TestRead(t *testing.T) {
	twice := func(b []byte) []byte { return append(append([]byte{}, b...), b...) }
	for _, c := range []struct {
		name  string
		data  []byte
		want  string
		plain bool
	}{
		{"a.csv", []byte(text), text, true},
		{"empty", nil, "", true},
		{"empty.gz", nil, "", true},
		{"BZh is no number", []byte("BZhello"), "BZhello", true},
		{"a.csv.gz", gzipped(t), text, false},
		{"no extension", gzipped(t), text, false},
		{"members.gz", twice(gzipped(t)), text + text, false},
		{"a.csv.zst", zstandard(t), text, false},
		{"frames.zst", twice(zstandard(t)), text + text, false},
		{"a.csv.bz2", bzip(t), text, false},
		{"streams.bz2", twice(bzip(t)), text + text, false},
	} {
		got, plain, err := read(t, c.name, c.data)
		if err != nil || got != c.want || plain != c.plain {
			t.Errorf("%s: got %q, plain %v, error %v, want %q, %v", c.name, got, plain, err, c.want, c.plain)
		}
	}
}

// Every cut and every flipped bit is an error that says what to do, or leaves
// the text as it was.
func TestDamage(t *testing.T) {
	for name, data := range map[string][]byte{"a.gz": gzipped(t), "a.zst": zstandard(t), "a.bz2": bzip(t)} {
		for n := 1; n < len(data); n++ {
			_, _, err := read(t, name, data[:n])
			var d *DamageError
			if n >= 4 && (!errors.As(err, &d) || !strings.Contains(err.Error(), "again")) {
				t.Errorf("%s cut to %d bytes: got error %v, want a DamageError", name, n, err)
			} else if err == nil {
				t.Errorf("%s cut to %d bytes: no error", name, n)
			}
		}
		for bit := range 8 * len(data) {
			damaged := bytes.Clone(data)
			damaged[bit/8] ^= 1 << (bit % 8)
			if got, _, err := read(t, name, damaged); err == nil && got != text {
				t.Errorf("%s, bit %d flipped: got %q", name, bit, got)
			}
		}
	}
}

func TestOnlyTheName(t *testing.T) {
	for _, name := range []string{"a.gz", "a.ZST", "a.bz2"} {
		if _, _, err := read(t, name, []byte(text)); err == nil || !strings.Contains(err.Error(), "rename") {
			t.Errorf("%s: got error %v, want one that says to rename it", name, err)
		}
	}
}

func TestAfterRow(t *testing.T) {
	_, _, err := read(t, "a.gz", gzipped(t)[:20])
	if err = AfterRow(err, 7); !strings.Contains(err.Error(), "unexpected end of gzip data after row 7: ") || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got error %v", err)
	}
	if again := AfterRow(err, 8); again.Error() != err.Error() {
		t.Errorf("got error %v, want the row that was named first", again)
	}
	if AfterRow(io.EOF, 1) != io.EOF {
		t.Error("an error of another kind was changed")
	}
}

func TestTrim(t *testing.T) {
	for name, want := range map[string]string{"a.csv": "a.csv", "a.csv.gz": "a.csv", "a.CSV.ZST": "a.CSV", "b.bz2": "b", ".gz": ""} {
		if got := Trim(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
