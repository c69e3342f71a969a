package parquetio

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
)

// zoned are the flat types but for timestamps without a zone.
func zoned() []arrow.DataType {
	return slices.DeleteFunc(slices.Clone(arraystest.Flat), func(dt arrow.DataType) bool {
		t, ok := dt.(*arrow.TimestampType)
		return ok && t.TimeZone == ""
	})
}

func TestWriterRoundTrip(t *testing.T) {
	for _, rows := range []int{0, 1, 7, 1000, chunkRows + 1} {
		types := zoned()
		if rows > chunkRows {
			types = types[10:12] // float64 and utf8
		}
		schema := arraystest.Schema(types...)
		rec := arraystest.Record(rand.New(rand.NewPCG(1, uint64(rows))), schema, rows)
		for _, codec := range []string{"", "snappy", "zstd", "none"} {
			b := written(t, schema, WriterOptions{Compression: codec}, rec)
			f, err := Open("w.parquet", bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			if !f.Schema().Equal(schema) || f.Rows() != int64(rows) {
				t.Errorf("%d rows, %q: got %d rows of %s, want %s", rows, codec, f.Rows(), f.Schema(), schema)
			}
			recs, err := readAll(b, nil, 999)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range recs {
				got = append(got, arraystest.Text(r)...)
			}
			if want := arraystest.Text(rec); !slices.Equal(got, want) {
				t.Errorf("%d rows, %q: what was read differs from what was written", rows, codec)
			}
		}
	}
}

// Arrow's reader agrees with ours on what was written.
func TestArrowReadsWritten(t *testing.T) {
	schema := arraystest.Schema(arraystest.Flat...)
	rec := arraystest.Record(rand.New(rand.NewPCG(2, 2)), schema, 3000)
	b := written(t, schema, WriterOptions{}, rec)
	for _, f := range schema.Fields() {
		got, err := columnText(b, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, "written", f, b, got)
	}
}

func TestWriterDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	schema := arraystest.Schema(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Boolean)
	rec := arraystest.Record(rng, schema, 2*chunkRows+100)
	o := WriterOptions{RowGroupRows: chunkRows}
	want := written(t, schema, o, rec)
	for range 3 {
		if got := written(t, schema, o, arraystest.Cut(rng, rec)...); !bytes.Equal(got, want) {
			t.Error("a different cut of the rows gives different bytes")
		}
	}
	f, err := Open("w.parquet", bytes.NewReader(want), int64(len(want)))
	if err != nil {
		t.Fatal(err)
	}
	var rows []int64
	for g := range f.RowGroups() {
		rows = append(rows, f.RowGroupRows(g))
	}
	if !slices.Equal(rows, []int64{chunkRows, chunkRows, 100}) {
		t.Errorf("row groups of %d rows, want %d twice and 100", rows, chunkRows)
	}
	small := written(t, schema, WriterOptions{RowGroupBytes: 1}, rec)
	if f, err = Open("w.parquet", bytes.NewReader(small), int64(len(small))); err != nil || f.RowGroups() != 3 {
		t.Errorf("row groups of a byte: got %d, error %v, want 3, one a chunk", f.RowGroups(), err)
	}
}

type full struct{ room int }

var errFull = errors.New("disk full")

func (f *full) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterErrors(t *testing.T) {
	schema := arraystest.Schema(arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String)
	rec := arraystest.Record(rand.New(rand.NewPCG(4, 4)), schema, 100)
	total := len(written(t, schema, WriterOptions{}, rec))
	for room := 0; room < total; room += 3 {
		w, err := NewWriter(&full{room}, schema, WriterOptions{})
		if err == nil {
			if err = w.Write(rec); err == nil {
				err = w.Close()
			}
		}
		if !errors.Is(err, errFull) {
			t.Fatalf("room for %d of %d bytes: got error %v, want %v", room, total, err, errFull)
		}
	}
	w, err := NewWriter(io.Discard, schema, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err == nil || !strings.Contains(err.Error(), "after Close") {
		t.Errorf("Write after Close: got error %v", err)
	}
}

func TestNewWriterRefuses(t *testing.T) {
	tests := []struct {
		schema *arrow.Schema
		opts   WriterOptions
		want   string
	}{
		{arraystest.Schema(arraystest.Dictionary), WriterOptions{}, "cannot be written"},
		{arraystest.Schema(arraystest.Lists[0]), WriterOptions{}, "cannot be written"},
		{arraystest.Schema(arrow.PrimitiveTypes.Int8), WriterOptions{Compression: "lzma"}, `compression "lzma", want snappy`},
	}
	for _, tt := range tests {
		if _, err := NewWriter(io.Discard, tt.schema, tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got error %v, want one with %q", err, tt.want)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	schema := arraystest.Schema(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Int64)
	rec := arraystest.Record(rand.New(rand.NewPCG(5, 5)), schema, 200_000)
	for _, codec := range []string{"snappy", "zstd", "none"} {
		b.Run(codec, func(b *testing.B) {
			rows := 0
			for b.Loop() {
				written(b, schema, WriterOptions{Compression: codec}, rec)
				rows += 200_000
			}
			b.ReportMetric(float64(rows)/1e6/b.Elapsed().Seconds(), "Mrows/s")
		})
	}
}
