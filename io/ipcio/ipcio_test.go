package ipcio

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
)

func schema() *arrow.Schema {
	meta := arrow.NewMetadata([]string{"note"}, []string{"kept"})
	types := append(slices.Clone(arraystest.Flat), arraystest.Lists...)
	return arrow.NewSchema(arraystest.Schema(types...).Fields(), &meta)
}

func piece(t testing.TB, s *arrow.Schema, batchRows int, recs ...arrow.Record) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := NewWriter(&buf, s, batchRows)
	if err != nil {
		t.Fatal(err)
	}
	want := int64(0)
	for _, r := range recs {
		want += r.NumRows()
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if rows, err := w.Close(); err != nil || rows != want {
		t.Fatalf("Close: %d rows, error %v, want %d", rows, err, want)
	}
	return buf.Bytes()
}

func lines(p []byte, from, to int64) (out []string, err error) {
	r, err := Open(bytes.NewReader(p), int64(len(p)))
	if err != nil {
		return nil, err
	}
	err = r.Read(from, to, func(rec arrow.Record) error {
		out = append(out, arraystest.Text(rec)...)
		return nil
	})
	return out, err
}

func TestReadRanges(t *testing.T) {
	const rows, batchRows = 105, 10
	rec := arraystest.Record(rand.New(rand.NewPCG(1, 1)), schema(), rows)
	want := arraystest.Text(rec)
	p := piece(t, schema(), batchRows, rec)
	r, err := Open(bytes.NewReader(p), int64(len(p)))
	if err != nil {
		t.Fatal(err)
	}
	if r.Rows() != rows || !r.Schema().Equal(schema()) || !r.Schema().Metadata().Equal(schema().Metadata()) {
		t.Errorf("got %d rows of %s, want %d of %s", r.Rows(), r.Schema(), rows, schema())
	}
	for _, at := range [][2]int64{{0, 105}, {0, 0}, {105, 105}, {0, 1}, {9, 11}, {10, 20}, {99, 105}, {104, 105}, {37, 81}} {
		got, err := lines(p, at[0], at[1])
		if err != nil || !slices.Equal(got, want[at[0]:at[1]]) {
			t.Errorf("rows %v: got %q, error %v, want %q", at, got, err, want[at[0]:at[1]])
		}
	}
	for _, at := range [][2]int64{{-1, 5}, {5, 4}, {0, 106}} {
		if _, err := lines(p, at[0], at[1]); err == nil || !strings.Contains(err.Error(), "of a piece of 105") {
			t.Errorf("rows %v: got error %v, want one that says 105", at, err)
		}
	}
	stop := errors.New("stop")
	if err := r.Read(0, 105, func(arrow.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got error %v, want that of the callback", err)
	}
}

// The bytes are the same for any cut of the rows.
func TestDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	rec := arraystest.Record(rng, schema(), 300)
	want := piece(t, schema(), 64, rec)
	for range 5 {
		if got := piece(t, schema(), 64, arraystest.Cut(rng, rec)...); !bytes.Equal(got, want) {
			t.Error("a different cut of the rows gives different bytes")
		}
	}
}

