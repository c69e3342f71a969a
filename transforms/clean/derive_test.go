package clean

import "testing"

func TestDerive(t *testing.T) {
	when := col("x", "2024-02-29T23:59:59", "1969-12-28 00:00:00", "") // a Thursday, a Sunday
	words := col("x", "a", "b", "c", "")
	table1 := map[string]string{"a": "A", "b": "B"}
	numbers := col("x", "0.5", "0.49", "-1", "")
	for _, c := range []struct {
		name   string
		source named
		typ    string
		derive Derive
		want   string
	}{
		{"year", when, "timestamp", Derive{As: "year"}, "2024 1969 <null>"},
		{"month", when, "timestamp", Derive{As: "month"}, "2 12 <null>"},
		{"day", when, "timestamp", Derive{As: "day"}, "29 28 <null>"},
		{"weekday", when, "timestamp", Derive{As: "weekday"}, "4 7 <null>"},
		{"hour", when, "timestamp", Derive{As: "hour"}, "23 0 <null>"},
		{"month of a date", col("x", "2024-02-29"), "date", Derive{As: "month"}, "2"},
		{"map", words, "string", Derive{As: "map", Map: table1}, "A B <null> <null>"},
		{"map with a default", words, "string", Derive{As: "map", Map: table1, Default: ptr("?")}, "A B ? <null>"},
		{"map of bool", col("x", "yes", "0"), "bool", Derive{As: "map", Map: map[string]string{"true": "T"}, Default: ptr("F")}, "T F"},
		{"map of int64", col("x", "07", "8"), "int64", Derive{As: "map", Map: map[string]string{"7": "seven"}}, "seven <null>"},
		{"at_least of float64", numbers, "float64", Derive{As: "at_least", Value: ptr(0.5)}, "true false false <null>"},
		{"at_least of int64", col("x", "15", "14", "", "16"), "int64", Derive{As: "at_least", Value: ptr(14.5)}, "true false <null> true"},
		{"at_least beyond int64", col("x", "9223372036854775807"), "int64", Derive{As: "at_least", Value: ptr(1e19)}, "false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.derive.Name, c.derive.From = "y", "x"
			spec := Spec{Columns: []Column{{Name: "x", Type: c.typ}}, Derive: []Derive{c.derive}}
			r := cleaned(t, spec, table(c.source), Options{})
			if got := shown(t, r.Kept, "y"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestDeriveAfterActions says that a cell made null derives a null, and that a
// row that left derives nothing.
func TestDeriveAfterActions(t *testing.T) {
	spec := Spec{
		Columns: []Column{{Name: "x", Type: "date", OnTypeError: Null}, {Name: "z", Required: &Required{}}},
		Derive:  []Derive{{Name: "y", From: "x", As: "month"}},
	}
	r := cleaned(t, spec, table(col("x", "bad", "2000-03-01", "2000-04-01"), col("z", "a", "", "a")), Options{})
	if got, want := shown(t, r.Kept, "y"), "<null> 4"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
