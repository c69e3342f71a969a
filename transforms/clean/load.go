package clean

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
)

// sourceKind is the kind that a source column of type t is read as.
func sourceKind(t arrow.DataType) (kind, bool) {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY, arrow.NULL:
		return kindString, true
	case arrow.DICTIONARY:
		values := t.(*arrow.DictionaryType).ValueType.ID()
		return kindString, values == arrow.STRING || values == arrow.BINARY
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return kindInt64, true
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		return kindFloat64, true
	case arrow.BOOL:
		return kindBool, true
	case arrow.DATE32, arrow.DATE64:
		return kindDate, true
	case arrow.TIMESTAMP:
		return kindTimestamp, true
	}
	return 0, false
}

// load reads a source column. misfits are the rows, ascending, whose value the
// kind cannot hold: a uint64, a date or a timestamp out of range.
func load(a arrow.Array) (c *cells, misfits []int, err error) {
	k, ok := sourceKind(a.DataType())
	if !ok {
		return nil, nil, fmt.Errorf("type %v is not supported", a.DataType())
	}
	c = &cells{kind: k, n: a.Len(), valid: validity(a)}
	if arrow.TypeEqual(a.DataType(), arrowTypes[k]) {
		c.same = a
	}
	switch k {
	case kindString:
		c.texts = texts(a)
	case kindFloat64:
		c.floats = floats(a)
	case kindInt64:
		c.ints, misfits = integers(a)
	case kindBool:
		c.ints = booleans(a.(*array.Boolean))
	case kindDate:
		c.ints, misfits = dates(a)
	case kindTimestamp:
		c.ints, misfits = timestamps(a.(*array.Timestamp))
	}
	return c, misfits, nil
}

// validity copies the null bitmap of a, from bit 0; nil if it has no nulls.
func validity(a arrow.Array) []byte {
	if a.DataType().ID() == arrow.NULL {
		return make([]byte, bitutil.BytesForBits(int64(a.Len())))
	}
	if a.NullN() == 0 {
		return nil
	}
	valid := make([]byte, bitutil.BytesForBits(int64(a.Len())))
	bitutil.CopyBitmap(a.NullBitmapBytes(), a.Data().Offset(), a.Len(), valid, 0)
	return valid
}

func texts(a arrow.Array) []string {
	t := make([]string, a.Len())
	switch a := a.(type) {
	case *array.String:
		for i := range t {
			t[i] = a.Value(i)
		}
	case *array.LargeString:
		for i := range t {
			t[i] = a.Value(i)
		}
	case *array.Binary:
		for i := range t {
			t[i] = a.ValueString(i)
		}
	case *array.LargeBinary:
		for i := range t {
			t[i] = a.ValueString(i)
		}
	case *array.Dictionary:
		words := texts(a.Dictionary())
		for i := range t {
			if !a.IsNull(i) {
				t[i] = words[a.GetValueIndex(i)]
			}
		}
	}
	return t
}

func floats(a arrow.Array) []float64 {
	switch a := a.(type) {
	case *array.Float64:
		return a.Float64Values()
	case *array.Float32:
		f := make([]float64, a.Len())
		for i, v := range a.Float32Values() {
			f[i] = float64(v)
		}
		return f
	case *array.Float16:
		f := make([]float64, a.Len())
		for i, v := range a.Values() {
			f[i] = float64(v.Float32())
		}
		return f
	}
	panic(fmt.Sprintf("clean: floats of %v", a.DataType()))
}

func integers(a arrow.Array) (v []int64, misfits []int) {
	switch a := a.(type) {
	case *array.Int64:
		return a.Int64Values(), nil
	case *array.Int32:
		return widen(a.Int32Values()), nil
	case *array.Int16:
		return widen(a.Int16Values()), nil
	case *array.Int8:
		return widen(a.Int8Values()), nil
	case *array.Uint32:
		return widen(a.Uint32Values()), nil
	case *array.Uint16:
		return widen(a.Uint16Values()), nil
	case *array.Uint8:
		return widen(a.Uint8Values()), nil
	case *array.Uint64:
		for i, u := range a.Uint64Values() {
			if u > math.MaxInt64 && !a.IsNull(i) {
				misfits = append(misfits, i)
			}
		}
		return widen(a.Uint64Values()), misfits
	}
	panic(fmt.Sprintf("clean: integers of %v", a.DataType()))
}

func widen[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | arrow.Date32](s []T) []int64 {
	v := make([]int64, len(s))
	for i, x := range s {
		v[i] = int64(x)
	}
	return v
}

func booleans(a *array.Boolean) []int64 {
	v := make([]int64, a.Len())
	for i := range v {
		if a.Value(i) {
			v[i] = 1
		}
	}
	return v
}

func dates(a arrow.Array) (v []int64, misfits []int) {
	if a, ok := a.(*array.Date32); ok {
		return widen(a.Date32Values()), nil
	}
	d := a.(*array.Date64).Date64Values()
	v = make([]int64, len(d))
	for i, ms := range d {
		v[i] = floorDiv(int64(ms), microsPerDay/1000)
		if v[i] != int64(int32(v[i])) && !a.IsNull(i) {
			misfits = append(misfits, i)
		}
	}
	return v, misfits
}

// timestamps gives microseconds. Nanoseconds are rounded down to them.
func timestamps(a *array.Timestamp) (v []int64, misfits []int) {
	unit := a.DataType().(*arrow.TimestampType).Unit
	v = make([]int64, a.Len())
	for i, t := range a.TimestampValues() {
		switch unit {
		case arrow.Second:
			v[i] = int64(t) * microsPerSecond
		case arrow.Millisecond:
			v[i] = int64(t) * (microsPerSecond / 1000)
		case arrow.Microsecond:
			v[i] = int64(t)
		case arrow.Nanosecond:
			v[i] = floorDiv(int64(t), 1000)
		}
		if (unit == arrow.Second && v[i]/microsPerSecond != int64(t) ||
			unit == arrow.Millisecond && v[i]/1000 != int64(t)) && !a.IsNull(i) {
			misfits = append(misfits, i)
		}
	}
	return v, misfits
}
