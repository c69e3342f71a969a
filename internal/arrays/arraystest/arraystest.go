// Package arraystest makes records for tests: every type, with nulls.
package arraystest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Flat are the types that every format of the project takes.
var Flat = []arrow.DataType{
	arrow.FixedWidthTypes.Boolean,
	arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
	arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
	arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
	arrow.BinaryTypes.String, arrow.BinaryTypes.Binary,
	arrow.FixedWidthTypes.Date32,
	&arrow.TimestampType{Unit: arrow.Millisecond},
	&arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"},
}

// Lists are the lists of fixed size that training uses.
var Lists = []arrow.DataType{
	arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Float32),
	arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int64),
	arrow.FixedSizeListOf(2, arrow.BinaryTypes.String),
}

// Dictionary is a dictionary of text.
var Dictionary = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

// Schema has two columns of each type: a nullable one, and one without nulls.
func Schema(types ...arrow.DataType) *arrow.Schema {
	var fields []arrow.Field
	for i, dt := range types {
		fields = append(fields,
			arrow.Field{Name: fmt.Sprintf("%02d %s?", i, dt), Type: dt, Nullable: true},
			arrow.Field{Name: fmt.Sprintf("%02d %s", i, dt), Type: dt})
	}
	return arrow.NewSchema(fields, nil)
}

// Record fills schema with rows random rows; about a third of the cells of a
// nullable column are null, in runs.
func Record(rng *rand.Rand, schema *arrow.Schema, rows int) arrow.Record {
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for i, f := range schema.Fields() {
		null := false
		for range rows {
			if f.Nullable && rng.IntN(4) == 0 {
				null = rng.IntN(3) == 0
			}
			if null {
				b.Field(i).AppendNull()
			} else {
				appendRandom(rng, b.Field(i))
			}
		}
	}
	return b.NewRecord()
}

func appendRandom(rng *rand.Rand, b array.Builder) {
	word := strings.Repeat(string(rune('a'+rng.IntN(26))), rng.IntN(7))
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(rng.IntN(2) == 0)
	case *array.Int8Builder:
		b.Append(int8(rng.Uint32()))
	case *array.Int16Builder:
		b.Append(int16(rng.Uint32()))
	case *array.Int32Builder:
		b.Append(int32(rng.Uint32()))
	case *array.Int64Builder:
		b.Append(int64(rng.Uint64()))
	case *array.Uint8Builder:
		b.Append(uint8(rng.Uint32()))
	case *array.Uint16Builder:
		b.Append(uint16(rng.Uint32()))
	case *array.Uint32Builder:
		b.Append(rng.Uint32())
	case *array.Uint64Builder:
		b.Append(rng.Uint64())
	case *array.Float32Builder:
		b.Append(math.Float32frombits(rng.Uint32() &^ (1 << 30))) // finite
	case *array.Float64Builder:
		b.Append(math.Float64frombits(rng.Uint64() &^ (1 << 62))) // finite
	case *array.StringBuilder:
		b.Append(word)
	case *array.BinaryBuilder:
		b.Append([]byte(word))
	case *array.BinaryDictionaryBuilder:
		if err := b.AppendString(word); err != nil {
			panic(err)
		}
	case *array.Date32Builder:
		b.Append(arrow.Date32(rng.IntN(40000) - 10000))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(rng.Int64()))
	case *array.FixedSizeListBuilder:
		b.Append(true)
		for range b.Type().(*arrow.FixedSizeListType).Len() {
			appendRandom(rng, b.ValueBuilder())
		}
	case *array.ListBuilder:
		b.Append(true)
		for range rng.IntN(3) {
			appendRandom(rng, b.ValueBuilder())
		}
	default:
		panic(fmt.Sprintf("arraystest: no random values of %s", b.Type()))
	}
}

// Cut slices rec into pieces of random lengths, some of them empty.
func Cut(rng *rand.Rand, rec arrow.Record) []arrow.Record {
	var out []arrow.Record
	for at := int64(0); at < rec.NumRows(); {
		n := min(rng.Int64N(rec.NumRows()/3+2), rec.NumRows()-at)
		out = append(out, rec.NewSlice(at, at+n))
		at += n
	}
	return out
}

// Text writes each row of rec on a line of its own.
func Text(rec arrow.Record) []string {
	out := make([]string, rec.NumRows())
	for i := range out {
		var w strings.Builder
		for _, c := range rec.Columns() {
			writeCell(&w, c, i)
		}
		out[i] = w.String()
	}
	return out
}

// writeCell does without Arrow's own text of lists, which fails for NaN.
func writeCell(w *strings.Builder, c arrow.Array, i int) {
	list, isList := c.(array.ListLike)
	switch {
	case c.IsNull(i):
		w.WriteString("(null)|")
	case isList:
		w.WriteByte('[')
		from, to := list.ValueOffsets(i)
		for j := from; j < to && j < from+100; j++ { // damaged offsets can make many lists of all elements
			writeCell(w, list.ListValues(), int(j))
		}
		w.WriteString("]|")
	default:
		fmt.Fprintf(w, "%q|", c.ValueStr(i))
	}
}
