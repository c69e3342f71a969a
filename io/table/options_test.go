package table

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
)

func schema(names ...string) *arrow.Schema {
	var fields []arrow.Field
	for _, n := range names {
		fields = append(fields, arrow.Field{Name: n, Type: arrow.BinaryTypes.String})
	}
	return arrow.NewSchema(fields, nil)
}

func TestWithDefaults(t *testing.T) {
	got, err := Options{MaxCellBytes: 7, Delimiter: ";"}.WithDefaults()
	want := Options{BatchRows: 4096, SpanBytes: 8 << 20, MaxCellBytes: 7, Delimiter: ";"}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, error %v, want %+v", got, err, want)
	}
	for _, o := range []Options{{BatchRows: -1}, {SpanBytes: -1}, {MaxCellBytes: -1}} {
		if _, err := o.WithDefaults(); err == nil {
			t.Errorf("%+v: no error, want one: negative", o)
		}
	}
}

func TestSelect(t *testing.T) {
	s := schema("a", "b", "twice", "twice", "c")
	for _, tt := range []struct {
		columns []string
		want    string // indices, or a part of the error
	}{
		{nil, "[0 1 2 3 4]"},
		{[]string{}, "[0 1 2 3 4]"},
		{[]string{"c", "a"}, "[0 4]"},
		{[]string{"b", "b"}, "[1]"},
		{[]string{"twice"}, "2 columns of that name"},
		{[]string{"B"}, `no column "B": the file has "a", "b", "twice", "twice", "c"`},
	} {
		idx, err := Select(s, tt.columns)
		if err != nil && !strings.Contains(err.Error(), tt.want) || err == nil && fmt.Sprint(idx) != tt.want {
			t.Errorf("Select(%q): got %v, error %v, want %s", tt.columns, idx, err, tt.want)
		}
	}
	if got := Project(s, []int{0, 4}); got.NumFields() != 2 || got.Field(1).Name != "c" {
		t.Errorf("Project: got %v, want a and c", got)
	}
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprintf("c%d", i))
	}
	if _, err := Select(schema(many...), []string{"x"}); err == nil || !strings.HasSuffix(err.Error(), `"c19" and 10 more`) {
		t.Errorf("got error %v, want it to stop after 20 names", err)
	}
}

func TestJSONWithDefaults(t *testing.T) {
	got, err := JSON{MaxColumns: 7}.WithDefaults()
	if want := (JSON{FlattenDepth: 8, MaxColumns: 7}); err != nil || got != want {
		t.Errorf("got %+v, error %v, want %+v", got, err, want)
	}
	for _, o := range []JSON{{FlattenDepth: -1}, {MaxColumns: -1}} {
		if _, err := o.WithDefaults(); err == nil {
			t.Errorf("%+v: no error, want one: negative", o)
		}
	}
}
