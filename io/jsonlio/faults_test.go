package jsonlio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

func TestLetters(t *testing.T) {
	_, rows := read(t, Format{}, mixed, table.Options{})
	want := []deadletter.Letter{ // lines: a blank one makes them run ahead
		{Row: 13, Line: 14, Rule: RuleSyntax, Value: `{"name":"open}`, Reason: `byte 15: the line ends within a string: close it, and write a line break in it as \n`},
		{Row: 14, Line: 15, Rule: RuleSyntax, Value: `{"wrong":1,"name":tru}`, Reason: "byte 19: want a value"},
		{Row: 15, Line: 16, Rule: RuleObject, Value: "[1,2]", Reason: `want an object: one line is one row, {"column":value,…}`},
		{Row: 16, Line: 17, Rule: RuleUTF8, Value: `{"name":"\xff","wrong":1}`, Reason: "want valid UTF-8: convert the file to UTF-8"},
		{Row: 17, Line: 18, Rule: RuleUTF8, Value: `{"name":"\ud83d","wrong":1}`, Reason: "half of a surrogate pair, which is no character: write both halves"},
		{Row: 18, Line: 19, Rule: RuleNumber, Column: "x", Value: "1e999", Reason: "want a number that a float64 can hold: less than 1.8e308"},
		{Row: 19, Line: 20, Rule: RuleSyntax, Value: `{"n":1} {"n":2}`, Reason: "byte 9: text behind the value: want one object in a line, and nothing else"},
		{Row: 20, Line: 21, Rule: RuleDepth, Value: `{"n":` + strings.Repeat("[", 251), Reason: "arrays and objects nested more than 512 deep"},
		{Row: 21, Line: 22, Rule: RuleNumber, Column: "x", Value: "1e400", Reason: "want a number that a float64 can hold: less than 1.8e308"},
	}
	if len(rows.Dead) != len(want) {
		t.Fatalf("got %d letters, want %d: %+v", len(rows.Dead), len(want), rows.Dead)
	}
	for i := range want {
		want[i].File = "f.jsonl"
		if rows.Dead[i] != want[i] {
			t.Errorf("letter %d: got %+v, want %+v", i, rows.Dead[i], want[i])
		}
	}
}

