package avroio

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"

	"github.com/millrace-go/millrace/internal/shareddata"
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

// made is a file that another library wrote, with blocks of blockRows records.
func made(t testing.TB, schema string, blockRows int, codec ocf.Codec, rows ...any) []byte {
	t.Helper()
	lax := avro.WithLaxNames(func(string) error { return nil })
	s, err := avro.Parse(schema, lax)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	opts := []ocf.WriterOpt{ocf.WithBlockCount(blockRows), ocf.WithSyncMarker([16]byte{7, 1, 2, 3}), ocf.WithSchemaOpts(lax)}
	if codec != nil {
		opts = append(opts, ocf.WithCodec(codec))
	}
	w, err := ocf.NewWriter(&out, s, opts...)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Encode(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// codecs are those that the other library writes.
func codecs(t testing.TB) map[string]ocf.Codec {
	t.Helper()
	z, err := ocf.ZstdCodec(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]ocf.Codec{"null": nil, "deflate": ocf.DeflateCodec(flate.DefaultCompression), "snappy": ocf.SnappyCodec(), "zstandard": z}
}

// mixedSchema has a value of every kind.
const mixedSchema = `{"type": "record", "name": "mixed", "namespace": "test.space", "fields": [
	{"name": "id", "type": "long"},
	{"name": "ok", "type": "boolean"},
	{"name": "n", "type": ["int", "null"]},
	{"name": "f", "type": "float"},
	{"name": "d", "type": ["null", "double"]},
	{"name": "text", "type": ["null", "string"]},
	{"name": "raw", "type": "bytes"},
	{"name": "color", "type": {"type": "enum", "name": "Color", "symbols": ["RED", "GREEN"]}},
	{"name": "again", "type": ["null", "Color"]},
	{"name": "key", "type": {"type": "fixed", "name": "Key", "size": 3}},
	{"name": "tags", "type": {"type": "array", "items": "string"}},
	{"name": "counts", "type": {"type": "map", "values": ["null", "int"]}},
	{"name": "point", "type": ["null", {"type": "record", "name": "Point", "fields": [
		{"name": "x", "type": "double"}, {"name": "more", "type": {"type": "record", "name": "More", "fields": [{"name": "y", "type": ["null", "int"]}]}}]}]},
	{"name": "any", "type": ["null", "string", "long", {"type": "array", "items": "int"}]},
	{"name": "wide", "type": ["int", "long", "null"]},
	{"name": "path", "type": {"type": "array", "items": "Point"}}
]}`

// mixedRows are rows random records of mixedSchema; every seventh has text that is not UTF-8, every eleventh a long one.
func mixedRows(rows int) []any {
	rng := rand.New(rand.NewPCG(3, 4))
	var out []any
	point := func() map[string]any {
		return map[string]any{"x": rng.Float64(), "more": map[string]any{"y": int32(rng.IntN(100))}}
	}
	for i := range rows {
		row := map[string]any{
			"id": int64(i), "ok": i%2 == 0, "n": nil, "f": rng.Float32(), "d": rng.NormFloat64(), "text": strings.Repeat("ä", i%5),
			"raw": []byte{byte(i), 0xff}, "color": []string{"RED", "GREEN"}[i%2], "again": nil, "key": [3]byte{1, 2, byte(i)},
			"tags": []string{"a", "b", "c"}[:i%4], "counts": map[string]any{"k": int32(i)}, "point": nil, "any": nil, "wide": int64(i) << 33, "path": []any{},
		}
		if i%3 == 0 {
			row["n"], row["again"], row["point"], row["any"] = int32(-i), "GREEN", point(), fmt.Sprint("s", i)
			row["path"] = []any{point(), point()}
		}
		if i%3 == 1 {
			row["any"], row["wide"], row["d"] = int64(i), int32(i), nil
		}
		if i%7 == 6 {
			row["tags"] = []string{"caf\xe9"}
		}
		if i%11 == 10 {
			row["raw"] = make([]byte, 100)
		}
		out = append(out, row)
	}
	return out
}

func TestFormat(t *testing.T) {
	var files []formattest.File
	for name, codec := range codecs(t) {
		data := made(t, mixedSchema, 7, codec, mixedRows(60)...)
		// Of 60 rows, 8 have bad text (6, 13, …), 5 are long (10, 21, …), and none is both but 76.
		files = append(files, formattest.File{Name: name + ".avro", Data: data, Kept: 47, Dead: 13, Options: table.Options{MaxCellBytes: 99}})
	}
	formattest.Run(t, Format{}, files...)
}

func TestTaxi(t *testing.T) {
	data, err := os.ReadFile(shareddata.Path(t, "tabular/chicago_taxi/ext_data.avro"))
	if err != nil {
		t.Fatal(err)
	}
	file, rows, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, "f.avro", data), "f.avro", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(file.Schema, rows.Kept[0], len(file.Spans))
	if len(rows.Kept) != 10_000 || len(rows.Dead) > 0 {
		t.Errorf("got %d rows and dead %+v, want 10000", len(rows.Kept), rows.Dead)
	}
}
