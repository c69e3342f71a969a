package expression

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/expr-lang/expr"
)

var kinds = map[string]Kind{"i": Int64, "j": Int64, "f": Float64, "g": Float64, "s": String, "t": String, "b": Bool, "c": Bool,
	"d": Date, "e": Date, "u": Timestamp, "w": Timestamp, "a name": Int64}

// A row has 2.5 in f, 3 in i and so on; the last row has nulls only.
var rowsOf = map[string]*Vector{
	"i":      {Kind: Int64, Ints: []int64{3, -7, math.MaxInt64, 0}},
	"j":      {Kind: Int64, Ints: []int64{2, 0, 1, 0}},
	"f":      {Kind: Float64, Floats: []float64{2.5, -1.5, 1e308, 0}},
	"g":      {Kind: Float64, Floats: []float64{0.5, 0, 1e308, 0}},
	"s":      {Kind: String, Texts: []string{"Abc", "éa", " x ", ""}},
	"t":      {Kind: String, Texts: []string{"b", "é", "y", ""}},
	"b":      {Kind: Bool, Ints: []int64{1, 0, 1, 0}},
	"c":      {Kind: Bool, Ints: []int64{1, 1, 0, 0}},
	"d":      {Kind: Date, Ints: []int64{0, 19782, -1, 0}}, // 1970-01-01, 2024-02-29, 1969-12-31
	"e":      {Kind: Date, Ints: []int64{1, 19783, math.MaxInt32, 0}},
	"u":      {Kind: Timestamp, Ints: []int64{0, 19782*microsPerDay + 3661500000, -1, 0}},
	"w":      {Kind: Timestamp, Ints: []int64{1_000_000, 0, 0, 0}},
	"a name": {Kind: Int64, Ints: []int64{1, 2, 3, 0}},
}

const testRows = 4

func init() {
	for _, v := range rowsOf {
		v.Valid = []byte{0b0111}
	}
}

// shown is a result as text, a null as "-".
func shown(v *Vector, n int) string {
	list := make([]string, n)
	for i := range list {
		switch {
		case v.IsNull(i):
			list[i] = "-"
		case v.Kind == String:
			list[i] = v.Texts[i]
		case v.Kind == Float64:
			list[i] = fmt.Sprint(v.Floats[i])
		case v.Kind == Bool:
			list[i] = fmt.Sprint(v.Ints[i] == 1)
		default:
			list[i] = fmt.Sprint(v.Ints[i])
		}
	}
	return strings.Join(list, "|")
}

func evaluated(t testing.TB, text string) *Vector {
	t.Helper()
	p, err := Compile(text, kinds)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	columns := make([]*Vector, len(p.Columns()))
	for i, name := range p.Columns() {
		columns[i] = rowsOf[name]
	}
	v := p.Eval(testRows, columns)
	if v.Kind != p.Kind() {
		t.Errorf("%s: a %v, want %v", text, v.Kind, p.Kind())
	}
	return v
}

