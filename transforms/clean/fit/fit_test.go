package fit

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/transforms/clean"
)

// table is a batch of one float64 column f, one int64 column i of the same
// values, and one string column s; NaN stands for null, as does "".
func table(floats []float64, texts []string) *batch.Batch {
	f, n, s := array.NewFloat64Builder(memory.DefaultAllocator), array.NewInt64Builder(memory.DefaultAllocator), array.NewStringBuilder(memory.DefaultAllocator)
	rows := make([]int64, len(floats))
	for i, v := range floats {
		rows[i] = int64(i + 1)
		if v != v {
			f.AppendNull()
			n.AppendNull()
		} else {
			f.Append(v)
			n.Append(int64(v))
		}
		if i >= len(texts) || texts[i] == "" {
			s.AppendNull()
		} else {
			s.Append(texts[i])
		}
	}
	arrays := []arrow.Array{f.NewArray(), n.NewArray(), s.NewArray()}
	var fields []arrow.Field
	for i, name := range []string{"f", "i", "s"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrays[i].DataType(), Nullable: true})
	}
	return &batch.Batch{Record: array.NewRecord(arrow.NewSchema(fields, nil), arrays, int64(len(floats))), File: "t", Rows: rows}
}

func fitted(t testing.TB, f clean.Fit, batches ...*batch.Batch) clean.FittedColumn {
	t.Helper()
	s := NewStats(f)
	for _, b := range batches {
		if err := s.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	out, err := s.Fitted()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func outliers(column, method string, k float64) clean.Fit {
	o := &clean.Outliers{Method: method}
	if k > 0 {
		o.K = &k
	}
	return clean.Fit{Column: column, Outliers: o}
}

func TestBounds(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name      string
		fit       clean.Fit
		values    []float64
		low, high float64
	}{
		{"z_score", outliers("f", clean.ZScore, 2), []float64{2, 4, 4, 4, 5, 5, 7, 9, nan}, 1, 9}, // mean 5, deviation 2
		{"z_score of integers", outliers("i", clean.ZScore, 2), []float64{2, 4, 4, 4, 5, 5, 7, 9}, 1, 9},
		{"z_score, k 3", outliers("f", clean.ZScore, 0), []float64{2, 4, 4, 4, 5, 5, 7, 9}, -1, 11},
		{"iqr", outliers("f", clean.IQR, 0), []float64{1, 2, 3, 4, 5}, -1, 7}, // quartiles 2 and 4
		{"iqr, k 1", outliers("f", clean.IQR, 1), []float64{5, 4, 3, 2, 1, nan}, 0, 6},
		{"hampel", outliers("f", clean.Hampel, 1), []float64{1, 2, 3, 4, 1000}, 3 - madScale, 3 + madScale}, // distances 0 1 1 2 997
		{"no spread", outliers("f", clean.Hampel, 1), []float64{1, 1, 1, 5}, nan, nan},
		{"no rows", outliers("f", clean.IQR, 1), nil, nan, nan},
		{"out of range", outliers("f", clean.ZScore, 3), []float64{math.MaxFloat64, -math.MaxFloat64}, nan, nan},
	} {
		got := fitted(t, c.fit, table(c.values, nil))
		low, high := nan, nan
		if got.Low != nil {
			low, high = *got.Low, *got.High
		}
		if fmt.Sprint(low, high) != fmt.Sprint(c.low, c.high) {
			t.Errorf("%s: got %v to %v, want %v to %v", c.name, low, high, c.low, c.high)
		}
	}
}

func TestCommon(t *testing.T) {
	texts := strings.Split("a b c a b a d d x", " ")
	b := table(make([]float64, len(texts)+1), texts) // and a null
	for _, c := range []struct {
		rare clean.Rare
		want string
	}{
		{clean.Rare{MinCount: 2}, "[a b d]"}, {clean.Rare{MinCount: 3}, "[a]"}, {clean.Rare{TopK: 2}, "[a b]"},
		{clean.Rare{TopK: 4}, "[a b c d]"}, {clean.Rare{MinCount: 2, TopK: 9}, "[a b d]"}, {clean.Rare{MinCount: 9}, "[]"},
	} {
		if got := fmt.Sprint(fitted(t, clean.Fit{Column: "s", Rare: &c.rare}, b).Common); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.rare, got, c.want)
		}
	}
	s := NewStats(clean.Fit{Column: "s", Rare: &clean.Rare{MinCount: 2, MaxDistinct: 4}})
	if err := s.Add(b); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fitted(); err == nil || !strings.Contains(err.Error(), "more than 4 distinct texts") {
		t.Errorf("5 texts where 4 are held: got error %v", err)
	}
}

