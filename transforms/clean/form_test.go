package clean

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
)

func TestNumberFormat(t *testing.T) {
	us := &Number{Thousands: ",", Prefixes: []string{"$", "US$"}, Suffixes: []string{"USD"}, Percent: true, Parentheses: true}
	eu := &Number{Decimal: ",", Thousands: ".", Suffixes: []string{"€"}}
	fr := &Number{Decimal: ",", Thousands: " "}
	const no = math.MaxFloat64 // stands for a misfit
	for _, c := range []struct {
		format *Number
		text   string
		want   float64
	}{
		{us, "1234.5", 1234.5}, {us, "1,234.5", 1234.5}, {us, "12,345,678", 12345678}, {us, ".5", 0.5}, {us, "5.", 5},
		{us, "$1,234.50", 1234.5}, {us, "-$3", -3}, {us, "$-3", -3}, {us, "$ 3", 3}, {us, "US$ 3", 3}, {us, "3 USD", 3}, {us, "$3USD", 3},
		{us, "(3.25)", -3.25}, {us, "($1,000)", -1000}, {us, "12.5%", 0.125}, {us, "12.5 %", 0.125}, {us, "-1e2%", -1}, {us, "1.5e3", 1500},
		{us, "+7", 7}, {us, "0.1%", 0.001}, {us, "-0", math.Copysign(0, -1)},
		{us, "1,23", no}, {us, "1234,567", no}, {us, ",123", no}, {us, "1,,234", no}, {us, "1,234,5", no}, {us, "1.234,5", no}, {us, "1,2345", no},
		{us, "--3", no}, {us, "-$-3", no}, {us, "(-3)", no}, {us, "$", no}, {us, "%", no}, {us, "", no}, {us, "3 EUR", no}, {us, "3%%", no}, {us, "(3", no},
		{us, "1e", no}, {us, "1e99999", no}, {us, strings.Repeat("1", 65), no}, {us, "1 234", no}, {us, "NaN", no}, {us, "0x10", no}, {us, "1_0", no},
		{eu, "1.234,5 €", 1234.5}, {eu, "1234,5€", 1234.5}, {eu, "1.5", no}, {eu, "1.500", 1500}, {eu, "12%", no}, {eu, "(1)", no}, {eu, "€1", no},
		{fr, "1 234 567,8", 1234567.8}, {fr, "1\u00a0234", 1234}, {fr, "1\u202f234,5", 1234.5}, {fr, "12 34", no},
	} {
		f, err := compileNumber(c.format)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := f.parseFloat(c.text)
		if !ok {
			got = no
		}
		if math.Float64bits(got) != math.Float64bits(c.want) {
			t.Errorf("%+v: %q is %v, want %v", *c.format, c.text, got, c.want)
		}
	}
}

// A number is read without taking memory.
func TestNumberFormatAllocations(t *testing.T) {
	f, err := compileNumber(&Number{Decimal: ",", Thousands: ".", Suffixes: []string{"€"}})
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { f.parseFloat("-1.234.567,25 €"); f.parseInt("1.234") }); n != 0 {
		t.Errorf("%v allocations a number, want none", n)
	}
}

