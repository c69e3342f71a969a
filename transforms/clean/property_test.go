package clean

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/batch"
)

// randomSpec has every rule and every action.
var randomSpec = Spec{
	Nulls: []string{"", "NA"},
	Columns: []Column{
		{Name: "i", Type: "int64", OnTypeError: Drop, Range: &Range{Min: ptr(-3.0), Max: ptr(50.0), Action: Null}, Required: &Required{}},
		{Name: "f", OnTypeError: Null, Range: &Range{Max: ptr(2.0)}},
		{Name: "s", Nulls: []string{}, Domain: &Domain{Values: []string{"a", "b", "7"}, Action: Drop}, Regex: &Regex{Pattern: "[a-z]"}},
		{Name: "d", Type: "date", OnTypeError: Null},
	},
	Derive: []Derive{
		{Name: "month", From: "d", As: "month"},
		{Name: "word", From: "s", As: "map", Map: map[string]string{"a": "x"}, Default: ptr("other")},
		{Name: "big", From: "f", As: "at_least", Value: ptr(0.5)},
	},
}

// randomTable is a table for randomSpec with nulls, faults and good cells.
func randomTable(t testing.TB, n int) *batch.Batch {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	pick := func(cells ...string) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = cells[rng.IntN(len(cells))]
		}
		return out
	}
	return table(
		col("i", pick("1", "2 ", " 3", "49", "51", "-4", "", "NA", "x", null)...),
		typed(t, "f", arrow.PrimitiveTypes.Float64, pick("0.25", "1", "1.5", "NaN", "-Inf", "3", null)...),
		col("s", pick("a", " b", "7", "c", null)...),
		col("d", pick("2000-01-31", "1999-12-01", "2000-13-01", "", null)...),
	)
}

// TestConservation checks, for tables of many sizes, that every row is in
// exactly one place.
func TestConservation(t *testing.T) {
	for n := range 130 {
		b := randomTable(t, n)
		r := cleaned(t, randomSpec, b, Options{}) // counts
		seen := map[int64]int{}
		for _, row := range r.Kept.Rows {
			seen[row]++
		}
		for i, l := range r.Dead {
			seen[l.Row]++
			if i > 0 && r.Dead[i-1].Row >= l.Row {
				t.Fatalf("%d rows: letters out of order", n)
			}
		}
		for row, times := range seen {
			if times != 1 || row < 1 || row > int64(n) {
				t.Fatalf("%d rows: row %d is in %d places", n, row, times)
			}
		}
	}
}

func throughJSON(t testing.TB, s Spec) Spec {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back Spec
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// FuzzClean puts any text through every type: no panic, every row in one place.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"", " 1 ", "1e400", "2000-02-30", "2000-01-01T00:00:00+25:00", "\xff", "yes", "12/31/99"} {
		f.Add(s, "NA")
	}
	spec := Spec{Columns: []Column{
		{Name: "x", Rename: "s", OnTypeError: Drop},
		{Name: "x", Rename: "i", Type: "int64", OnTypeError: Null},
		{Name: "x", Rename: "f", Type: "float64", OnTypeError: Null},
		{Name: "x", Rename: "b", Type: "bool", OnTypeError: Null},
		{Name: "x", Rename: "d", Type: "date", Format: "%m/%d/%y", OnTypeError: Null},
		{Name: "x", Rename: "t", Type: "timestamp", OnTypeError: Null},
		{Name: "x", Rename: "u", Type: "timestamp", Format: "%d %b %Y %H:%M:%S.%f%z"},
	}, Derive: []Derive{{Name: "m", From: "t", As: "month"}, {Name: "h", From: "t", As: "hour"}}}
	f.Fuzz(func(t *testing.T, a, b string) {
		spec := spec
		spec.Nulls = []string{b}
		cleaned(t, spec, table(col("x", a, b, "", a+b)), Options{})
	})
}
