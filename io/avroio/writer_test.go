package avroio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/twmb/avro/ocf"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/table"
)

// everything has a column of each type that is read back as it was written, nullable and not.
func everything() *arrow.Schema {
	types := []arrow.DataType{
		arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
		arrow.BinaryTypes.String, arrow.BinaryTypes.Binary, arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Timestamp_ms, arrow.FixedWidthTypes.Timestamp_us,
		arrow.FixedWidthTypes.Timestamp_ns, &arrow.TimestampType{Unit: arrow.Millisecond}, arrow.ListOf(arrow.PrimitiveTypes.Int64), arrow.ListOf(arrow.ListOf(arrow.BinaryTypes.String)),
	}
	schema := arraystest.Schema(types...)
	fields := make([]arrow.Field, schema.NumFields())
	for i, f := range schema.Fields() {
		fields[i] = f
		fields[i].Name = fmt.Sprintf("c%d", i)
	}
	return arrow.NewSchema(fields, nil)
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

// readText returns the rows of a file as arraystest writes them.
func readText(t testing.TB, data []byte) (schema *arrow.Schema, rows []string) {
	t.Helper()
	s := storeOf(t, "f", data)
	file, err := Format{}.Survey(context.Background(), s, "f", table.Options{SpanBytes: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, span := range file.Spans {
		err := Format{}.Read(context.Background(), s, span, table.Options{}, func(b *batch.Batch) error {
			rows = append(rows, arraystest.Text(b.Record)...)
			return nil
		}, func(l deadletter.Letter) error { return errors.New(l.Reason) })
		if err != nil {
			t.Fatal(err)
		}
	}
	return file.Schema, rows
}

func TestWriterRoundTrip(t *testing.T) {
	schema := everything()
	rec := arraystest.Record(rand.New(rand.NewPCG(1, 1)), schema, 700)
	want := arraystest.Text(rec)
	for _, codec := range []string{"", "null", "deflate", "snappy", "zstandard"} {
		data := written(t, schema, WriterOptions{Codec: codec, BlockBytes: 5000}, rec)
		got, rows := readText(t, data)
		if !got.Equal(schema) {
			t.Errorf("%q: got schema %s, want %s", codec, got, schema)
		}
		if len(rows) != len(want) {
			t.Errorf("%q: got %d rows, want %d", codec, len(rows), len(want))
		}
		for i := range min(len(rows), len(want)) {
			if rows[i] != want[i] {
				t.Fatalf("%q: row %d: got %s, want %s", codec, i+1, rows[i], want[i])
			}
		}
	}
}

// Another library reads what is written.
func TestOthersReadWritten(t *testing.T) {
	schema := everything()
	rec := arraystest.Record(rand.New(rand.NewPCG(2, 2)), schema, 300)
	for _, codec := range []string{"null", "deflate", "snappy", "zstandard"} {
		r, err := ocf.NewReader(bytes.NewReader(written(t, schema, WriterOptions{Codec: codec, BlockBytes: 3000}, rec)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			var row map[string]any
			if err := r.Decode(&row); err != nil {
				t.Fatal(err)
			}
			for c := range 12 { // bool to text: their text is the same in both
				if col := rec.Column(c); col.IsValid(i) != (row[rec.ColumnName(c)] != nil) || col.IsValid(i) && fmt.Sprint(row[rec.ColumnName(c)]) != col.ValueStr(i) {
					t.Fatalf("%s: row %d, column %s: got %v, want %s", codec, i+1, rec.ColumnName(c), row[rec.ColumnName(c)], col.ValueStr(i))
				}
			}
		}
		if err := r.Decode(new(any)); err != io.EOF {
			t.Errorf("%s: after the last row: got error %v, want %v", codec, err, io.EOF)
		}
	}
}

func TestWriterDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	schema := everything()
	rec := arraystest.Record(rng, schema, 2000)
	for _, codec := range []string{"deflate", "zstandard"} {
		want := written(t, schema, WriterOptions{Codec: codec}, rec)
		if got := written(t, schema, WriterOptions{Codec: codec}, arraystest.Cut(rng, rec)...); !bytes.Equal(got, want) {
			t.Errorf("%s: a different cut of the rows gives different bytes", codec)
		}
	}
}

// Types that Avro does not have come back as the one that holds them, structs as columns.
func TestWriterWidens(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int8}, {Name: "b", Type: arrow.PrimitiveTypes.Uint16, Nullable: true}, {Name: "c", Type: arrow.PrimitiveTypes.Uint32},
		{Name: "d", Type: arrow.PrimitiveTypes.Uint64}, {Name: "e", Type: arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int16)}, {Name: "n", Type: arrow.Null},
		{Name: "s", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "l", Type: arrow.ListOfNonNullable(arrow.StructOf(arrow.Field{Name: "y", Type: arrow.FixedWidthTypes.Time32ms}))}), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for _, row := range []string{`{"a": -1, "b": 65535, "c": 4294967295, "d": 5, "e": [1, null], "s": {"x": 1, "l": [{"y": "00:00:01"}]}}`, `{"a": 2, "c": 3, "d": 4, "e": [5, 6]}`} {
		if err := b.UnmarshalJSON([]byte(row)); err != nil {
			t.Fatal(err)
		}
	}
	rec := b.NewRecord()
	columns, rows := readAll(t, written(t, schema, WriterOptions{}, rec.NewSlice(0, 1), rec.NewSlice(1, 2)), table.Options{Columns: []string{"a", "b", "c", "d", "e", "s.x", "s.l"}})
	if want := "a int32, b int32?, c int64, d int64, e list<int32>, n null?, s.x int32?, s.l list<struct<y: time32[ms]>>?"; columns != want {
		t.Errorf("got columns %s, want %s", columns, want)
	}
	if want := `"a"="-1" "b"="65535" "c"="4294967295" "d"="5" "e"="[1,null]" "s.x"="1" "s.l"="[{\"y\":\"00:00:01\"}]" | "a"="2" "b"=(null) "c"="3" "d"="4" "e"="[5,6]" "s.x"=(null) "s.l"=(null)`; rows != want {
		t.Errorf("got rows %s, want %s", rows, want)
	}
}

type full struct{ room int }

var errFull = errors.New("disk full")

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterErrors(t *testing.T) {
	schema := everything()
	rec := arraystest.Record(rand.New(rand.NewPCG(4, 4)), schema, 100)
	total := len(written(t, schema, WriterOptions{BlockBytes: 1000}, rec))
	for room := 0; room < total; room += 97 {
		w, err := NewWriter(&full{room}, schema, WriterOptions{BlockBytes: 1000})
		if err == nil {
			if err = w.Write(rec); err == nil {
				err = w.Close()
			}
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("room for %d of %d bytes: got error %v, want %v", room, total, err, errFull)
		}
	}
	column := func(name string, dt arrow.DataType) *arrow.Schema {
		return arrow.NewSchema([]arrow.Field{{Name: name, Type: dt}}, nil)
	}
	for _, tt := range []struct {
		schema     *arrow.Schema
		opts       WriterOptions
		json, want string
	}{
		{column("a.b", arrow.PrimitiveTypes.Int64), WriterOptions{}, "", `column "a.b": the name is not one of Avro`},
		{column("a", arrow.FixedWidthTypes.Timestamp_s), WriterOptions{}, "", `column "a": type timestamp[s, tz=UTC] cannot be written`},
		{column("a", &arrow.Decimal128Type{Precision: 3}), WriterOptions{}, "", "cannot be written"},
		{column("a", arraystest.Dictionary), WriterOptions{}, "", "cannot be written"},
		{column("a", arrow.PrimitiveTypes.Int64), WriterOptions{Codec: "lzo"}, "", `codec "lzo": want null, deflate`},
		{column("a", arrow.PrimitiveTypes.Int64), WriterOptions{Name: "a b"}, "", `record name "a b"`},
		{column("a", arrow.PrimitiveTypes.Uint64), WriterOptions{}, `{"a": 9223372036854775808}`, `row 1: column "a": the value 9223372036854775808, which an Avro long cannot hold`},
		{column("a", arrow.PrimitiveTypes.Int64), WriterOptions{}, `{"a": null}`, `row 1: column "a": a null in a column that the schema says has none`},
	} {
		w, err := NewWriter(io.Discard, tt.schema, tt.opts)
		if err == nil {
			b := array.NewRecordBuilder(memory.NewGoAllocator(), tt.schema)
			if err := b.UnmarshalJSON([]byte(tt.json)); err != nil {
				t.Fatal(err)
			}
			err = w.Write(b.NewRecord())
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want one with %q", tt.schema, err, tt.want)
		}
	}
}
