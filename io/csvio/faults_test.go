package csvio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

func storeOf(t testing.TB, name string, data []byte) store.Store {
	t.Helper()
	s := storetest.NewMemory()
	if err := store.WriteAll(context.Background(), s, name, data); err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns the rows of a file of this text.
func read(t testing.TB, f Format, text string, o table.Options) *formattest.Rows {
	t.Helper()
	_, rows, err := formattest.ReadAll(context.Background(), f, storeOf(t, "f.csv", []byte(text)), "f.csv", o)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestLetters(t *testing.T) {
	rows := read(t, Format{}, mixed, table.Options{})
	want := []deadletter.Letter{ // lines: a quoted line break and a blank line make them run ahead
		{Row: 5, Line: 8, Rule: RuleRagged, Value: "short,5", Reason: "want 3 cells, has 2"},
		{Row: 6, Line: 9, Rule: RuleRagged, Value: "long,x,6,7", Reason: "want 3 cells, has 4"},
		{Row: 7, Line: 10, Rule: RuleQuote, Column: "note", Value: `bare,qu"ote,8`, Reason: bareQuote.String()},
		{Row: 8, Line: 11, Rule: RuleQuote, Column: "note", Value: `after,"quote"s,9`, Reason: afterQuote.String()},
		{Row: 9, Line: 12, Rule: RuleUTF8, Column: "name", Value: `bad\xff`, Reason: "want valid UTF-8: convert the file to UTF-8"},
		{Row: 17, Line: 20, Rule: RuleQuote, Column: "note", Value: `open,"never closed,18`, Reason: unterminated.String()},
	}
	if len(rows.Dead) != len(want) {
		t.Fatalf("got %d letters, want %d: %+v", len(rows.Dead), len(want), rows.Dead)
	}
	for i := range want {
		want[i].File = "f.csv"
		if rows.Dead[i] != want[i] {
			t.Errorf("letter %d: got %+v, want %+v", i, rows.Dead[i], want[i])
		}
	}
}

func TestCells(t *testing.T) {
	tests := []struct {
		name, text string
		options    table.Options
		want       string // rows, " | " between
	}{
		{"plain", "a,b\n1,2\n", table.Options{}, `row 1: "a"="1" "b"="2"`},
		{"no last line break", "a,b\n1,2", table.Options{}, `row 1: "a"="1" "b"="2"`},
		{"lone return at the end", "a,b\n1,2\r", table.Options{}, `row 1: "a"="1" "b"="2"`},
		{"empty cells are not null", "a,b\n,\n\"\",x", table.Options{}, `row 1: "a"="" "b"="" | row 2: "a"="" "b"="x"`},
		{"blank lines are no rows", "\n\r\na\n\n1\n\r\n2\n\n", table.Options{}, `row 1: "a"="1" | row 2: "a"="2"`},
		{"quoted line breaks stay", "a\n\"x\r\ny\nz\"\n", table.Options{}, `row 1: "a"="x\r\ny\nz"`},
		{"quoted header", "\"a,\"\"b\"\n1\n", table.Options{}, `row 1: "a,\"b"="1"`},
		{"semicolons", "a;b\n1,5;2\n", table.Options{Delimiter: ";"}, `row 1: "a"="1,5" "b"="2"`},
		{"no header", "1,2\n", table.Options{NoHeader: true, Names: []string{"x", "y"}}, `row 1: "x"="1" "y"="2"`},
		{"byte order mark without header", "\ufeff1\n", table.Options{NoHeader: true, Names: []string{"x"}}, `row 1: "x"="1"`},
		{"columns in file order", "a,b,c\n1,2,3\n", table.Options{Columns: []string{"c", "a"}}, `row 1: "a"="1" "c"="3"`},
		{"faults in other columns do not count", "a,b\n1,\xff\n2,toolong\n", table.Options{Columns: []string{"a"}, MaxCellBytes: 3}, `row 1: "a"="1" | row 2: "a"="2"`},
		{"NUL and control characters", "a\n\x00\x01\x7f\n", table.Options{}, `row 1: "a"="\x00\x01\x7f"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows := read(t, Format{}, tt.text, tt.options)
			if got := strings.Join(rows.Kept, " | "); got != tt.want || len(rows.Dead) > 0 {
				t.Errorf("got %s and dead %+v, want %s", got, rows.Dead, tt.want)
			}
		})
	}
}

func TestFileErrors(t *testing.T) {
	tests := []struct {
		name, text, want string
		options          table.Options
	}{
		{"empty", "", "no data rows: the file is empty", table.Options{}},
		{"blank", "\n\n", "no data rows: the file is empty", table.Options{}},
		{"only a byte order mark", "\ufeff", "no data rows: the file is empty", table.Options{}},
		{"header only", "a,b\n", "no data rows: the file has only a header", table.Options{}},
		{"header and blank line", "a,b\n\n", "no data rows", table.Options{}},
		{"nothing, no header", "\n", "no data rows: the file has only blank lines", table.Options{NoHeader: true, Names: []string{"a"}}},
		{"empty name", "\na,,b\n1,2,3\n", "line 2: header: column 2: empty name", table.Options{}},
		{"same name", "a,b,a\n1,2,3\n", `line 1: header: columns 1 and 3: both named "a"`, table.Options{}},
		{"name not UTF-8", "a,\xff\n1,2\n", `line 1: header: column 2: the name "\xff" is not valid UTF-8`, table.Options{}},
		{"quote in the header", "a,b\"\n1,2\n", "line 1: header: column 2: a quote inside", table.Options{}},
		{"header never closed", "a,\"b\n1,2\n", "line 1: header: column 2: a quote that is never closed", table.Options{}},
		{"UTF-16", "\xff\xfea\x00\n\x00", "UTF-16: convert it", table.Options{}},
		{"UTF-16 without a mark", "a\x00,\x00b\x00\n\x001\x00", "NUL byte", table.Options{}},
		{"long name", strings.Repeat("a", 100) + "\n1\n", "a name of 100 bytes, want at most 99", table.Options{MaxCellBytes: 99}},
		{"too many columns", strings.Repeat("a,", maxColumns) + "a\n1\n", "100001 columns, want at most 100000", table.Options{}},
		{"missing column", "a,b\n1,2\n", `no column "c": the file has "a", "b"`, table.Options{Columns: []string{"c"}}},
		{"delimiter", "a\n1\n", `delimiter "§": want one ASCII character`, table.Options{Delimiter: "§"}},
		{"delimiter is a quote", "a\n1\n", `want one ASCII character`, table.Options{Delimiter: `"`}},
		{"no header, no names", "a\n1\n", "want the names of all columns", table.Options{NoHeader: true}},
		{"negative option", "a\n1\n", "BatchRows -1", table.Options{BatchRows: -1}},
		{"line over the limit", "a\n1\n" + strings.Repeat("x", 1001) + "\n", "line 3: longer than 1000 bytes", table.Options{}},
		{"header over the limit", strings.Repeat("x", 1001), "line 1: longer than 1000 bytes", table.Options{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Format{}
			if strings.Contains(tt.name, "limit") {
				f.maxRecord = 1000
			}
			s := storeOf(t, "d/f.csv", []byte(tt.text))
			_, _, err := formattest.ReadAll(t.Context(), f, s, "d/f.csv", tt.options)
			if err == nil || !strings.HasPrefix(err.Error(), "csvio: d/f.csv: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want csvio: d/f.csv: … %s", err, tt.want)
			}
		})
	}
}

func TestGzipErrors(t *testing.T) {
	var text strings.Builder
	text.WriteString("n,square\n")
	for i := range 200_000 {
		fmt.Fprintf(&text, "%d,%d\n", i, i*i)
	}
	whole := zip(t, text.String())
	flipped := append([]byte{}, whole...)
	flipped[len(flipped)-5] ^= 1 // in the checksum
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"truncated in the middle", whole[:len(whole)/2], "unexpected end of gzip data after row "},
		{"truncated in the header", whole[:5], "unexpected end of gzip data: the file is truncated"},
		{"truncated in the checksum", whole[:len(whole)-3], "unexpected end of gzip data after row 200000: the file is truncated"},
		{"checksum", flipped, "damaged gzip data after row 200000"},
		{"something behind", append(append([]byte{}, whole...), "garbage behind it"...), "damaged gzip data after row 200000"},
		{"only the name", []byte("n,square\n1,1\n"), "not gzip data, but named .gz"},
		{"empty", nil, "no data rows: the file is empty"},
		{"empty inside", zip(t, ""), "no data rows: the file is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Format{}.Survey(t.Context(), storeOf(t, "f.csv.gz", tt.data), "f.csv.gz", table.Options{})
			if err == nil || !strings.Contains(err.Error(), "csvio: f.csv.gz: "+tt.want) {
				t.Errorf("got error %v, want csvio: f.csv.gz: %s", err, tt.want)
			}
			if strings.HasPrefix(tt.name, "truncated") && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got error %v, want it to wrap %v", err, io.ErrUnexpectedEOF)
			}
		})
	}
}

