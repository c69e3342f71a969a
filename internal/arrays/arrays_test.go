package arrays

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"github.com/millrace-go/millrace/internal/arrays/arraystest"
)

func allTypes() *arrow.Schema {
	types := append(slices.Clone(arraystest.Flat), arraystest.Lists...)
	return arraystest.Schema(append(types, arraystest.Dictionary, arrow.ListOf(arrow.PrimitiveTypes.Int64))...)
}

func TestTakeRecord(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	rec := arraystest.Record(rng, allTypes(), 203)
	for _, rec := range []arrow.Record{rec, rec.NewSlice(13, 190), rec.NewSlice(5, 5)} {
		for _, share := range []int{0, 1, 50, 99, 100} {
			keep := make([]bool, rec.NumRows())
			var want []string
			for i, line := range arraystest.Text(rec) {
				if keep[i] = rng.IntN(100) < share; keep[i] {
					want = append(want, line)
				}
			}
			runs, n := Runs(keep)
			if n != len(want) {
				t.Fatalf("Runs: %d rows, want %d", n, len(want))
			}
			got, err := TakeRecord(rec, runs)
			if err != nil {
				t.Fatal(err)
			}
			if err := Validate(got); err != nil {
				t.Errorf("Validate: %v", err)
			}
			if lines := arraystest.Text(got); !slices.Equal(lines, want) {
				t.Errorf("%d rows, %d%% kept: got %q, want %q", rec.NumRows(), share, lines, want)
			}
		}
	}
}

// bytesOf is all that a canonical record holds.
func bytesOf(rec arrow.Record) string {
	var w strings.Builder
	for _, c := range rec.Columns() {
		writeData(&w, c.Data())
	}
	return w.String()
}

func writeData(w *strings.Builder, d arrow.ArrayData) {
	fmt.Fprintf(w, "%d %d %d\n", d.Len(), d.Offset(), d.NullN())
	for _, b := range d.Buffers() {
		if b == nil {
			w.WriteString("nil\n")
		} else {
			fmt.Fprintf(w, "%x\n", b.Bytes())
		}
	}
	for _, c := range d.Children() {
		writeData(w, c)
	}
}

// A canonical record is the same to the byte for any cut.
func TestRechunkerCanonical(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	types := append(slices.Clone(arraystest.Flat), arraystest.Lists[0])
	rec := arraystest.Record(rng, arraystest.Schema(types...), 317)
	var want []string
	for cut := range 8 {
		pieces := []arrow.Record{rec}
		if cut > 0 {
			pieces = arraystest.Cut(rng, rec)
		}
		var got []string
		rows := []int64{}
		r := Rechunker{Schema: rec.Schema(), Rows: 100, Emit: func(c arrow.Record) error {
			rows = append(rows, c.NumRows())
			got = append(got, bytesOf(c))
			return nil
		}}
		for _, p := range pieces {
			if err := r.Write(p); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Flush(); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(rows, []int64{100, 100, 100, 17}) {
			t.Fatalf("cut %d: records of %d rows, want 100 100 100 17", cut, rows)
		}
		if cut == 0 {
			want = got
		} else if !slices.Equal(got, want) {
			t.Errorf("cut %d: the bytes differ from those of one record", cut)
		}
	}
}

// What lies under a null must not reach the copy.
func TestCanonicalNulls(t *testing.T) {
	valid := memory.NewBufferBytes([]byte{0b11111101}) // row 1 is null; the padding is dirty
	ints := array.NewInt64Data(array.NewData(arrow.PrimitiveTypes.Int64, 3,
		[]*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes([]int64{7, 99, 8}))}, nil, 1, 0))
	text := array.NewStringData(array.NewData(arrow.BinaryTypes.String, 3,
		[]*memory.Buffer{valid, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes([]int32{0, 1, 4, 5})), memory.NewBufferBytes([]byte("axxxb"))}, nil, 1, 0))
	for _, a := range []arrow.Array{ints, text} {
		got, err := Concat([]arrow.Array{a})
		if err != nil {
			t.Fatal(err)
		}
		if bits := got.Data().Buffers()[0].Bytes(); bits[0] != 0b101 {
			t.Errorf("%s: validity %08b, want 00000101", a.DataType(), bits)
		}
		if s, ok := got.(*array.String); ok && string(s.ValueBytes()) != "ab" {
			t.Errorf("text %q, want \"ab\"", s.ValueBytes())
		}
		if n, ok := got.(*array.Int64); ok && n.Int64Values()[1] != 0 {
			t.Errorf("value under the null is %d, want 0", n.Int64Values()[1])
		}
	}
}