func TestEval(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"i + j", "5|-7|-|-"}, {"i - j", "1|-7|9223372036854775806|-"}, {"i * j", "6|0|9223372036854775807|-"}, {"i * 2", "6|-14|-|-"},
		{"i / j", "1.5|-|9.223372036854776e+18|-"}, {"i % 2", "1|-1|1|-"}, {"i % j", "1|-|0|-"}, {"-i", "-3|7|-9223372036854775807|-"}, {"-f", "-2.5|1.5|-1e+308|-"},
		{"f + g", "3|-1.5|-|-"}, {"f * g", "1.25|-0|-|-"}, {"f / g", "5|-|1|-"}, {"i + f", "5.5|-8.5|1e+308|-"}, {"f - 1", "1.5|-2.5|1e+308|-"},
		{"i > j", "true|false|true|-"}, {"i >= 3", "true|false|true|-"}, {"i < 3.5", "true|true|false|-"}, {"i == 3", "true|false|false|-"},
		{"f != -1.5", "true|false|true|-"}, {"s < t", "true|false|true|-"}, {"s == \"Abc\"", "true|false|false|-"}, {"b == c", "true|false|false|-"},
		{"1 < i <= 3", "true|false|false|-"},
		{"b && c", "true|false|false|-"}, {"b || c", "true|true|true|-"}, {"!b", "false|true|false|-"}, {"not (b and c)", "false|true|true|-"},
		{"b && i == nil", "false|false|false|-"}, {"i == nil", "false|false|false|true"}, {"nil != i", "true|true|true|false"},
		{"false && b", "false|false|false|false"}, {"true || b", "true|true|true|true"}, {"b && false", "false|false|false|false"}, {"b || true", "true|true|true|true"},
		{"true && b", "true|false|true|-"}, {"b or false", "true|false|true|-"},
		{"i in [3, -7]", "true|true|false|-"}, {"i in [2.5, 3]", "true|false|false|-"}, {"s in [\"Abc\"]", "true|false|false|-"}, {"i not in 1..5", "false|true|true|-"},
		{"j in 1..i", "true|false|true|-"}, {"i in [1,2,4,5,6,7,8,9,10,3]", "true|false|false|-"}, {"d in [\"1970-01-01\"]", "true|false|false|-"}, {"b in [true]", "true|false|true|-"},
		{"b ? i : j", "3|0|9223372036854775807|-"}, {"i > 0 ? f : i", "2.5|-7|1e+308|-"}, {"b ? nil : i", "-|-7|-|-"}, {"true ? i : nil", "3|-7|9223372036854775807|-"},
		{"b ? s : \"no\"", "Abc|no| x |-"}, {"if b { 1 } else { 2 }", "1|2|1|-"},
		{"i ?? 5", "3|-7|9223372036854775807|5"}, {"i ?? f ?? 1.5", "3|-7|9.223372036854776e+18|1.5"}, {"s ?? \"none\"", "Abc|éa| x |none"}, {"nil ?? i", "3|-7|9223372036854775807|-"},
		{"s contains \"b\"", "true|false|false|-"}, {"s contains t", "true|true|false|-"}, {"s startsWith \"é\"", "false|true|false|-"}, {"s endsWith \"a\"", "false|true|false|-"},
		{"s matches \"^[A-Z]\"", "true|false|false|-"}, {"s not contains \"b\"", "false|true|true|-"}, {"s + t", "Abcb|éaé| x y|-"},
		{"len(s)", "3|2|3|-"}, {"lower(s)", "abc|éa| x |-"}, {"upper(s)", "ABC|ÉA| X |-"}, {"trim(s)", "Abc|éa|x|-"},
		{"abs(i)", "3|7|9223372036854775807|-"}, {"abs(f)", "2.5|1.5|1e+308|-"}, {"floor(f)", "2|-2|1e+308|-"}, {"ceil(f)", "3|-1|1e+308|-"}, {"round(f)", "3|-2|1e+308|-"}, {"round(i)", "3|-7|9223372036854775807|-"},
		{"sqrt(f * f)", "2.5|1.5|-|-"}, {"sqrt(f)", "1.5811388300841898|-|1e+154|-"},
		{"min(i, j, 1)", "1|-7|1|-"}, {"max(i, 2.75)", "3|2.75|9.223372036854776e+18|-"}, {"max(1, 2.5, j)", "2.5|2.5|2.5|-"}, {"max(s, t)", "b|éa|y|-"}, {"min(d, e)", "0|19782|-1|-"}, {"min(d, \"1970-01-01\")", "0|0|-1|-"},
		{"int(f)", "2|-1|-|-"}, {"int(b)", "1|0|1|-"}, {"float(i)", "3|-7|9.223372036854776e+18|-"}, {"float(b) / 2", "0.5|0|0.5|-"}, {"string(i)", "3|-7|9223372036854775807|-"}, {"string(b) + s", "trueAbc|falseéa|true x |-"},
		{"year(d)", "1970|2024|1969|-"}, {"month(d)", "1|2|12|-"}, {"day(d)", "1|29|31|-"}, {"weekday(d)", "4|4|3|-"}, {"hour(u)", "0|1|23|-"}, {"year(u)", "1970|2024|1969|-"},
		{"date(u)", "0|19782|-1|-"}, {"date(u) == d", "true|true|true|-"}, {"e - d", "1|1|2147483648|-"}, {"d + 1", "1|19783|0|-"}, {"e + 1", "2|19784|-|-"}, {"1 + d", "1|19783|0|-"}, {"d - 1", "-1|19781|-2|-"},
		{"w - u", "1|-1.7091684615e+09|1e-06|-"}, {"d >= \"1970-01-01\"", "true|true|false|-"}, {"\"2024-02-29T01:01:01.5Z\" <= u", "false|true|false|-"}, {"u < \"1970-01-01\"", "false|false|true|-"},
		{"date(\"1970-01-02\") - d", "1|-19781|2|-"},
		{"$env[\"a name\"] + 1", "2|3|4|-"}, {"1 + 2 * 3", "7|7|7|7"}, {"b", "true|false|true|-"}, {"-0.0 + 0", "0|0|0|0"}, {"- -3", "3|3|3|3"}, {"+f", "2.5|-1.5|1e+308|-"},
	} {
		if got := shown(evaluated(t, c.text), testRows); got != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got, c.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "unexpected token"}, {"i +", "unexpected token"}, {"(i", "unexpected token"}, {"nil", "always nil"}, {"nil == nil", "== takes no nil and nil"},
		{"k + 1", `at character 1: no column "k"; did you mean`}, {"i + sqr(2)", "at character 5: no function sqr; did you mean sqrt?"}, {"i + s", "+ takes no int64 and string"},
		{"b < c", "< takes no bool and bool"}, {"b && i", "&& takes no bool and int64"}, {"-s", "- takes no string"}, {"!i", "! takes no int64"}, {"i ** 2", "the operator ** is not supported"},
		{"d + d", "+ takes no date and date"}, {"d < u", "< takes no date and timestamp"}, {"d < \"soon\"", "< takes no date and string"}, {"d == \"2024-01-01T00:00:00Z\"", "== takes no date and string"}, {"d * 2", "* takes no date and int64"}, {"2 - d", "- takes no int64 and date"},
		{"i in [j]", "a list for int64 holds constants"}, {"i in [\"a\"]", "a list for int64 holds constants"}, {"i in []", "an empty list"}, {"nil in [1]", "a list for nil"}, {"f in 1..2", "a range is for int64"}, {"i in j", "in wants a list"},
		{"i ? 1 : 2", "a condition is a bool, got int64"}, {"b ? 1 : \"a\"", "of one type, got int64 and string"}, {"b ? nil : nil", "of one type"}, {"i ?? s", "?? takes no int64 and string"},
		{"s matches t", "a constant pattern"}, {"s matches \"(\"", "missing closing )"}, {"len(i)", "len takes a text, got (int64)"}, {"len(s, t)", "len takes a text, got (string, string)"}, {"max(i)", "max takes two or more"}, {"max(b, c)", "max takes"},
		{"now()", "no function now"}, {"map([1], # + 1)", "no function map"}, {"[1, 2]", "is not supported"}, {"let x = 1; x", "is not supported"}, {"i.x", "is not supported"}, {"{\"a\": 1}", "is not supported"}, {"hour(d)", "hour takes a timestamp"},
		{"abs()", "abs takes a number"}, {"date(i)", "date takes a timestamp or date, got (int64)"}, {strings.Repeat("i+", 9000) + "i", "bytes, want at most"}, {nested(20), "more than 4096 operations"},
	} {
		_, err := Compile(c.text, kinds)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.40s: got error %v, want one with %q", c.text, err, c.want)
		}
	}
}

