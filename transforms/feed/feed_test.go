package feed

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/io/ipcio"
	"github.com/millrace-go/millrace/io/store"
	"github.com/millrace-go/millrace/io/store/storetest"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/transforms/ledger"
)

var (
	inputs = []nn.Input{
		{Name: "features", DType: "float32", Shape: []int{2}},
		{Name: "colour", DType: "int32", Cardinality: 1000},
		{Name: "words", DType: "int32", Shape: []int{3}, Cardinality: 1000},
	}
	prepared = arrow.NewSchema([]arrow.Field{
		{Name: "features", Type: arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Float32)},
		{Name: "colour", Type: arrow.PrimitiveTypes.Int32},
		{Name: "words", Type: arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Int32)},
		{Name: "label", Type: arrow.PrimitiveTypes.Int32},
	}, nil)
)

// record holds rows from to to-1; row i has features (i, -i), colour 2i, words i, i+1, i+2 and label 3i.
func record(from, to int) arrow.Record {
	rb := array.NewRecordBuilder(memory.DefaultAllocator, prepared)
	defer rb.Release()
	for i := from; i < to; i++ {
		list := rb.Field(0).(*array.FixedSizeListBuilder)
		list.Append(true)
		list.ValueBuilder().(*array.Float32Builder).AppendValues([]float32{float32(i), float32(-i)}, nil)
		rb.Field(1).(*array.Int32Builder).Append(int32(2 * i))
		words := rb.Field(2).(*array.FixedSizeListBuilder)
		words.Append(true)
		words.ValueBuilder().(*array.Int32Builder).AppendValues([]int32{int32(i), int32(i + 1), int32(i + 2)}, nil)
		rb.Field(3).(*array.Int32Builder).Append(int32(3 * i))
	}
	return rb.NewRecord()
}

// dataset stores rows 0, 1, 2, … in pieces that end before each of ends.
func dataset(t testing.TB, ends ...int) (*Dataset, store.Store) {
	t.Helper()
	s := storetest.NewMemory()
	var parts []ledger.Part
	from := 0
	for i, end := range ends {
		var b bytes.Buffer
		w, err := ipcio.NewWriter(&b, prepared, 3) // several batches a piece
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(record(from, end)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(); err != nil {
			t.Fatal(err)
		}
		ref, err := store.PutNamed(context.Background(), s, fmt.Sprintf("piece-%d", i), b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, ledger.Part{Span: i, FirstRow: 1, Rows: int64(end - from), Object: ref})
		from = end
	}
	return Open(s, parts, inputs), s
}

// rowsIn returns the row numbers in a batch, after checking that all inputs agree.
func rowsIn(t testing.TB, b nn.Batch) []int {
	t.Helper()
	if b.N == 0 {
		return nil
	}
	features := b.Inputs["features"].Data().([]float32)
	colours := b.Inputs["colour"].Data().([]int32)
	words := b.Inputs["words"].Data().([]int32)
	if len(features) != 2*b.N || len(colours) != b.N || len(words) != 3*b.N || len(b.Labels) != b.N {
		t.Fatalf("got %d features, %d colours and %d labels for %d rows", len(features), len(colours), len(b.Labels), b.N)
	}
	var list []int
	for i := range b.N {
		row := int(features[2*i])
		if features[2*i+1] != float32(-row) || colours[i] != int32(2*row) || words[3*i] != int32(row) || words[3*i+2] != int32(row+2) || b.Labels[i] != int32(3*row) {
			t.Fatalf("position %d mixes rows: features %v, colour %d, label %d", i, features[2*i:2*i+2], colours[i], b.Labels[i])
		}
		list = append(list, row)
	}
	return list
}

func TestLoadRanges(t *testing.T) {
	d, _ := dataset(t, 4, 5, 5, 12, 20) // one piece has no rows
	if d.Rows() != 20 {
		t.Fatalf("got %d rows, want 20", d.Rows())
	}
	for from := range 21 {
		for to := from; to <= 20; to++ {
			rows, err := d.Load(context.Background(), int64(from), int64(to))
			if err != nil {
				t.Fatal(err)
			}
			got := rowsIn(t, rows.Slice(0, rows.N()))
			if len(got) != to-from || len(got) > 0 && (got[0] != from || got[len(got)-1] != to-1) {
				t.Fatalf("Load(%d, %d): got rows %v", from, to, got)
			}
		}
	}
}

func TestGatherAndSlice(t *testing.T) {
	d, _ := dataset(t, 4, 9)
	rows, err := d.Load(context.Background(), 2, 9)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := rowsIn(t, rows.Gather([]int32{6, 0, 0, 3})), []int{8, 2, 2, 5}; !slices.Equal(got, want) {
		t.Errorf("Gather: got rows %v, want %v", got, want)
	}
	if got, want := rowsIn(t, rows.Slice(1, 4)), []int{3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("Slice: got rows %v, want %v", got, want)
	}
	if got, want := rows.Bytes(), int64(7*(2+1+3+1)*4); got != want {
		t.Errorf("Bytes: got %d, want %d", got, want)
	}
}

func TestLoadErrors(t *testing.T) {
	ctx := context.Background()
	d, s := dataset(t, 4, 9)
	short := Open(s, []ledger.Part{{Rows: 5, Object: d.parts[0].Object}}, inputs)
	other := Open(s, d.parts, []nn.Input{{Name: "shape", DType: "int32"}})
	wide := Open(s, d.parts, []nn.Input{{Name: "features", DType: "float32", Shape: []int{3}}})
	data, err := store.GetObject(ctx, s, d.parts[1].Object)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.WriteAll(ctx, s, "piece-1", data[:len(data)/2]); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		data *Dataset
		want string
	}{
		{"fewer rows than the manifest says", short, "piece-0: has 4 rows, want 5"},
		{"truncated", d, "piece-1: "},
		{"no such column", other, `piece-0: no column "shape"`},
		{"another width", wide, "want 3 float32"},
	} {
		if _, err := c.data.Load(ctx, 0, c.data.Rows()); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "run again") {
			t.Errorf("%s: got error %v, want %q and a remedy", c.name, err, c.want)
		}
	}
}

