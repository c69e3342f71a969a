package clean

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
)

// TestRules holds one rule a case. dead lists "row:rule=value".
func TestRules(t *testing.T) {
	unit := &Range{Min: ptr(0.0), Max: ptr(1.0)}
	for _, c := range []struct {
		name    string
		column  Column
		source  named
		kept    string
		dead    string
		dropped map[string]int64
	}{
		{"text is trimmed, empty is null", Column{}, col("x", " a ", "", "  ", "b c", null), "a <null> <null> b c <null>", "", nil},
		{"space kept: only the empty text is null", Column{KeepSpace: true}, col("x", " a", "", " "), " a <null>  ", "", nil},
		{"own null texts replace the empty one", Column{Nulls: []string{"NA", "?"}}, col("x", "NA ", "?", "na", ""), "<null> <null> na ", "", nil},
		{"no null texts", Column{Nulls: []string{}, Type: "int64"}, col("x", "1", ""), "1", "2:x.type=", nil},
		{"text to int64", Column{Type: "int64"}, col("x", "1", " -2", "+3", "12.0", "0x1", "1_0", "9223372036854775808", "1e3"), "1 -2 3",
			"4:x.type=12.0 5:x.type=0x1 6:x.type=1_0 7:x.type=9223372036854775808 8:x.type=1e3", nil},
		{"text to float64", Column{Type: "float64"}, col("x", "1", "1e3", "-.5", "0x1p2", "1_0", "a", "NaN", "-inf", "1e999"), "1 1000 -0.5",
			"4:x.type=0x1p2 5:x.type=1_0 6:x.type=a 7:x.finite=NaN 8:x.finite=-inf 9:x.finite=1e999", nil},
		{"not finite to null", Column{Type: "float64", OnTypeError: Null}, col("x", "NaN", "z", "2"), "<null> <null> 2", "", nil},
		{"text to bool", Column{Type: "bool"}, col("x", "TRUE", "f", "Yes", "no", "1", "0", "y"), "true false true false true false", "7:x.type=y", nil},
		{"text to date", Column{Type: "date"}, col("x", "2000-02-29", "1900-02-29", "2000-2-9"), "2000-02-29", "2:x.type=1900-02-29 3:x.type=2000-2-9", nil},
		{"text to date by format", Column{Type: "date", Format: "%m/%d/%y"}, col("x", "2/29/00", "12/31/69", "13/1/00"), "2000-02-29 1969-12-31", "3:x.type=13/1/00", nil},
		{"type error dropped", Column{Type: "int64", OnTypeError: Drop}, col("x", "1", "a", "b"), "1", "", map[string]int64{"x.type": 2}},
		{"not UTF-8", Column{}, col("x", "a", "b\xff"), "a", `2:x.type=b\xff`, nil},
		{"range of float64, bounds in", Column{Type: "float64", Range: unit}, col("x", "0", "1", "-0.1", "1.1", ""), "0 1 <null>", "3:x.range=-0.1 4:x.range=1.1", nil},
		{"range of int64 rounds inwards", Column{Type: "int64", Range: &Range{Min: ptr(0.5), Max: ptr(2.5)}}, col("x", "0", "1", "2", "3"), "1 2", "1:x.range=0 4:x.range=3", nil},
		{"range to null", Column{Type: "int64", Range: &Range{Max: ptr(5.0), Action: Null}}, col("x", "5", "6"), "5 <null>", "", nil},
		{"domain after trimming", Column{Domain: &Domain{Values: []string{"a", "b"}}}, col("x", "a", " b", "B", ""), "a b <null>", "3:x.domain=B", nil},
		{"domain of numbers is by value", Column{Type: "float64", Domain: &Domain{Values: []string{"1.0", "2"}}}, col("x", "1", "2.00", "3"), "1 2", "3:x.domain=3", nil},
		{"domain of int64", Column{Type: "int64", Domain: &Domain{Values: []string{"1"}, Action: Drop}}, col("x", "01", "2"), "1", "", map[string]int64{"x.domain": 1}},
		{"regex is of the whole text", Column{Regex: &Regex{Pattern: "a|ab"}}, col("x", "ab", "a", "abc", "xa", "a\n"), "ab a a", "3:x.regex=abc 4:x.regex=xa", nil},
		{"regex knows no lines", Column{KeepSpace: true, Regex: &Regex{Pattern: "a"}}, col("x", "a\n"), "", `1:x.regex=a\n`, nil},
		{"required", Column{Required: &Required{}}, col("x", "a", "", null), "a", "2:x.required= 3:x.required=", nil},
		{"required dropped", Column{Required: &Required{Action: Drop}}, col("x", "a", ""), "a", "", map[string]int64{"x.required": 1}},
		{"required comes after null actions", Column{Type: "int64", OnTypeError: Null, Range: &Range{Min: ptr(0.0), Action: Null}, Required: &Required{}},
			col("x", "1", "a", "-1"), "1", "2:x.required=a 3:x.required=-1", nil},
		{"rules are named after the rename", Column{Rename: "y", Type: "int64"}, col("x", "a"), "", "1:y.type=a", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.column.Name = "x"
			r := cleaned(t, Spec{Columns: []Column{c.column}}, table(c.source), Options{})
			if got := shown(t, r.Kept, r.Kept.Record.ColumnName(0)); got != c.kept {
				t.Errorf("kept: got %q, want %q", got, c.kept)
			}
			if got := deaths(r); got != c.dead {
				t.Errorf("dead: got %q, want %q", got, c.dead)
			}
			if !maps.Equal(r.Dropped, c.dropped) {
				t.Errorf("dropped: got %v, want %v", r.Dropped, c.dropped)
			}
		})
	}
}