// nested is an expression whose middles are written once and computed twice, at each depth.
func nested(depth int) string {
	text := "i"
	for range depth {
		text = "(1 < " + text + " < 3 ? 1 : 2)"
	}
	return text
}

func TestNames(t *testing.T) {
	got, err := Names(`b ? i + $env["a name"] : len(s) + max(i, other)`)
	if want := "[b i a name s other]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v, want %s", got, err, want)
	}
	if _, err := Names("1 +"); err == nil {
		t.Error("half an expression: no error")
	}
}

func TestFalse(t *testing.T) {
	v := &Vector{Kind: Bool, Ints: []int64{0, 1, 0, 0}, Valid: []byte{0b1011}}
	if got := fmt.Sprint(False(v, 4)); got != "[0 3]" {
		t.Errorf("got rows %s, want [0 3]: row 2 is null", got)
	}
}

// FuzzCompile compiles any text, and evaluates what it can, without a panic.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{"i + j > 2", "b ? s : t", "min(i, f, 3) in [1, 2.5]", "$env[\"a name\"]", "1 < i < 3", "d - \"2020-01-01\"", "s matches \"a\" ?? b", "let x = 1; x", "{a: 1}.a", "#", "i in 1..j", "if b { 1 } else { 2 }"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Compile(text, kinds)
		if err != nil {
			return
		}
		columns := make([]*Vector, len(p.Columns()))
		for i, name := range p.Columns() {
			columns[i] = rowsOf[name]
		}
		v := p.Eval(testRows, columns)
		if got := len(v.Ints) + len(v.Floats) + len(v.Texts); got != testRows {
			t.Fatalf("%q: %d values, want %d", text, got, testRows)
		}
	})
}

// BenchmarkEval compares a rule by columns with the library's own interpreter,
// which takes a row at a time.
func BenchmarkEval(b *testing.B) {
	const n = 4096
	const rule = `tip >= 0 && tip <= 0.5 * fare && (miles > 0 || fare < 5)`
	names := []string{"tip", "fare", "miles"}
	columns := map[string]*Vector{}
	for c, name := range names {
		v := &Vector{Kind: Float64, Floats: make([]float64, n)}
		for i := range v.Floats {
			v.Floats[i] = float64((i*7+c)%30) / 2
		}
		columns[name] = v
	}
	rate := func(b *testing.B) { b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e6, "Mrows/s") }
	b.Run("impl=columns", func(b *testing.B) {
		p, err := Compile(rule, map[string]Kind{"tip": Float64, "fare": Float64, "miles": Float64})
		if err != nil {
			b.Fatal(err)
		}
		list := make([]*Vector, len(p.Columns()))
		for i, name := range p.Columns() {
			list[i] = columns[name]
		}
		b.ReportAllocs()
		for b.Loop() {
			p.Eval(n, list)
		}
		rate(b)
	})
	b.Run("impl=interpreter", func(b *testing.B) {
		type row struct {
			Tip   float64 `expr:"tip"`
			Fare  float64 `expr:"fare"`
			Miles float64 `expr:"miles"`
		}
		p, err := expr.Compile(rule, expr.Env(row{}), expr.AsBool())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			for i := range n {
				if _, err := expr.Run(p, row{columns["tip"].Floats[i], columns["fare"].Floats[i], columns["miles"].Floats[i]}); err != nil {
					b.Fatal(err)
				}
			}
		}
		rate(b)
	})
}
