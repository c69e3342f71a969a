package arrowio

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// words is a record of one column of dictionary-encoded words, in the order of dict.
func words(t testing.TB, dict string, at ...int8) arrow.Record {
	t.Helper()
	values := array.NewStringBuilder(memory.NewGoAllocator())
	values.AppendValues(strings.Fields(dict), nil)
	indices := array.NewInt8Builder(memory.NewGoAllocator())
	indices.AppendValues(at, nil)
	dt := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	col := array.NewDictionaryArray(dt, indices.NewArray(), values.NewArray())
	return array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "w", Type: dt}}, nil), []arrow.Array{col}, int64(len(at)))
}

// A stream may replace a dictionary, or add to it; a span that begins later has the one in force there.
func TestDictionaries(t *testing.T) {
	recs := []arrow.Record{words(t, "a b", 0, 1), words(t, "a b c", 2, 0), words(t, "x y", 0, 1), words(t, "x y z", 2)}
	want := `"a" "b" "c" "a" "x" "y" "z"`
	for name, data := range map[string][]byte{
		"replaced": written(t, false, recs),
		"deltas":   written(t, false, recs, ipc.WithDictionaryDeltas(true)),
	} {
		s := storeOf(t, name, data)
		file, cols, err := columnsOf(t, s, name, table.Options{SpanBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(cols[0], " "); got != want || len(file.Spans) != 4 {
			t.Errorf("%s: got %s in %d spans, want %s in 4", name, got, len(file.Spans), want)
		}
	}
}

// Files of other writers: pyarrow's with emit_dictionary_deltas, and one of polars, with views and
// categories, in Zstandard.
func TestOtherWriters(t *testing.T) {
	for name, want := range map[string]string{
		"deltas.arrow": `"a" "b" null "c" "a"`,
		"polars.arrow": `"short" null "a text of more than twelve bytes" "é" "another text that is long"; ` +
			`"x" "y" "x" null "z"; [1] [] null [2 3] [4]; null 62696E  612076616C7565206F66206D6F7265207468616E203132206279746573 7A`,
	} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, rows := range []int{0, 1, 2} {
			_, cols, err := columnsOf(t, storeOf(t, name, data), name, table.Options{SpanBytes: 1, BatchRows: rows})
			var got []string
			for _, c := range cols {
				got = append(got, strings.Join(c, " "))
			}
			if err != nil || strings.Join(got, "; ") != want {
				t.Errorf("%s: got %s, error %v, want %s", name, strings.Join(got, "; "), err, want)
			}
		}
	}
}

// Rows that share one long word of a dictionary take its length each: batches are cut to fit. A word that is
// longer than a cell may be is a dead letter in every row.
func TestLongWords(t *testing.T) {
	at := make([]int8, 100)
	at[50] = 1
	s := storeOf(t, "f", written(t, true, []arrow.Record{words(t, strings.Repeat("x", 900_000)+" "+strings.Repeat("y", 2_000_000), at...)}))
	file, err := Format{}.Survey(t.Context(), s, "f", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows, dead := 0, 0
	err = Format{}.Read(t.Context(), s, file.Spans[0], table.Options{}, func(b *batch.Batch) error {
		rows += b.NumRows()
		if n := len(b.Record.Column(0).(*array.String).ValueBytes()); n > table.MaxBatchBytes {
			t.Errorf("a batch of %d bytes, want at most %d", n, table.MaxBatchBytes)
		}
		return nil
	}, func(l deadletter.Letter) error {
		if dead++; l.Row != 51 || l.Rule != RuleCell || len(l.Value) != deadletter.MaxValueBytes {
			t.Errorf("got letter %+v, want row 51, rule %s and the beginning of the word", l, RuleCell)
		}
		return nil
	})
	if err != nil || rows != 99 || dead != 1 {
		t.Errorf("got %d rows and %d dead, error %v, want 99 and 1", rows, dead, err)
	}
}

// A column that cannot be read is passed over.
func TestUnionIsPassedOver(t *testing.T) {
	mem := memory.NewGoAllocator()
	dense := arrow.DenseUnionOf([]arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, []arrow.UnionTypeCode{5})
	b := array.NewRecordBuilder(mem, arrow.NewSchema([]arrow.Field{
		{Name: "u", Type: dense}, {Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil))
	for i := range 3 {
		u := b.Field(0).(*array.DenseUnionBuilder)
		u.Append(5)
		u.Child(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.Int64Builder).Append(int64(10 + i))
	}
	s := storeOf(t, "u.arrow", written(t, true, []arrow.Record{b.NewRecord()}))
	file, err := Format{}.Survey(t.Context(), s, "u.arrow", table.Options{Columns: []string{"n"}})
	if err != nil || file.Schema.Field(0).Type.ID() != arrow.NULL {
		t.Fatalf("got %+v, error %v, want a schema with u of type null", file, err)
	}
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, s, "u.arrow", table.Options{Columns: []string{"n"}})
	if got := strings.Join(rows.Kept, "|"); err != nil || got != `row 1: "n"="10"|row 2: "n"="11"|row 3: "n"="12"` {
		t.Errorf("got %s, error %v", got, err)
	}
	_, err = Format{}.Survey(t.Context(), s, "u.arrow", table.Options{})
	if err == nil || !strings.Contains(err.Error(), `arrow file u.arrow: column "u": unions are not read`) {
		t.Errorf("got error %v, want one that names the column and says unions", err)
	}
}

func TestUnknownZone(t *testing.T) {
	b := array.NewRecordBuilder(memory.NewGoAllocator(), arrow.NewSchema([]arrow.Field{
		{Name: "t", Type: &arrow.TimestampType{Unit: arrow.Second, TimeZone: "Nowhere/Land"}}}, nil))
	b.Field(0).(*array.TimestampBuilder).Append(1)
	_, err := Format{}.Survey(t.Context(), storeOf(t, "z", written(t, true, []arrow.Record{b.NewRecord()})), "z", table.Options{})
	if err == nil || !strings.Contains(err.Error(), `column "t": its time zone "Nowhere/Land" is not known`) {
		t.Errorf("got error %v, want one that names the column and the zone", err)
	}
}

func TestFileErrors(t *testing.T) {
	stream := written(t, false, []arrow.Record{record(0, 10)})
	file := written(t, true, []arrow.Record{record(0, 10)})
	second := append(append([]byte{}, stream[:len(stream)-8]...), stream...)
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "empty (0 bytes)"},
		{"text", []byte("id,name\n1,a\n"), "no message begins at 0: this is no Arrow stream"},
		{"feather 1", []byte("FEA1xxxxxxxxxFEA1"), "a Feather file of version 1"},
		{"file cut", file[:len(file)-1], `it does not end with "ARROW1": it is cut short`},
		{"stream without its end", stream[:len(stream)-8], "the stream ends without its end mark"},
		{"two streams", append(append([]byte{}, stream...), stream...), "bytes behind the end of the stream"},
		{"two schemas", second, "a second schema"},
		{"a file in gzip", gzipped(t, file), "no message begins at 0"},
	} {
		_, err := Format{}.Survey(t.Context(), storeOf(t, "x", tt.data), "x", table.Options{})
		if err == nil || !strings.Contains(err.Error(), "arrow file x: ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %s", tt.name, err, tt.want)
		}
	}
}

