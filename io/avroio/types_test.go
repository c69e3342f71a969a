package avroio

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/twmb/avro"

	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// record is the schema of a record of one field.
func record(field string) string {
	return `{"type": "record", "name": "r", "namespace": "n.s", "fields": [{"name": "v", "type": ` + field + `}]}`
}

func listOf(s *arrow.Schema) string {
	var columns []string
	for _, f := range s.Fields() {
		text := f.Name + " " + strings.NewReplacer("item: ", "", ", nullable", "").Replace(f.Type.String())
		if f.Nullable {
			text += "?"
		}
		columns = append(columns, text)
	}
	return strings.Join(columns, ", ")
}

// readAll returns the columns and the rows of a file, without row numbers.
func readAll(t testing.TB, data []byte, o table.Options) (columns, rows string) {
	t.Helper()
	file, got, err := formattest.ReadAll(context.Background(), Format{}, storeOf(t, "f.avro", data), "f.avro", o)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Dead) > 0 {
		t.Errorf("dead: %+v", got.Dead)
	}
	for i, row := range got.Kept {
		_, got.Kept[i], _ = strings.Cut(row, ": ")
	}
	return listOf(file.Schema), strings.Join(got.Kept, " | ")
}

func TestTypes(t *testing.T) {
	day := time.Date(2026, 2, 3, 4, 5, 6, 789123456, time.UTC)
	type object = map[string]any
	tests := []struct {
		field         string
		values        []any
		columns, rows string
	}{
		{`"null"`, []any{nil}, "v null?", ""},
		{`"boolean"`, []any{true, false}, "v bool", `"v"="true" | "v"="false"`},
		{`"int"`, []any{int32(-1 << 31), int32(1<<31 - 1)}, "v int32", `"v"="-2147483648" | "v"="2147483647"`},
		{`"long"`, []any{int64(-1 << 63), int64(1<<63 - 1), int64(-1)}, "v int64", `"v"="-9223372036854775808" | "v"="9223372036854775807" | "v"="-1"`},
		{`"float"`, []any{float32(0.1)}, "v float32", `"v"="0.1"`},
		{`"double"`, []any{0.1}, "v float64", `"v"="0.1"`},
		{`"bytes"`, []any{[]byte{0, 255}}, "v binary", `"v"="AP8="`},
		{`"string"`, []any{"", "ü"}, "v utf8", `"v"="" | "v"="ü"`},
		{`{"type": "enum", "name": "e", "symbols": ["A", "B"]}`, []any{"B", "A"}, "v utf8", `"v"="B" | "v"="A"`},
		{`{"type": "fixed", "name": "f", "size": 2}`, []any{[2]byte{1, 2}}, "v binary", `"v"="AQI="`},
		{`["null", "string"]`, []any{nil, "x"}, "v utf8?", `"v"=(null) | "v"="x"`},
		{`["double", "null"]`, []any{nil, 1.5}, "v float64?", `"v"=(null) | "v"="1.5"`},
		{`["long"]`, []any{int64(7)}, "v int64", `"v"="7"`},
		{`["int", "long"]`, []any{int32(-7), int64(1 << 40)}, "v int64", `"v"="-7" | "v"="1099511627776"`},
		{`["float", "null", "double"]`, []any{float32(0.5), nil, 0.1}, "v float64?", `"v"="0.5" | "v"=(null) | "v"="0.1"`},
		{`["null", "string", "long"]`, []any{"a", int64(1), nil}, "v.string utf8?, v.long int64?",
			`"v.string"="a" "v.long"=(null) | "v.string"=(null) "v.long"="1" | "v.string"=(null) "v.long"=(null)`},
		{`["string", {"type": "int", "logicalType": "date"}, {"type": "record", "name": "q", "fields": [{"name": "z", "type": "int"}]}]`,
			[]any{"a", int32(20487), object{"z": int32(1)}}, "v.string utf8?, v.int date32?, v.q.z int32?",
			`"v.string"="a" "v.int"=(null) "v.q.z"=(null) | "v.string"=(null) "v.int"="2026-02-03" "v.q.z"=(null) | "v.string"=(null) "v.int"=(null) "v.q.z"="1"`},
		{`{"type": "int", "logicalType": "date"}`, []any{day}, "v date32", `"v"="2026-02-03"`},
		{`{"type": "int", "logicalType": "time-millis"}`, []any{time.Duration(3723004) * time.Millisecond}, "v time32[ms]", `"v"="01:02:03.004"`},
		{`{"type": "long", "logicalType": "time-micros"}`, []any{time.Duration(3723000004) * time.Microsecond}, "v time64[us]", `"v"="01:02:03.000004"`},
		{`{"type": "long", "logicalType": "timestamp-millis"}`, []any{day}, "v timestamp[ms, tz=UTC]", `"v"="2026-02-03 04:05:06.789Z"`},
		{`{"type": "long", "logicalType": "timestamp-micros"}`, []any{day}, "v timestamp[us, tz=UTC]", `"v"="2026-02-03 04:05:06.789123Z"`},
		{`{"type": "long", "logicalType": "timestamp-nanos"}`, []any{day}, "v timestamp[ns, tz=UTC]", `"v"="2026-02-03 04:05:06.789123456Z"`},
		{`{"type": "long", "logicalType": "local-timestamp-millis"}`, []any{day}, "v timestamp[ms]", `"v"="2026-02-03 04:05:06.789Z"`},
		{`{"type": "long", "logicalType": "local-timestamp-micros"}`, []any{day}, "v timestamp[us]", `"v"="2026-02-03 04:05:06.789123Z"`},
		{`{"type": "long", "logicalType": "local-timestamp-nanos"}`, []any{day}, "v timestamp[ns]", `"v"="2026-02-03 04:05:06.789123456Z"`},
		{`{"type": "string", "logicalType": "date"}`, []any{"a"}, "v utf8", `"v"="a"`},
		{`{"type": "bytes", "logicalType": "decimal", "precision": 30, "scale": 2}`, []any{big.NewRat(-12345, 100), new(big.Rat).SetInt64(1 << 62)}, "v float64", `"v"="-123.45" | "v"="4.611686018427388e+18"`},
		{`{"type": "fixed", "name": "d", "size": 12, "logicalType": "decimal", "precision": 20, "scale": 3}`, []any{big.NewRat(-1, 1000)}, "v float64", `"v"="-0.001"`},
		{`{"type": "string", "logicalType": "uuid"}`, []any{"2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d"}, "v utf8", `"v"="2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d"`},
		{`{"type": "fixed", "name": "u", "size": 16, "logicalType": "uuid"}`, []any{[16]byte{0x2c, 0x5e, 0xa4, 0xc0, 0x40, 0x67, 0x11, 0xe9, 0x8b, 0xad, 0x9b, 0x1d, 0xeb, 0x4d, 0x3b, 0x7d}}, "v utf8", `"v"="2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d"`},
		{`["null", {"type": "fixed", "name": "p", "size": 12, "logicalType": "duration"}]`, []any{avro.Duration{Months: 1, Days: 2, Milliseconds: 1<<32 - 1}, nil},
			"v.months int64?, v.days int64?, v.millis int64?", `"v.months"="1" "v.days"="2" "v.millis"="4294967295" | "v.months"=(null) "v.days"=(null) "v.millis"=(null)`},
		{`{"type": "array", "items": "long"}`, []any{[]int64{1, 2}, []int64{}}, "v list<int64>", `"v"="[1,2]" | "v"="[]"`},
		{`{"type": "array", "items": {"type": "array", "items": ["null", "int"]}}`, []any{[]any{[]any{int32(1), nil}, []any{}}}, "v list<list<int32>>", `"v"="[[1,null],[]]"`},
		{`["null", {"type": "map", "values": ["null", "long"]}]`, []any{object{"k": int64(1)}, object{"k": nil}, nil}, "v list<struct<key: utf8, value: int64>>?",
			`"v"="[{\"key\":\"k\",\"value\":1}]" | "v"="[{\"key\":\"k\",\"value\":null}]" | "v"=(null)`},
		{`{"type": "array", "items": ["null", "string", "int"]}`, []any{[]any{"a", nil, int32(1)}}, "v list<struct<string: utf8, int: int32>>",
			`"v"="[{\"int\":null,\"string\":\"a\"},null,{\"int\":1,\"string\":null}]"`},
		{`{"type": "array", "items": {"type": "record", "name": "i", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": ["null", "float", "double"]}]}}`,
			[]any{[]any{object{"a": int32(1), "b": float32(0.5)}, object{"a": int32(2), "b": nil}}}, "v list<struct<a: int32, b: float64>>", `"v"="[{\"a\":1,\"b\":0.5},{\"a\":2,\"b\":null}]"`},
		{`{"type": "record", "name": "i", "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": ["null", {"type": "record", "name": "j", "fields": [{"name": "c", "type": "string"}]}]}]}`,
			[]any{object{"a": int32(1), "b": object{"c": "x"}}, object{"a": int32(2), "b": nil}}, "v.a int32, v.b.c utf8?", `"v.a"="1" "v.b.c"="x" | "v.a"="2" "v.b.c"=(null)`},
	}
	for _, tt := range tests {
		t.Run(tt.field, func(t *testing.T) {
			var rows []any
			for _, v := range tt.values {
				rows = append(rows, object{"v": v})
			}
			if tt.rows == "" { // a record of nothing
				checkError(t, made(t, record(tt.field), 2, nil, rows...), "a record without a value")
				return
			}
			columns, got := readAll(t, made(t, record(tt.field), 2, nil, rows...), table.Options{})
			if columns != tt.columns || got != tt.rows {
				t.Errorf("got columns %s, rows %s\nwant %s, %s", columns, got, tt.columns, tt.rows)
			}
		})
	}
	// A schema need not be a record.
	if columns, rows := readAll(t, made(t, `["null", "int"]`, 2, nil, int32(1), nil), table.Options{}); columns != "value int32?" || rows != `"value"="1" | "value"=(null)` {
		t.Errorf("without a record: got columns %s, rows %s", columns, rows)
	}
}

