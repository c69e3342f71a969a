package avroio

import (
	"os"
	"testing"

	"github.com/millrace-go/millrace/io/table"
)

// Files that polars 2.1 (Snappy) and fastavro 1.13 (Zstandard, bzip2) wrote.
func TestOthersFiles(t *testing.T) {
	for name, want := range map[string][2]string{
		"polars.avro": {
			"i int64?, f float64?, t utf8?, b bool?, d date32?, s timestamp[us]?, l list<int64>?, r.x int64?, r.y utf8?",
			`"i"="1" "f"="0.5" "t"="a" "b"="true" "d"="2026-02-03" "s"="2026-02-03 04:05:06.789Z" "l"="[1,2]" "r.x"="1" "r.y"="q" | ` +
				`"i"=(null) "f"=(null) "t"=(null) "b"="false" "d"=(null) "s"=(null) "l"=(null) "r.x"=(null) "r.y"=(null) | ` +
				`"i"="-3" "f"="2.25" "t"="ü" "b"=(null) "d"="1969-12-31" "s"="1969-01-01 00:00:00Z" "l"="[]" "r.x"=(null) "r.y"="z"`,
		},
		"bzip2.avro": {"i int64?, t utf8", `"i"=(null) "t"="row 0" | "i"="1" "t"="row 1" | "i"="2" "t"="row 2" | "i"=(null) "t"="row 3" | "i"="4" "t"="row 4"`},
		"fastavro.avro": {
			"i int64?, d float64, t timestamp[us, tz=UTC], u utf8, m list<struct<key: utf8, value: int32>>, e utf8, n.a list<utf8>?",
			`"i"=(null) "d"="-12.34" "t"="2026-02-03 04:05:06.000789Z" "u"="00000000-0000-0000-0000-000000000005" "m"="[{\"key\":\"k\",\"value\":1}]" "e"="Y" "n.a"="[\"x\",null]" | ` +
				`"i"="7" "d"="0.01" "t"="1969-01-01 00:00:00Z" "u"="00000000-0000-0000-0000-000000000006" "m"="[]" "e"="X" "n.a"=(null)`,
		},
	} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		columns, rows := readAll(t, data, table.Options{})
		if columns != want[0] || rows != want[1] {
			t.Errorf("%s: got columns %s, rows %s\nwant %s, %s", name, columns, rows, want[0], want[1])
		}
	}
}
