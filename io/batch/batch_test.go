package batch

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/passert"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
)

func TestMain(m *testing.M) { ptest.Main(m) }

// random has rows of every type; their numbers are odd, so that a position is no number.
func random(t testing.TB, seed uint64, rows int) *Batch {
	t.Helper()
	types := append(slices.Clone(arraystest.Flat), arraystest.Lists...)
	types = append(types, arraystest.Dictionary, arrow.ListOf(arrow.PrimitiveTypes.Float32))
	meta := arrow.NewMetadata([]string{"note"}, []string{"kept"})
	schema := arrow.NewSchema(arraystest.Schema(types...).Fields(), &meta)
	numbers := make([]int64, rows)
	for i := range numbers {
		numbers[i] = int64(2*i + 1)
	}
	b, err := New(arraystest.Record(rand.New(rand.NewPCG(seed, 1)), schema, rows), "dir/a file.csv", numbers)
	if err != nil {
		t.Fatal(err)
	}
	b.Span = 7
	return b
}

func sameBatch(t *testing.T, got, want *Batch) {
	t.Helper()
	if got.File != want.File || got.Span != want.Span || !slices.Equal(got.Rows, want.Rows) {
		t.Errorf("got file %q, span %d, rows %v, want %q, %d, %v", got.File, got.Span, got.Rows, want.File, want.Span, want.Rows)
	}
	if !got.Record.Schema().Equal(want.Record.Schema()) || !got.Record.Schema().Metadata().Equal(want.Record.Schema().Metadata()) {
		t.Errorf("got schema %s, want %s", got.Record.Schema(), want.Record.Schema())
	}
	if !array.RecordEqual(got.Record, want.Record) {
		t.Errorf("got %v, want %v", got.Record, want.Record)
	}
}

func encoded(t testing.TB, b *Batch) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := Encode(b, &buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestRoundTrip(t *testing.T) {
	whole := random(t, 1, 100)
	none, err := Filter(whole, make([]bool, 100))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]*Batch{
		"whole": whole, "slice": Slice(whole, 9, 77), "slice of a slice": Slice(Slice(whole, 9, 77), 3, 20),
		"empty slice": Slice(whole, 5, 5), "no rows": random(t, 2, 0), "filtered to nothing": none, "one row": random(t, 3, 1),
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			p := encoded(t, want)
			got, err := Decode(bytes.NewReader(p))
			if err != nil {
				t.Fatal(err)
			}
			sameBatch(t, got, want)
			if again := encoded(t, want); !bytes.Equal(p, again) {
				t.Error("the same batch gives different bytes")
			}
		})
	}
}

func TestNewChecks(t *testing.T) {
	rec := random(t, 1, 3).Record
	for name, tt := range map[string]struct {
		rows []int64
		want string
	}{
		"too few":    {[]int64{1, 2}, "3 rows with 2 row numbers"},
		"zero":       {[]int64{0, 1, 2}, "row number 0 at position 0"},
		"repeated":   {[]int64{1, 1, 2}, "row number 1 at position 1"},
		"descending": {[]int64{1, 3, 2}, "row number 2 at position 2"},
	} {
		if _, err := New(rec, "f", tt.rows); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, tt.want)
		}
	}
}

func TestFilterAndSlice(t *testing.T) {
	b := random(t, 4, 10)
	before := encoded(t, b)
	keep := []bool{true, false, false, true, true, false, true, false, false, true}
	got, err := Filter(b, keep)
	if err != nil {
		t.Fatal(err)
	}
	if want := []int64{1, 7, 9, 13, 19}; !slices.Equal(got.Rows, want) || got.File != b.File || got.Span != 7 {
		t.Errorf("Filter: rows %v of %q span %d, want %v", got.Rows, got.File, got.Span, want)
	}
	lines := arraystest.Text(b.Record)
	if want := []string{lines[0], lines[3], lines[4], lines[6], lines[9]}; !slices.Equal(arraystest.Text(got.Record), want) {
		t.Errorf("Filter: got %q, want %q", arraystest.Text(got.Record), want)
	}
	s := Slice(b, 2, 5)
	if want := []int64{5, 7, 9}; !slices.Equal(s.Rows, want) || s.Span != 7 || !slices.Equal(arraystest.Text(s.Record), lines[2:5]) {
		t.Errorf("Slice: rows %v span %d: %q, want %v and %q", s.Rows, s.Span, arraystest.Text(s.Record), want, lines[2:5])
	}
	if !bytes.Equal(encoded(t, b), before) {
		t.Error("Filter or Slice changed its batch")
	}
	all := slices.Repeat([]bool{true}, 10)
	if got, err := Filter(b, all); err != nil || got != b {
		t.Errorf("Filter that keeps all: got %p, error %v, want the batch itself", got, err)
	}
}