func TestTypes(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{ // text and want: the values of one column
		{"integers", "1 -2 null", "int64 1 -2 (null)"},
		{"limits of int64", "-9223372036854775808 9223372036854775807", "int64 -9223372036854775808 9223372036854775807"},
		{"beyond int64 every digit stays", "1 9223372036854775808", "utf8 1 9223372036854775808"},
		{"floats", "1.5 1e2 -0.0", "float64 1.5 100 -0"},
		{"integers and floats", "1 2.5", "float64 1 2.5"},
		{"2^53 and floats", "9007199254740992 0.5", "float64 9.007199254740992e+15 0.5"},
		{"a float64 would lose a digit", "9007199254740993 0.5", "utf8 9007199254740993 0.5"},
		{"a long integer that a float64 writes so", "100000000000000000000 0.5", "float64 1e+20 0.5"},
		{"booleans", "true false", "bool true false"},
		{"booleans and numbers", "true 1", "utf8 true 1"},
		{"strings", `"a" "\u0000" ""`, "utf8 a \x00 "},
		{"strings and numbers", `"007" 7.50 null`, "utf8 007 7.50 (null)"},
		{"only nulls", "null null", "utf8 (null) (null)"},
		{"lists of integers", "[1,null] [] null", "list<item: int64, nullable> [1,null] [] (null)"},
		{"lists of both numbers", "[1] [2.5]", "list<item: float64, nullable> [1] [2.5]"},
		{"lists of booleans", "[true]", "list<item: bool, nullable> [true]"},
		{"lists of strings", `["a","b\n"]`, `list<item: utf8, nullable> ["a","b\n"]`},
		{"empty lists", "[] [null]", "list<item: utf8, nullable> [] [null]"},
		{"lists of different things", `[1,"a"] [2]`, `utf8 [1,"a"] [2]`},
		{"lists of lists", `[1,[2]] [3]`, `utf8 [1,[2]] [3]`},
		{"lists and scalars", `[1] 2`, `utf8 [1] 2`},
		{"lists of large integers", `[9223372036854775808]`, `utf8 [9223372036854775808]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := `{"v":` + strings.ReplaceAll(tt.text, " ", "}\n{\"v\":") + "}"
			for _, workers := range []int{1, 3} {
				file, rows := read(t, Format{workers: workers}, text, table.Options{})
				got := file.Schema.Field(0).Type.String()
				for i, row := range rows.Kept {
					row = strings.TrimPrefix(row, fmt.Sprintf("row %d: \"v\"=", i+1))
					if v, err := strconv.Unquote(row); err == nil {
						row = v
					}
					got += " " + row
				}
				if got != tt.want {
					t.Errorf("got %s, want %s", got, tt.want)
				}
			}
		})
	}
}

func TestColumns(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		options    table.Options
		want       string // rows, " | " between
	}{
		{"order of first appearance", `{"b":1}` + "\n" + `{"a":2,"b":3}`, table.Options{}, `row 1: "b"="1" "a"=(null) | row 2: "b"="3" "a"="2"`},
		{"objects become columns", `{"a":{"x":1,"y":{"z":2}},"b":3}`, table.Options{}, `row 1: "a.x"="1" "a.y.z"="2" "b"="3"`},
		{"down to a depth", `{"a":{"x":1,"y":{ "z":2 }}}`, table.Options{JSON: table.JSON{FlattenDepth: 2}}, `row 1: "a.x"="1" "a.y"="{ \"z\":2 }"`},
		{"not at all", `{"a":{"x":1}}`, table.Options{JSON: table.JSON{FlattenDepth: 1}}, `row 1: "a"="{\"x\":1}"`},
		{"empty objects", `{"a":{},"b":1}`, table.Options{}, `row 1: "b"="1"`},
		{"objects and scalars", `{"a":{"x":1}}` + "\n" + `{"a":2}`, table.Options{}, `row 1: "a.x"="1" "a"=(null) | row 2: "a.x"=(null) "a"="2"`},
		{"points in names", `{"a.x":1}` + "\n" + `{"a":{"x":2}}`, table.Options{}, `row 1: "a.x"="1" | row 2: "a.x"="2"`},
		{"the last value counts", `{"a":1,"b":2,"a":3}`, table.Options{}, `row 1: "a"="3" "b"="2"`},
		{"escaped names", `{"\u0061":1,"":2}` + "\n" + `{"a":3}`, table.Options{}, `row 1: "a"="1" ""="2" | row 2: "a"="3" ""=(null)`},
		{"a selection", `{"a":1,"b":{"c":2},"d":3}`, table.Options{Columns: []string{"d", "b.c"}}, `row 1: "b.c"="2" "d"="3"`},
		{"faults of values that are not read", `{"a":1e999,"b":"long","c":1}`, table.Options{MaxCellBytes: 3, Columns: []string{"c"}}, `row 1: "c"="1"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, rows := read(t, Format{}, tt.text, tt.options)
			if got := strings.Join(rows.Kept, " | "); got != tt.want || len(rows.Dead) > 0 {
				t.Errorf("got %s and dead %+v, want %s", got, rows.Dead, tt.want)
			}
		})
	}
}

