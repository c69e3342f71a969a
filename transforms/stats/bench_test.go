package stats

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/millrace-go/millrace/internal/shareddata"
	"github.com/millrace-go/millrace/io/parquetio"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/runners"
	"github.com/millrace-go/millrace/runners/direct"
	"github.com/millrace-go/millrace/transforms/ledger"
	"github.com/millrace-go/millrace/transforms/read"
)

// BenchmarkFlights makes the statistics of 3M rows x 5 columns, file to JSON,
// on two goroutines, each with its row groups.
func BenchmarkFlights(b *testing.B) {
	path := shareddata.Path(b, "tabular/flights/flights-3m.parquet")
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			b.Fatal(err)
		}
		file, err := parquetio.Open(path, f, info.Size())
		if err != nil {
			b.Fatal(err)
		}
		workers, errs := make([]*Slicer, 2), make([]error, 2)
		var wait sync.WaitGroup
		for w := range workers {
			if workers[w], err = NewSlicer(Options{}, file.Schema()); err != nil {
				b.Fatal(err)
			}
			wait.Go(func() {
				for g := w; g < file.RowGroups() && errs[w] == nil; g += len(workers) {
					errs[w] = file.Read(context.Background(), g, parquetio.ReadOptions{}, func(p parquetio.Part) error { return workers[w].Add(p.Record) })
				}
			})
		}
		wait.Wait()
		for _, err := range append(errs, workers[0].Merge(workers[1])) {
			if err != nil {
				b.Fatal(err)
			}
		}
		s, err := workers[0].Statistics()
		if err != nil {
			b.Fatal(err)
		}
		if encode(b, s); s.Rows != 3_000_000 {
			b.Fatalf("got %d rows", s.Rows)
		}
		f.Close()
	}
}

// BenchmarkColumn takes in one column of 4,096 rows at a time.
func BenchmarkColumn(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	const n = 1 << 20
	floats, ints, words := array.NewFloat64Builder(memory.DefaultAllocator), array.NewInt64Builder(memory.DefaultAllocator), array.NewStringBuilder(memory.DefaultAllocator)
	for range n {
		floats.Append(r.NormFloat64())
		ints.Append(r.Int64N(1000))
		words.Append([]string{"ATL", "ORD", "DFW", "LAX", "a longer name of a place"}[r.IntN(5)])
	}
	for name, col := range map[string]arrow.Array{"float": floats.NewArray(), "integer": ints.NewArray(), "string": words.NewArray()} {
		b.Run("type="+name, func(b *testing.B) {
			rec := array.NewRecord(schemaOf(arrow.Field{Name: name, Type: col.DataType()}), []arrow.Array{col}, n)
			a, err := NewAnalyzer(Options{MaxDistinct: 1 << 16}, rec.Schema())
			if err != nil {
				b.Fatal(err)
			}
			at := int64(0)
			for b.Loop() {
				if err := a.Add(rec.NewSlice(at, at+4096)); err != nil {
					b.Fatal(err)
				}
				at = (at + 4096) % n
			}
			b.ReportMetric(4096*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mvalues/s")
		})
	}
}

// BenchmarkPipelineFlights makes them on the direct runner, in two branches,
// from the survey of the file to JSON.
func BenchmarkPipelineFlights(b *testing.B) {
	ctx := context.Background()
	path := shareddata.Path(b, "tabular/flights/flights-3m.parquet")
	in := read.Source{Store: "file://" + filepath.Dir(path)}
	for b.Loop() {
		source, err := store.At(in.Store)
		if err != nil {
			b.Fatal(err)
		}
		survey, err := read.Take(ctx, source, []read.File{{Name: "flights", Path: filepath.Base(path), Format: "parquet"}}, 2)
		if err != nil {
			b.Fatal(err)
		}
		uri := "file://" + b.TempDir()
		sink := ledger.Sink{Store: uri, Prefix: "work"}
		p, s := beam.NewPipelineWithRoot()
		var accumulators, entries []beam.PCollection
		for _, spans := range read.Spread(survey.Spans, 2) {
			batches, done := read.Rows(s, in, sink, spans)
			accumulators, entries = append(accumulators, Accumulate(s, Options{}, survey.Schema, batches)), append(entries, done)
		}
		ledger.Commit(s, uri, "manifest.json", append(entries, Merge(s, sink, PartStatistics, accumulators...))...)
		if _, err := runners.Run(ctx, direct.Runner{}, p, uri); err != nil {
			b.Fatal(err)
		}
		out, err := store.At(uri)
		if err != nil {
			b.Fatal(err)
		}
		entry, _, err := ledger.Load(ctx, out, "manifest.json")
		if err != nil {
			b.Fatal(err)
		}
		slicer, err := SlicerOfEntry(ctx, out, Options{}, survey.Schema, entry)
		if err != nil {
			b.Fatal(err)
		}
		if got, err := slicer.Statistics(); err != nil || got.Rows != 3_000_000 {
			b.Fatal(got, err)
		}
	}
}