// A cell of 10 million bytes is one dead letter, quoted or not, and its
// neighbours are read.
func TestHugeCell(t *testing.T) {
	huge := strings.Repeat("x", 10_000_000)
	for _, cell := range []string{huge, `"` + huge + `"`, `"` + strings.Repeat("xxxxxxxxx\n", 1_000_000) + `"`} {
		rows := read(t, Format{}, "a,b\n1,2\n3,"+cell+"\n5,6\n", table.Options{})
		if len(rows.Kept) != 2 || len(rows.Dead) != 1 {
			t.Fatalf("got %d rows and %d dead, want 2 and 1", len(rows.Kept), len(rows.Dead))
		}
		l := rows.Dead[0]
		if l.Rule != RuleCell || l.Column != "b" || l.Row != 2 || l.Line != 3 || l.Reason != "want at most 1048576 bytes, has 10000000" || len(l.Value) != deadletter.MaxValueBytes {
			t.Errorf("got %+v, want rule %s in column b, row 2, line 3, with the length", l, RuleCell)
		}
	}
}

// A quote that is never closed costs its own row, at the end of the file as
// well as behind the limit of a record, whatever the spans.
func TestOpenQuoteCostsOneRow(t *testing.T) {
	for _, rows := range []int{10, 1000} { // 60 and 6000 bytes; the limit is 1000
		text := "a,b\n1,\"open\n" + strings.Repeat("22,33\n", rows)
		for _, spanBytes := range []int64{1, 50, 1 << 20} {
			got := read(t, Format{maxRecord: 1000}, text, table.Options{SpanBytes: spanBytes})
			if len(got.Kept) != rows || len(got.Dead) != 1 || got.Dead[0].Row != 1 || got.Dead[0].Rule != RuleQuote {
				t.Errorf("%d rows, spans of %d bytes: got %d rows and dead %+v, want %d and row 1", rows, spanBytes, len(got.Kept), got.Dead, rows)
			}
		}
	}
}