func TestFileErrors(t *testing.T) {
	good := `{"a":1}`
	for _, tt := range []struct {
		name, text, want string
		options          table.Options
	}{
		{"empty", "", "no rows: the file is empty", table.Options{}},
		{"blank", "\n \r\n", "no rows: the file is empty", table.Options{}},
		{"an array over lines", "[\n" + good + ",\n" + good + ",\n]", "no row of 4 is a JSON object: line 1: the line ends where a value should be", table.Options{}},
		{"one array", "\n[" + good + "]", "no row of 1 is a JSON object: line 2: want an object", table.Options{}},
		{"empty objects", "{}\n{}", "no columns: every object is empty", table.Options{}},
		{"UTF-16", "\xff\xfe{\x00", "UTF-16: convert it", table.Options{}},
		{"too many columns", `{"a":1,"b":2}` + "\n" + `{"c":{"d":3}}`, "more than 2 columns: raise JSON.MaxColumns", table.Options{JSON: table.JSON{MaxColumns: 2}}},
		{"too many empty objects", `{"a":{},"b":{},"c":{}}`, "more than 1 columns", table.Options{JSON: table.JSON{MaxColumns: 1, FlattenDepth: 2}}},
		{"missing column", good, `no column "c": the file has "a"`, table.Options{Columns: []string{"c"}}},
		{"negative option", good, "MaxColumns -1", table.Options{JSON: table.JSON{MaxColumns: -1}}},
		{"negative rows", good, "BatchRows -1", table.Options{BatchRows: -1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, workers := range []int{1, 2} {
				_, _, err := formattest.ReadAll(t.Context(), Format{workers: workers}, holding("d/f.jsonl", []byte(tt.text)), "d/f.jsonl", tt.options)
				if err == nil || !strings.HasPrefix(err.Error(), "jsonlio: d/f.jsonl: ") || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("got error %v, want jsonlio: d/f.jsonl: … %s", err, tt.want)
				}
			}
		})
	}
}

// A faulty line leaves nothing: no column, no type, no expectation of what comes next, whatever the limit.
func TestFaultyLineLeavesNothing(t *testing.T) {
	text := `{"a":1,"b":2}` + "\n" + `{"a":"x","c":1,"d":{"e":1},"b":2.5,` + "\n" + `{"a":1,"c":{"x":3},"b":2}` + "\n"
	file, rows := read(t, Format{}, text, table.Options{JSON: table.JSON{MaxColumns: 3}})
	want := `row 1: "a"="1" "b"="2" "c.x"=(null) | row 3: "a"="1" "b"="2" "c.x"="3"`
	if got := strings.Join(rows.Kept, " | "); got != want || len(rows.Dead) != 1 || file.Schema.Field(0).Type.Name() != "int64" {
		t.Errorf("got %s of %v, want %s", got, file.Schema, want)
	}
}

// Lines and values beyond their limits are dead letters, and their neighbours are read.
func TestLimits(t *testing.T) {
	long := `{"a":"` + strings.Repeat("x", 1000) + `"}`
	for _, f := range []Format{{maxLine: 900, workers: 1}, {maxLine: 900, workers: 2}, {}} {
		text := "{\"a\":\"1\"}\n" + long + "\n{\"a\":\"2\"}\n" + long
		_, rows := read(t, f, text, table.Options{MaxCellBytes: 999})
		rule, reason := RuleCell, "want at most 999 bytes, has 1000"
		if f.maxLine > 0 {
			rule, reason = RuleLine, "want at most 900 bytes in a line, has 1008"
		}
		if strings.Join(rows.Kept, " | ") != `row 1: "a"="1" | row 3: "a"="2"` || len(rows.Dead) != 2 {
			t.Fatalf("got %q and %+v, want rows 1 and 3", rows.Kept, rows.Dead)
		}
		for i, l := range rows.Dead {
			if l.Rule != rule || !strings.HasPrefix(l.Reason, reason) || l.Row != int64(2+2*i) || l.Line != l.Row || len(l.Value) != deadletter.MaxValueBytes {
				t.Errorf("got %+v, want rule %s: %s", l, rule, reason)
			}
		}
	}
	name := strings.Repeat("n", maxNameBytes+1)
	_, rows := read(t, Format{}, `{"a":{"b":1}}`+"\n"+`{"`+name+`":1}`, table.Options{})
	if len(rows.Dead) != 1 || rows.Dead[0].Rule != RuleName {
		t.Errorf("got %+v, want rule %s", rows.Dead, RuleName)
	}
}