// Any reader of Arrow's file format reads a piece.
func TestArrowReads(t *testing.T) {
	rec := arraystest.Record(rand.New(rand.NewPCG(3, 3)), schema(), 25)
	r, err := ipc.NewFileReader(bytes.NewReader(piece(t, schema(), 10, rec)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, want := range []int64{10, 10, 5} {
		b, err := r.Record(i)
		if err != nil || b.NumRows() != want {
			t.Fatalf("batch %d: %v, error %v, want %d rows", i, b, err, want)
		}
		got = append(got, arraystest.Text(b)...)
	}
	if want := arraystest.Text(rec); r.NumRecords() != 3 || !slices.Equal(got, want) {
		t.Errorf("got %d batches %q, want 3 with %q", r.NumRecords(), got, want)
	}
}

func TestEmptyPiece(t *testing.T) {
	p := piece(t, schema(), 10)
	r, err := Open(bytes.NewReader(p), int64(len(p)))
	if err != nil || r.Rows() != 0 || !r.Schema().Equal(schema()) {
		t.Fatalf("got %+v, error %v, want a piece without rows", r, err)
	}
	if err := r.Read(0, 0, func(arrow.Record) error { return errors.New("called") }); err != nil {
		t.Error(err)
	}
}

func TestNewWriterRefuses(t *testing.T) {
	one := func(dt arrow.DataType) *arrow.Schema { return arraystest.Schema(dt) }
	reserved := arrow.NewMetadata([]string{batchRowsKey}, []string{"1"})
	tests := []struct {
		schema *arrow.Schema
		rows   int
		want   string
	}{
		{one(arrow.PrimitiveTypes.Int8), 0, "0 rows a batch"},
		{one(arraystest.Dictionary), 1, "decode it first"},
		{one(arrow.ListOf(arrow.PrimitiveTypes.Int8)), 1, "not supported"},
		{arrow.NewSchema(nil, &reserved), 1, "reserved"},
	}
	for _, tt := range tests {
		if _, err := NewWriter(&bytes.Buffer{}, tt.schema, tt.rows); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got error %v, want one with %q", err, tt.want)
		}
	}
}

// full fails once it has taken n bytes.
type full struct{ n int }

func (f *full) Write(b []byte) (int, error) {
	if f.n -= len(b); f.n < 0 {
		return 0, errFull
	}
	return len(b), nil
}

var errFull = errors.New("disk full")

func TestWriteErrors(t *testing.T) {
	rec := arraystest.Record(rand.New(rand.NewPCG(4, 4)), schema(), 50)
	whole := len(piece(t, schema(), 10, rec))
	for room := 0; room < whole; room += 97 {
		w, err := NewWriter(&full{room}, schema(), 10)
		if err != nil {
			t.Fatal(err)
		}
		werr := w.Write(rec)
		if _, err := w.Close(); !errors.Is(err, errFull) || werr != nil && !errors.Is(werr, errFull) {
			t.Fatalf("room for %d of %d bytes: Write %v, Close %v, want %v", room, whole, werr, err, errFull)
		}
	}
}

func TestDamaged(t *testing.T) {
	s := arraystest.Schema(arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int16, arraystest.Lists[0])
	p := piece(t, s, 10, arraystest.Record(rand.New(rand.NewPCG(5, 5)), s, 35))
	for cut := range p {
		if _, err := lines(p[:cut], 0, 35); err == nil {
			t.Fatalf("cut at byte %d of %d: no error", cut, len(p))
		}
	}
	rng := rand.New(rand.NewPCG(6, 6))
	for range 5000 {
		q := bytes.Clone(p)
		q[rng.IntN(len(q))] ^= 1 << rng.IntN(8)
		readWhole(q)
	}
}

// readWhole reads what there is, every cell of it.
func readWhole(p []byte) error {
	r, err := Open(bytes.NewReader(p), int64(len(p)))
	if err != nil {
		return err
	}
	return r.Read(0, r.Rows(), func(rec arrow.Record) error {
		if rec.NumRows() < 1000 {
			arraystest.Text(rec)
		}
		return nil
	})
}

func FuzzRead(f *testing.F) {
	s := arraystest.Schema(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float32, arraystest.Lists[0])
	f.Add(piece(f, s, 2, arraystest.Record(rand.New(rand.NewPCG(7, 7)), s, 5)))
	f.Add(piece(f, s, 2))
	f.Add([]byte("ARROW1\x00\x00"))
	f.Fuzz(func(t *testing.T, p []byte) {
		if err := readWhole(p); err != nil && !strings.HasPrefix(err.Error(), "ipcio.") {
			t.Errorf("error %v does not say where it comes from", err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	s := arrow.NewSchema([]arrow.Field{{Name: "features", Type: arrow.FixedSizeListOf(64, arrow.PrimitiveTypes.Float32)}, {Name: "label", Type: arrow.PrimitiveTypes.Int32}}, nil)
	rec := arraystest.Record(rand.New(rand.NewPCG(8, 8)), s, 20000)
	for _, batchRows := range []int{256, 4096} {
		p := piece(b, s, batchRows, rec)
		b.Run(fmt.Sprintf("batch=%d", batchRows), func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				r, err := Open(bytes.NewReader(p), int64(len(p)))
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Read(0, r.Rows(), func(arrow.Record) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	s := arrow.NewSchema([]arrow.Field{{Name: "features", Type: arrow.FixedSizeListOf(64, arrow.PrimitiveTypes.Float32)}}, nil)
	rec := arraystest.Record(rand.New(rand.NewPCG(9, 9)), s, 20000)
	b.SetBytes(20000 * 64 * 4)
	for b.Loop() {
		piece(b, s, 4096, rec)
	}
}
