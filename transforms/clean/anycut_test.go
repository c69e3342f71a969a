package clean

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/io/batch"
)

// randomRules is a spec over randomTable's columns with some of all rules, and
// any actions.
func randomRules(rng *rand.Rand) Spec {
	action := func() Action { return []Action{"", Dead, Drop, Null}[rng.IntN(4)] }
	final := func() Action { return []Action{"", Dead, Drop}[rng.IntN(3)] }
	some := func() bool { return rng.IntN(2) == 0 }
	number := Column{Name: "i", Type: "int64", OnTypeError: action()}
	float := Column{Name: "f", OnTypeError: action()}
	text := Column{Name: "s", Type: "string"}
	date := Column{Name: "d", Type: "date", OnTypeError: action()}
	if some() {
		number.Range = &Range{Min: ptr(float64(rng.IntN(10) - 5)), Max: ptr(float64(rng.IntN(60))), Action: action()}
		if *number.Range.Max < *number.Range.Min {
			number.Range.Max = nil
		}
	}
	if some() {
		number.Number = &Number{Thousands: ","}
	}
	if some() {
		float.Required = &Required{Action: final()}
	}
	if some() {
		text.Text = &Text{Normalize: "nfkc", Case: "lower", CollapseSpace: some()}
		text.Length = &Length{Min: ptr(rng.IntN(2)), Max: ptr(1 + rng.IntN(2)), Action: action()}
	}
	if some() {
		text.Domain = &Domain{Values: []string{"a", "b", "7"}, Action: action()}
	}
	if some() {
		date.Formats = []string{"%d.%m.%Y", "iso"}
	}
	spec := Spec{Nulls: []string{"", "NA"}, Columns: []Column{number, float, text, date}}
	if some() {
		spec.Derive = []Derive{{Name: "x", Expr: "f * i"}, {Name: "m", From: "d", As: "month"}}
		spec.Rules = []Rule{{Name: "x", Expr: "x < 10", Action: final()}, {Name: "m", Expr: "m != nil || s == \"a\"", Action: final()}}
	}
	return spec
}

// outcome is all that becomes of a table, as text, by rows.
func outcome(t *testing.T, spec Spec, batches []*batch.Batch) string {
	t.Helper()
	rows, dropped := map[int64]string{}, map[string]int64{}
	for _, b := range batches {
		r := cleaned(t, spec, b, Options{}) // and counts
		for i, row := range r.Kept.Rows {
			cells := make([]string, r.Kept.Record.NumCols())
			for c := range cells {
				cells[c] = r.Kept.Record.Column(c).ValueStr(i)
			}
			rows[row] = fmt.Sprint(cells)
		}
		for _, l := range r.Dead {
			rows[l.Row] = fmt.Sprintf("%+v", l)
		}
		for rule, n := range r.Dropped {
			dropped[rule] += n
		}
	}
	text, err := json.Marshal(map[string]any{"rows": rows, "dropped": dropped})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAnyCut runs random rules over a table at once, and cut into batches in
// another order, some of them twice: the outcome of each row is the same.
func TestAnyCut(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 11))
		spec := throughJSON(t, randomRules(rng))
		whole := randomTable(t, 150)
		want := outcome(t, spec, []*batch.Batch{whole})
		var cut []*batch.Batch
		for at := 0; at < whole.NumRows(); {
			end := min(whole.NumRows(), at+1+rng.IntN(40))
			cut = append(cut, batch.Slice(whole, at, end))
			at = end
		}
		rng.Shuffle(len(cut), func(i, j int) { cut[i], cut[j] = cut[j], cut[i] })
		if got := outcome(t, spec, cut); got != want {
			t.Fatalf("seed %d: got %s, want %s", seed, got, want)
		}
		again := slices.Clone(cut)
		slices.Reverse(again)
		if got := outcome(t, spec, again); got != want {
			t.Fatalf("seed %d, again: got %s, want %s", seed, got, want)
		}
	}
}
