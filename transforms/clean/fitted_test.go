package clean

import (
	"fmt"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
)

func TestOutlierActions(t *testing.T) {
	for _, c := range []struct {
		kind   string
		action Action
		want   string
		left   string // rows that left
	}{
		{"float64", Dead, "1 2 " + null, "[3 5]"}, {"float64", Drop, "1 2 " + null, "[]"},
		{"float64", Null, "1 2 " + null + " " + null + " " + null, "[]"}, {"float64", Clip, "1 2 2.5 " + null + " 0.5", "[]"},
		{"int64", Dead, "1 2 " + null, "[3 5]"}, {"int64", Clip, "1 2 2 " + null + " 1", "[]"},
	} {
		spec := Spec{
			Columns: []Column{{Name: "x", Type: c.kind, Outliers: &Outliers{Method: ZScore, Action: c.action}}},
			Fitted:  &Fitted{Columns: map[string]FittedColumn{"x": {Low: ptr(0.5), High: ptr(2.5)}}},
		}
		source := map[string]arrow.DataType{"float64": arrow.PrimitiveTypes.Float64, "int64": arrow.PrimitiveTypes.Int64}[c.kind]
		b := table(typed(t, "x", source, "1", "2", "30", null, "-4"))
		r := cleaned(t, throughJSON(t, spec), b, Options{})
		if got := shown(t, r.Kept, "x"); got != c.want {
			t.Errorf("%s, %s: got %q, want %q", c.kind, c.action, got, c.want)
		}
		rows := []int64{}
		for _, l := range r.Dead {
			if rows = append(rows, l.Row); l.Rule != "x.outliers" || l.Reason != "want 0.5 to 2.5: what lies beyond is an outlier by z_score, k 3" {
				t.Errorf("got letter %+v", l)
			}
		}
		if got := fmt.Sprint(rows); got != c.left || c.action == Drop && r.Dropped["x.outliers"] != 2 {
			t.Errorf("%s, %s: got dead rows %s and %v dropped, want %s", c.kind, c.action, got, r.Dropped, c.left)
		}
		if got := shown(t, b, "x"); got != "1 2 30 "+null+" -4" {
			t.Errorf("%s, %s: the source was written to: %s", c.kind, c.action, got)
		}
	}
}

func TestRareTexts(t *testing.T) {
	column := Column{Name: "x", Type: "string", Rare: &Rare{MinCount: 2}, Domain: &Domain{Values: []string{"a", "b", "c", "d"}}}
	spec := Spec{Columns: []Column{column}, Fitted: &Fitted{Columns: map[string]FittedColumn{"x": {Common: []string{"a", "c"}}}}}
	b := table(col("x", "a", "a", "b", "c", null, "d", "a"))
	if got, want := shown(t, cleaned(t, spec, b, Options{}).Kept, "x"), "a a other c "+null+" other a"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	spec.Columns[0].Rare.Other = "*"
	spec.Fitted.Columns["x"] = FittedColumn{}
	if got, want := shown(t, cleaned(t, spec, b, Options{}).Kept, "x"), "* * * * "+null+" * *"; got != want {
		t.Errorf("nothing is common: got %q, want %q", got, want)
	}
}

// Rules that need statistics wait for them; the cleaner says which there are.
func TestFits(t *testing.T) {
	spec := Spec{Columns: []Column{
		{Name: "p{0..1}", Type: "float64", Outliers: &Outliers{Method: IQR}},
		{Name: "s", Rename: "word", Type: "string", Rare: &Rare{TopK: 3}},
		{Name: "q", Type: "int64"},
	}}
	b := table(col("p0", "1", "1000"), col("p1", "1", "1000"), col("s", "a", "b"), col("q", "1", "2"))
	c, err := New(spec, b.Record.Schema(), Options{Only: []string{"p1", "q", "word"}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range c.Fits() {
		names = append(names, f.Column)
	}
	if got := fmt.Sprint(names); got != "[p1 word]" {
		t.Errorf("got columns %s to be fitted, want [p1 word]", got)
	}
	if r := cleaned(t, spec, b, Options{}); r.Kept.NumRows() != 2 {
		t.Errorf("not fitted: %d rows kept, want both", r.Kept.NumRows())
	}
	spec.Fitted = &Fitted{Columns: map[string]FittedColumn{"p0": {}, "word": {}}}
	if _, err := New(spec, b.Record.Schema(), Options{}); err == nil {
		t.Error("a column that was not fitted: no error")
	}
}

func TestFitErrors(t *testing.T) {
	for _, c := range []struct {
		column Column
		want   string
	}{
		{Column{Outliers: &Outliers{Method: "zscore"}}, "columns[0].outliers.method"},
		{Column{Outliers: &Outliers{Method: IQR, K: ptr(0.0)}}, "columns[0].outliers.k"},
		{Column{Outliers: &Outliers{Method: IQR, Action: "cut"}}, "columns[0].outliers.action"},
		{Column{Type: "string", Outliers: &Outliers{Method: IQR}}, "columns[0].outliers"},
		{Column{Type: "int64", Range: &Range{Min: ptr(1.0), Action: Clip}}, "columns[0].range.action"},
		{Column{Rare: &Rare{}}, "columns[0].rare"},
		{Column{Rare: &Rare{MinCount: -1}}, "columns[0].rare.min_count"},
		{Column{Rare: &Rare{TopK: -1}}, "columns[0].rare.top_k"},
		{Column{Rare: &Rare{TopK: 1, MaxDistinct: -1}}, "columns[0].rare.max_distinct"},
		{Column{Type: "date", Rare: &Rare{TopK: 1}}, "columns[0].rare"},
	} {
		c.column.Name = "x"
		err := Spec{Columns: []Column{c.column}}.Validate()
		if all := fielderr.All(err); len(all) != 1 || all[0].Path != c.want {
			t.Errorf("%+v: got %v, want one error at %s", c.column, err, c.want)
		}
	}
	for _, c := range []Column{{Name: "x", Outliers: &Outliers{Method: IQR}}, {Name: "y", Rare: &Rare{TopK: 1}}} { // types that only the source tells
		source := table(col("x", "a"), typed(t, "y", arrow.PrimitiveTypes.Int64, "1")).Record.Schema()
		if _, err := New(Spec{Columns: []Column{c}}, source, Options{}); len(fielderr.All(err)) != 1 {
			t.Errorf("column %s of another type: got %v, want one field error", c.Name, err)
		}
	}
}
