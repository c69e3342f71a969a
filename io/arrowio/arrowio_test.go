package arrowio

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/klauspost/compress/zstd"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// record has rows from a number on: of each 10, row 3 has a text that is not UTF-8,
// row 5 one of 40 bytes, row 7 nulls.
func record(from, rows int) arrow.Record {
	word := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	b := array.NewRecordBuilder(memory.NewGoAllocator(), arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "list", Type: arrow.ListOf(arrow.BinaryTypes.LargeString), Nullable: true},
		{Name: "word", Type: word, Nullable: true},
		{Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	}, nil))
	list := b.Field(2).(*array.ListBuilder)
	for i := from; i < from+rows; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		if i%10 == 7 {
			for c := 1; c < 5; c++ {
				b.Field(c).AppendNull()
			}
			continue
		}
		name := fmt.Sprint("name ", i)
		switch i % 10 {
		case 3:
			name = "caf\xe9"
		case 5:
			name = strings.Repeat("long", 10)
		}
		b.Field(1).(*array.StringBuilder).Append(name)
		list.Append(true)
		for k := range i % 4 {
			list.ValueBuilder().(*array.LargeStringBuilder).Append(fmt.Sprint(i, "é", k))
		}
		if err := b.Field(3).(*array.BinaryDictionaryBuilder).AppendString([]string{"one", "two", "three"}[i%3]); err != nil {
			panic(err)
		}
		b.Field(4).(*array.BooleanBuilder).Append(i%2 == 0)
	}
	return b.NewRecord()
}

// written writes records as an Arrow file or stream.
func written(t testing.TB, file bool, recs []arrow.Record, opts ...ipc.Option) []byte {
	t.Helper()
	var buf bytes.Buffer
	opts = append(opts, ipc.WithSchema(recs[0].Schema()))
	var w interface {
		Write(arrow.Record) error
		Close() error
	}
	if file {
		f, err := ipc.NewFileWriter(&seeker{w: &buf}, opts...)
		if err != nil {
			t.Fatal(err)
		}
		w = f
	} else {
		w = ipc.NewWriter(&buf, opts...)
	}
	for _, r := range recs {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// seeker gives Arrow's file writer the only seek that it asks for.
type seeker struct{ w *bytes.Buffer }

func (s *seeker) Write(b []byte) (int, error)    { return s.w.Write(b) }
func (s *seeker) Seek(int64, int) (int64, error) { return int64(s.w.Len()), nil }

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zstandard(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

// samples are the same 60 rows, 12 of them faulty, in all forms.
func samples(t testing.TB) []formattest.File {
	// Arrow's writer replaces a dictionary that changes; here it does not, but is written with each record.
	recs := []arrow.Record{record(0, 20), record(20, 1), record(21, 39)}
	stream := written(t, false, recs)
	o := table.Options{MaxCellBytes: 20}
	files := []formattest.File{
		{Name: "plain.arrows", Data: stream},
		{Name: "whole.arrows.gz", Data: gzipped(t, stream)},
		{Name: "whole.arrows.zst", Data: zstandard(t, stream)},
		{Name: "lz4.arrows", Data: written(t, false, recs, ipc.WithLZ4())},
		{Name: "zstd.arrows", Data: written(t, false, recs, ipc.WithZstd())},
		{Name: "plain.arrow", Data: written(t, true, recs[:1])},
		{Name: "zstd.feather", Data: written(t, true, recs[:1], ipc.WithZstd())},
	}
	for i := range files {
		files[i].Kept, files[i].Dead, files[i].Sealed, files[i].Options = 48, 12, true, o
		if strings.HasSuffix(files[i].Name, ".arrow") || strings.HasSuffix(files[i].Name, ".feather") {
			files[i].Kept, files[i].Dead = 16, 4
		}
	}
	return files
}

func TestFormat(t *testing.T) {
	formattest.Run(t, Format{}, samples(t)...)
}

// All forms of a table have the same rows.
func TestFormsAgree(t *testing.T) {
	var want string
	for _, f := range samples(t) {
		if f.Kept != 48 {
			continue
		}
		_, rows, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, f.Name, f.Data), f.Name, f.Options)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(rows.Kept, "\n")
		if want == "" {
			want = got
			const row9 = `row 10: "id"="9" "name"="name 9" "list"="[\"9é0\"]" "word"="one" "flag"="false"`
			if rows.Kept[7] != row9 {
				t.Errorf("got %s, want %s", rows.Kept[7], row9)
			}
		}
		if got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", f.Name, got, want)
		}
	}
}

func TestLetters(t *testing.T) {
	f := samples(t)[0]
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, f.Name, f.Data), f.Name, f.Options)
	if err != nil {
		t.Fatal(err)
	}
	want := []deadletter.Letter{
		{File: f.Name, Row: 4, Rule: RuleUTF8, Column: "name", Value: `caf\xe9`, Reason: "want valid UTF-8"},
		{File: f.Name, Row: 6, Rule: RuleCell, Column: "name", Value: "longlonglonglonglong", Reason: "want at most 20 bytes"},
	}
	for i := range want {
		if rows.Dead[i] != want[i] {
			t.Errorf("letter %d: got %+v, want %+v", i, rows.Dead[i], want[i])
		}
	}
}

func TestHostile(t *testing.T) {
	flips := map[string]int{"lz4.arrows": 10_000, "plain.arrow": 2000, "zstd.arrows": 2000, "whole.arrows.gz": 500}
	for _, f := range samples(t) {
		if n := flips[f.Name]; n > 0 {
			t.Run(f.Name, func(t *testing.T) { formattest.Hostile(t, Format{}, f, n) })
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := storetest.NewMemory()
		w, err := s.Create(t.Context(), "f.arrow")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
		_, whole, err := formattest.ReadAll(t.Context(), Format{}, s, "f.arrow", table.Options{})
		if err != nil {
			if strings.Contains(err.Error(), "formattest:") {
				t.Fatal(err)
			}
			return
		}
		_, cut, err := formattest.ReadAll(t.Context(), Format{}, s, "f.arrow", table.Options{BatchRows: 3, SpanBytes: 1})
		if err != nil || fmt.Sprint(*cut) != fmt.Sprint(*whole) {
			t.Fatalf("in small pieces: got %+v, error %v, want %+v", cut, err, whole)
		}
	})
}