// A line of 100 MB without an end costs little memory.
func TestHugeLine(t *testing.T) {
	text := append([]byte("{\"a\":1}\n{\"a\":\""), bytes.Repeat([]byte("x"), 100<<20)...)
	s := holding("f.jsonl", append(text, "\n{\"a\":2}\n"...))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, s, "f.jsonl", table.Options{})
	runtime.ReadMemStats(&after)
	if err != nil || len(rows.Kept) != 2 || len(rows.Dead) != 1 || rows.Dead[0].Rule != RuleLine {
		t.Fatalf("got %q, dead %+v, error %v, want 2 rows and one dead", rows.Kept, rows.Dead, err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 150<<20 { // buffers that double up to 16 MiB, twice
		t.Errorf("allocated %d bytes, want at most 150 MiB", got)
	}
}

// A list of 15 MB is one dead letter, and not made a column first.
func TestHugeList(t *testing.T) {
	text := "{\"a\":[1]}\n{\"a\":[" + strings.Repeat("1,", 7<<20) + "1]}\n{\"a\":[2]}\n{\"a\":[" + strings.Repeat("1,", 1<<20) + "\n"
	s := holding("f.jsonl", []byte(text))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, s, "f.jsonl", table.Options{})
	runtime.ReadMemStats(&after)
	if err != nil || len(rows.Kept) != 2 || len(rows.Dead) != 2 {
		t.Fatalf("got %q, dead %+v, error %v, want 2 rows and 2 dead", rows.Kept, rows.Dead, err)
	}
	if l := rows.Dead[0]; l.Rule != RuleCell || l.Reason != fmt.Sprintf("want at most 1048576 bytes, has %d", 14<<20+3) || rows.Dead[1].Rule != RuleSyntax {
		t.Errorf("got %+v, want rules %s and %s", rows.Dead, RuleCell, RuleSyntax)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 150<<20 {
		t.Errorf("allocated %d bytes, want at most 150 MiB", got)
	}
}

// A survey holds some chunks, not the file.
func TestMemoryIsBounded(t *testing.T) {
	text := []byte(strings.Repeat("{\"a\":\"some text\",\"b\":1.5}\n", 1<<20)) // 27 MB
	s := holding("f.jsonl", text)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	file, err := Format{workers: 2}.Survey(t.Context(), s, "f.jsonl", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 2<<20 {
		t.Errorf("a survey of %d bytes allocated %d, want at most 2 MiB", len(text), got)
	}
	if file.Rows != 1<<20 {
		t.Errorf("got %d rows, want %d", file.Rows, 1<<20)
	}
}

// Wide rows of few values close a batch before BatchRows.
func TestBatchBytes(t *testing.T) {
	text := "{\"a\":\"" + strings.Repeat("x", 99_990) + "\"}\n"
	s := holding("f.jsonl", []byte(strings.Repeat(text, 100))) // 10 MB
	file, err := Format{}.Survey(t.Context(), s, "f.jsonl", table.Options{SpanBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	err = Format{}.Read(t.Context(), s, file.Spans[0], table.Options{}, func(b *batch.Batch) error {
		sizes = append(sizes, b.NumRows())
		return nil
	}, func(l deadletter.Letter) error { return fmt.Errorf("dead: %+v", l) })
	if got, want := fmt.Sprint(sizes), "[42 42 16]"; err != nil || got != want { // 4 MiB / 100,000 bytes = 41.9
		t.Errorf("got batches of %s rows, error %v, want %s", got, err, want)
	}
}

// Any crew finds the same file.
func TestCrews(t *testing.T) {
	data := []byte(strings.Repeat(mixed[3:]+"\n", 500) + `{"at the end":1}`)
	var want string
	for _, workers := range []int{1, 2, 5} {
		file, err := Format{workers: workers}.Survey(t.Context(), holding("f.jsonl", data), "f.jsonl", table.Options{SpanBytes: 10_000})
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%+v", *file)
		if want == "" {
			want = got
		} else if got != want {
			t.Errorf("%d workers: got %s, want %s", workers, got, want)
		}
	}
}

// Files of one input get one schema that holds the values of all.
func TestUnify(t *testing.T) {
	var files []*table.File
	texts := []string{`{"a":1,"b":[]}`, `{"c":true,"a":2.5,"b":[1]}`, `{"a":null,"d":"x"}`}
	for i, text := range texts {
		name := fmt.Sprintf("%d.jsonl", i)
		file, err := Format{}.Survey(t.Context(), holding(name, []byte(text)), name, table.Options{})
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if err := (Format{}).Unify(files); err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		err := Format{}.Read(t.Context(), holding(file.Name, []byte(texts[i])), file.Spans[0], table.Options{}, func(b *batch.Batch) error {
			if !b.Record.Schema().Equal(files[0].Schema) {
				t.Errorf("%s: got %v, want %v", file.Name, b.Record.Schema(), files[0].Schema)
			}
			return nil
		}, func(l deadletter.Letter) error { return fmt.Errorf("dead: %+v", l) })
		if err != nil {
			t.Error(err)
		}
	}
	var got []string
	for _, f := range files[0].Schema.Fields() {
		got = append(got, f.Name+" "+f.Type.Name())
	}
	if want := "a float64, b list, c bool, d utf8"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
	if err := (Format{}).Unify([]*table.File{{Name: "none"}}); err == nil {
		t.Error("a file without spans: no error")
	}
}

// A file of the same size whose values changed their types is noticed.
func TestChangedType(t *testing.T) {
	file, err := Format{}.Survey(t.Context(), holding("f.jsonl", []byte(`{"a":1}`)), "f.jsonl", table.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{`{"b":1}`, `{"a":""}`[:7], `{"a":[]`, `{"a":{}}`[:7], `{"a":"}`} {
		span := file.Spans[0]
		span.Length = int64(len(text))
		err := Format{}.Read(t.Context(), holding("f.jsonl", []byte(text)), span, table.Options{},
			func(b *batch.Batch) error { return io.ErrNoProgress }, func(deadletter.Letter) error { return io.ErrClosedPipe })
		changed := err != nil && strings.Contains(err.Error(), "changed since it was surveyed")
		if whole := strings.HasSuffix(text, "1}"); whole != changed || !whole && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: got error %v, want one that says changed, or a dead letter if it is no JSON", text, err)
		}
	}
}

// Every float is the nearest one.
func TestDecimal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	texts := []string{"9007199254740993e0", "1e23", "8.5e-323", "5e-324", "2.2250738585072011e-308", "2.2250738585072014e-308", "1.7976931348623157e308",
		"1.7976931348623159e308", "1e-400", "0e999999999999", "0.000000000000000000000000000000000001", "6631236846766476e-316", "9214843084008499e-338",
		"1" + strings.Repeat("0", 400) + "e-400", "0." + strings.Repeat("0", 400) + "1e401", "9007199254740991.5", "9007199254740992.5", "9007199254740993.5"}
	for range 100_000 {
		f := math.Float64frombits(rng.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		texts = append(texts, strconv.FormatFloat(f, 'e', -1, 64), strconv.FormatFloat(f, 'e', rng.IntN(20), 64),
			strconv.FormatFloat(rng.NormFloat64(), 'f', rng.IntN(25), 64), fmt.Sprintf("%d.%de%d", rng.Uint64()>>rng.IntN(64), rng.Uint64()>>rng.IntN(64), rng.IntN(700)-350))
	}
	for _, text := range texts {
		s := scanner{data: []byte(text + "\n12345678")}
		var n number
		end, other := s.number(0, &n), -1
		other, _ = s.pass(0)
		if end != len(text) || other != end {
			t.Fatalf("%s: got ends %d and %d, want %d", text, end, other, len(text))
		}
		got, ok := s.float64(&n, end)
		want, err := strconv.ParseFloat(text, 64)
		if ok != (err == nil) || ok && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s: got %v, %v, want %v, %v", text, got, ok, want, err)
		}
	}
}