func TestDeclaredForms(t *testing.T) {
	for _, c := range []struct {
		name   string
		column Column
		cells  []string
		want   string // kept
		dead   string // rows
	}{
		{"integers with groups", Column{Type: "int64", Number: &Number{Thousands: ","}}, []string{"1,000", "-2,000,000", "1,0", "3.0"}, "1000 -2000000", "3 4"},
		{"a number without a type is a float64", Column{Number: &Number{Decimal: ","}}, []string{"1,5", "1.5"}, "1.5", "2"},
		{"words of a bool", Column{Bool: &BoolWords{True: []string{"ja", "Ü"}, False: []string{"nein"}}}, []string{"JA", "ü", "Nein", "yes", "1"}, "true true false", "4 5"},
		{"dates tried in order", Column{Type: "date", Formats: []string{"%d.%m.%Y", "iso", "%m/%d/%Y"}}, []string{"1.2.2003", "2003-02-01", "2/1/2003", "13/1/2003"},
			"2003-02-01 2003-02-01 2003-02-01", "4"},
		{"the first that fits reads it", Column{Formats: []string{"%d/%m/%Y", "%m/%d/%Y"}}, []string{"1/2/2003", "1/31/2003"}, "2003-02-01 2003-01-31", ""},
		{"a format with a time makes a timestamp", Column{Formats: []string{"%Y%m%d", "%Y%m%d %H:%M"}}, []string{"20030201", "20030201 4:05"},
			"2003-02-01T00:00:00Z 2003-02-01T04:05:00Z", ""},
		{"domain in the column's form", Column{Type: "float64", Number: &Number{Decimal: ","}, Domain: &Domain{Values: []string{"1,5"}}}, []string{"1,5", "1,6"}, "1.5", "2"},
		{"text comes first", Column{Type: "int64", Text: &Text{Normalize: "nfkc"}}, []string{"１２", "12"}, "12 12", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.column.Name = "x"
			r := cleaned(t, Spec{Columns: []Column{c.column}}, table(col("x", c.cells...)), Options{})
			if got := shown(t, r.Kept, "x"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			var rows []string
			for _, l := range r.Dead {
				rows = append(rows, fmt.Sprint(l.Row))
			}
			if got := strings.Join(rows, " "); got != c.dead {
				t.Errorf("dead: got rows %q, want %q", got, c.dead)
			}
		})
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		name       string
		text       Text
		cell, want string
	}{
		{"nfc", Text{Normalize: "nfc"}, "e\u0301", "é"},
		{"nfd", Text{Normalize: "nfd"}, "é", "e\u0301"},
		{"nfkc", Text{Normalize: "nfkc"}, "ﬁ①", "fi1"},
		{"nfc leaves compatibility characters", Text{Normalize: "nfc"}, "ﬁ①", "ﬁ①"},
		{"nfkd", Text{Normalize: "nfkd"}, "ｱﾊﾟ", "アハ\u309a"},
		{"lower", Text{Case: "lower"}, "ÀB ΣΑΣ", "àb σας"}, // the last sigma is another letter
		{"upper", Text{Case: "upper"}, "straße", "STRASSE"},
		{"fold", Text{Case: "fold"}, "Straße STRASSE", "strasse strasse"},
		{"fold ASCII", Text{Case: "fold"}, "ABC xyz", "abc xyz"},
		{"fold, then nfc again", Text{Normalize: "nfc", Case: "fold"}, "İ", "i\u0307"},
		{"space", Text{CollapseSpace: true}, " a\t\tb \u00a0\u3000c\n", "a b c"},
		{"even space", Text{CollapseSpace: true}, "a b c", "a b c"},
		{"no-break blanks of nfkc are trimmed", Text{Normalize: "nfkc"}, "\u00a0a\u00a0", "a"},
		{"all", Text{Normalize: "nfkc", Case: "upper", CollapseSpace: true}, "ﬁ  x", "FI X"},
	} {
		t.Run(c.name, func(t *testing.T) {
			column := Column{Name: "x", Type: "string", Text: &c.text}
			r := cleaned(t, Spec{Columns: []Column{column}}, table(col("x", c.cell, c.want, null, c.cell)), Options{})
			if got, want := shown(t, r.Kept, "x"), strings.Join([]string{c.want, c.want, null, c.want}, " "); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
	spec := Spec{Nulls: []string{"", "na"}, Columns: []Column{{Name: "x", Type: "string", Text: &Text{Case: "lower"}}}}
	r := cleaned(t, spec, table(typed(t, "x", arrow.BinaryTypes.Binary, "TkE=", "/0E=")), Options{}) // "NA", "\xffA"
	if got := shown(t, r.Kept, "x"); got != null || len(r.Dead) != 1 || r.Dead[0].Value != `\xffA` {
		t.Errorf("got %q and letters %+v, want one null, and the damaged text as it was", got, r.Dead)
	}
}

func TestLength(t *testing.T) {
	for _, c := range []struct {
		rule Length
		want string
	}{
		{Length{Min: ptr(2)}, "éé abc ééé éééé"},
		{Length{Max: ptr(2)}, " a é éé"},
		{Length{Min: ptr(3), Max: ptr(4), Unit: "bytes"}, "éé abc"},
		{Length{Min: ptr(1), Max: ptr(3), Unit: "runes"}, "a é éé abc ééé"},
	} {
		for _, action := range []Action{Dead, Drop} {
			c.rule.Action = action
			spec := Spec{Nulls: []string{"-"}, Columns: []Column{{Name: "x", Type: "string", Length: &c.rule}}}
			r := cleaned(t, spec, table(col("x", "", "a", "é", "éé", "abc", "ééé", "éééé")), Options{})
			if got := shown(t, r.Kept, "x"); got != c.want {
				t.Errorf("%+v: got %q, want %q", c.rule, got, c.want)
			}
			if n := r.Dropped["x.length"] + int64(len(r.Dead)); n != int64(7-r.Kept.NumRows()) {
				t.Errorf("%+v: %d rows by the rule x.length, want all that are gone", c.rule, n)
			}
		}
	}
}

func TestFormErrors(t *testing.T) {
	for _, c := range []struct {
		column Column
		want   string
	}{
		{Column{Number: &Number{Decimal: ";;"}}, "columns[0].number.decimal"},
		{Column{Number: &Number{Thousands: "5"}}, "columns[0].number.thousands"},
		{Column{Number: &Number{Thousands: "."}}, "columns[0].number.thousands"},
		{Column{Number: &Number{Prefixes: []string{""}}}, "columns[0].number.prefixes"},
		{Column{Number: &Number{Suffixes: []string{"m2"}}}, "columns[0].number.suffixes"},
		{Column{Type: "string", Number: &Number{}}, "columns[0].number"},
		{Column{Type: "int64", Number: &Number{Percent: true}}, "columns[0].number.percent"},
		{Column{Bool: &BoolWords{True: []string{"a"}}}, "columns[0].bool"},
		{Column{Bool: &BoolWords{True: []string{"a"}, False: []string{"A"}}}, "columns[0].bool.false[0]"},
		{Column{Type: "date", Bool: &BoolWords{True: []string{"a"}, False: []string{"b"}}}, "columns[0].bool"},
		{Column{Formats: []string{"iso", "%q"}}, "columns[0].formats[1]"},
		{Column{Formats: []string{"iso"}, Format: "%Y-%j"}, "columns[0].formats"},
		{Column{Formats: []string{"iso"}, Number: &Number{}}, "columns[0].number"},
		{Column{Text: &Text{}}, "columns[0].text"},
		{Column{Text: &Text{Normalize: "nfx"}}, "columns[0].text.normalize"},
		{Column{Text: &Text{Case: "title"}}, "columns[0].text.case"},
		{Column{Type: "string", Text: &Text{Case: "lower"}, Domain: &Domain{Values: []string{"a", "B"}}}, "columns[0].domain.values[1]"},
		{Column{Length: &Length{}}, "columns[0].length"},
		{Column{Length: &Length{Min: ptr(-1)}}, "columns[0].length.min"},
		{Column{Length: &Length{Min: ptr(2), Max: ptr(1)}}, "columns[0].length"},
		{Column{Length: &Length{Min: ptr(2), Unit: "words"}}, "columns[0].length.unit"},
		{Column{Type: "date", Length: &Length{Min: ptr(2)}}, "columns[0].length"},
	} {
		c.column.Name = "x"
		err := Spec{Columns: []Column{c.column}}.Validate()
		if all := fielderr.All(err); len(all) != 1 || all[0].Path != c.want {
			t.Errorf("%+v: got %v, want one error at %s", c.column, err, c.want)
		}
	}
	source := table(col("x", "1")).Record.Schema() // a type that only the source tells
	_, err := New(Spec{Columns: []Column{{Name: "x", Length: &Length{Max: ptr(1)}, Range: &Range{Max: ptr(1.0)}}}}, source, Options{})
	if all := fielderr.All(err); len(all) != 1 || all[0].Path != "columns[0].length" {
		t.Errorf("a length of a number: got %v", err)
	}
}
