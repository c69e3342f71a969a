package jsonlio

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

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

func zst(t testing.TB, text string) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(true))
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll([]byte(text), nil)
}

// mixed has 13 good rows and 9 faulty ones: 23 lines, among them one blank.
var mixed = "\ufeff" + `{"name":"a","n":1,"x":1.5,"ok":true,"tags":["p","q"],"at":{"lat":1,"lon":2.5}}` + "\r\n" +
	`{"name":"b","n":2,"x":2,"ok":false,"tags":[],"at":{"lat":-3,"lon":4}}` + "\n" +
	`{"name":null,"n":null,"x":null,"ok":null,"tags":null,"at":null}` + "\n" +
	`{}` + "\n" +
	" \t\r\n" +
	`  { "at" : { "lon" : 1e2 } , "tags" : [ "ä" , null ] , "name" : "quote \" \\ \/ \b\f\n\r\t \u00e4 \ud83d\ude00" }  ` + "\n" +
	`{"name":"twice","n":1,"n":2,"name":"last"}` + "\n" +
	`{"deep":{"a":{"b":{"c":[1,[2]]}}},"mix":1}` + "\n" +
	`{"deep":{"a":{"b":{"c":"x"}}},"mix":"one"}` + "\n" +
	`{"deep":{"a":{"b":{"c":7}}},"mix":{"k":[1,2]}}` + "\n" +
	`{"big":9223372036854775807,"bigger":9223372036854775808}` + "\n" +
	`{"big":-9223372036854775808,"bigger":1}` + "\n" +
	`{"n":3,"new":"only here"}` + "\n" +
	`{"name":"open}` + "\n" +
	`{"wrong":1,"name":tru}` + "\n" +
	`[1,2]` + "\n" +
	"{\"name\":\"\xff\",\"wrong\":1}\n" +
	`{"name":"\ud83d","wrong":1}` + "\n" +
	`{"name":1e999,"x":1e999,"late":[1.5,2]}` + "\n" +
	`{"n":1} {"n":2}` + "\n" +
	`{"n":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + "}\n" +
	`{"x":1e400}` + "\n" +
	`{"late":[1],"name":"last line, without a break"}`

func TestFormat(t *testing.T) {
	var wide strings.Builder
	for r := range 100 {
		wide.WriteString("{")
		for c := range 65 {
			fmt.Fprintf(&wide, `%s"c%d":%d`, ","[:min(c, 1)], (c+r/10)%65, r*c)
		}
		wide.WriteString("}\n")
	}
	formattest.Run(t, Format{},
		formattest.File{Name: "mixed.jsonl", Data: []byte(mixed), Kept: 13, Dead: 9},
		formattest.File{Name: "mixed.ndjson.gz", Data: zip(t, mixed), Kept: 13, Dead: 9, Sealed: true},
		formattest.File{Name: "mixed.jsonl.zst", Data: zst(t, mixed), Kept: 13, Dead: 9},
		formattest.File{Name: "wide.json", Data: []byte(wide.String()), Kept: 100},
		formattest.File{Name: "text.jsonl", Data: []byte(mixed), Kept: 13, Dead: 9, Options: table.Options{JSON: table.JSON{FlattenDepth: 1}}},
	)
}

// holding is a store that holds one object.
func holding(name string, data []byte) store.Store {
	s := storetest.NewMemory()
	if err := store.WriteAll(context.Background(), s, name, data); err != nil {
		panic(err)
	}
	return s
}

// read returns the rows of a file of this text.
func read(t testing.TB, f Format, text string, o table.Options) (*table.File, *formattest.Rows) {
	t.Helper()
	file, rows, err := formattest.ReadAll(context.Background(), f, holding("f.jsonl", []byte(text)), "f.jsonl", o)
	if err != nil {
		t.Fatal(err)
	}
	return file, rows
}
