package clean

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/batch"
)

// readText reads a CSV file into one batch of utf8 columns.
func readText(t *testing.T, file string) (*batch.Batch, [][]string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := make([]named, len(records[0]))
	for c, name := range records[0] {
		cells := make([]string, len(records)-1)
		for r := range cells {
			cells[r] = records[r+1][c]
		}
		columns[c] = col(name, cells...)
	}
	return table(columns...), records[1:]
}

var strikesSpec = Spec{
	Columns: []Column{
		{Name: "Effect Amount of damage", Rename: "damage", Required: &Required{}, Domain: &Domain{Values: []string{"None", "Minor", "Medium", "Substantial"}}},
		{Name: "Flight Date", Rename: "date"},
		{Name: "Speed IAS in knots", Rename: "speed", Range: &Range{Min: ptr(10.0), Max: ptr(600.0), Action: Null}},
	},
	KeepOthers: true,
	Derive: []Derive{
		{Name: "month", From: "date", As: "month"},
		{Name: "weekday", From: "date", As: "weekday"},
		{Name: "any_damage", From: "damage", As: "map", Map: map[string]string{"None": "no"}, Default: ptr("yes")},
	},
}

// TestBirdstrikes cleans 10,000 real rows with inferred types and compares
// with a plain loop over the records and package time.
func TestBirdstrikes(t *testing.T) {
	b, records := readText(t, shareddata.Path(t, "tabular/birdstrikes/birdstrikes.csv"))
	spec, err := Infer(b.Record.Schema(), []*batch.Batch{b}, strikesSpec, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := cleaned(t, spec, b, Options{})
	at := map[string]int{}
	for i, f := range b.Record.Schema().Fields() {
		at[f.Name] = i
	}
	column := func(name string) arrow.Array {
		a, err := batch.Column(r.Kept, name)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	month, weekday := column("month").(*array.Int64), column("weekday").(*array.Int64)
	damage, speed := column("any_damage").(*array.String), column("speed").(*array.Int64)
	out := 0
	for _, rec := range records {
		if d := rec[at["Effect Amount of damage"]]; d == "B" || d == "C" {
			continue
		}
		day, err := time.Parse(time.DateOnly, rec[at["Flight Date"]])
		if err != nil {
			t.Fatal(err)
		}
		if month.Value(out) != int64(day.Month()) || weekday.Value(out)%7 != int64(day.Weekday()) {
			t.Fatalf("row %d: got month %d and weekday %d of %v", out, month.Value(out), weekday.Value(out), day)
		}
		want := "yes"
		if rec[at["Effect Amount of damage"]] == "None" {
			want = "no"
		}
		if got := damage.Value(out); got != want {
			t.Fatalf("row %d: any_damage: got %q, want %q", out, got, want)
		}
		knots := rec[at["Speed IAS in knots"]]
		if null := knots == "" || len(knots) == 1; null != speed.IsNull(out) { // below 10 is one digit
			t.Fatalf("row %d: speed %q: null is %v", out, knots, speed.IsNull(out))
		}
		out++
	}
	if out != r.Kept.NumRows() || len(r.Dead) != 15 { // 14 rows of damage C and 1 of B
		t.Errorf("got %d rows kept and %d dead, want %d and 15", r.Kept.NumRows(), len(r.Dead), out)
	}
	if l := r.Dead[0]; l.Rule != "damage.domain" || l.Column != "Effect Amount of damage" || !slices.Contains([]string{"B", "C"}, l.Value) ||
		!strings.Contains(l.Reason, `"Substantial"`) {
		t.Errorf("got letter %+v", l)
	}
	for name, want := range map[string]string{"date": "date", "speed": "int64", "Cost Total $": "int64", "Origin State": "string"} {
		if k, _ := sourceKind(column(name).DataType()); k.String() != want {
			t.Errorf("column %q: inferred %v, want %s", name, k, want)
		}
	}
}