// The limit is exact: a record of that many bytes is read, one more is not.
func TestRecordLimit(t *testing.T) {
	for _, extra := range []int{0, 1} {
		cell := strings.Repeat("x", 100-len("\"\n\"\n")+extra)
		rows := read(t, Format{maxRecord: 100}, "a\n\""+cell+"\n\"\nnext\n", table.Options{})
		// What is left of the longer one is its last line, a single quote that runs on over "next".
		wantKept, wantDead := []string{fmt.Sprintf("row 1: \"a\"=%q", cell+"\n"), `row 2: "a"="next"`}, 0
		if extra == 1 {
			wantKept, wantDead = []string{`row 3: "a"="next"`}, 2
		}
		if strings.Join(rows.Kept, ";") != strings.Join(wantKept, ";") || len(rows.Dead) != wantDead {
			t.Errorf("%d bytes over the limit: got %q and dead %+v, want %q and %d dead", extra, rows.Kept, rows.Dead, wantKept, wantDead)
		}
	}
}

// Stray quotes must not make reading quadratic: every second line opens one.
func TestManyOpenQuotes(t *testing.T) {
	text := "a,b\n" + strings.Repeat("x,\"open\ny,\"\"\"\"\n", 200_000)
	rows := read(t, Format{}, text, table.Options{})
	if n := len(rows.Kept) + len(rows.Dead); n < 200_000 {
		t.Errorf("got %d rows, want every line that is none of a quoted cell", n)
	}
}

// Long cells close a batch before BatchRows.
func TestBatchBytes(t *testing.T) {
	text := "a\n" + strings.Repeat(strings.Repeat("x", 99_999)+"\n", 100) // 10 MB
	s := storeOf(t, "f.csv", []byte(text))
	file, err := Format{}.Survey(t.Context(), s, "f.csv", table.Options{SpanBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	err = Format{}.Read(t.Context(), s, file.Spans[0], table.Options{}, func(b *batch.Batch) error {
		sizes = append(sizes, b.NumRows())
		return nil
	}, func(l deadletter.Letter) error { return fmt.Errorf("dead: %+v", l) })
	if got, want := fmt.Sprint(sizes), "[42 42 16]"; err != nil || got != want { // 4 MiB / 99,999 bytes = 41.9
		t.Errorf("got batches of %s rows, error %v, want %s", got, err, want)
	}
}

// Reading holds a block and a batch, not the file.
func TestMemoryIsBounded(t *testing.T) {
	text := []byte("a,b\n" + strings.Repeat("some text,and more\n", 1<<20)) // 20 MB
	s := storeOf(t, "f.csv", text)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	file, err := Format{}.Survey(t.Context(), s, "f.csv", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
		t.Errorf("a survey of %d bytes allocated %d, want at most 1 MiB", len(text), got)
	}
	if file.Rows != 1<<20 {
		t.Errorf("got %d rows, want %d", file.Rows, 1<<20)
	}
}
