package clean

import (
	"fmt"
	"slices"
	"testing"

	"github.com/millrace-go/millrace/internal/fielderr"
	"github.com/millrace-go/millrace/io/batch"
)

// numbered is a table of n rows in groups of ten.
func numbered(n int) *batch.Batch {
	rows, groups := make([]string, n), make([]string, n)
	for i := range n {
		rows[i], groups[i] = fmt.Sprint(i), fmt.Sprint("g", i/10)
	}
	return table(col("x", rows...), col("group", groups...))
}

func TestSample(t *testing.T) {
	const n = 20_000
	b := numbered(n)
	kept := func(s Sample, b *batch.Batch) []int64 {
		r := cleaned(t, throughJSON(t, Spec{Sample: &s}), b, Options{})
		if got := int(r.Dropped["sample"]); got != b.NumRows()-r.Kept.NumRows() {
			t.Errorf("%+v: %d rows dropped by the rule sample, %d kept of %d", s, got, r.Kept.NumRows(), b.NumRows())
		}
		return r.Kept.Rows
	}
	quarter := kept(Sample{Fraction: 0.25}, b)
	if d := len(quarter) - n/4; d < -280 || d > 280 { // 4.5 binomial standard deviations
		t.Errorf("a quarter of %d rows: got %d", n, len(quarter))
	}
	half := kept(Sample{Fraction: 0.5}, b)
	for _, row := range quarter {
		if _, ok := slices.BinarySearch(half, row); !ok {
			t.Fatalf("row %d is in a quarter, but not in a half", row)
		}
	}
	parts := append(slices.Clone(kept(Sample{Fraction: 0.25}, batch.Slice(b, 0, 777))), kept(Sample{Fraction: 0.25}, batch.Slice(b, 777, n))...)
	if !slices.Equal(parts, quarter) {
		t.Error("other rows in two batches than in one")
	}
	if salted := kept(Sample{Fraction: 0.25, Salt: "2"}, b); slices.Equal(salted, quarter) {
		t.Error("a salt changes nothing")
	}
	groups := map[int64]int{}
	for _, row := range kept(Sample{Fraction: 0.5, Key: []string{"group"}}, b) {
		groups[(row-1)/10]++
	}
	for g, size := range groups {
		if size != 10 {
			t.Fatalf("%d rows of group %d, want all 10 or none", size, g)
		}
	}
	if got := kept(Sample{Fraction: 1}, b); len(got) != n || len(groups) < 800 || len(groups) > 1200 {
		t.Errorf("%d rows of all %d, %d of 2000 groups at a half", len(got), n, len(groups))
	}
}

func TestSampleErrors(t *testing.T) {
	source := numbered(1).Record.Schema()
	for _, c := range []struct {
		sample Sample
		want   string
	}{{Sample{}, "sample.fraction"}, {Sample{Fraction: 1.5}, "sample.fraction"}, {Sample{Fraction: 0.5, Key: []string{"x", "y"}}, "sample.key[1]"}} {
		_, err := New(Spec{Sample: &c.sample}, source, Options{})
		if all := fielderr.All(err); len(all) != 1 || all[0].Path != c.want {
			t.Errorf("%+v: got %v, want one error at %s", c.sample, err, c.want)
		}
	}
}

func TestNearDuplicatesErrors(t *testing.T) {
	source := table(col("x", "1"), col("s", "a")).Record.Schema()
	for _, c := range []struct {
		near NearDuplicates
		want string
	}{
		{NearDuplicates{Column: "x"}, "near_duplicates.column"}, {NearDuplicates{Column: "y"}, "near_duplicates.column"}, {NearDuplicates{Column: "s", Threshold: 0.01}, "near_duplicates.threshold"},
		{NearDuplicates{Column: "s", Threshold: 1.1}, "near_duplicates.threshold"}, {NearDuplicates{Column: "s", Shingles: "lines"}, "near_duplicates.shingles"}, {NearDuplicates{Column: "s", Size: 65}, "near_duplicates.size"},
	} {
		_, err := New(Spec{Columns: []Column{{Name: "x", Type: "int64"}, {Name: "s", Type: "string"}}, NearDuplicates: &c.near}, source, Options{})
		if all := fielderr.All(err); len(all) != 1 || all[0].Path != c.want {
			t.Errorf("%+v: got %v, want one error at %s", c.near, err, c.want)
		}
	}
	if _, err := New(Spec{NearDuplicates: &NearDuplicates{Column: "y"}}, source, Options{}); len(fielderr.All(err)) != 1 {
		t.Errorf("a column that only the source tells: got %v", err)
	}
}