func deaths(r *Result) string {
	list := make([]string, len(r.Dead))
	for i, l := range r.Dead {
		list[i] = fmt.Sprintf("%d:%s=%s", l.Row, l.Rule, l.Value)
	}
	return strings.Join(list, " ")
}

// TestConversions turns typed sources into each type that they can become.
func TestConversions(t *testing.T) {
	ns := &arrow.TimestampType{Unit: arrow.Nanosecond}
	s := &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}
	for _, c := range []struct {
		name   string
		source named
		to     string
		kept   string
		dead   int
	}{
		{"int8", typed(t, "x", arrow.PrimitiveTypes.Int8, "-5", null), "", "-5 <null>", 0},
		{"uint64 too large", typed(t, "x", arrow.PrimitiveTypes.Uint64, "7", "9223372036854775808"), "int64", "7", 1},
		{"int64 to float64, exactly or not at all", typed(t, "x", arrow.PrimitiveTypes.Int64, "9007199254740992", "9007199254740993", "9223372036854775807"), "float64", "9.007199254740992e+15", 2},
		{"int64 to bool", typed(t, "x", arrow.PrimitiveTypes.Int64, "0", "1", "2"), "bool", "false true", 1},
		{"int64 to string", typed(t, "x", arrow.PrimitiveTypes.Int64, "-1"), "string", "-1", 0},
		{"float32 widens", typed(t, "x", arrow.PrimitiveTypes.Float32, "0.5", null), "", "0.5 <null>", 0},
		{"float64 to int64 if integral", typed(t, "x", arrow.PrimitiveTypes.Float64, "3", "3.5", "-0", "1e19", "NaN", null), "int64", "3 0 <null>", 3},
		{"float64 to string", typed(t, "x", arrow.PrimitiveTypes.Float64, "0.1", "1e21"), "string", "0.1 1e+21", 0},
		{"not finite", typed(t, "x", arrow.PrimitiveTypes.Float64, "1", "NaN", "+Inf"), "", "1", 2},
		{"bool to int64", typed(t, "x", arrow.FixedWidthTypes.Boolean, "true", "false", null), "int64", "1 0 <null>", 0},
		{"bool to string", typed(t, "x", arrow.FixedWidthTypes.Boolean, "true"), "string", "true", 0},
		{"date to timestamp", typed(t, "x", arrow.FixedWidthTypes.Date32, "1969-12-31"), "timestamp", "1969-12-31T00:00:00Z", 0},
		{"date64", typed(t, "x", arrow.FixedWidthTypes.Date64, "1969-12-31"), "", "1969-12-31", 0},
		{"timestamp to date rounds down", typed(t, "x", s, "1969-12-31 23:59:59"), "date", "1969-12-31", 0},
		{"nanoseconds round down", typed(t, "x", ns, "1969-12-31 23:59:59.999999999"), "", "1969-12-31T23:59:59.999999Z", 0},
		{"timestamp to string", typed(t, "x", s, "2001-02-03 04:05:06"), "string", "2001-02-03T04:05:06Z", 0},
		{"binary is text", typed(t, "x", arrow.BinaryTypes.Binary, "aGk="), "", "hi", 0},
		{"large text", typed(t, "x", arrow.BinaryTypes.LargeString, " 7 "), "int64", "7", 0},
		{"nulls without a type", typed(t, "x", arrow.Null, null, null), "float64", "<null> <null>", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := cleaned(t, Spec{Columns: []Column{{Name: "x", Type: c.to}}}, table(c.source), Options{})
			if got := shown(t, r.Kept, "x"); got != c.kept {
				t.Errorf("kept: got %q, want %q", got, c.kept)
			}
			if len(r.Dead) != c.dead {
				t.Errorf("dead: got %q, want %d", deaths(r), c.dead)
			}
		})
	}
}

