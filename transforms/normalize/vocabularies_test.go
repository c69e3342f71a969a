package normalize

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

// TestHundredVocabularies fits them in one pass over the batches. What is held
// is the distinct tokens: 100 columns of 1,000, and not the rows.
func TestHundredVocabularies(t *testing.T) {
	const columns, batches, rows, distinct = 100, 20, 500, 1000
	spec := Spec{Label: Label{Column: "y"}}
	for c := range columns {
		spec.Features = append(spec.Features, Feature{Column: fmt.Sprint("v", c), Encode: "embedding"})
	}
	r := rand.New(rand.NewPCG(12, 12))
	counts := make([]map[string]int64, columns)
	var a *Analyzer
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range batches {
		cols := []column{texts("y")}
		for c := range columns {
			cols = append(cols, texts(fmt.Sprint("v", c)))
			if counts[c] == nil {
				counts[c] = map[string]int64{}
			}
		}
		for i := range rows {
			cols[0].values = append(cols[0].values, []any{"a", "b"}[i%2])
			for c := range columns {
				token := fmt.Sprint("token ", c, " ", r.IntN(distinct))
				counts[c][token]++
				cols[c+1].values = append(cols[c+1].values, token)
			}
		}
		b := table(cols...)
		if a == nil {
			var err error
			if a, err = NewAnalyzer(spec, b.Record.Schema()); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	// About 100 bytes a token, in the analyzer and again in counts.
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 2*columns*distinct*250 {
		t.Errorf("%d bytes are held, want at most 250 a token", held)
	}
	p, err := a.Plan()
	if err != nil {
		t.Fatal(err)
	}
	for c := range columns {
		v := p.Features[c].Vocabulary
		if int(v.Distinct) != len(counts[c]) {
			t.Fatalf("column %d: got %d tokens want %d", c, v.Distinct, len(counts[c]))
		}
		for i, token := range v.Tokens {
			if v.Counts[i] != counts[c][token] || i > 0 && (v.Counts[i-1] < v.Counts[i] || v.Counts[i-1] == v.Counts[i] && v.Tokens[i-1] >= token) {
				t.Fatalf("column %d: token %q has count %d at %d, want %d", c, token, v.Counts[i], i, counts[c][token])
			}
		}
	}
}
