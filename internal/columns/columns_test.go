package columns

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"github.com/millrace-go/millrace/internal/arrays"
	"github.com/millrace-go/millrace/internal/arrays/arraystest"
)

// copyCell appends cell i of a by the methods for its type.
func copyCell(c *Column, a arrow.Array, i int) {
	if a.IsNull(i) || a.DataType().ID() == arrow.NULL {
		c.Null()
		return
	}
	switch a := a.(type) {
	case *array.Boolean:
		c.Bool(a.Value(i))
	case *array.Int32:
		c.Fixed4(uint32(a.Value(i)))
	case *array.Float32:
		c.Block(binary.LittleEndian.AppendUint32(nil, math.Float32bits(a.Value(i))))
	case *array.Int64:
		c.Fixed8(uint64(a.Value(i)))
	case *array.Timestamp:
		c.Fixed8(uint64(a.Value(i)))
	case *array.String:
		c.Bytes([]byte(a.Value(i)))
	case *array.Binary:
		c.Bytes(a.Value(i))
	case *array.List:
		for from, to := a.ValueOffsets(i); from < to; from++ {
			copyCell(c.Child(0), a.ListValues(), int(from))
		}
		c.List()
	default:
		panic(fmt.Sprintf("no copy of %s", a.DataType()))
	}
}

var types = []arrow.DataType{
	arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Int64, arrow.FixedWidthTypes.Timestamp_us,
	arrow.BinaryTypes.String, arrow.BinaryTypes.Binary, arrow.ListOf(arrow.PrimitiveTypes.Int64), arrow.ListOf(arrow.ListOf(arrow.BinaryTypes.String)),
}

// Random columns of all types, appended cell by cell, are what they were; twice, as a column is used again.
func TestColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	schema := arraystest.Schema(types...)
	size := 0
	var out []*Column
	for _, f := range schema.Fields() {
		c, err := New(f.Type, &size)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	for _, rows := range []int{0, 1, 7, 8, 9, 300, 5} {
		rec := arraystest.Record(rng, schema, rows)
		cols := make([]arrow.Array, len(out))
		for i, c := range out {
			for row := range rows {
				copyCell(c, rec.Column(i), row)
			}
			if c.Len() != rows {
				t.Errorf("%s: got length %d, want %d", c.Type(), c.Len(), rows)
			}
			cols[i] = c.Array()
			if cols[i].NullN() != rec.Column(i).NullN() {
				t.Errorf("%s: got %d nulls, want %d", c.Type(), cols[i].NullN(), rec.Column(i).NullN())
			}
		}
		got := array.NewRecord(schema, cols, int64(rows))
		if err := arrays.Validate(got); err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(arraystest.Text(got), "\n"), strings.Join(arraystest.Text(rec), "\n"); got != want {
			t.Fatalf("%d rows: got %s, want %s", rows, got, want)
		}
	}
}

func TestStructs(t *testing.T) {
	size := 0
	c, err := New(arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "n", Type: arrow.Null, Nullable: true},
		arrow.Field{Name: "l", Type: arrow.ListOf(arrow.FixedWidthTypes.Boolean), Nullable: true}), &size)
	if err != nil {
		t.Fatal(err)
	}
	c.Child(0).Fixed4(7)
	c.Child(1).Null()
	c.Child(2).Child(0).Bool(true)
	c.Child(2).List()
	c.Struct()
	c.Null()
	if got, want := fmt.Sprint(size), "17"; got != want { // 4, 1, 4; and zeros of 4 and 4 under the null
		t.Errorf("got a size of %s, want %s", got, want)
	}
	a := c.Array()
	if got := a.ValueStr(0); got != `{"l":[true],"n":null,"x":7}` || a.IsValid(1) || a.Len() != 2 {
		t.Errorf("got %s, then valid %v", got, a.IsValid(1))
	}
}

func TestBlocksAfterNulls(t *testing.T) {
	size := 0
	c, err := New(arrow.PrimitiveTypes.Float32, &size)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4*13)
	for i := range 20 { // lengths of the bitmap around whole bytes
		c.Null()
		c.Block(block[:4*(i%14)])
	}
	a := c.Array()
	at := 0
	for i := range 20 {
		for j := range 1 + i%14 {
			if a.IsNull(at) != (j == 0) {
				t.Fatalf("value %d: got null %v, want %v", at, a.IsNull(at), j == 0)
			}
			at++
		}
	}
	if a.Len() != at || a.NullN() != 20 {
		t.Errorf("got %d values, %d nulls, want %d and 20", a.Len(), a.NullN(), at)
	}
}

func TestNewRefuses(t *testing.T) {
	size := 0
	for _, dt := range []arrow.DataType{arrow.PrimitiveTypes.Int8, &arrow.Decimal128Type{Precision: 3}, arraystest.Dictionary, arrow.ListOf(arrow.PrimitiveTypes.Uint16), arrow.BinaryTypes.LargeString} {
		if _, err := New(dt, &size); err == nil || !strings.Contains(err.Error(), "columns: no columns of ") {
			t.Errorf("%s: got error %v, want that there are no such columns", dt, err)
		}
	}
}
