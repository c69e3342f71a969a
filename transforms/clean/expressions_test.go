package clean

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/io/deadletter"
)

// trips has a good row, two that break a rule each, and one of nulls.
func trips(t testing.TB) []named {
	return []named{
		typed(t, "fare", arrow.PrimitiveTypes.Float64, "10", "10", "5", null),
		typed(t, "tip", arrow.PrimitiveTypes.Float64, "2", "30", "0", null),
		col("paid by", "card", "card", "cash", null),
	}
}

var tripRules = Spec{
	Columns: []Column{{Name: "fare"}, {Name: "tip"}, {Name: "paid by", Rename: "paid_by"}},
	Derive: []Derive{
		{Name: "share", Expr: "tip / fare"},
		{Name: "generous", Expr: "share > 0.15"},
		{Name: "kind", From: "generous", As: "map", Map: map[string]string{"true": "good"}, Default: ptr("bad")},
	},
	Rules: []Rule{{Name: "tip", Expr: "tip <= fare"}, {Name: "card", Expr: `paid_by == "card" && share < 2`, Action: Drop}},
}

func TestRowRules(t *testing.T) {
	r := cleaned(t, tripRules, table(trips(t)...), Options{})
	for name, want := range map[string]string{"fare": "10 " + null, "share": "0.2 " + null, "generous": "true " + null, "kind": "good " + null} {
		if got := shown(t, r.Kept, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	want := []deadletter.Letter{{File: "t", Row: 2, Rule: "rules.tip", Column: "tip, fare", Value: "tip=30, fare=10", Reason: "want tip <= fare"}}
	if !reflect.DeepEqual(r.Dead, want) {
		t.Errorf("got letters %+v, want %+v", r.Dead, want)
	}
	if got := fmt.Sprint(r.Dropped); got != "map[rules.card:1]" {
		t.Errorf("dropped: got %s, want map[rules.card:1]", got)
	}
}

// A rule is left out if a column that it reads is not wanted, and what a
// wanted column is computed from is read.
func TestRowRulesOfSomeColumns(t *testing.T) {
	c, err := New(tripRules, table(trips(t)...).Record.Schema(), Options{Only: []string{"share"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.SourceColumns(), len(c.rowRules)); got != "[fare tip] 1" {
		t.Errorf("got source columns and rules %s, want [fare tip] 1", got)
	}
	inferred, err := Infer(c.source, nil, tripRules, Options{Only: []string{"fare"}})
	if err != nil || len(inferred.Rules) != 0 || len(inferred.Derive) != 0 || len(inferred.Columns) != 1 {
		t.Errorf("got %+v, %v, want one column without rules", inferred, err)
	}
}

func TestExpressionErrors(t *testing.T) {
	source := table(trips(t)...).Record.Schema()
	for _, c := range []struct {
		name, path string
		spec       Spec
	}{
		{"syntax", "rules[0].expr", Spec{Rules: []Rule{{Name: "a", Expr: "tip <"}}}},
		{"no name", "rules[0].name", Spec{Rules: []Rule{{Expr: "true"}}}},
		{"name twice", "rules[1].name", Spec{Rules: []Rule{{Name: "a", Expr: "true"}, {Name: "a", Expr: "true"}}}},
		{"action", "rules[0].action", Spec{Rules: []Rule{{Name: "a", Expr: "true", Action: Null}}}},
		{"no bool", "rules[0].expr", Spec{Rules: []Rule{{Name: "a", Expr: "tip"}}}},
		{"no column", "rules[0].expr", Spec{Rules: []Rule{{Name: "a", Expr: "tipp > 1"}}}},
		{"types of the source", "rules[0].expr", Spec{Rules: []Rule{{Name: "a", Expr: "tip > `x`"}}}},
		{"derived", "derive[0].expr", Spec{Derive: []Derive{{Name: "a", Expr: "tip + $env[\"paid by\"]"}}}},
		{"derived only later", "derive[0].expr", Spec{Derive: []Derive{{Name: "a", Expr: "b + 1"}, {Name: "b", Expr: "tip"}}}},
		{"derived without a name", "derive[0].name", Spec{Derive: []Derive{{Expr: "tip"}}}},
		{"derived twice over", "derive[0].expr", Spec{Derive: []Derive{{Name: "a", Expr: "tip", From: "tip", As: "at_least"}}}},
		{"neither", "derive[0]", Spec{Derive: []Derive{{Name: "a"}}}},
	} {
		_, err := New(c.spec, source, Options{})
		if all := fielderr.All(err); len(all) != 1 || all[0].Path != c.path {
			t.Errorf("%s: got %v, want one error at %s", c.name, err, c.path)
		}
	}
}

// Rows to be scored are never dropped, whatever rule would drop them.
func TestForScoring(t *testing.T) {
	spec := tripRules
	spec.DropDuplicates = true
	spec.Columns = append([]Column{{Name: "x", OnTypeError: Drop, Required: &Required{Action: Drop}, Range: &Range{Action: Drop}, Domain: &Domain{Action: Null},
		Regex: &Regex{Action: Drop}, Length: &Length{Action: Drop}}}, spec.Columns...)
	got := spec.ForScoring()
	if text := fmt.Sprintf("%+v %+v %+v", got, got.Columns[0].Required, got.Columns[0].Length); strings.Contains(text, "drop") || got.DropDuplicates {
		t.Errorf("got %s, want no drop", text)
	}
	if got.Columns[0].Domain.Action != Null || got.Columns[0].Length.Action != Dead || spec.Columns[0].Length.Action != Drop {
		t.Error("want null to stay, drop to be dead, and the spec as it was")
	}
}
