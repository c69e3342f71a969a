package clean

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/batch"
)

func TestInferTypes(t *testing.T) {
	for _, c := range []struct {
		name   string
		source named
		column Column
		want   string
	}{
		{"integers, nulls ignored", col("x", "1", "", " -2 ", null), Column{}, "int64"},
		{"zero", col("x", "0", "-0"), Column{}, "int64"},
		{"identifiers keep their zeros", col("x", "12", "007"), Column{}, "string"},
		{"identifiers keep their plus", col("x", "+491234"), Column{}, "string"},
		{"numbers", col("x", "1", "2.5", "1e3"), Column{}, "float64"},
		{"fractions below one", col("x", "0.5", "-0.25"), Column{}, "float64"},
		{"NaN among numbers", col("x", "NaN", "2"), Column{}, "float64"},
		{"NaN alone is a word", col("x", "nan", "inf"), Column{}, "string"},
		{"truth", col("x", "True", "false"), Column{}, "bool"},
		{"yes and no are words", col("x", "yes", "no"), Column{}, "string"},
		{"0 and 1 are numbers", col("x", "0", "1"), Column{}, "int64"},
		{"dates", col("x", "2000-01-01", "1999-12-31"), Column{}, "date"},
		{"timestamps", col("x", "2000-01-01 00:00:00", "1999-12-31T00:00:00Z"), Column{}, "timestamp"},
		{"a date among timestamps", col("x", "2000-01-01 00:00:00", "1999-12-31"), Column{}, "string"},
		{"a word among numbers", col("x", "1", "2", "x", "3"), Column{}, "string"},
		{"the first is a word", col("x", "x", "2", "3"), Column{}, "string"},
		{"all null", col("x", "", null), Column{}, "string"},
		{"own nulls", col("x", "?", "2"), Column{Nulls: []string{"?"}}, "int64"},
		{"space kept", col("x", " 1"), Column{KeepSpace: true}, "string"},
		{"a set type stays", col("x", "1"), Column{Type: "string"}, "string"},
		{"a format is a date", col("x", "soon"), Column{Format: "%Y-%m-%d"}, "date"},
		{"a format with hours is a timestamp", col("x", ""), Column{Format: "%Y-%m-%d %H"}, "timestamp"},
		{"a regex is of text", col("x", "12"), Column{Regex: &Regex{Pattern: ".."}}, "string"},
		{"a range of integers", col("x", "12"), Column{Range: &Range{Min: ptr(0.0)}}, "int64"},
		{"a range of anything", col("x", "12", "x"), Column{Range: &Range{Min: ptr(0.0)}}, "float64"},
		{"a domain of words", col("x", "1", "2"), Column{Domain: &Domain{Values: []string{"1", "2", "x"}}}, "string"},
		{"a domain of integers", col("x", "1", "2"), Column{Domain: &Domain{Values: []string{"1", "3"}}}, "int64"},
		{"a typed source", typed(t, "x", arrow.PrimitiveTypes.Int16, "1"), Column{}, "int64"},
		{"a typed source, another type", typed(t, "x", arrow.PrimitiveTypes.Int16, "1"), Column{Type: "string"}, "string"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.column.Name = "x"
			b := table(c.source)
			got, err := Infer(b.Record.Schema(), []*batch.Batch{b}, Spec{Columns: []Column{c.column}}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := c.column
			want.Type = c.want
			if !reflect.DeepEqual(got.Columns, []Column{want}) {
				t.Errorf("got %+v, want %+v", got.Columns, want)
			}
			if _, err := New(got, b.Record.Schema(), Options{}); err != nil {
				t.Errorf("New of the result: %v", err)
			}
		})
	}
}

// describe writes the columns of a spec as "name>rename:type".
func describe(s Spec) string {
	var list []string
	for _, c := range s.Columns {
		list = append(list, fmt.Sprintf("%s>%s:%s", c.Name, c.Rename, c.Type))
	}
	return strings.Join(list, " ")
}

func TestInferColumns(t *testing.T) {
	b := table(col("p0", "1"), col("p1", "2"), col("q0", "1"), col("q1", "x"), col("a{b}", "1.5"), col("z", "z"))
	for _, c := range []struct {
		name string
		spec Spec
		want string
	}{
		{"all", Spec{}, "p0>:int64 p1>:int64 q0>:int64 q1>:string a{{b}}>:float64 z>:string"},
		{"a run of one type stays, one of two parts", Spec{Columns: []Column{{Name: "q{0..1}", Rename: "r{0..1}"}, {Name: "p{0..1}"}}},
			"q0>r0:int64 q1>r1:string p{0..1}>:int64"},
		{"others", Spec{KeepOthers: true, Columns: []Column{{Name: "p{0..1}"}, {Name: "q{0..1}"}}}, "p{0..1}>:int64 q0>:int64 q1>:string a{{b}}>:float64 z>:string"},
	} {
		got, err := Infer(b.Record.Schema(), []*batch.Batch{b}, c.spec, Options{})
		if err != nil || describe(got) != c.want || got.KeepOthers {
			t.Errorf("%s: got %q, %v, want %q", c.name, describe(got), err, c.want)
		}
		again, err := Infer(b.Record.Schema(), nil, got, Options{})
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("%s: inferred again without a sample: got %q, %v", c.name, describe(again), err)
		}
		before, err1 := New(c.spec, b.Record.Schema(), Options{})
		after, err2 := New(got, b.Record.Schema(), Options{})
		if err1 != nil || err2 != nil || fmt.Sprint(before.SourceColumns()) != fmt.Sprint(after.SourceColumns()) {
			t.Errorf("%s: other columns than before: %v, %v", c.name, err1, err2)
		}
	}
}

func TestInferErrors(t *testing.T) {
	b := table(col("speed", "1"))
	for _, c := range []struct {
		name   string
		spec   Spec
		sample *batch.Batch
		want   string
	}{
		{"missing", Spec{Columns: []Column{{Name: "sped"}}}, b, `column "sped": not in the source; did you mean "speed"?`},
		{"invalid", Spec{Columns: []Column{{Name: "speed", Type: "x"}}}, b, "columns[0].type"},
		{"sample of another schema", Spec{}, table(col("y", "1")), `t: column "speed"`},
	} {
		if _, err := Infer(b.Record.Schema(), []*batch.Batch{c.sample}, c.spec, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", c.name, err, c.want)
		}
	}
}

// Columns that nobody needs, such as the label of rows to be scored, need not be there.
func TestInferOnly(t *testing.T) {
	b := table(col("a", "1"), col("b", "2024-05-06"))
	spec := Spec{
		Columns: []Column{{Name: "a"}, {Name: "b"}, {Name: "label"}},
		Derive:  []Derive{{Name: "month", From: "b", As: "month"}, {Name: "tag", From: "label", As: "map", Map: map[string]string{"x": "y"}}},
	}
	got, err := Infer(b.Record.Schema(), []*batch.Batch{b}, spec, Options{Only: []string{"a", "month"}})
	if err != nil || describe(got) != "a>:int64 b>:date" || len(got.Derive) != 1 || got.Derive[0].Name != "month" {
		t.Errorf("got %q deriving %v, %v; want a and b, and month derived", describe(got), got.Derive, err)
	}
	if _, err := Infer(b.Record.Schema(), []*batch.Batch{b}, spec, Options{Only: []string{"tag"}}); err == nil || !strings.Contains(err.Error(), `"label": not in the source`) {
		t.Errorf("got error %v, want the label to be missed where tag needs it", err)
	}
}
