package tfrecordio

import (
	"strings"
	"testing"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

func TestUnify(t *testing.T) {
	files := map[string][]byte{
		"a": frame(example(entryOf("id", ints(1)), entryOf("x", ints(1)), entryOf("none", ""), entryOf("t", texts("a")))),
		"b": frame(example(entryOf("id", ints(2)), entryOf("x", ints(2, 3)), entryOf("none", floats(one)), entryOf("t", texts("\xff")))),
		"c": frame(example(entryOf("id", ints(3))) + part(2, entryOf("x", steps(ints(4))))),
	}
	s := storeOf(t, "unused", nil)
	var list []*table.File
	for _, name := range []string{"a", "b", "c"} {
		if err := store.WriteAll(t.Context(), s, name, files[name]); err != nil {
			t.Fatal(err)
		}
		file, err := Format{}.Survey(t.Context(), s, name, table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, file)
	}
	if err := (Format{}).Unify(list); err != nil {
		t.Fatal(err)
	}
	columns := "id int64, none float32, t binary, x list<int64, nullable>, x.sequence list<int64, nullable>"
	want := []string{
		`"1"|(null)|"YQ=="|["1"|]|(null)|`,
		`"2"|"1"|"/w=="|["2"|"3"|]|(null)|`,
		`"3"|(null)|(null)|(null)|["4"|]|`,
	}
	for i, file := range list {
		if got := strings.Join(columnsOf(file.Schema), ", "); got != columns {
			t.Errorf("%s: got columns %s, want %s", file.Name, got, columns)
		}
		rows, err := readOne(t, s, file.Spans[0])
		if got := strings.Join(rows, "; "); err != nil || got != want[i] {
			t.Errorf("%s: got %s, error %v, want %s", file.Name, got, err, want[i])
		}
	}
	odd, err := Format{}.Survey(t.Context(), storeOf(t, "odd", frame(example(entryOf("id", texts("x"))))), "odd", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := (Format{}).Unify(append(list, odd)); err == nil || !strings.Contains(err.Error(), `column "id" is int64 in a and utf8 in odd: write one`) {
		t.Errorf("got error %v, want one that names the column and both files", err)
	}
}

// readOne returns the rows of a span as arraystest writes them.
func readOne(t *testing.T, s store.Store, span table.Span) (rows []string, err error) {
	err = Format{}.Read(t.Context(), s, span, table.Options{}, func(b *batch.Batch) error {
		rows = append(rows, arraystest.Text(b.Record)...)
		return nil
	}, func(l deadletter.Letter) error { t.Errorf("dead: %+v", l); return nil })
	return rows, err
}
