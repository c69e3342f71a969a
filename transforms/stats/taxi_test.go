package stats

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/internal/shareddata"
)

// taxiSplit are statistics of TensorFlow Data Validation.
type taxiSplit struct {
	NumExamples int64                  `json:"num_examples"`
	Features    map[string]taxiFeature `json:"features"`
}

type taxiFeature struct {
	Type      string   `json:"type"`
	Unique    int64    `json:"unique"`
	TopValues [][2]any `json:"top_values"`
	AvgLength *float64 `json:"avg_length"`
	Mean      *float64 `json:"mean"`
	StdDev    *float64 `json:"std_dev"`
	NumZeros  int64    `json:"num_zeros"`
	Min       *float64 `json:"min"`
	Median    *float64 `json:"median"`
	Max       *float64 `json:"max"`
	Values    int64    `json:"tot_num_values"`
}

// taxi reads the whole table. Cells that are empty are null. The pipeline that
// made the expected statistics kept floats in float32, so asFloat32 rounds them.
func taxi(t testing.TB, expected map[string]taxiSplit, asFloat32 bool) arrow.Record {
	t.Helper()
	f, err := os.Open(shareddata.Path(t, "tabular/chicago_taxi/simple.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var fields []arrow.Field
	for _, name := range lines[0] {
		typ := map[string]arrow.DataType{"INT": arrow.PrimitiveTypes.Int64, "FLOAT": arrow.PrimitiveTypes.Float64, "STRING": arrow.BinaryTypes.String}[expected["train"].Features[name].Type]
		fields = append(fields, arrow.Field{Name: name, Type: typ, Nullable: true})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	for _, line := range lines[1:] {
		for i, cell := range line {
			if cell == "" {
				b.Field(i).AppendNull()
				continue
			}
			if err := b.Field(i).AppendValueFromString(cell); err != nil {
				t.Fatal(err)
			}
			if x, err := strconv.ParseFloat(cell, 32); asFloat32 && err == nil && fields[i].Type == arrow.PrimitiveTypes.Float64 {
				fb := b.Field(i).(*array.Float64Builder)
				fb.Resize(fb.Len() - 1)
				fb.Append(x)
			}
		}
	}
	return b.NewRecord()
}

func expectedTaxi(t testing.TB) map[string]taxiSplit {
	t.Helper()
	data, err := os.ReadFile(shareddata.Path(t, "tabular/chicago_taxi/stats_expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]taxiSplit
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTaxi holds our statistics of the whole table against those that
// TensorFlow Data Validation made of its two splits: counts, sums and squares
// add up, extremes are those of either, medians lie between.
func TestTaxi(t *testing.T) {
	expected := expectedTaxi(t)
	train, eval := expected["train"], expected["eval"]
	got := statisticsOf(t, Options{}, taxi(t, expected, true))
	if want := train.NumExamples + eval.NumExamples; got.Rows != want || len(got.Columns) != len(train.Features) {
		t.Fatalf("got %d rows of %d columns want %d of %d", got.Rows, len(got.Columns), want, len(train.Features))
	}
	for _, c := range got.Columns {
		a, b := train.Features[c.Name], eval.Features[c.Name]
		// What is a null here is an empty list of values there: present, without a value.
		if want := a.Values + b.Values; c.Present != want || c.Present+c.Missing != got.Rows {
			t.Errorf("%s: got %d present, %d missing want %d present", c.Name, c.Present, c.Missing, want)
		}
		if c.Text != nil {
			checkTaxiText(t, c, a, b)
		} else {
			checkTaxiNumbers(t, c, a, b)
		}
	}
}

// near allows for the rounding of a few float64 operations over sums of n values.
func near(got, want, relative float64) bool { return math.Abs(got-want) <= relative*math.Abs(want) }

func checkTaxiNumbers(t *testing.T, c Column, a, b taxiFeature) {
	t.Helper()
	n, m := c.Numeric, c.Numeric.Moments
	if want := a.NumZeros + b.NumZeros; n.Zeros != want {
		t.Errorf("%s: got %d zeros want %d", c.Name, n.Zeros, want)
	}
	if a.Values == 0 { // pickup_census_tract is there in one row only
		a = b
		b.Values = 0
	}
	total := float64(a.Values + b.Values)
	mean := (deref(a.Mean)*float64(a.Values) + deref(b.Mean)*float64(b.Values)) / total
	if !near(m.Mean, mean, 1e-12) {
		t.Errorf("%s: mean: got %v want %v", c.Name, m.Mean, mean)
	}
	// Var = Σ n_i (var_i + (mean_i - mean)²) / Σ n_i, without the cancellation of squares.
	variance := 0.
	for _, s := range []taxiFeature{a, b} {
		d := deref(s.Mean) - mean
		variance += float64(s.Values) * (deref(s.StdDev)*deref(s.StdDev) + d*d)
	}
	// Theirs is from Σx² in float64, with a relative error of some ulps of mean²/variance.
	slack := 1e-9 + 4*0x1p-52*mean*mean/math.Max(variance/total, 1e-300)
	if want := math.Sqrt(variance / total); !near(m.StdDev, want, slack) {
		t.Errorf("%s: sd: got %v want %v within %g", c.Name, m.StdDev, want, slack)
	}
	// The file leaves out what is 0.
	if want := math.Min(deref(a.Min), deref(b.Min)); m.Min != want {
		t.Errorf("%s: min: got %v want %v", c.Name, m.Min, want)
	}
	if want := math.Max(deref(a.Max), deref(b.Max)); m.Max != want {
		t.Errorf("%s: max: got %v want %v", c.Name, m.Max, want)
	}
	lo, hi := math.Min(deref(a.Median), deref(b.Median)), math.Max(deref(a.Median), deref(b.Median))
	if !(lo <= m.Median && m.Median <= hi) {
		t.Errorf("%s: median: got %v want %v to %v", c.Name, m.Median, lo, hi)
	}
}

func checkTaxiText(t *testing.T, c Column, a, b taxiFeature) {
	t.Helper()
	if !(c.Unique.Count >= max(a.Unique, b.Unique) && c.Unique.Count <= a.Unique+b.Unique) {
		t.Errorf("%s: got %d unique want %d to %d", c.Name, c.Unique.Count, max(a.Unique, b.Unique), a.Unique+b.Unique)
	}
	// They hold mean lengths in float32.
	total := float64(a.Values + b.Values)
	if want := (deref(a.AvgLength)*float64(a.Values) + deref(b.AvgLength)*float64(b.Values)) / total; !near(c.Text.MeanBytes, want, 0x1p-23) {
		t.Errorf("%s: mean length: got %v want %v", c.Name, c.Text.MeanBytes, want)
	}
	counts := map[string]float64{}
	in := map[string]int{}
	for _, s := range []taxiFeature{a, b} {
		for _, v := range s.TopValues {
			counts[v[0].(string)] += v[1].(float64)
			in[v[0].(string)]++
		}
	}
	checked := 0
	for _, v := range c.Top {
		all := in[v.Value] == 2 || len(a.TopValues) == int(a.Unique) // in a short list a value may lie beyond the top
		if all && float64(v.Count) != counts[v.Value] || float64(v.Count) < counts[v.Value] {
			t.Errorf("%s: %q: got %d want %g", c.Name, v.Value, v.Count, counts[v.Value])
		}
		if all {
			checked++
		}
	}
	if checked < 6 {
		t.Errorf("%s: only %d values could be compared", c.Name, checked)
	}
}

func deref(x *float64) float64 {
	if x == nil {
		return 0
	}
	return *x
}

// TestTaxiFloat32 shows where float32 makes a difference: without it the fare's
// maximum is 700.07, with it 700.0700073242188 as in the expected statistics.
func TestTaxiFloat32(t *testing.T) {
	expected := expectedTaxi(t)
	for asFloat32, want := range map[bool]float64{false: 700.07, true: float64(float32(700.07))} {
		got := statisticsOf(t, Options{Columns: []string{"fare"}}, taxi(t, expected, asFloat32)).Column("fare").Numeric.Moments.Max
		if got != want {
			t.Errorf("float32 %v: got %v want %v", asFloat32, got, want)
		}
	}
}