// sequence is the rows of the first steps of a sampler.
func sequence(t testing.TB, d *Dataset, shard, size, steps int, window int64) []int {
	t.Helper()
	s, err := NewSampler(d, 7, shard, size)
	if err != nil {
		t.Fatal(err)
	}
	s.windowRows = window
	var list []int
	for step := range steps {
		b, err := s.Batch(context.Background(), int64(step))
		if err != nil {
			t.Fatal(err)
		}
		if b.N != size {
			t.Fatalf("step %d: got %d rows, want %d", step, b.N, size)
		}
		list = append(list, rowsIn(t, b)...)
	}
	return list
}

// Each epoch is a permutation of the rows, also where windows and epochs end
// within a batch; windows of 8 leave one of 4 rows.
func TestSamplerEpochs(t *testing.T) {
	const rows, epochs = 20, 6
	for _, window := range []int64{1 << 16, 20, 8, 3, 1} {
		for _, size := range []int{1, 3, 7, 20, 30} {
			d, _ := dataset(t, 4, 5, 12, rows)
			list := sequence(t, d, 0, size, (rows*epochs+size-1)/size, window)
			var orders []string
			for e := range epochs {
				epoch := slices.Clone(list[e*rows : (e+1)*rows])
				orders = append(orders, fmt.Sprint(epoch))
				slices.Sort(epoch)
				for i, row := range epoch {
					if row != i {
						t.Fatalf("windows of %d, batches of %d: epoch %d has rows %v, want each once", window, size, e, epoch)
					}
				}
			}
			if slices.Sort(orders); len(slices.Compact(orders)) != epochs {
				t.Errorf("windows of %d, batches of %d: got an order twice in %v", window, size, orders)
			}
		}
	}
}

// The order depends on the seed, the shard and the step, not on how the rows
// are cut in pieces, nor on which steps were asked for before.
func TestSamplerIsDeterministic(t *testing.T) {
	cut, _ := dataset(t, 4, 5, 12, 20)
	whole, _ := dataset(t, 20)
	want := sequence(t, cut, 0, 3, 20, 8)
	if got := sequence(t, whole, 0, 3, 20, 8); !slices.Equal(got, want) {
		t.Errorf("other pieces: got %v, want %v", got, want)
	}
	if got := sequence(t, cut, 1, 3, 20, 8); slices.Equal(got, want) {
		t.Errorf("another shard: got the same order %v", got)
	}
	s, err := NewSampler(cut, 7, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	s.windowRows = 8
	for _, step := range []int{17, 3, 4, 0, 17} { // as a resumed run would
		b, err := s.Batch(context.Background(), int64(step))
		if err != nil {
			t.Fatal(err)
		}
		if got := rowsIn(t, b); !slices.Equal(got, want[3*step:3*step+3]) {
			t.Errorf("step %d alone: got %v, want %v", step, got, want[3*step:3*step+3])
		}
	}
}

func TestNewSamplerRefuses(t *testing.T) {
	empty, _ := dataset(t)
	some, _ := dataset(t, 2)
	if _, err := NewSampler(empty, 1, 0, 3); err == nil {
		t.Error("no rows: got no error")
	}
	if _, err := NewSampler(some, 1, 0, 0); err == nil {
		t.Error("batches of 0 rows: got no error")
	}
}
