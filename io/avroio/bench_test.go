package avroio

import (
	"math/rand/v2"
	"testing"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/table"
)

// benchFiles are 20,000 rows of every type, by codec, and their bytes without one.
func benchFiles(b *testing.B) (files map[string][]byte, bytes int64) {
	rec := arraystest.Record(rand.New(rand.NewPCG(1, 1)), everything(), 20_000)
	files = map[string][]byte{}
	for _, codec := range []string{"null", "deflate", "snappy", "zstandard"} {
		files[codec] = written(b, rec.Schema(), WriterOptions{Codec: codec}, rec)
	}
	return files, int64(len(files["null"]))
}

func BenchmarkSurvey(b *testing.B) {
	files, _ := benchFiles(b)
	s := storeOf(b, "f", files["null"])
	b.SetBytes(int64(len(files["null"])))
	for b.Loop() {
		if _, err := (Format{}).Survey(b.Context(), s, "f", table.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	files, bytes := benchFiles(b)
	for codec, data := range files {
		for _, columns := range []string{"all", "two"} {
			o := table.Options{}
			if columns == "two" {
				o.Columns = []string{"c0", "c10"}
			}
			s := storeOf(b, "f", data)
			file, err := Format{}.Survey(b.Context(), s, "f", o)
			if err != nil {
				b.Fatal(err)
			}
			b.Run("codec="+codec+"/columns="+columns, func(b *testing.B) {
				b.SetBytes(bytes)
				rows := 0
				for b.Loop() {
					for _, span := range file.Spans {
						err := Format{}.Read(b.Context(), s, span, o, func(p *batch.Batch) error {
							rows += p.NumRows()
							return nil
						}, func(l deadletter.Letter) error { b.Errorf("dead: %+v", l); return nil })
						if err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(rows)/1e6/b.Elapsed().Seconds(), "Mrows/s")
			})
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	rec := arraystest.Record(rand.New(rand.NewPCG(1, 1)), everything(), 20_000)
	for _, codec := range []string{"null", "deflate", "snappy", "zstandard"} {
		b.Run("codec="+codec, func(b *testing.B) {
			for b.Loop() {
				written(b, rec.Schema(), WriterOptions{Codec: codec}, rec)
			}
			b.ReportMetric(float64(rec.NumRows())*float64(b.N)/1e6/b.Elapsed().Seconds(), "Mrows/s")
		})
	}
}