func checkError(t *testing.T, data []byte, want string) {
	t.Helper()
	_, err := Format{}.Survey(t.Context(), storeOf(t, "d/f.avro", data), "d/f.avro", table.Options{})
	if err == nil || !strings.HasPrefix(err.Error(), "avroio: d/f.avro: ") || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want avroio: d/f.avro: … %s", err, want)
	}
}

// withSchema is a file of one block of zero bytes that says it has rows records.
func withSchema(schema, codec string, rows int64, size int) []byte {
	b := []byte(magic)
	b = appendLong(b, 2)
	for _, s := range []string{"avro.codec", codec, "avro.schema", schema} {
		b = append(appendLong(b, int64(len(s))), s...)
	}
	b = append(appendLong(b, 0), make([]byte, syncBytes)...)
	b = appendLong(appendLong(b, rows), int64(size))
	return append(b, make([]byte, size+syncBytes)...)
}

func TestFileErrors(t *testing.T) {
	good := made(t, record(`"string"`), 1, nil, map[string]any{"v": "a"}, map[string]any{"v": "b"})
	header := len(good) - 2*(2+2+syncBytes)
	marker := append([]byte{}, good...)
	marker[len(marker)-1] ^= 1
	oneRow := withSchema(`"int"`, "null", 1, 0)
	deep := strings.Repeat(`{"type": "array", "items": `, 30) + `"int"` + strings.Repeat("}", 30)
	wide := `"int"`
	for i := range 20 { // each use of a name counts: 2^20 columns
		wide = fmt.Sprintf(`{"type": "record", "name": "w%d", "fields": [{"name": "a", "type": %s}, {"name": "b", "type": %s}]}`, i, wide, strings.Replace(fmt.Sprintf(`"w%d"`, i-1), `"w-1"`, `"int"`, 1))
	}
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "no records: the file is empty"},
		{"text", []byte("a,b\n1,2\n"), "no Avro container file"},
		{"only a header", good[:header], "no records: the file has only a header"},
		{"cut in the header", good[:20], "the file ends within the header at byte 0: it is truncated"},
		{"cut in a block", good[:header+3], fmt.Sprintf("the file ends within the block at byte %d: it is truncated", header)},
		{"cut in a marker", good[:len(good)-1], "it is truncated"},
		{"marker", marker, "does not end with the file's marker: the file is damaged"},
		{"no schema", append([]byte(magic), make([]byte, 1+syncBytes)...), "the header has no avro.schema"},
		{"schema", withSchema(`{"type": "recor"}`, "null", 1, 1), "schema: "},
		{"codec", withSchema(`"int"`, "xz", 1, 1), `codec "xz" is not read: want null, deflate`},
		{"itself", withSchema(`{"type": "record", "name": "tree", "namespace": "a.b", "fields": [{"name": "kids", "type": {"type": "array", "items": "tree"}}]}`, "null", 1, 1),
			`kids: type "a.b.tree" holds itself, which a table cannot`},
		{"deep", withSchema(deep, "null", 1, 1), "types nested deeper than 24"},
		{"wide", withSchema(wide, "null", 1, 1), "more than 20000 types"},
		{"a scale", withSchema(`{"type": "bytes", "logicalType": "decimal", "precision": 5000, "scale": 2000}`, "null", 1, 1), "a decimal of scale 2000"},
		{"no name", withSchema(`{"type": "record", "name": "r", "fields": [{"name": "", "type": "int"}]}`, "null", 1, 1), "name"},
		{"very deep", withSchema(strings.Repeat(`{"type":"array","items":`, 150_000)+`"int"`+strings.Repeat("}", 150_000), "null", 1, 1), "schema: "},
		{"a long header", withSchema(strings.Repeat(" ", maxHeaderBytes)+`"int"`, "null", 1, 1), "in the header, want a header of at most 4194304"},
		{"array of nulls", withSchema(`{"type": "array", "items": "null"}`, "null", 1, 1), "an array of nulls"},
		{"two columns of a name", withSchema(`{"type": "record", "name": "r", "fields": [{"name": "a.b", "type": "int"}, {"name": "a", "type": {"type": "record", "name": "q", "fields": [{"name": "b", "type": "int"}]}}]}`, "null", 1, 2),
			`two columns would be called "a.b"`},
		{"rows without bytes", withSchema(`"int"`, "null", 1<<24, 1), "a block of 16777216 records in 1 bytes"},
		{"a negative number of rows", withSchema(`"int"`, "null", -1, 1), "a block of -1 records"},
		{"a large block", appendLong(oneRow[:len(oneRow)-syncBytes-1], 1<<30), "a block of 1073741824 bytes, want at most 67108864: write smaller blocks"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { checkError(t, tt.data, tt.want) })
	}
}