func TestDictionaryIsText(t *testing.T) {
	dt := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: arrow.BinaryTypes.String}
	b := array.NewDictionaryBuilder(memory.DefaultAllocator, dt).(*array.BinaryDictionaryBuilder)
	for _, s := range []string{"b", " a", "b"} {
		if err := b.AppendString(s); err != nil {
			t.Fatal(err)
		}
	}
	b.AppendNull()
	spec := Spec{Columns: []Column{{Name: "x", Domain: &Domain{Values: []string{"a"}}}}}
	r := cleaned(t, spec, table(named{"x", b.NewArray()}), Options{})
	if got, want := shown(t, r.Kept, "x"), "a <null>"; got != want {
		t.Errorf("kept: got %q, want %q", got, want)
	}
	if got, want := deaths(r), "1:x.domain=b 3:x.domain=b"; got != want {
		t.Errorf("dead: got %q, want %q", got, want)
	}
}

// TestFirstRule has rows that fail several rules: the first of the first
// column of the spec counts, whatever the order of the source.
func TestFirstRule(t *testing.T) {
	spec := Spec{Columns: []Column{
		{Name: "b", Type: "int64", Range: &Range{Min: ptr(0.0), Action: Drop}, Domain: &Domain{Values: []string{"1", "2"}}},
		{Name: "a", Required: &Required{}},
	}}
	b := table(col("a", "", "", "", "x", "x"), col("b", "-1", "5", "z", "-1", "1"))
	r := cleaned(t, spec, b, Options{})
	if got, want := deaths(r), "2:b.domain=5 3:b.type=z"; got != want {
		t.Errorf("dead: got %q, want %q", got, want)
	}
	if got, want := r.Dropped["b.range"], int64(2); got != want {
		t.Errorf("dropped: got %v, want b.range: %d", r.Dropped, want)
	}
	if got, want := r.Kept.Rows, []int64{5}; !slices.Equal(got, want) {
		t.Errorf("rows kept: got %v, want %v", got, want)
	}
}

func TestLetter(t *testing.T) {
	long := strings.Repeat("é", deadletter.MaxValueBytes)
	b := table(col("Speed (kn)", " fast ", long))
	b.Rows = []int64{41, 47}
	r := cleaned(t, Spec{Columns: []Column{{Name: "Speed (kn)", Rename: "speed", Type: "int64"}}}, b, Options{})
	want := deadletter.Letter{File: "t", Row: 41, Rule: "speed.type", Column: "Speed (kn)", Value: " fast ", Reason: "want an integer"}
	if r.Dead[0] != want {
		t.Errorf("got %+v, want %+v", r.Dead[0], want)
	}
	if got := r.Dead[1]; got.Row != 47 || len(got.Value) != deadletter.MaxValueBytes {
		t.Errorf("got row %d and %d bytes of value, want 47 and %d", got.Row, len(got.Value), deadletter.MaxValueBytes)
	}
}

func TestNulled(t *testing.T) {
	spec := Spec{Columns: []Column{{Name: "x", Type: "int64", OnTypeError: Null, Range: &Range{Max: ptr(1.0), Action: Null}}}}
	r := cleaned(t, spec, table(col("x", "a", "b", "7", "1")), Options{})
	if want := map[string]int64{"x.type": 2, "x.range": 1}; !maps.Equal(r.Nulled, want) {
		t.Errorf("got %v, want %v", r.Nulled, want)
	}
}

