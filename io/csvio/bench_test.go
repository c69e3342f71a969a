package csvio

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/table"
)

// tables are texts of about 16 MB.
func tables() map[string]string {
	rng := rand.New(rand.NewPCG(1, 2))
	var digits, words, quoted strings.Builder
	digits.WriteString("label")
	for c := range 64 {
		fmt.Fprintf(&digits, ",p%d", c)
	}
	for digits.Len() < 16<<20 {
		fmt.Fprintf(&digits, "\n%d", rng.IntN(10))
		for range 64 {
			fmt.Fprintf(&digits, ",%d", max(0, rng.IntN(24)-7)) // 0 to 16, many zeros
		}
	}
	words.WriteString("airport,aircraft,damage,date,operator,state\n")
	quoted.WriteString("id,text,more\n")
	for i := 0; words.Len() < 16<<20; i++ {
		fmt.Fprintf(&words, "BARKSDALE AIR FORCE BASE ARPT,T-38A,None,1990-01-%02d,MILITARY,Louisiana\n", i%28+1)
	}
	for i := 0; quoted.Len() < 16<<20; i++ {
		fmt.Fprintf(&quoted, "%d,\"a text, with \"\"quotes\"\"\nand lines\",\"%d\"\n", i, i)
	}
	return map[string]string{"digits": digits.String(), "words": words.String(), "quoted": quoted.String()}
}

func BenchmarkSurvey(b *testing.B) {
	for name, text := range tables() {
		s := storeOf(b, "f.csv", []byte(text))
		b.Run("table="+name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := (Format{}).Survey(b.Context(), s, "f.csv", table.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for name, text := range tables() {
		s := storeOf(b, "f.csv", []byte(text))
		file, err := Format{}.Survey(b.Context(), s, "f.csv", table.Options{})
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
