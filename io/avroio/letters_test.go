package avroio

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/io/table/formattest"
)

func TestLetters(t *testing.T) {
	schema := `{"type": "record", "name": "r", "fields": [{"name": "id", "type": "int"}, {"name": "t", "type": ["null", "string"]},
		{"name": "b", "type": "bytes"}, {"name": "l", "type": {"type": "array", "items": "string"}}]}`
	row := func(id int, t any, b string, l ...string) any {
		return map[string]any{"id": int32(id), "t": t, "b": []byte(b), "l": append([]string{}, l...)}
	}
	data := made(t, schema, 3, nil, row(1, "a", "b", "c"), row(2, "caf\xe9", "b"), row(3, "123456789012345678901", "b"), row(4, nil, "12345678901234567890", "x"),
		row(5, nil, "123456789012345678901"), row(6, "a", "b", "1234567", "1234567"), row(7, "a", "b", "ok", "\xff"), row(8, "\xff", "\xff", "\xff"))
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, "f.avro", data), "f.avro", table.Options{MaxCellBytes: 20})
	if err != nil {
		t.Fatal(err)
	}
	want := []deadletter.Letter{
		{Row: 2, Rule: RuleUTF8, Column: "t", Value: `caf\xe9`, Reason: "the text is not valid UTF-8"},
		{Row: 3, Rule: RuleCell, Column: "t", Value: "123456789012345678901", Reason: "want at most 20 bytes, has 21"},
		{Row: 5, Rule: RuleCell, Column: "b", Value: "123456789012345678901", Reason: "want at most 20 bytes, has 21"},
		{Row: 6, Rule: RuleCell, Column: "l", Reason: "want at most 20 bytes, has more"}, // and 4 a place
		{Row: 7, Rule: RuleUTF8, Column: "l", Value: `\xff`, Reason: "the text is not valid UTF-8"},
		{Row: 8, Rule: RuleUTF8, Column: "t", Value: `\xff`, Reason: "the text is not valid UTF-8"},
	}
	if len(rows.Dead) != len(want) || len(rows.Kept) != 2 || rows.Kept[1] != `row 4: "id"="4" "t"=(null) "b"="MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=" "l"="[\"x\"]"` {
		t.Fatalf("got rows %q and dead %+v, want rows 1 and 4, and %d dead", rows.Kept, rows.Dead, len(want))
	}
	for i, w := range want {
		w.File = "f.avro"
		if rows.Dead[i] != w {
			t.Errorf("letter %d: got %+v, want %+v", i, rows.Dead[i], w)
		}
	}
	// A fault in a column that is not read is none.
	_, rows, err = formattest.ReadAll(t.Context(), Format{}, storeOf(t, "f.avro", data), "f.avro", table.Options{MaxCellBytes: 20, Columns: []string{"id", "b"}})
	if err != nil || len(rows.Dead) != 1 || rows.Dead[0].Row != 5 {
		t.Errorf("without the texts: got dead %+v, error %v, want row 5", rows.Dead, err)
	}
}

// A list that grows out of few bytes stops at the limit of a cell.
func TestListsAreBounded(t *testing.T) {
	schema := `{"type": "array", "items": {"type": "enum", "name": "e", "symbols": ["` + strings.Repeat("A", 60_000) + `"]}}`
	items := 1 << 20 // a byte each, but 60,000 bytes each as text
	b := appendLong(nil, int64(items))
	b = append(append(b, make([]byte, items)...), 0)
	data := withSchema(schema, "null", 1, len(b))
	copy(data[len(data)-syncBytes-len(b):], b)
	_, rows, err := formattest.ReadAll(t.Context(), Format{}, storeOf(t, "f.avro", data), "f.avro", table.Options{})
	if err != nil || len(rows.Dead) != 1 || rows.Dead[0].Rule != RuleCell {
		t.Errorf("got %+v, error %v, want one dead by %s", rows, err, RuleCell)
	}
	// Many such columns stop at the limit of a row.
	var fields []string
	for i := range 2000 {
		name := `"e"`
		if i == 0 {
			name = `{"type": "enum", "name": "e", "symbols": ["` + strings.Repeat("A", 60_000) + `"]}`
		}
		fields = append(fields, fmt.Sprintf(`{"name": "f%d", "type": %s}`, i, name))
	}
	data = withSchema(`{"type": "record", "name": "r", "fields": [`+strings.Join(fields, ",")+`]}`, "null", 3, 6000)
	_, rows, err = formattest.ReadAll(t.Context(), Format{}, storeOf(t, "f.avro", data), "f.avro", table.Options{})
	if err != nil || len(rows.Dead) != 3 || rows.Dead[0].Rule != RuleRow {
		t.Errorf("got %d dead, error %v, want 3 by %s", len(rows.Dead), err, RuleRow)
	}
}

func TestHostile(t *testing.T) {
	flips := 10_000 / 4
	if testing.Short() {
		flips = 100
	}
	for name, codec := range codecs(t) {
		data := made(t, mixedSchema, 7, codec, mixedRows(30)...)
		formattest.Hostile(t, Format{}, formattest.File{Name: name + ".avro", Data: data}, flips)
	}
}

// FuzzRead wants of any bytes: an error, or each record kept or dead, and the same ones from other spans.
func FuzzRead(f *testing.F) {
	for _, codec := range codecs(f) {
		f.Add(made(f, mixedSchema, 7, codec, mixedRows(20)...))
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, field := range []string{`["null", "string"]`, `{"type": "array", "items": ["null", "int"]}`, `{"type": "map", "values": "string"}`, `{"type": "bytes", "logicalType": "decimal", "precision": 4}`} {
		b := withSchema(record(field), "null", 3, 20)
		for i := range 20 {
			b[len(b)-syncBytes-1-i] = byte(rng.IntN(4))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := storeOf(t, "f", data)
		file, whole, err := formattest.ReadAll(context.Background(), Format{}, s, "f", table.Options{})
		if err != nil {
			if strings.Contains(err.Error(), "formattest:") {
				t.Fatal(err)
			}
			return
		}
		if n := int64(len(whole.Kept) + len(whole.Dead)); n != file.Rows {
			t.Fatalf("got %d rows, want %d", n, file.Rows)
		}
		_, cut, err := formattest.ReadAll(context.Background(), Format{}, s, "f", table.Options{SpanBytes: 1, BatchRows: 2})
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(*cut) != fmt.Sprint(*whole) {
			t.Fatalf("in spans of a block: got %+v, want %+v", *cut, *whole)
		}
	})
}