// numbered is a record of columns of int64.
func numbered(rows, columns int) arrow.Record {
	var fields []arrow.Field
	for c := range columns {
		fields = append(fields, arrow.Field{Name: string(rune('a' + c)), Type: arrow.PrimitiveTypes.Int64})
	}
	b := array.NewRecordBuilder(memory.NewGoAllocator(), arrow.NewSchema(fields, nil))
	v := make([]int64, rows)
	for i := range v {
		v[i] = int64(i)
	}
	for c := range columns {
		b.Field(c).(*array.Int64Builder).AppendValues(v, nil)
	}
	return b.NewRecord()
}

// A record batch of 64 MiB is read in parts: what is in memory is a batch.
func TestLargeRecordBatch(t *testing.T) {
	s := storeOf(t, "f.arrow", written(t, true, []arrow.Record{numbered(2<<20, 4)}))
	file, err := Format{}.Survey(t.Context(), s, "f.arrow", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	base, most, rows := mem.HeapAlloc, uint64(0), 0
	err = Format{}.Read(t.Context(), s, file.Spans[0], table.Options{}, func(b *batch.Batch) error {
		if rows += b.NumRows(); rows%(1<<18) < b.NumRows() {
			runtime.GC()
			runtime.ReadMemStats(&mem)
			most = max(most, mem.HeapAlloc)
		}
		return nil
	}, func(deadletter.Letter) error { return nil })
	if err != nil || rows != 2<<20 {
		t.Fatalf("got %d rows, error %v, want %d", rows, err, 2<<20)
	}
	if most > base+8<<20 {
		t.Errorf("%d bytes are in memory, want at most 8 MiB", most-base)
	}
}

func BenchmarkRead(b *testing.B) {
	text := make([]arrow.Record, 16)
	for i := range text {
		text[i] = places(1 << 16)
	}
	numbers := make([]arrow.Record, 16)
	for i := range numbers {
		numbers[i] = numbered(1<<16, 10)
	}
	for _, bb := range []struct {
		name string
		data []byte
	}{
		{"ints/form=file", written(b, true, numbers)},
		{"ints/form=stream", written(b, false, numbers)},
		{"ints/form=lz4", written(b, true, numbers, ipc.WithLZ4())},
		{"ints/form=zstd", written(b, true, numbers, ipc.WithZstd())},
		{"text/form=file", written(b, true, text)},
	} {
		b.Run("table="+bb.name, func(b *testing.B) {
			dir := b.TempDir()
			s, err := store.Local(dir)
			if err != nil {
				b.Fatal(err)
			}
			if err := store.WriteAll(b.Context(), s, "f.arrow", bb.data); err != nil {
				b.Fatal(err)
			}
			file, err := Format{}.Survey(b.Context(), s, "f.arrow", table.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(bb.data)))
			for b.Loop() {
				for _, span := range file.Spans {
					err := Format{}.Read(b.Context(), s, span, table.Options{}, func(*batch.Batch) error { return nil }, func(deadletter.Letter) error { return nil })
					if err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(file.Rows)*float64(b.N)/1e6/b.Elapsed().Seconds(), "Mrows/s")
		})
	}
}

// places is a record of two columns of text.
func places(rows int) arrow.Record {
	b := array.NewRecordBuilder(memory.NewGoAllocator(), arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.BinaryTypes.String}, {Name: "b", Type: arrow.BinaryTypes.String}}, nil))
	for range rows {
		b.Field(0).(*array.StringBuilder).Append("BARKSDALE AIR FORCE BASE ARPT")
		b.Field(1).(*array.StringBuilder).Append("Louisiana")
	}
	return b.NewRecord()
}
