package clean

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/io/batch"
)

// benchRows is the default size of a batch.
const benchRows = 4096

// flights is a batch like those of a table of flights: four integers, one text.
func flights(tb testing.TB, asText bool) *batch.Batch {
	rng := rand.New(rand.NewPCG(3, 4))
	columns := make([]named, 5)
	for c := range 4 {
		cells := make([]string, benchRows)
		for i := range cells {
			cells[i] = fmt.Sprint(rng.IntN(2400) - 60)
		}
		name := fmt.Sprintf("n%d", c)
		if columns[c] = col(name, cells...); !asText {
			columns[c] = typed(tb, name, arrow.PrimitiveTypes.Int64, cells...)
		}
	}
	cells := make([]string, benchRows)
	for i := range cells {
		cells[i] = fmt.Sprintf(" airport %d", rng.IntN(300))[rng.IntN(2):] // half of them need trimming
	}
	columns[4] = col("airport", cells...)
	return table(columns...)
}

// BenchmarkClean measures five columns with a range each, four of them
// integers that come typed or as text, and fails one row in 600 or none.
func BenchmarkClean(b *testing.B) {
	for _, source := range []string{"typed", "text"} {
		for _, faults := range []bool{false, true} {
			b.Run(fmt.Sprintf("source=%s/faults=%v", source, faults), func(b *testing.B) {
				data := flights(b, source == "text")
				high := 2400.0
				if faults {
					high = 2338
				}
				numbers := Column{Name: "n{0..3}", Type: "int64", Range: &Range{Min: ptr(-60.0), Max: &high}}
				spec := Spec{Columns: []Column{numbers, {Name: "airport", Required: &Required{}}}}
				c, err := New(spec, data.Record.Schema(), Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Clean(data); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
			})
		}
	}
}

func BenchmarkHashRows(b *testing.B) {
	data := flights(b, false)
	for b.Loop() {
		if _, err := HashRows(data, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkFindDuplicates(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 6))
	entries := make([]Entry, 1<<17)
	work := make([]Entry, len(entries))
	for i := range entries {
		entries[i] = entry(rng.Uint64(), 0, int64(i))
	}
	for b.Loop() {
		copy(work, entries)
		FindDuplicates(work)
	}
	b.ReportMetric(float64(b.N)*float64(len(entries))/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