// Blocks whose values are not what the schema says.
func TestBlockErrors(t *testing.T) {
	block := func(schema, codec string, rows int64, bytes string) []byte {
		b := withSchema(schema, codec, rows, len(bytes))
		copy(b[len(b)-syncBytes-len(bytes):], bytes)
		return b
	}
	pack := func(codec string, data []byte) []byte {
		compress, err := compressor(codec)
		if err != nil {
			t.Fatal(err)
		}
		out, err := compress(data)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	packed, bomb := pack("snappy", []byte{2}), pack("deflate", make([]byte, maxBlockBytes+1))
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"too short", block(`"string"`, "null", 1, "\x08abc"), "record 1 of the block, row 1 of the file: a value goes on behind the end of the block"},
		{"an empty decimal", block(`{"type": "bytes", "logicalType": "decimal", "precision": 40, "scale": 30}`, "null", 1, "\x00"), "a decimal of 0 bytes"},
		{"too long", block(`"string"`, "null", 1, "\x02abc"), "2 bytes behind the records of the block"},
		{"negative length", block(`"bytes"`, "null", 1, "\x01abc"), "a value goes on"},
		{"boolean", block(`"boolean"`, "null", 1, "\x02"), "the boolean 2: want 0 or 1"},
		{"branch", block(`["null", "int"]`, "null", 1, "\x04"), "branch 2 of 2"},
		{"symbol", block(`{"type": "enum", "name": "e", "symbols": ["A"]}`, "null", 1, "\x02"), "symbol 1 of 1"},
		{"int of 33 bits", block(`"int"`, "null", 1, "\x80\x80\x80\x80\x20"), "the int 4294967296"},
		{"endless number", block(`"long"`, "null", 1, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), "a number of more than 64 bits"},
		{"many items", block(`{"type": "array", "items": "int"}`, "null", 1, "\x80\x80\x80\x80\x20\x00"), "4294967296 items in 1 bytes"},
		{"negative items", block(`{"type": "array", "items": "int"}`, "null", 1, "\x01\xff\xff\x7f\x00"), "a value goes on"},
		{"deflate", block(`"int"`, "deflate", 1, "\xff\xff"), "a block that cannot be decompressed"},
		{"snappy", block(`"int"`, "snappy", 1, "\xff\xff\x7f\x00\x00\x00\x00\x00"), "a block that cannot be decompressed: a Snappy block of 4 bytes that says it holds"},
		{"snappy without a checksum", block(`"int"`, "snappy", 1, "\x01"), "without a checksum"},
		{"snappy checksum", block(`"int"`, "snappy", 1, "\x01\x00\x02\x00\x00\x00\x00"), "the checksum of a Snappy block is wrong"},
		{"zstandard", block(`"int"`, "zstandard", 1, "abcd"), "a block that cannot be decompressed"},
		{"rows of a compressed block", block(`"int"`, "snappy", 9, string(packed)), "a block of 9 records in 1 bytes"},
		{"a block that grows", block(`"int"`, "deflate", 9, string(bomb)), "more than 67108864 bytes when decompressed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, "f.avro", tt.data), "f.avro", table.Options{})
			if err == nil || !strings.HasPrefix(err.Error(), "avroio: f.avro: byte ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want avroio: f.avro: byte … %s", err, tt.want)
			}
		})
	}
}

// A block of arrays and maps may say its length, so that it can be passed over.
func TestSizedBlocks(t *testing.T) {
	schema := `{"type": "record", "name": "r", "fields": [{"name": "a", "type": {"type": "array", "items": "int"}}, {"name": "m", "type": {"type": "map", "values": "int"}}, {"name": "z", "type": "int"}]}`
	values := "\x03\x04\x02\x04\x02\x06\x00" + "\x01\x06\x02k\x08\x00" + "\x0a" // -2 items of 2 bytes, 1 item; -1 pair of 3 bytes
	b := withSchema(schema, "null", 1, len(values))
	copy(b[len(b)-syncBytes-len(values):], values)
	if _, rows := readAll(t, b, table.Options{}); rows != `"a"="[1,2,3]" "m"="[{\"key\":\"k\",\"value\":4}]" "z"="5"` {
		t.Errorf("got %s", rows)
	}
	if _, rows := readAll(t, b, table.Options{Columns: []string{"z"}}); rows != `"z"="5"` {
		t.Errorf("only z: got %s", rows)
	}
}
