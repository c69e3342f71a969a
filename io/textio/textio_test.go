package textio

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// mixed has 8 lines that are text, 2 of them blank, one that is too long and one that is no UTF-8.
const mixed = "\ufefffirst\nsecond\r\n\n\xff\xfe\n \t\r\nlone \r return\n" + "0123456789012345678901\r\n" + "01234567890123456789\nä\nlast\r"

var short = table.Options{MaxCellBytes: 20}

func storeOf(t testing.TB, name string, data []byte) store.Store {
	t.Helper()
	s := storetest.NewMemory()
	w, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return s
}

func zip(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func files(t testing.TB) []formattest.File {
	skip := short
	skip.Text.SkipBlank = true
	return []formattest.File{
		{Name: "mixed.txt", Data: []byte(mixed), Kept: 8, Dead: 2, Options: short},
		{Name: "skip.txt", Data: []byte(mixed), Kept: 6, Dead: 2, Options: skip},
		{Name: "mixed.txt.gz", Data: zip(t, mixed), Kept: 8, Dead: 2, Sealed: true, Options: short},
	}
}

func TestFormat(t *testing.T) { formattest.Run(t, Format{}, files(t)...) }

func TestHostile(t *testing.T) {
	for i, flips := range []int{10_000, 500, 2000} {
		formattest.Hostile(t, Format{}, files(t)[i], flips)
	}
}

func TestLines(t *testing.T) {
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, "f", []byte(mixed)), "f", short)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`row 1: "text"="first"`, `row 2: "text"="second"`, `row 3: "text"=""`, `row 5: "text"=" \t"`,
		`row 6: "text"="lone \r return"`, `row 8: "text"="01234567890123456789"`, `row 9: "text"="ä"`, `row 10: "text"="last"`}
	if got := strings.Join(rows.Kept, "|"); got != strings.Join(want, "|") {
		t.Errorf("got %s, want %s", got, strings.Join(want, "|"))
	}
	letters := []deadletter.Letter{
		{File: "f", Row: 4, Line: 4, Rule: RuleUTF8, Column: "text", Value: `\xff\xfe`, Reason: "want valid UTF-8: convert the file to UTF-8"},
		{File: "f", Row: 7, Line: 7, Rule: RuleCell, Column: "text", Value: "0123456789012345678901", Reason: "want at most 20 bytes, has 22"},
	}
	if fmt.Sprint(rows.Dead) != fmt.Sprint(letters) {
		t.Errorf("got %+v, want %+v", rows.Dead, letters)
	}
}

func TestFileErrors(t *testing.T) {
	skip := table.Options{Text: table.Text{SkipBlank: true}}
	for _, tt := range []struct {
		name, text, want string
		options          table.Options
	}{
		{"empty", "", "no data rows", table.Options{}},
		{"only a byte order mark", "\ufeff", "no data rows", table.Options{}},
		{"blank", "\n \n", "no data rows", skip},
		{"UTF-16", "\xff\xfea\x00", "UTF-16: convert it", table.Options{}},
		{"missing column", "a\n", `no column "b": the file has "text"`, table.Options{Columns: []string{"b"}}},
		{"negative option", "a\n", "BatchRows -1", table.Options{BatchRows: -1}},
	} {
		_, err := Format{}.Survey(t.Context(), storeOf(t, "f", []byte(tt.text)), "f", tt.options)
		if err == nil || !strings.HasPrefix(err.Error(), "textio: f: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want textio: f: … %s", tt.name, err, tt.want)
		}
	}
}

// A line of 100 MB is a dead letter, and is never in memory.
func TestHugeLine(t *testing.T) {
	data := append(bytes.Repeat([]byte("x"), 100_000_000), "\r\nnext\n"...)
	s := storeOf(t, "f", data)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, s, "f", table.Options{})
	runtime.ReadMemStats(&after)
	if err != nil || len(rows.Kept) != 1 || len(rows.Dead) != 1 || rows.Dead[0].Reason != "want at most 1048576 bytes, has 100000000" {
		t.Fatalf("got %+v, error %v", rows, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("it allocated %d bytes, want at most 16 MiB", n)
	}
}

// The naughty strings of https://github.com/minimaxir/big-list-of-naughty-strings: lines as they are.
func TestNaughtyStrings(t *testing.T) {
	data, err := os.ReadFile(shareddata.Path(t, "text/naughty/blns.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, "f", data), "f", table.Options{SpanBytes: 100})
	want := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if err != nil || len(rows.Kept) != len(want) {
		t.Fatalf("got %d rows, error %v, want %d", len(rows.Kept), err, len(want))
	}
	for i, line := range want {
		if got := fmt.Sprintf(`row %d: "text"=%q`, i+1, line); rows.Kept[i] != got {
			t.Errorf("got %s, want %s", rows.Kept[i], got)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, file := range files(f) {
		f.Add(file.Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := storeOf(t, "f", data)
		file, whole, err := formattest.ReadAll(t.Context(), Format{}, s, "f", short)
		if err != nil {
			if strings.Contains(err.Error(), "formattest:") {
				t.Fatal(err)
			}
			return
		}
		o := short
		o.SpanBytes, o.BatchRows = 7, 2
		_, cut, err := formattest.ReadAll(t.Context(), Format{}, s, "f", o)
		if err != nil || fmt.Sprint(*cut) != fmt.Sprint(*whole) {
			t.Fatalf("in small spans: got %+v, error %v, want %+v", cut, err, whole)
		}
		if n := int64(bytes.Count(data, []byte("\n"))); !bytes.HasPrefix(data, []byte("\x1f\x8b")) && !bytes.HasPrefix(data, []byte("BZh")) &&
			!bytes.HasPrefix(data, []byte("\x28\xb5\x2f\xfd")) && file.Rows != n && file.Rows != n+1 {
			t.Fatalf("got %d rows of %d line breaks", file.Rows, n)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var text bytes.Buffer
	for text.Len() < 32<<20 {
		text.WriteString(strings.Repeat("some words ", 1+rng.IntN(20)))
		text.WriteByte('\n')
	}
	s := storeOf(b, "f", text.Bytes())
	file, err := Format{}.Survey(b.Context(), s, "f", table.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("survey", func(b *testing.B) {
		b.SetBytes(file.Bytes)
		for b.Loop() {
			if _, err := (Format{}).Survey(b.Context(), s, "f", table.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.SetBytes(file.Bytes)
		for b.Loop() {
			for _, span := range file.Spans {
				err := Format{}.Read(b.Context(), s, span, table.Options{}, func(*batch.Batch) error { return nil },
					func(deadletter.Letter) error { return io.ErrUnexpectedEOF })
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(file.Rows)*float64(b.N)/1e6/b.Elapsed().Seconds(), "Mrows/s")
	})
}
