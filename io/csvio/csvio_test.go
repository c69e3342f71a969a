package csvio

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// zip compresses text as one gzip member per part.
func zip(t testing.TB, parts ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, part := range parts {
		w := gzip.NewWriter(&out)
		if _, err := w.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// mixed has 12 good rows and one of each fault: 18 lines, among them two of
// one quoted cell and a blank one.
const mixed = "\ufeffname,note,n\r\n" +
	"a,plain,1\r\n" +
	"b,\"quoted, with a comma\",2\n" +
	"c,\"two\r\nlines\",3\n" +
	"d,\"say \"\"hi\"\"\",4\n" +
	"\n" +
	"short,5\n" +
	"long,x,6,7\n" +
	"bare,qu\"ote,8\n" +
	"after,\"quote\"s,9\n" +
	"bad\xff,utf8,10\n" +
	"e,,\n" +
	"f,äöü €,12\n" +
	"g,\"\",13\n" +
	"h, spaces ,14\n" +
	"i,tab\there,15\n" +
	"j,lone\rreturn,16\n" +
	"k,=1+1,17\n" +
	"open,\"never closed,18\n" +
	"l,last,19"

func TestFormat(t *testing.T) {
	wide := "x" + strings.Repeat(",x", 64)
	header := "c0"
	for i := range 64 {
		header += fmt.Sprintf(",c%d", i+1)
	}
	formattest.Run(t, Format{},
		formattest.File{Name: "mixed.csv", Data: []byte(mixed), Kept: 12, Dead: 6},
		formattest.File{Name: "mixed.csv.gz", Data: zip(t, mixed), Kept: 12, Dead: 6, Sealed: true},
		formattest.File{Name: "members.csv.gz", Data: zip(t, mixed[:50], mixed[50:51], mixed[51:]), Kept: 12, Dead: 6},
		formattest.File{Name: "wide.csv", Data: []byte(header + strings.Repeat("\n"+wide, 100)), Kept: 100},
		formattest.File{Name: "bare.tsv", Data: []byte("1\t2\n3\t4\n5\n"), Kept: 2, Dead: 1,
			Options: table.Options{NoHeader: true, Names: []string{"a", "b"}, Delimiter: "\t"}},
	)
}