func TestColumn(t *testing.T) {
	b := random(t, 5, 4)
	col, err := Column(b, "03 int32")
	if err != nil || col != b.Record.Column(7) {
		t.Errorf("got %v, error %v, want column 7", col, err)
	}
	if _, err := Column(b, "x"); err == nil || !strings.Contains(err.Error(), `column "x": not in dir/a file.csv, which has "00 bool?"`) {
		t.Errorf("got error %v, want one that lists the columns", err)
	}
}

func TestDecodeDamaged(t *testing.T) {
	p := encoded(t, random(t, 6, 20))
	for cut := 0; cut < len(p); cut += 1 + cut/100 {
		if _, err := Decode(bytes.NewReader(p[:cut])); err == nil {
			t.Fatalf("cut at byte %d of %d: no error", cut, len(p))
		}
	}
	rng := rand.New(rand.NewPCG(7, 7))
	for range 2000 {
		q := bytes.Clone(p)
		at := rng.IntN(len(q))
		q[at] ^= 1 << rng.IntN(8)
		if b, err := Decode(bytes.NewReader(q)); err == nil {
			arraystest.Text(b.Record) // every cell can be read
		}
	}
}

func TestReservedMetadata(t *testing.T) {
	b := random(t, 8, 1)
	meta := arrow.NewMetadata([]string{spanKey}, []string{"1"})
	b.Record = array.NewRecord(arrow.NewSchema(b.Record.Schema().Fields(), &meta), b.Record.Columns(), 1)
	if err := Encode(b, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "reserved") {
		t.Errorf("got error %v, want one that says reserved", err)
	}
}

func countRows(b *Batch) int { return b.NumRows() + 1000*b.Span }

func init() { beam.RegisterFunction(countRows) }

// The coder works in a pipeline: Create encodes, a shuffle decodes.
func TestBeamCoder(t *testing.T) {
	p, s := beam.NewPipelineWithRoot()
	batches := beam.CreateList(s, []*Batch{random(t, 1, 5), random(t, 2, 0), random(t, 3, 7)})
	passert.Equals(s, beam.ParDo(s, countRows, beam.Reshuffle(s, batches)), 7005, 7000, 7007)
	ptest.RunAndValidate(t, p)
}

func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, random(f, 1, 3)))
	f.Add(encoded(f, random(f, 2, 0)))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		b, err := Decode(bytes.NewReader(p))
		if err != nil {
			return
		}
		if int64(b.NumRows()) != b.Record.NumRows() {
			t.Fatalf("%d row numbers for %d rows", b.NumRows(), b.Record.NumRows())
		}
		if b.NumRows() < 1000 {
			arraystest.Text(b.Record)
		}
	})
}

func BenchmarkEncodeDecode(b *testing.B) {
	types := []arrow.DataType{arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String}
	rows := make([]int64, 4096)
	for i := range rows {
		rows[i] = int64(i + 1)
	}
	in, err := New(arraystest.Record(rand.New(rand.NewPCG(1, 1)), arraystest.Schema(types...), 4096), "f", rows)
	if err != nil {
		b.Fatal(err)
	}
	p := encoded(b, in)
	b.SetBytes(int64(len(p)))
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		for b.Loop() {
			encoded(b, in)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(p)))
		for b.Loop() {
			if _, err := decode(p); err != nil {
				b.Fatal(err)
			}
		}
	})
}
