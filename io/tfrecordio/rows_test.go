package tfrecordio

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

// read returns the columns of a file as "name type", and its rows.
func read(t testing.TB, data []byte, o table.Options) (columns []string, rows *formattest.Rows) {
	t.Helper()
	file, rows, err := formattest.ReadAll(context.Background(), Format{}, storeOf(t, "f.tfrecord", data), "f.tfrecord", o)
	if err != nil {
		t.Fatal(err)
	}
	return columnsOf(file.Schema), rows
}

func columnsOf(s *arrow.Schema) (columns []string) {
	for _, f := range s.Fields() {
		columns = append(columns, strings.ReplaceAll(f.Name+" "+f.Type.String(), "item: ", ""))
	}
	return columns
}

func TestTypes(t *testing.T) {
	tests := []struct {
		name    string
		data    []byte
		options table.Options
		columns string // ", " between
		rows    string // " | " between, without the row numbers
	}{
		{"scalars by kind", frame(example(entryOf("i", ints(-1)), entryOf("f", floats(one)), entryOf("t", texts("é")), entryOf("b", texts("\xff")))), table.Options{},
			"b binary, f float32, i int64, t utf8", `"b"="/w==" "f"="1" "i"="-1" "t"="é"`},
		{"columns by name whatever the order", frame(example(entryOf("b", ints(1)), entryOf("a", ints(2))), example(entryOf("a", ints(3)), entryOf("b", ints(4)))), table.Options{},
			"a int64, b int64", `"a"="2" "b"="1" | "a"="3" "b"="4"`},
		{"empty or missing is null", frame(example(entryOf("a", ints(1)), entryOf("b", texts("x"))), example(entryOf("a", ints())), example(entryOf("a", ""))), table.Options{},
			"a int64, b utf8", `"a"="1" "b"="x" | "a"=(null) "b"=(null) | "a"=(null) "b"=(null)`},
		{"an empty text is a value", frame(example(entryOf("a", texts("")))), table.Options{}, "a utf8", `"a"=""`},
		{"several values make a list", frame(example(entryOf("a", ints(1, 2))), example(entryOf("a", ints(3))), example(entryOf("a", ints())), example(entryOf("a", ""))), table.Options{},
			"a list<int64, nullable>", `"a"="[1,2]" | "a"="[3]" | "a"="[]" | "a"=(null)`},
		{"an empty list says no kind", frame(example(entryOf("a", floats())), example(entryOf("a", ints(5)))), table.Options{}, "a int64", `"a"=(null) | "a"="5"`},
		{"but is a hint", frame(example(entryOf("a", floats()))), table.Options{}, "a float32", `"a"=(null)`},
		{"no kind at all", frame(example(entryOf("a", ""), entryOf("b", ints(1)))), table.Options{Columns: []string{"b"}}, "a null, b int64", `"b"="1"`},
		{"one value of bytes that is not text", frame(example(entryOf("a", texts("x"))), example(entryOf("a", texts("\xff")))), table.Options{}, "a binary", `"a"="eA==" | "a"="/w=="`},
		{"declared", frame(example(entryOf("a", ints(1)), entryOf("b", texts("x")))), table.Options{TFRecord: table.TFRecord{Lists: []string{"a"}, Binary: []string{"b"}}},
			"a list<int64, nullable>, b binary", `"a"="[1]" "b"="eA=="`},
		{"not packed, in parts", frame(example(entryOf("a", part(3, "\x08\x01"+part(1, "\x02\x03")+"\x08\x04")), entryOf("f", part(2, "\x0d\x00\x00\x80\x3f"+part(1, "\x00\x00\x00\x40"))))), table.Options{},
			"a list<int64, nullable>, f list<float32, nullable>", `"a"="[1,2,3,4]" "f"="[1,2]"`},
		{"a feature's last kind counts, its lists add up", frame(example(entryOf("a", floats(one)+ints(1)+ints(2)))), table.Options{}, "a list<int64, nullable>", `"a"="[1,2]"`},
		{"two maps, one key twice", frame(example(entryOf("a", ints(1)), entryOf("b", ints(9))) + example(entryOf("a", ints(2)))), table.Options{}, "a int64, b int64", `"a"="2" "b"="9"`},
		{"a sequence of scalars", frame(part(2, entryOf("s", steps(ints(1), "", ints(3))))), table.Options{}, "s list<int64, nullable>", `"s"="[1,null,3]"`},
		{"a sequence of lists", frame(part(2, entryOf("s", steps(texts("a", "b"), texts(), "")))), table.Options{},
			"s list<list<utf8, nullable>, nullable>", `"s"="[[\"a\",\"b\"],[],null]"`},
		{"context and sequence", frame(example(entryOf("x", ints(1)), entryOf("y", ints(2)))+part(2, entryOf("x", steps(ints(3)))), example(entryOf("x", ints(4)))), table.Options{},
			"x int64, x.sequence list<int64, nullable>, y int64", `"x"="1" "x.sequence"="[3]" "y"="2" | "x"="4" "x.sequence"=(null) "y"=(null)`},
		{"a sequence without a step", frame(part(2, entryOf("s", "")), part(2, entryOf("s", steps(ints(1))))), table.Options{}, "s list<int64, nullable>", `"s"="[]" | "s"="[1]"`},
		{"the longest numbers", frame(example(entryOf("a", ints(-1<<63)), entryOf("b", ints(1<<63-1)))), table.Options{}, "a int64, b int64", `"a"="-9223372036854775808" "b"="9223372036854775807"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			columns, rows := read(t, tt.data, tt.options)
			if got := strings.Join(columns, ", "); got != tt.columns {
				t.Errorf("got columns %s, want %s", got, tt.columns)
			}
			for i, row := range rows.Kept {
				_, rows.Kept[i], _ = strings.Cut(row, ": ")
			}
			if got := strings.Join(rows.Kept, " | "); got != tt.rows || len(rows.Dead) > 0 {
				t.Errorf("got %s and dead %+v, want %s", got, rows.Dead, tt.rows)
			}
		})
	}
}

func TestLetters(t *testing.T) {
	const notExample = "want a tf.Example or tf.SequenceExample: write the record as one of these"
	data := frame(
		example(entryOf("a", ints(1)), entryOf("t", texts("first"))),
		"\x01\x02text", // no field 0
		example(entryOf("a", ints(2)))+"\x1a\x00",              // a third field
		example(entryOf("\xff", ints(3))),                      // a name that is no text
		example(entryOf("a", floats(one))),                     // another kind
		example(entryOf("a", part(3, part(1, "\x80")))),        // a number cut short
		example(entryOf("t", texts("1234567890a"))),            // 11 bytes
		example(entryOf("t", texts("1234567890"))),             // 10
		part(2, entryOf("s", steps(ints(1), ints(2)))),         // 2 numbers and their places
		part(2, entryOf("s", part(1, ints(1))+"\x12\x00")),     // a FeatureList with another field
		example(entryOf("a", part(3, part(1, "\x01"))+"\x20")), // a Feature cut short
		example(entryOf("a", ints(12)))[:9],                    // an Example cut short
	)
	_, rows := read(t, data, table.Options{MaxCellBytes: 10})
	want := []deadletter.Letter{
		{Row: 2, Rule: RuleExample, Value: `\x01\x02text`, Reason: notExample},
		{Row: 3, Rule: RuleExample, Value: `\n\x0e\n\f\n\x01a\x12\a\x1a\x05\n\x03`, Reason: notExample},
		{Row: 4, Rule: RuleExample, Reason: notExample},
		{Row: 5, Rule: RuleKind, Column: "a", Reason: "want a list of int64, as in the records before, has one of float"},
		{Row: 6, Rule: RuleExample, Column: "a", Reason: notExample},
		{Row: 7, Rule: RuleCell, Column: "t", Value: "1234567890a", Reason: "want at most 10 bytes, has 11"},
		{Row: 9, Rule: RuleCell, Column: "s", Reason: "want at most 10 bytes, has 24"},
		{Row: 10, Rule: RuleExample, Column: "s", Reason: notExample},
		{Row: 11, Rule: RuleExample, Column: "a", Reason: notExample},
		{Row: 12, Rule: RuleExample, Reason: notExample},
	}
	if len(rows.Dead) != len(want) || len(rows.Kept) != 2 {
		t.Fatalf("got %d rows and dead %+v, want 2 and %d", len(rows.Kept), rows.Dead, len(want))
	}
	for i, w := range want {
		got := rows.Dead[i]
		w.File = "f.tfrecord"
		if i == 1 || w.Value == "" { // bytes that say nothing
			w.Value = got.Value
		}
		if got != w {
			t.Errorf("letter %d: got %+v, want %+v", i, got, w)
		}
	}
	// A fault in a feature that is not read is none.
	_, rows = read(t, data, table.Options{MaxCellBytes: 10, Columns: []string{"s"}})
	if rules := rulesOf(rows.Dead); rules != "2 3 4 9 10 12" {
		t.Errorf("reading one column: got letters of rows %s, want 2 3 4 9 10 12", rules)
	}
}

func rulesOf(letters []deadletter.Letter) string {
	var rows []string
	for _, l := range letters {
		rows = append(rows, fmt.Sprint(l.Row))
	}
	return strings.Join(rows, " ")
}

func TestFileErrors(t *testing.T) {
	good := example(entryOf("a", ints(1)))
	whole := frame(good, good, good)
	flip := func(at int) []byte {
		data := slices.Clone(whole)
		data[at] ^= 1
		return data
	}
	size := len(whole) / 3
	long := frame(good)
	long = append(long, frame(strings.Repeat("x", 300))...)
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "no records: the file is empty"},
		{"text", []byte("a,b\n1,2\n3,4\n5,6\n"), "record 1 at byte 0: the checksum of its length is wrong: this is no TFRecord file"},
		{"length", flip(size), fmt.Sprintf("record 2 at byte %d: the checksum of its length is wrong: the file is damaged; fetch or write it again", size)},
		{"checksum of the length", flip(size + 8), "record 2 at byte"},
		{"data", flip(size + 12), fmt.Sprintf("record 2 at byte %d: the checksum of its %d bytes is wrong: the file is damaged", size, len(good))},
		{"checksum of the data", flip(2*size - 1), "record 2 at byte"},
		{"cut in a head", whole[:2*size+5], fmt.Sprintf("record 3 at byte %d: the file ends within its first 12 bytes: it is truncated", 2*size)},
		{"cut in data", whole[:2*size+14], "record 3 at byte"},
		{"long record", long, "a length of 300 bytes, want at most 200: cut the records"},
		{"no example at all", frame("x", "y"), "2 records without a feature"},
		{"name without letters", frame(example(entryOf("", ints(1)))), "a feature without a name"},
		{"clash", frame(example(entryOf("a", ints(1)), entryOf("a.sequence", ints(1))) + part(2, entryOf("a", steps(ints(1))))), `two features give a column "a.sequence"`},
		{"same, in gzip", zip(t, flip(size)), "record 2 at byte"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Format{maxRecord: 200}.Survey(t.Context(), storeOf(t, "d/f.tfrecord", tt.data), "d/f.tfrecord", table.Options{})
			if err == nil || !strings.HasPrefix(err.Error(), "tfrecordio: d/f.tfrecord: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want tfrecordio: d/f.tfrecord: … %s", err, tt.want)
			}
		})
	}
}

// A span read from a file with other features, or more values, is not what was surveyed.
func TestChangedTypes(t *testing.T) {
	before := frame(example(entryOf("a", ints(1)), entryOf("t", texts("x"))))
	file, err := Format{}.Survey(t.Context(), storeOf(t, "f", before), "f", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{
		frame(example(entryOf("a", ints(1, 2)), entryOf("t", texts("x")))),
		frame(example(entryOf("a", ints(1)), entryOf("t", texts("\xff")))),
		frame(example(entryOf("a", ints(1)), entryOf("u", texts("x")))),
		frame(example(entryOf("a", ints(1)), entryOf("t", texts("x"))), example()),
	} {
		span := file.Spans[0]
		span.Length = int64(len(data))
		err := Format{}.Read(t.Context(), storeOf(t, "f", data), span, table.Options{}, nil, nil)
		if err == nil || !strings.Contains(err.Error(), "changed since it was surveyed") {
			t.Errorf("got error %v, want that the file was changed", err)
		}
	}
}
