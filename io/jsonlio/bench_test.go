package jsonlio

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// tables are texts of about size bytes: 12 floats, 4 integers and 4 words; long texts, some with escapes; lists and objects.
func tables(size int) map[string]string {
	rng := rand.New(rand.NewPCG(1, 2))
	var numbers, texts, nested strings.Builder
	for i := 0; numbers.Len() < size; i++ {
		numbers.WriteString("{")
		for c := range 12 {
			fmt.Fprintf(&numbers, `"f%02d":%v,`, c, math.Round(rng.NormFloat64()*1e15)/1e15)
		}
		fmt.Fprintf(&numbers, `"i0":%d,"i1":%d,"i2":%d,"i3":%d`, rng.IntN(10_000), rng.IntN(20), i, rng.Int64())
		for c := range 4 {
			fmt.Fprintf(&numbers, `,"s%d":"word-%x"`, c, rng.IntN(20_000))
		}
		numbers.WriteString("}\n")
	}
	for i := 0; texts.Len() < size; i++ {
		fmt.Fprintf(&texts, `{"id": %d, "text": "%s", "more": "caf\u00e9 \"%d\" naïve"}`+"\n", i, strings.Repeat("some words, ", 1+rng.IntN(20)), i)
	}
	for i := 0; nested.Len() < size; i++ {
		fmt.Fprintf(&nested, `{"at":{"lat":%.4f,"lon":%.4f,"zone":{"id":%d}},"tags":["a","b%d"],"scores":[%d,%d,%.1f],"raw":[{"k":1}]}`+"\n",
			rng.Float64(), rng.Float64(), i%50, i%7, i%3, i%5, rng.Float64())
	}
	return map[string]string{"numbers": numbers.String(), "texts": texts.String(), "nested": nested.String()}
}

func BenchmarkSurvey(b *testing.B) {
	for name, text := range tables(16 << 20) {
		s := holding("f.jsonl", []byte(text))
		b.Run("table="+name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := (Format{workers: 1}).Survey(b.Context(), s, "f.jsonl", table.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for name, text := range tables(16 << 20) {
		s := holding("f.jsonl", []byte(text))
		file, err := Format{}.Survey(b.Context(), s, "f.jsonl", table.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run("table="+name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				readAll(b, s, file)
			}
		})
	}
}

func readAll(b *testing.B, s store.Store, file *table.File) {
	var rows int64
	for _, span := range file.Spans {
		err := Format{}.Read(b.Context(), s, span, table.Options{}, func(b *batch.Batch) error {
			rows += int64(b.NumRows())
			return nil
		}, func(deadletter.Letter) error { return io.ErrUnexpectedEOF })
		if err != nil {
			b.Fatal(err)
		}
	}
	if rows != file.Rows {
		b.Fatalf("got %d rows, want %d", rows, file.Rows)
	}
}