func TestColumnsAndOrder(t *testing.T) {
	b := table(col("c", "1"), col("a", "2"), col("p1", "3"), col("p0", "4"))
	for _, c := range []struct {
		name   string
		spec   Spec
		only   []string
		schema []string // names of the output
		source []string // columns to read
	}{
		{"all", Spec{}, nil, []string{"c", "a", "p1", "p0"}, []string{"c", "a", "p1", "p0"}},
		{"listed, in the spec's order", Spec{Columns: []Column{{Name: "p{0..1}", Rename: "q{1..2}"}, {Name: "c"}}}, nil, []string{"q1", "q2", "c"}, []string{"c", "p1", "p0"}},
		{"others last", Spec{Columns: []Column{{Name: "a", Rename: "z"}}, KeepOthers: true}, nil, []string{"z", "c", "p1", "p0"}, []string{"c", "a", "p1", "p0"}},
		{"one source twice", Spec{Columns: []Column{{Name: "a"}, {Name: "a", Rename: "b"}}}, nil, []string{"a", "b"}, []string{"a"}},
		{"only, with what it derives from", Spec{Columns: []Column{{Name: "a"}, {Name: "gone"}, {Name: "c"}}, Derive: []Derive{
			{Name: "d", From: "c", As: "map", Map: map[string]string{"1": "one"}},
			{Name: "e", From: "d", As: "map", Map: map[string]string{"one": "uno"}}}},
			[]string{"e", "a"}, []string{"a", "e"}, []string{"c", "a"}},
		{"only among all", Spec{}, []string{"a"}, []string{"a"}, []string{"a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl, err := New(c.spec, b.Record.Schema(), Options{Only: c.only})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range cl.Schema().Fields() {
				got = append(got, f.Name)
			}
			if !slices.Equal(got, c.schema) {
				t.Errorf("schema: got %q, want %q", got, c.schema)
			}
			if got := cl.SourceColumns(); !slices.Equal(got, c.source) {
				t.Errorf("source columns: got %q, want %q", got, c.source)
			}
			if r, err := cl.Clean(b); err != nil || r.Kept.NumRows() != 1 {
				t.Errorf("Clean: got %v, %v", r, err)
			}
		})
	}
}

func TestOnlySkipsOtherRules(t *testing.T) {
	spec := Spec{Columns: []Column{{Name: "label", Required: &Required{}}, {Name: "x", Type: "int64"}}}
	r := cleaned(t, spec, table(col("x", "1", "z")), Options{Only: []string{"x"}})
	if got, want := deaths(r), "2:x.type=z"; got != want || r.Kept.NumRows() != 1 {
		t.Errorf("got %q and %d rows, want %q and 1", got, r.Kept.NumRows(), want)
	}
}

// TestUnchangedIsShared says that a column without a fault costs no copy.
func TestUnchangedIsShared(t *testing.T) {
	b := table(typed(t, "i", arrow.PrimitiveTypes.Int64, "1", null), col("s", "a", "b"), typed(t, "n", arrow.PrimitiveTypes.Int16, "1", "2"))
	r := cleaned(t, Spec{}, b, Options{})
	for i, want := range []bool{true, true, false} { // int16 is widened
		if got := r.Kept.Record.Column(i).Data() == b.Record.Column(i).Data(); got != want {
			t.Errorf("column %d shared: got %v, want %v", i, got, want)
		}
	}
}

func TestSourceIsNotWritten(t *testing.T) {
	b := table(col("s", " a ", "", "c"), typed(t, "f", arrow.PrimitiveTypes.Float64, "1", "NaN", "3"), typed(t, "i", arrow.PrimitiveTypes.Int64, "1", "2", null))
	want := fmt.Sprint(b.Record)
	spec := Spec{Columns: []Column{
		{Name: "s", Domain: &Domain{Values: []string{"a"}, Action: Null}},
		{Name: "f", OnTypeError: Null},
		{Name: "i", Range: &Range{Max: ptr(1.0), Action: Null}},
	}}
	r := cleaned(t, spec, b, Options{})
	if got, want := shown(t, r.Kept, "i"), "1 <null> <null>"; got != want {
		t.Errorf("kept: got %q, want %q", got, want)
	}
	if got := fmt.Sprint(b.Record); got != want {
		t.Errorf("the source changed: got %s, want %s", got, want)
	}
}

// TestCuts says that any cut of the rows into batches, sliced with an offset
// into the same memory, gives the same rows and letters.
func TestCuts(t *testing.T) {
	whole := randomTable(t, 200)
	want := cleaned(t, randomSpec, whole, Options{})
	for _, size := range []int{1, 7, 8, 9, 64, 199} {
		var keptRows []int64
		var dead []deadletter.Letter
		var text []string
		for at := 0; at < whole.NumRows(); at += size {
			r := cleaned(t, randomSpec, batch.Slice(whole, at, min(at+size, whole.NumRows())), Options{})
			keptRows = append(keptRows, r.Kept.Rows...)
			dead = append(dead, r.Dead...)
			if r.Kept.NumRows() > 0 {
				text = append(text, shown(t, r.Kept, "i"))
			}
		}
		if !slices.Equal(keptRows, want.Kept.Rows) || !slices.Equal(dead, want.Dead) {
			t.Errorf("batches of %d: other rows or letters", size)
		}
		if got, want := strings.Join(text, " "), shown(t, want.Kept, "i"); got != want {
			t.Errorf("batches of %d: got %q, want %q", size, got, want)
		}
	}
}

