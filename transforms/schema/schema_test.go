package schema

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/transforms/stats"
)

var (
	f64, i64, str = arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String
)

func field(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

// analyze takes in rows of JSON.
func analyze(t testing.TB, o stats.Options, rows string, fields ...arrow.Field) *stats.Analyzer {
	t.Helper()
	s := arrow.NewSchema(fields, nil)
	r, _, err := array.RecordFromJSON(memory.DefaultAllocator, s, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return analyzeRecord(t, o, r)
}

func analyzeRecord(t testing.TB, o stats.Options, r arrow.Record) *stats.Analyzer {
	t.Helper()
	a, err := stats.NewAnalyzer(o, r.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Add(r); err != nil {
		t.Fatal(err)
	}
	return a
}

const ok = `version: 1
columns:
  - name: x
    type: integer
    presence:
      min_fraction: 1
      min_count: 1
  - name: s
    type: string
    presence:
      min_count: 1
    domain:
      - "no"
      - yes, sir
  - name: l
    type: float
    list: true
    presence:
      min_fraction: 1
      min_count: 1
    lengths:
      min: 1
    disallow_nan: true
    disallow_inf: true
  - name: day
    type: date
    unit: d
    presence:
      min_fraction: 1
      min_count: 1
`

func TestInfer(t *testing.T) {
	a := analyze(t, stats.Options{}, `[{"x":1,"s":"yes, sir","l":[1,2],"day":"2020-01-01"},{"x":2,"s":"no","l":[0.5],"day":"2020-01-02"},{"x":2,"l":[0],"day":"2020-01-02"}]`,
		field("x", i64), field("s", str), field("l", arrow.ListOf(f64)), field("day", arrow.FixedWidthTypes.Date32))
	s, err := Infer(a, InferOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if string(data) != ok {
		t.Errorf("got\n%swant\n%s", data, ok)
	}
	again, err := Parse(data, "schema.yaml")
	if err != nil || !reflect.DeepEqual(again, s) {
		t.Errorf("does not read back: %v\n%+v\n%+v", err, again, s)
	}
	report, err := s.Check(a, CheckOptions{Previous: a, Training: a})
	if err != nil || len(report.Anomalies) != 0 || len(report.Drift) != 4 || len(report.Skew) != 4 {
		t.Errorf("the table itself: got %+v, %v", report, err)
	}
	s, err = Infer(a, InferOptions{MaxDomain: 1, Ranges: true})
	if err != nil || len(s.Column("s").Domain) != 0 || *s.Column("x").Range.Max != 2 || *s.Column("day").Range.Min != 18262 {
		t.Errorf("got %+v, %v", s, err)
	}
}

func TestParseErrors(t *testing.T) {
	column := func(rest string) string { return "version: 1\ncolumns:\n  - name: x\n    type: string\n" + rest }
	for _, c := range []struct{ text, want string }{
		{"", "s.yaml:1:1: the schema file is empty"},
		{"version: 2\ncolumns: []\n", "s.yaml:1:10: version: 2, want 1"},
		{"version: 1\ncolums: []\n", "s.yaml:2:1: colums: unknown key; did you mean columns?"},
		{"version: 1\nversion: 1\n", `s.yaml:2:1: mapping key "version" already defined at [1:1]`},
		{"version: one\n", `s.yaml:1:10: version: want a whole number, got "one"`},
		{"version: 1\ncolumns:\n  - name: x\n    type: text\n", `s.yaml:4:11: columns[0].type: "text", want one of`},
		{column("    range: {min: 3}\n"), "s.yaml:5:13: columns[0].range: applies to numbers and times only"},
		{column("    domain: [a, b, a]\n"), `s.yaml:5:20: columns[0].domain[2]: "a" is there twice`},
		{column("    domian: [a]\n"), "s.yaml:5:5: columns[0].domian: unknown key; did you mean domain?"},
		{column("    presence: {min_fraction: 1.5}\n"), "s.yaml:5:30: columns[0].presence.min_fraction: 1.5, want 0 to 1"},
		{column("    unique: {min: 5, max: 2}\n"), "s.yaml:5:19: columns[0].unique.min: 5 is above max 2"},
		{column("    severity: fatal\n"), `s.yaml:5:15: columns[0].severity: "fatal", want error or warning`},
		{column("    drift:\n      ks: 0.1\n"), "s.yaml:6:11: columns[0].drift.ks: applies to numbers and times only"},
		{column("  - name: x\n    type: integer\n"), `s.yaml:5:11: columns[1].name: "x" is the name of columns[0] too`},
		{"version: 1\ncolumns: &a []\n", "s.yaml:2:10: anchors"},
		{"version: 1\n---\nversion: 1\n", "s.yaml:3:1: a second YAML document"},
		{"version: [1\n", "s.yaml:1:"},
	} {
		_, err := Parse([]byte(c.text), "s.yaml")
		var file *FileError
		if !errors.As(err, &file) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: got %v want %s", c.text, err, c.want)
		}
	}
}

// TestRoundTrip: any text can be a name or a value.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	words := []string{"", " ", "yes", "no", "null", "~", "1", "1.0", "1e3", "0x10", "-", "- a", "a: b", "a #b", "#", "'", `"`, "\\", "a\nb", "\n", "tab\t", "é", "日本", "{", "[a]", "&a", "*a", "!t", "|", ">", "%", "@", "`", "?", "? a", ":", "2001-01-01", "true", ".inf", "\u0000", "\u0085", "\u2028", "\ufeff", "a ", " a", "\r", "a\r\nb", "<<", "=", "---", "...", "\u007f", "0b1", "1_000", "12:30"}
	for trial := range 300 {
		word := func() string {
			w := words[r.IntN(len(words))]
			for r.IntN(3) == 0 {
				w += words[r.IntN(len(words))]
			}
			return w
		}
		s := &Schema{Version: 1, Rows: &Rows{Min: ptr[int64](3), MaxRatio: ptr(r.Float64() * 1e9)}, Drift: &Thresholds{KS: ptr(1e-8)}}
		for range 1 + r.IntN(4) {
			c := Column{Name: word() + fmt.Sprint(len(s.Columns)), Type: stats.TypeString, MinDomainMass: ptr(r.Float64())}
			for range 1 + r.IntN(6) {
				if w := word(); !slices.Contains(c.Domain, w) {
					c.Domain = append(c.Domain, w)
				}
			}
			s.Columns = append(s.Columns, c, Column{Name: word() + "n" + fmt.Sprint(len(s.Columns)), Type: stats.TypeFloat, Range: &Range{Min: ptr(-r.ExpFloat64() * 1e20), Max: ptr(r.Float64())}})
		}
		data, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(data, "s.yaml")
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Fatalf("trial %d: %v\n%s\ngot %+v\nwant %+v", trial, err, data, got, s)
		}
	}
}
