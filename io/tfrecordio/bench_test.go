package tfrecordio

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/batch"
	"github.com/millrace-go/millrace/io/deadletter"
	"github.com/millrace-go/millrace/io/table"
)

// files are a table of 20 columns, and one of long lists of numbers, as models are fed.
func files(b *testing.B) map[string][]byte {
	rng := rand.New(rand.NewPCG(8, 8))
	var types []arrow.DataType
	for range 4 {
		types = append(types, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float32)
	}
	types = append(types, arrow.BinaryTypes.String, arrow.BinaryTypes.String)
	flat := arraystest.Record(rng, arraystest.Schema(types...), 20_000)
	out := map[string][]byte{"flat": written(b, flat.Schema(), WriterOptions{}, flat)}
	long := make([]uint32, 4096)
	for i := range long {
		long[i] = one
	}
	ids := make([]int64, 512)
	for i := range ids {
		ids[i] = int64(rng.IntN(30_000))
	}
	message := example(entryOf("ids", ints(ids...)), entryOf("label", ints(1)), entryOf("vector", floats(long...)))
	for range 500 {
		out["lists"] = append(out["lists"], frame(message)...)
	}
	return out
}

func BenchmarkSurvey(b *testing.B) {
	for name, data := range files(b) {
		s := storeOf(b, "f", data)
		b.Run("table="+name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := (Format{}).Survey(b.Context(), s, "f", table.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	all := files(b)
	if data, err := os.ReadFile(shareddata.Path(b, "tabular/chicago_taxi/tfrecord-00000-of-00002.gz")); err == nil {
		all["taxi.gz"] = data
	}
	for name, data := range all {
		s := storeOf(b, "f", data)
		file, err := Format{}.Survey(b.Context(), s, "f", table.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run("table="+name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			rows := 0
			for b.Loop() {
				for _, span := range file.Spans {
					err := Format{}.Read(b.Context(), s, span, table.Options{}, func(p *batch.Batch) error {
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

func BenchmarkWrite(b *testing.B) {
	rec := arraystest.Record(rand.New(rand.NewPCG(9, 9)), everything(), 20_000)
	b.SetBytes(int64(len(written(b, rec.Schema(), WriterOptions{}, rec))))
	for b.Loop() {
		written(b, rec.Schema(), WriterOptions{}, rec)
	}
}
