package parquetio

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// dirtyFile has 6 rows: row 2's name is not UTF-8, row 4's is 11 bytes long.
func dirtyFile(t testing.TB) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "other", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2, 3, 4, 5, 6}, nil)
	valid := []bool{true, true, false, true, true, true}
	b.Field(1).(*array.StringBuilder).AppendValues([]string{"a", "caf\xe9", "", "elevenbytes", "é", "z"}, valid)
	b.Field(2).(*array.StringBuilder).AppendValues([]string{"", "\xff", "", "x", "tenbytes..", "z"}, valid)
	return written(t, schema, WriterOptions{}, b.NewRecord())
}

func written(t testing.TB, schema *arrow.Schema, o WriterOptions, recs ...arrow.Record) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf, schema, o)
	if err != nil {
		t.Fatal(err)
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

func TestFormat(t *testing.T) {
	plain, err := os.ReadFile(shareddata.Path(t, "conformance/parquet-testing/data/alltypes_plain.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	formattest.Run(t, Format{},
		formattest.File{Name: "dirty.parquet", Data: dirtyFile(t), Kept: 4, Dead: 2, Sealed: true, Options: table.Options{MaxCellBytes: 10}},
		formattest.File{Name: "alltypes.parquet", Data: plain, Kept: 8, Sealed: true})
}

func TestLetters(t *testing.T) {
	s := storetest.NewMemory()
	if err := store.WriteAll(t.Context(), s, "d.parquet", dirtyFile(t)); err != nil {
		t.Fatal(err)
	}
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, s, "d.parquet", table.Options{MaxCellBytes: 10})
	if err != nil {
		t.Fatal(err)
	}
	want := []deadletter.Letter{
		{File: "d.parquet", Row: 2, Rule: "parquet.utf8", Column: "name", Value: `caf\xe9`, Reason: "the text is not valid UTF-8"},
		{File: "d.parquet", Row: 4, Rule: "parquet.cell", Column: "name", Value: "elevenbyte", Reason: "the cell is larger than 10 bytes"},
	}
	if len(rows.Dead) != len(want) {
		t.Fatalf("got letters %+v, want %+v", rows.Dead, want)
	}
	for i := range want {
		if rows.Dead[i] != want[i] {
			t.Errorf("letter %d: got %+v, want %+v", i, rows.Dead[i], want[i])
		}
	}
	wantKept := `row 5: "id"="5" "name"="é" "other"="tenbytes.."`
	if len(rows.Kept) != 4 || rows.Kept[2] != wantKept {
		t.Errorf("got rows %v, want 4 with %s as the third", rows.Kept, wantKept)
	}
}

func TestSurveyErrors(t *testing.T) {
	whole := dirtyFile(t)
	empty := written(t, arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil), WriterOptions{})
	encrypted := bytes.Clone(whole)
	copy(encrypted[len(encrypted)-4:], "PARE")
	long := bytes.Clone(whole)
	long[len(long)-5] = 0x7f // top byte of the footer's length
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"zero bytes", nil, "empty (0 bytes)"},
		{"four bytes", []byte("PAR1"), "4 bytes are no Parquet file"},
		{"text", []byte("id,name\n1,a\n2,b\n"), "no Parquet file"},
		{"cut", whole[:len(whole)-1], "cut short or damaged"},
		{"encrypted", encrypted, "encrypted"},
		{"footer too long", long, "footer of"},
		{"no rows", empty, "0 rows"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := storetest.NewMemory()
			if err := store.WriteAll(t.Context(), s, "x.parquet", tt.data); err != nil {
				t.Fatal(err)
			}
			_, err := Format{}.Survey(t.Context(), s, "x.parquet", table.Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "parquet file x.parquet: ") {
				t.Errorf("got error %v, want one with %q and the file's name", err, tt.want)
			}
		})
	}
}

// flights reads all of flights-3m.parquet n times and returns the rows of one time.
func readFlights(t testing.TB, path string) (rows int64) {
	t.Helper()
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	info, err := r.Stat()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(path, r, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	for g := range f.RowGroups() {
		err := f.Read(context.Background(), g, ReadOptions{}, func(p Part) error {
			rows += p.Record.NumRows()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

func BenchmarkReadFlights(b *testing.B) {
	path := shareddata.Path(b, "tabular/flights/flights-3m.parquet")
	rows := int64(0)
	for b.Loop() {
		rows += readFlights(b, path)
	}
	b.ReportMetric(float64(rows)/1e6/b.Elapsed().Seconds(), "Mrows/s")
}