// Statistics are the same bytes for any cut, order and tree of merges, encoded
// and decoded between.
func TestAnyCut(t *testing.T) {
	const n = 3000
	rng := rand.New(rand.NewPCG(1, 2))
	floats, texts := make([]float64, n), make([]string, n)
	for i := range floats {
		floats[i] = math.Round(rng.NormFloat64()*1e4) / 8
		texts[i] = fmt.Sprint("w", rng.IntN(50)*rng.IntN(50))
	}
	for _, f := range []clean.Fit{outliers("f", clean.ZScore, 0), outliers("f", clean.IQR, 0), outliers("i", clean.Hampel, 0),
		{Column: "s", Rare: &clean.Rare{MinCount: 2}}, {Column: "s", Rare: &clean.Rare{MinCount: 2, MaxDistinct: 500}}} {
		whole := encoded(t, f, table(floats, texts))
		for range 5 {
			var parts [][]byte
			for at := 0; at < n; {
				end := min(n, at+1+rng.IntN(700))
				parts = append(parts, encoded(t, f, table(floats[at:end], texts[at:end])))
				at = end
			}
			for len(parts) > 1 {
				rng.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
				merged, err := merge(parts[0], parts[1])
				if err != nil {
					t.Fatal(err)
				}
				parts = append(slices.Clone(parts[2:]), merged)
			}
			if !bytes.Equal(parts[0], whole) {
				t.Fatalf("%+v: other bytes by parts than at once", f)
			}
		}
	}
}

func encoded(t testing.TB, f clean.Fit, b *batch.Batch) []byte {
	t.Helper()
	s := NewStats(f)
	if err := s.Add(b); err != nil {
		t.Fatal(err)
	}
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRefuses(t *testing.T) {
	if err := NewStats(outliers("f", clean.ZScore, 0)).Merge(NewStats(outliers("i", clean.ZScore, 0))); err == nil {
		t.Error("two columns merge")
	}
	if err := NewStats(outliers("g", clean.ZScore, 0)).Add(table(nil, nil)); err == nil {
		t.Error("a column that is not there: no error")
	}
	for _, data := range []string{"", "{", `{"Sum":"AA=="}`, `{"Fit":{"Column":"f","Outliers":{"Method":"iqr"}},"Sketch":"AA=="}`} {
		if _, err := Decode([]byte(data)); err == nil {
			t.Errorf("%q: no error", data)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	const n = 4096
	rng := rand.New(rand.NewPCG(1, 2))
	floats, texts := make([]float64, n), make([]string, n)
	for i := range floats {
		floats[i] = math.Round(rng.NormFloat64() * 1e3)
		texts[i] = fmt.Sprint("w", rng.IntN(300))
	}
	data := table(floats, texts)
	for _, f := range []clean.Fit{outliers("f", clean.ZScore, 0), outliers("f", clean.Hampel, 0), {Column: "s", Rare: &clean.Rare{MinCount: 2}}} {
		name := "rare"
		if f.Outliers != nil {
			name = f.Outliers.Method
		}
		b.Run("rule="+name, func(b *testing.B) {
			s := NewStats(f)
			for b.Loop() {
				if err := s.Add(data); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}
