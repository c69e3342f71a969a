package normalize

import (
	"fmt"
	"math"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// Kinds of columns: what a Plan remembers of a type. Any width of integer or
// float is the same kind.
const (
	kindFloat, kindInteger, kindBool, kindText, kindBinary = "float", "integer", "bool", "string", "binary"
)

// kindOf is "" for a type that cannot be a feature.
func kindOf(t arrow.DataType) string {
	switch t.ID() {
	case arrow.FLOAT32, arrow.FLOAT64:
		return kindFloat
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return kindInteger
	case arrow.BOOL:
		return kindBool
	case arrow.STRING, arrow.LARGE_STRING:
		return kindText
	case arrow.BINARY, arrow.LARGE_BINARY:
		return kindBinary
	}
	return listOf(t)
}

// readNumbers copies a numeric column into dst, which it grows and returns.
// The value of a null is arbitrary. Integers beyond 2^53 are rounded.
func readNumbers(col arrow.Array, dst []float64) ([]float64, error) {
	if cap(dst) < col.Len() {
		dst = make([]float64, col.Len())
	}
	dst = dst[:col.Len()]
	switch c := col.(type) {
	case *array.Float64:
		copy(dst, c.Float64Values())
	case *array.Float32:
		convert(dst, c.Float32Values())
	case *array.Int64:
		convert(dst, c.Int64Values())
	case *array.Int32:
		convert(dst, c.Int32Values())
	case *array.Int16:
		convert(dst, c.Int16Values())
	case *array.Int8:
		convert(dst, c.Int8Values())
	case *array.Uint64:
		convert(dst, c.Uint64Values())
	case *array.Uint32:
		convert(dst, c.Uint32Values())
	case *array.Uint16:
		convert(dst, c.Uint16Values())
	case *array.Uint8:
		convert(dst, c.Uint8Values())
	case *array.Boolean:
		for i := range dst {
			dst[i] = 0
			if c.Value(i) {
				dst[i] = 1
			}
		}
	default:
		return nil, fmt.Errorf("type %s, want a number", col.DataType())
	}
	return dst, nil
}

type number interface {
	float32 | int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8
}

func convert[T number](dst []float64, src []T) {
	for i, v := range src {
		dst[i] = float64(v)
	}
}

// tokenReader returns a function that gives the token of a row that is not
// null. A text token shares the column's memory.
func tokenReader(col arrow.Array) (func(i int) string, error) {
	switch c := col.(type) {
	case *array.String:
		return c.Value, nil
	case *array.LargeString:
		return c.Value, nil
	case *array.Boolean:
		return func(i int) string { return strconv.FormatBool(c.Value(i)) }, nil
	case *array.Int64:
		return integers(c.Int64Values()), nil
	case *array.Int32:
		return integers(c.Int32Values()), nil
	case *array.Int16:
		return integers(c.Int16Values()), nil
	case *array.Int8:
		return integers(c.Int8Values()), nil
	case *array.Uint64:
		v := c.Uint64Values()
		return func(i int) string { return strconv.FormatUint(v[i], 10) }, nil
	case *array.Uint32:
		return integers(c.Uint32Values()), nil
	case *array.Uint16:
		return integers(c.Uint16Values()), nil
	case *array.Uint8:
		return integers(c.Uint8Values()), nil
	}
	return nil, fmt.Errorf("type %s, want string, integer or bool", col.DataType())
}

func integers[T int64 | int32 | int16 | int8 | uint32 | uint16 | uint8](v []T) func(int) string {
	return func(i int) string { return strconv.FormatInt(int64(v[i]), 10) }
}

// finite is false for NaN and the infinities.
func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }
