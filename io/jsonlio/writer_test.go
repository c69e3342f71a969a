package jsonlio

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/table"
)

// recordOf makes a record of columns from JSON.
func recordOf(t *testing.T, fields []arrow.Field, columns ...string) arrow.Record {
	t.Helper()
	var arrays []arrow.Array
	for i, text := range columns {
		a, _, err := array.FromJSON(memory.NewGoAllocator(), fields[i].Type, strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		arrays = append(arrays, a)
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), arrays, -1)
}

func written(t *testing.T, opts WriterOptions, recs ...arrow.Record) string {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, recs[0].Schema(), opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range recs {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestWriterTypes(t *testing.T) {
	point := arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int8}, arrow.Field{Name: `"y"`, Type: arrow.BinaryTypes.LargeString})
	for _, tt := range []struct {
		dt       arrow.DataType
		in, want string
	}{
		{arrow.FixedWidthTypes.Boolean, `[true,false,null]`, "true false null"},
		{arrow.PrimitiveTypes.Int8, `[-128]`, "-128"},
		{arrow.PrimitiveTypes.Int16, `[-32768]`, "-32768"},
		{arrow.PrimitiveTypes.Int32, `[-2147483648]`, "-2147483648"},
		{arrow.PrimitiveTypes.Int64, `[-9223372036854775808]`, "-9223372036854775808"},
		{arrow.PrimitiveTypes.Uint8, `[255]`, "255"},
		{arrow.PrimitiveTypes.Uint16, `[65535]`, "65535"},
		{arrow.PrimitiveTypes.Uint32, `[4294967295]`, "4294967295"},
		{arrow.PrimitiveTypes.Uint64, `[9223372036854775808]`, "9223372036854775808"},
		{arrow.PrimitiveTypes.Float32, `[0.1, 3, 1e30]`, "0.1 3.0 1e+30"},
		{arrow.PrimitiveTypes.Float64, `[0.1, -2, 1e-7, 5e-324, 123456789012345680000, 1e21]`, "0.1 -2.0 1e-07 5e-324 123456789012345680000.0 1e+21"},
		{arrow.BinaryTypes.String, `["", "a\"b\\c/\u0001\u001f\n\r\t\u007f", "ä\u2028"]`, "\"\" \"a\\\"b\\\\c/\\u0001\\u001f\\n\\r\\t\u007f\" \"ä\u2028\""},
		{arrow.FixedWidthTypes.Date32, `["1969-12-31"]`, `"1969-12-31"`},
		{&arrow.TimestampType{Unit: arrow.Millisecond}, `["2001-02-03T04:05:06.007"]`, `"2001-02-03T04:05:06.007"`},
		{&arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}, `["2001-02-03T04:05:06Z"]`, `"2001-02-03T04:05:06Z"`},
		{arrow.ListOf(arrow.PrimitiveTypes.Int64), `[[1,null],[],null]`, "[1,null] [] null"},
		{arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Float32), `[[1,2.5],null]`, "[1.0,2.5] null"},
		{point, `[{"x":1,"\"y\"":"z"}, null]`, `{"x":1,"\"y\"":"z"} null`},
		{arrow.Null, `[null]`, "null"},
	} {
		rec := recordOf(t, []arrow.Field{{Name: "v", Type: tt.dt, Nullable: true}}, tt.in)
		got := strings.ReplaceAll(written(t, WriterOptions{}, rec), "{\"v\":", "")
		if got = strings.TrimSuffix(strings.ReplaceAll(got, "}\n", " "), " "); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.dt, got, tt.want)
		}
	}
}

// What is written is read back with the same types and values; and the same bytes come of any cut.
func TestRoundTrip(t *testing.T) {
	fields := []arrow.Field{
		{Name: "i", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "x.y", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "s\n", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Float64), Nullable: true},
	}
	rec := recordOf(t, fields, `[1,null,-9223372036854775808,4]`, `[1,2.5,null,1e300]`, `["a","\u0000\"\\\n€","",null]`,
		`[true,null,false,true]`, `[[1],[],null,[0.1,null]]`)
	text := written(t, WriterOptions{}, rec)
	if cut := written(t, WriterOptions{}, rec.NewSlice(0, 1), rec.NewSlice(1, 4)); cut != text {
		t.Errorf("in two records: got %s, want %s", cut, text)
	}
	s := holding("f.jsonl", []byte(text))
	file, err := Format{}.Survey(t.Context(), s, "f.jsonl", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = Format{}.Read(t.Context(), s, file.Spans[0], table.Options{}, func(b *batch.Batch) error {
		if !array.RecordEqual(b.Record, rec) {
			t.Errorf("got %v, want %v", b.Record, rec)
		}
		return nil
	}, func(l deadletter.Letter) error { t.Errorf("dead: %+v", l); return nil })
	if err != nil || !file.Schema.Equal(rec.Schema()) {
		t.Errorf("got schema %v, error %v, want %v", file.Schema, err, rec.Schema())
	}
}

func TestWriterRefuses(t *testing.T) {
	for _, schema := range []*arrow.Schema{
		arrow.NewSchema(nil, nil),
		arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.BinaryTypes.Binary}}, nil),
		arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.ListOf(arrow.FixedWidthTypes.Time32s)}}, nil),
		arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int8)}}, nil),
		arrow.NewSchema([]arrow.Field{{Name: "\xff", Type: arrow.PrimitiveTypes.Int8}}, nil),
		arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}, {Name: "a", Type: arrow.PrimitiveTypes.Int8}}, nil),
	} {
		if _, err := NewWriter(io.Discard, schema, WriterOptions{}); err == nil {
			t.Errorf("%v: no error, want one", schema)
		}
	}
	floats := array.NewFloat64Builder(memory.NewGoAllocator())
	floats.AppendValues([]float64{1, math.NaN(), math.Inf(-1)}, nil)
	strs := array.NewStringBuilder(memory.NewGoAllocator())
	strs.AppendValues([]string{"a", "b", "\xff"}, nil)
	for _, tt := range []struct {
		a    arrow.Array
		want string
	}{{floats.NewArray(), "row 2: column \"v\": NaN"}, {strs.NewArray(), `row 3: column "v": "\xff" is not valid UTF-8`}} {
		rec := array.NewRecord(arrow.NewSchema([]arrow.Field{{Name: "v", Type: tt.a.DataType()}}, nil), []arrow.Array{tt.a}, -1)
		w, err := NewWriter(io.Discard, rec.Schema(), WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(rec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got error %v, want %s", err, tt.want)
		}
		if tt.a.DataType().ID() == arrow.FLOAT64 {
			if got, want := written(t, WriterOptions{NonFiniteNull: true}, rec), "{\"v\":1.0}\n{\"v\":null}\n{\"v\":null}\n"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}

type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriterErrors(t *testing.T) {
	rec := recordOf(t, []arrow.Field{{Name: "v", Type: arrow.PrimitiveTypes.Int64}}, "[1]")
	w, err := NewWriter(full{}, rec.Schema(), WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Errorf("got error %v before the buffer is full", err)
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close: got error %v, want it to wrap %v", err, errFull)
	}
	if err := w.Write(rec); err == nil {
		t.Error("Write after Close: no error")
	}
	other := recordOf(t, []arrow.Field{{Name: "w", Type: arrow.PrimitiveTypes.Int64}}, "[1]")
	if w, err = NewWriter(io.Discard, rec.Schema(), WriterOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(other); err == nil {
		t.Error("a record of other columns: no error")
	}
}
