package clean

import (
	"math"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/internal/fielderr"
)

func TestValidate(t *testing.T) {
	one := func(c Column) Spec { c.Name = "x"; return Spec{Columns: []Column{c}} }
	derive := func(d Derive) Spec { return Spec{Columns: []Column{{Name: "x"}}, Derive: []Derive{d}} }
	for _, c := range []struct {
		name string
		spec Spec
		want []string // paths of the errors
	}{
		{"nothing", Spec{}, nil},
		{"everything", randomSpec, nil},
		{"no name", Spec{Columns: []Column{{}}}, []string{"columns[0].name"}},
		{"bad run", Spec{Columns: []Column{{Name: "a"}, {Name: "p{1..}"}}}, []string{"columns[1].name"}},
		{"bad rename", one(Column{Rename: "p{"}), []string{"columns[0].rename"}},
		{"runs of two lengths", Spec{Columns: []Column{{Name: "p{0..3}", Rename: "q{0..2}"}}}, []string{"columns[0].rename"}},
		{"collision", Spec{Columns: []Column{{Name: "p{0..3}"}, {Name: "a", Rename: "p2"}}}, []string{"columns[1]"}},
		{"type", one(Column{Type: "float"}), []string{"columns[0].type"}},
		{"format", one(Column{Format: "%d"}), []string{"columns[0].format"}},
		{"format of a number", one(Column{Type: "int64", Format: "%Y-%m-%d"}), []string{"columns[0].format"}},
		{"actions", one(Column{OnTypeError: "die", Required: &Required{Action: Null}, Regex: &Regex{Action: "x"}}),
			[]string{"columns[0].on_type_error", "columns[0].required.action", "columns[0].regex.action"}},
		{"empty range", one(Column{Range: &Range{}}), []string{"columns[0].range"}},
		{"range upside down", one(Column{Range: &Range{Min: ptr(2.0), Max: ptr(1.0)}}), []string{"columns[0].range"}},
		{"bounds not finite", one(Column{Range: &Range{Min: ptr(math.NaN())}}), []string{"columns[0].range.min"}},
		{"range of text", one(Column{Type: "string", Range: &Range{Min: ptr(1.0)}}), []string{"columns[0].range"}},
		{"empty domain", one(Column{Domain: &Domain{}}), []string{"columns[0].domain.values"}},
		{"domain with space", one(Column{Domain: &Domain{Values: []string{"a", " b"}}}), []string{"columns[0].domain.values[1]"}},
		{"domain of another type", one(Column{Type: "date", Domain: &Domain{Values: []string{"2000-01-01", "soon"}}}), []string{"columns[0].domain.values[1]"}},
		{"pattern", one(Column{Regex: &Regex{Pattern: "a)|(b"}}), []string{"columns[0].regex.pattern"}},
		{"regex of a number", one(Column{Type: "bool", Regex: &Regex{Pattern: "a"}}), []string{"columns[0].regex"}},
		{"derive without a name", derive(Derive{From: "x", As: "year"}), []string{"derive[0].name"}},
		{"derive from nothing", derive(Derive{Name: "y", From: "z", As: "year"}), []string{"derive[0].from"}},
		{"derive as nothing", derive(Derive{Name: "y", From: "x", As: "yaer"}), []string{"derive[0].as"}},
		{"derive over a column", derive(Derive{Name: "x", From: "x", As: "year"}), []string{"derive[0].name"}},
		{"map without a map", derive(Derive{Name: "y", From: "x", As: "map"}), []string{"derive[0].map"}},
		{"map for a date part", derive(Derive{Name: "y", From: "x", As: "day", Default: ptr("a")}), []string{"derive[0].as"}},
		{"at_least without a bound", derive(Derive{Name: "y", From: "x", As: "at_least"}), []string{"derive[0].value"}},
		{"a bound for a date part", derive(Derive{Name: "y", From: "x", As: "day", Value: ptr(1.0)}), []string{"derive[0].value"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.spec.Validate()
			var got []string
			for _, e := range fielderr.All(err) {
				got = append(got, e.Path)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q (%v), want %q", got, err, c.want)
			}
		})
	}
}
