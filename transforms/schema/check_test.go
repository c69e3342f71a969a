package schema

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/transforms/stats"
)

func parse(t testing.TB, columns string) *Schema {
	t.Helper()
	s, err := Parse([]byte("version: 1\n"+columns), "s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAnomalies: each row breaks one rule, and the description says by how much.
func TestAnomalies(t *testing.T) {
	list := arrow.ListOf(i64)
	for _, c := range []struct {
		name, schema, rows string
		typ                arrow.DataType
		kind               Kind
		says               string
	}{
		{"fine", "{name: x, type: integer, presence: {min_fraction: 1, min_count: 2}, range: {min: 1, max: 2}, unique: {min: 2, max: 2}}", `[{"x":1},{"x":2}]`, i64, "", ""},
		{"no rows", "{name: x, type: integer}", `[]`, i64, NoData, "no rows"},
		{"new", "{name: y, type: integer}", `[{"x":1}]`, i64, NewColumn, "column of type integer"},
		{"missing column", "{name: y, type: integer, presence: {min_count: 1}}, {name: x, type: integer}", `[{"x":1}]`, i64, MissingColumn, "not"},
		{"optional column", "{name: y, type: integer}, {name: x, type: integer}", `[{"x":1}]`, i64, "", ""},
		{"skipped", "{name: x, type: string, skip: true}", `[{"x":1}]`, i64, "", ""},

		{"integer for float", "{name: x, type: float}", `[{"x":1}]`, i64, NotFloat, "is integer, want float"},
		{"float for integer", "{name: x, type: integer}", `[{"x":1.5}]`, f64, IntExpected, "is float, want integer"},
		{"integer for text", "{name: x, type: string}", `[{"x":1}]`, i64, StringNowInt, ""},
		{"float for text", "{name: x, type: string}", `[{"x":1.5}]`, f64, StringNowFloat, ""},
		{"integer for a domain", "{name: x, type: string, domain: [a]}", `[{"x":1}]`, i64, EnumInt, ""},
		{"float for a domain", "{name: x, type: string, domain: [a]}", `[{"x":1.5}]`, f64, EnumFloat, ""},
		{"bytes for a domain", "{name: x, type: string, domain: [a]}", `[{"x":"YQ=="}]`, arrow.BinaryTypes.Binary, EnumBytes, ""},
		{"bytes for text", "{name: x, type: string}", `[{"x":"YQ=="}]`, arrow.BinaryTypes.Binary, UnexpectedType, "binary, want string"},
		{"text for bool", "{name: x, type: bool}", `[{"x":"true"}]`, str, BoolString, ""},
		{"bytes for bool", "{name: x, type: bool}", `[{"x":"YQ=="}]`, arrow.BinaryTypes.Binary, BoolBytes, ""},
		{"float for bool", "{name: x, type: bool}", `[{"x":1}]`, f64, BoolFloat, ""},
		{"0 and 1 for bool", "{name: x, type: bool}", `[{"x":0},{"x":1}]`, i64, "", ""},
		{"2 for bool", "{name: x, type: bool}", `[{"x":0},{"x":2}]`, i64, BoolBigInt, "largest value is 2"},
		{"-1 for bool", "{name: x, type: bool}", `[{"x":-1},{"x":1}]`, i64, BoolSmallInt, "smallest value is -1"},
		{"date for timestamp", "{name: x, type: timestamp, unit: us}", `[{"x":"2020-01-01"}]`, arrow.FixedWidthTypes.Date32, UnexpectedType, "date in d, want timestamp in us"},
		{"lists", "{name: x, type: integer}", `[{"x":[1,2]}]`, list, UnexpectedLists, "up to 2 values"},
		{"no lists", "{name: x, type: integer, list: true}", `[{"x":1}]`, i64, NoLists, ""},

		{"all null", "{name: x, type: integer, presence: {min_count: 1}}", `[{"x":null}]`, i64, NotPresent, "All 1 rows"},
		{"all null, allowed", "{name: x, type: integer}", `[{"x":null}]`, i64, "", ""},
		{"few present", "{name: x, type: integer, presence: {min_count: 2}}", `[{"x":1},{"x":null}]`, i64, LowCount, "in 1 rows, want at least 2"},
		{"fraction", "{name: x, type: integer, presence: {min_fraction: 0.8}}", `[{"x":1},{"x":null},{"x":1},{"x":1}]`, i64, LowFraction, "1 of 4 rows, so that a share of 0.75 has it, want at least 0.8"},
		{"empty list", "{name: x, type: integer, list: true, lengths: {min: 1}}", `[{"x":[]},{"x":[1]}]`, list, NoValues, "1 lists are empty"},
		{"short list", "{name: x, type: integer, list: true, lengths: {min: 2}}", `[{"x":[1]}]`, list, FewValues, "1 values, want at least 2"},
		{"long list", "{name: x, type: integer, list: true, lengths: {max: 1}}", `[{"x":[1,2]}]`, list, ManyValues, "2 values, want at most 1"},
		{"few distinct", "{name: x, type: integer, unique: {min: 2}}", `[{"x":1},{"x":1}]`, i64, LowUnique, "1 distinct"},
		{"many distinct", "{name: x, type: string, unique: {max: 1}}", `[{"x":"a"},{"x":"b"}]`, str, HighUnique, "2 distinct"},

		{"domain", "{name: x, type: string, domain: [a]}", `[{"x":"a"},{"x":"b"},{"x":"c"},{"x":"c"}]`, str, UnexpectedValues, `3 of 4 values, a share of 0.75, are outside of the domain, want at most 0: "c" (50 %), "b" (25 %)`},
		{"domain mass", "{name: x, type: string, domain: [a], min_domain_mass: 0.5}", `[{"x":"a"},{"x":"b"}]`, str, "", ""},
		{"big integer", "{name: x, type: integer, range: {max: 5}}", `[{"x":6}]`, i64, BigInt, "is 6, want at most 5"},
		{"small integer", "{name: x, type: integer, range: {min: 5}}", `[{"x":4}]`, i64, SmallInt, "is 4, want at least 5"},
		{"big float", "{name: x, type: float, range: {max: 0.5}}", `[{"x":0.75}]`, f64, BigFloat, "is 0.75, want at most 0.5"},
		{"small float", "{name: x, type: float, range: {min: 0.5}}", `[{"x":0.25}]`, f64, SmallFloat, "0.25"},
		{"early date", "{name: x, type: date, unit: d, range: {min: 18262}}", `[{"x":"2019-12-31"}]`, arrow.FixedWidthTypes.Date32, SmallInt, "is 2019-12-31, want at least 2020-01-01"},
	} {
		s := parse(t, "columns: ["+c.schema+"]\n")
		report, err := s.Check(analyze(t, stats.Options{}, c.rows, field("x", c.typ)), CheckOptions{})
		if err != nil {
			t.Fatal(err)
		}
		checkOne(t, c.name, report.Anomalies, c.kind, c.says)
	}
}

// checkOne wants one anomaly, or none of kind "". (The tests of other columns
// than x find x new.)
func checkOne(t *testing.T, name string, got []Anomaly, kind Kind, says string) {
	t.Helper()
	if kind == "" {
		if len(got) != 0 {
			t.Errorf("%s: got %+v want no anomaly", name, got)
		}
		return
	}
	if len(got) != 1 || got[0].Kind != kind || !strings.Contains(got[0].Description, says) || got[0].Short == "" {
		t.Errorf("%s: got %+v want one %s that says %q", name, got, kind, says)
	}
}

func floatColumn(values ...float64) arrow.Record {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues(values, nil)
	return array.NewRecord(arrow.NewSchema([]arrow.Field{field("x", f64)}, nil), []arrow.Array{b.NewArray()}, int64(len(values)))
}

func TestNotFinite(t *testing.T) {
	s := parse(t, "columns: [{name: x, type: float, disallow_nan: true, disallow_inf: true}]")
	zero := 0.
	report, err := s.Check(analyzeRecord(t, stats.Options{}, floatColumn(1, zero/zero, 1/zero, -1/zero, -1/zero)), CheckOptions{})
	if err != nil || len(report.Anomalies) != 2 || report.Anomalies[0].Kind != HasNaN || report.Anomalies[1].Kind != HasInf {
		t.Fatalf("got %+v, %v", report, err)
	}
	if got, want := report.Anomalies[1].Description, "3 values are infinite, 2 of them negative."; got != want {
		t.Errorf("got %q want %q", got, want)
	}
}

func TestInvalidUTF8(t *testing.T) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.Append("a\xff")
	r := array.NewRecord(arrow.NewSchema([]arrow.Field{field("x", str)}, nil), []arrow.Array{b.NewArray()}, 1)
	report, err := parse(t, "columns: [{name: x, type: string}]").Check(analyzeRecord(t, stats.Options{}, r), CheckOptions{})
	if err != nil {
		t.Fatal(err)
	}
	checkOne(t, "invalid UTF-8", report.Anomalies, InvalidUTF8, "1 values")
}

func TestRows(t *testing.T) {
	ten, four := floatColumn(make([]float64, 10)...), floatColumn(make([]float64, 4)...)
	for _, c := range []struct {
		rows        string
		table, past arrow.Record
		kind        Kind
		says        string
	}{
		{"{min: 4, max: 4, min_ratio: 0.4, max_ratio: 0.4}", four, ten, "", ""},
		{"{min: 5}", four, nil, FewRows, "4 rows, want at least 5"},
		{"{max: 3}", four, nil, ManyRows, "4 rows, want at most 3"},
		{"{min_ratio: 0.5}", four, ten, FewerRows, "0.4 times the 10 before"},
		{"{max_ratio: 2}", ten, four, MoreRows, "2.5 times the 4 before"},
	} {
		var o CheckOptions
		if c.past != nil {
			o.Previous = analyzeRecord(t, stats.Options{}, c.past)
		}
		report, err := parse(t, "rows: "+c.rows+"\ncolumns: [{name: x, type: float}]").Check(analyzeRecord(t, stats.Options{}, c.table), o)
		if err != nil {
			t.Fatal(err)
		}
		checkOne(t, c.rows, report.Anomalies, c.kind, c.says)
	}
}

// TestDrift: shares of a, b are ½ ½ before, ¼ ¾ now: L-infinity ¼.
func TestDrift(t *testing.T) {
	past := analyze(t, stats.Options{}, `[{"x":"a","n":1},{"x":"b","n":2}]`, field("x", str), field("n", i64))
	now := analyze(t, stats.Options{}, `[{"x":"a","n":1},{"x":"b","n":2},{"x":"b","n":2},{"x":"b","n":2}]`, field("x", str), field("n", i64))
	none := analyze(t, stats.Options{}, `[{"x":null,"n":1}]`, field("x", str), field("n", i64))
	other := analyze(t, stats.Options{}, `[{"x":1,"n":1}]`, field("x", i64), field("n", i64))
	for _, c := range []struct {
		name, rules string
		o           CheckOptions
		table       *stats.Analyzer
		kind        Kind
		says        string
	}{
		{"below", "drift: {l_infinity: 0.25, psi: 0.3, jensen_shannon: 0.05}", CheckOptions{Previous: past}, now, "", ""},
		{"no data before", "drift: {l_infinity: 0.1}", CheckOptions{}, now, "", ""},
		{"L-infinity", "drift: {l_infinity: 0.24}", CheckOptions{Previous: past}, now, LInfinityHigh, `For drift: the L-infinity distance is 0.25, want at most 0.24; the share of "a" changed most`},
		{"Jensen-Shannon", "skew: {jensen_shannon: 0.04}", CheckOptions{Training: past}, now, JensenShannonHigh, "For skew: the Jensen-Shannon divergence is 0.0487"},
		{"PSI", "drift: {psi: 0.2}", CheckOptions{Previous: past}, now, PSIHigh, "index is 0.274653"}, // ¼ ln 2 … = ¼ ln 3
		{"nothing before", "drift: {psi: 0.2}", CheckOptions{Previous: none}, now, ControlMissing, "no values"},
		{"another type before", "drift: {psi: 0.2}", CheckOptions{Previous: other}, now, ControlMissing, "type integer there"},
		{"warning", "severity: warning, drift: {psi: 0.2}", CheckOptions{Previous: past}, now, PSIHigh, ""},
	} {
		report, err := parse(t, "columns: [{name: x, type: string, "+c.rules+"}, {name: n, type: integer}]").Check(c.table, c.o)
		if err != nil {
			t.Fatal(err)
		}
		checkOne(t, c.name, report.Anomalies, c.kind, c.says)
		if c.name == "warning" && (report.Count(Warning) != 1 || report.Count(Error) != 0) {
			t.Errorf("got %+v want a warning", report.Anomalies)
		}
	}
	// Thresholds of all columns apply where they can: KS to n only.
	report, err := parse(t, "drift: {ks: 0.2, l_infinity: 1}\ncolumns: [{name: x, type: string}, {name: n, type: integer}]").Check(now, CheckOptions{Previous: past})
	if err != nil {
		t.Fatal(err)
	}
	checkOne(t, "all columns", report.Anomalies, KSHigh, "distance is 0.25")
	if report.Anomalies[0].Column != "n" || len(report.Drift) != 2 {
		t.Errorf("got %+v", report)
	}
}

func TestTooManyTexts(t *testing.T) {
	var rows []string
	for i := range 50 {
		rows = append(rows, fmt.Sprintf(`{"x":"v%d"}`, i))
	}
	a := analyze(t, stats.Options{MaxDistinct: 8}, "["+strings.Join(rows, ",")+"]", field("x", str))
	report, err := parse(t, "columns: [{name: x, type: string, domain: [v1], drift: {psi: 0.2}}]").Check(a, CheckOptions{Previous: a})
	if err != nil || len(report.Anomalies) != 2 || report.Anomalies[0].Kind != UnexpectedValues || report.Anomalies[1].Kind != NotMeasured {
		t.Fatalf("got %+v, %v", report, err)
	}
	if _, err := report.Encode(); err != nil || report.Count(Warning) != 1 {
		t.Errorf("got %v, %d warnings want 1", err, report.Count(Warning))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(ok))
	f.Add([]byte("version: 1\ncolumns: [{name: x, type: string, domain: [a]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data, "s.yaml")
		if err != nil {
			return
		}
		text, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(text, "s.yaml")
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if twice, err := again.Encode(); err != nil || !bytes.Equal(twice, text) {
			t.Fatalf("got\n%s\nwant\n%s%v", twice, text, err)
		}
	})
}