func TestNewErrors(t *testing.T) {
	source := table(col("speed", "1"), col("state", "x"), typed(t, "n", arrow.PrimitiveTypes.Int64, "1"),
		typed(t, "d", arrow.FixedWidthTypes.Date32, "2000-01-01")).Record.Schema()
	odd := arrow.NewSchema([]arrow.Field{{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int8)}}, nil)
	twice := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}, {Name: "a", Type: arrow.PrimitiveTypes.Int8}}, nil)
	for _, c := range []struct {
		name   string
		spec   Spec
		source *arrow.Schema
		only   []string
		want   string
	}{
		{"missing", Spec{Columns: []Column{{Name: "sped"}}}, source, nil, `columns[0].name: column "sped": not in the source; did you mean "speed"?`},
		{"missing in a run", Spec{Columns: []Column{{Name: "n"}, {Name: "stat{1..2}"}}}, source, nil, `columns[1].name: column "stat1": not in the source; did you mean "state"?`},
		{"no way to the type", Spec{Columns: []Column{{Name: "n", Type: "date"}}}, source, nil, `columns[0].type: column "n": type int64, cannot become date`},
		{"range on text", Spec{Columns: []Column{{Name: "d", Range: &Range{Min: ptr(0.0)}}}}, source, nil, "a range is for int64 and float64, the type is date"},
		{"regex on a number", Spec{Columns: []Column{{Name: "n", Regex: &Regex{Pattern: "a"}}}}, source, nil, "a regex is for string, the type is int64"},
		{"domain of another type", Spec{Columns: []Column{{Name: "n", Domain: &Domain{Values: []string{"1", "b"}}}}}, source, nil, `the value "b" is no int64`},
		{"rename collides with others", Spec{Columns: []Column{{Name: "speed", Rename: "state"}}, KeepOthers: true}, source, nil, `column "state" is made of source columns "speed" and "state"; rename one`},
		{"derived collides", Spec{Derive: []Derive{{Name: "n", From: "d", As: "year"}}}, source, nil, `derive[0].name: there is a column "n" already`},
		{"derive from nothing", Spec{Derive: []Derive{{Name: "m", From: "dd", As: "year"}}}, source, nil, `derive[0].from: column "dd": not cleaned, or derived only later; did you mean "d"?`},
		{"derive from another type", Spec{Derive: []Derive{{Name: "m", From: "n", As: "year"}}}, source, nil, `derive[0].from: column "n": type int64, want date or timestamp for as: year`},
		{"nested type", Spec{}, odd, nil, `column "l": type list<item: int8, nullable> is not supported`},
		{"two source columns of one name", Spec{Columns: []Column{{Name: "a"}}}, twice, nil, "the source has 2 columns of that name"},
		{"only what is not made", Spec{Columns: []Column{{Name: "speed"}}}, source, []string{"seed"}, `column "seed": not made by the clean section; did you mean "speed"?`},
		{"invalid spec", Spec{Columns: []Column{{Name: "speed", Type: "int"}}}, source, nil, "did you mean int64?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(c.spec, c.source, Options{Only: c.only})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestCleanErrors(t *testing.T) {
	good := table(col("x", "1"))
	c, err := New(Spec{}, good.Record.Schema(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	uneven := *good
	uneven.Rows = nil
	for _, b := range []struct {
		name string
		b    *batch.Batch
		want string
	}{
		{"column missing", table(col("y", "1")), `clean: t: column "x"`},
		{"other type", table(typed(t, "x", arrow.PrimitiveTypes.Int64, "1")), `clean: t: column "x": type int64, want utf8`},
		{"row numbers missing", &uneven, "a record of 1 rows with 0 row numbers"},
	} {
		if _, err := c.Clean(b.b); err == nil || !strings.Contains(err.Error(), b.want) {
			t.Errorf("%s: got %v, want %q in it", b.name, err, b.want)
		}
	}
}

func TestNoRows(t *testing.T) {
	r := cleaned(t, randomSpec, batch.Slice(randomTable(t, 1), 0, 0), Options{})
	if r.Kept.NumRows() != 0 || len(r.Dead) != 0 {
		t.Errorf("got %d rows kept and %d dead", r.Kept.NumRows(), len(r.Dead))
	}
}

// TestSpecIsJSON holds the spec's wire form: nil and empty lists differ.
func TestSpecIsJSON(t *testing.T) {
	got := throughJSON(t, randomSpec)
	if !reflect.DeepEqual(got, randomSpec) {
		t.Errorf("got %+v, want %+v", got, randomSpec)
	}
}