func TestRechunkerRefuses(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil)
	other := func(name string, dt arrow.DataType, nullable bool) arrow.Record {
		s := arrow.NewSchema([]arrow.Field{{Name: name, Type: dt, Nullable: true}}, nil)
		b := array.NewRecordBuilder(memory.NewGoAllocator(), s)
		b.Field(0).AppendEmptyValue()
		if nullable {
			b.Field(0).AppendNull()
		}
		return b.NewRecord()
	}
	tests := []struct {
		rec  arrow.Record
		want string
	}{
		{other("b", arrow.PrimitiveTypes.Int64, false), `name "b", want "a"`},
		{other("a", arrow.PrimitiveTypes.Int32, false), `column "a": type int32, want int64`},
		{other("a", arrow.PrimitiveTypes.Int64, true), `column "a": 1 nulls`},
		{arraystest.Record(rand.New(rand.NewPCG(1, 1)), arraystest.Schema(arrow.PrimitiveTypes.Int64), 1), "2 columns, want 1"},
	}
	for _, tt := range tests {
		r := Rechunker{Schema: schema, Rows: 10, Emit: func(arrow.Record) error { return nil }}
		if err := r.Write(tt.rec); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got error %v, want one with %q", err, tt.want)
		}
	}
}

func TestValidateFinds(t *testing.T) {
	buf := func(b ...byte) *memory.Buffer { return memory.NewBufferBytes(b) }
	i32 := func(v ...int32) *memory.Buffer { return memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(v)) }
	child := array.NewData(arrow.PrimitiveTypes.Int32, 3, []*memory.Buffer{nil, i32(1, 2, 3)}, nil, 0, 0)
	tests := []struct {
		name, want string
		data       *array.Data
	}{
		{"short values", "buffer 1 has 4 bytes, want 8", array.NewData(arrow.PrimitiveTypes.Int32, 2, []*memory.Buffer{nil, i32(1)}, nil, 0, 0)},
		{"short after an offset", "want 12", array.NewData(arrow.PrimitiveTypes.Int32, 2, []*memory.Buffer{nil, i32(1, 2)}, nil, 0, 1)},
		{"no bitmap", "validity bitmap", array.NewData(arrow.PrimitiveTypes.Int32, 1, []*memory.Buffer{nil, i32(1)}, nil, 1, 0)},
		{"wrong null count", "null count 1, the bitmap has 0", array.NewData(arrow.PrimitiveTypes.Int32, 1, []*memory.Buffer{buf(1), i32(1)}, nil, 1, 0)},
		{"offsets fall", "offset 1 of row 2 is below 2", array.NewData(arrow.BinaryTypes.String, 2, []*memory.Buffer{nil, i32(0, 2, 1), buf(1, 2)}, nil, 0, 0)},
		{"offsets beyond", "offset 3 is beyond", array.NewData(arrow.BinaryTypes.Binary, 1, []*memory.Buffer{nil, i32(0, 3), buf(1, 2)}, nil, 0, 0)},
		{"list beyond", "4 lists", array.NewData(arrow.FixedSizeListOf(1, arrow.PrimitiveTypes.Int32), 4, []*memory.Buffer{nil}, []arrow.ArrayData{child}, 0, 0)},
		{"index beyond", "index 3 of a dictionary of 3", array.NewDataWithDictionary(
			&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.PrimitiveTypes.Int32}, 1, []*memory.Buffer{nil, i32(3)}, 0, 0, child)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := validate(tt.data); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}
