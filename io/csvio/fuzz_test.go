package csvio

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// FuzzRead wants of any bytes: no panic; each surveyed row kept or dead; the
// same rows and letters from spans of 64 bytes as from one span; what the standard library
// reads without an error, read alike.
func FuzzRead(f *testing.F) {
	f.Add([]byte(mixed))
	f.Add([]byte("a,b\n\"1\n\",2\n\"\"\"\n3,\"4\n5\",\"\n6,7\n"))
	f.Add([]byte("a\r\n\r\n\"\r\n\"\r\n\r"))
	f.Add([]byte("\ufeff\"a\"\n\"\"\"\n\"\"\"\n\"\"\"x\n"))
	f.Add(zip(f, "a,b\n1,2\n", "3,4\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		format := Format{maxRecord: 200}
		s := storeOf(t, "f.csv", data)
		file, whole, err := formattest.ReadAll(context.Background(), format, s, "f.csv", table.Options{})
		if err != nil {
			if strings.Contains(err.Error(), "formattest:") {
				t.Fatal(err)
			}
			return
		}
		if n := int64(len(whole.Kept) + len(whole.Dead)); n != file.Rows {
			t.Fatalf("got %d rows, want %d", n, file.Rows)
		}
		_, cut, err := formattest.ReadAll(context.Background(), format, s, "f.csv", table.Options{SpanBytes: 64, BatchRows: 3})
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(*cut) != fmt.Sprint(*whole) {
			t.Fatalf("in spans of 64 bytes: got %+v, want %+v", *cut, *whole)
		}
		if want, ok := standard(data); ok && len(data) < format.maxRecord {
			if got := strings.Join(whole.Kept, "\n"); got != want {
				t.Fatalf("got %s, the standard library %s", got, want)
			}
		}
	})
}

// standard reads data with encoding/csv, if it is text where that and this
// package should agree: no fault at all and no quoted "\r\n".
func standard(data []byte) (rows string, ok bool) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	if !utf8.ValidString(text) || strings.Contains(text, "\r") {
		return "", false
	}
	r := csv.NewReader(strings.NewReader(text))
	header, err := r.Read()
	if err != nil {
		return "", false
	}
	var out []string
	for {
		cells, err := r.Read()
		if err == io.EOF {
			return strings.Join(out, "\n"), true
		}
		if err != nil {
			return "", false
		}
		row := fmt.Sprintf("row %d:", len(out)+1)
		for c, cell := range cells {
			row += fmt.Sprintf(" %q=%q", header[c], cell)
		}
		out = append(out, row)
	}
}
