package stats

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// The types that results name. Widths of integers and floats, and whether text
// is dictionary-coded, make no difference.
const (
	TypeInteger   = "integer"
	TypeFloat     = "float"
	TypeBool      = "bool"
	TypeDate      = "date"
	TypeTime      = "time"
	TypeTimestamp = "timestamp"
	TypeDuration  = "duration"
	TypeString    = "string"
	TypeBinary    = "binary"
	TypeOther     = "other" // only presence is counted
)

// kind is what a column is to statistics.
type kind struct {
	name string
	unit string // of times: d, s, ms, us or ns
	list bool   // rows hold any number of values
}

func kindOf(t arrow.DataType) kind {
	switch t := t.(type) {
	case *arrow.ListType:
		return listOf(t.Elem())
	case *arrow.LargeListType:
		return listOf(t.Elem())
	case *arrow.FixedSizeListType:
		return listOf(t.Elem())
	case *arrow.DictionaryType:
		if k := scalarKind(t.ValueType); k.text() {
			return k
		}
		return kind{name: TypeOther}
	}
	return scalarKind(t)
}

func listOf(elem arrow.DataType) kind {
	k := scalarKind(elem)
	if d, ok := elem.(*arrow.DictionaryType); ok {
		k = kindOf(d)
	}
	k.list = true
	return k
}

func scalarKind(t arrow.DataType) kind {
	switch t.ID() {
	case arrow.FLOAT16, arrow.FLOAT32, arrow.FLOAT64:
		return kind{name: TypeFloat}
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32, arrow.UINT64:
		return kind{name: TypeInteger}
	case arrow.BOOL:
		return kind{name: TypeBool}
	case arrow.DATE32:
		return kind{name: TypeDate, unit: "d"}
	case arrow.DATE64:
		return kind{name: TypeDate, unit: "ms"}
	case arrow.STRING, arrow.LARGE_STRING:
		return kind{name: TypeString}
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY:
		return kind{name: TypeBinary}
	}
	switch t := t.(type) {
	case *arrow.TimestampType:
		return kind{name: TypeTimestamp, unit: t.Unit.String()}
	case *arrow.Time32Type:
		return kind{name: TypeTime, unit: t.Unit.String()}
	case *arrow.Time64Type:
		return kind{name: TypeTime, unit: t.Unit.String()}
	case *arrow.DurationType:
		return kind{name: TypeDuration, unit: t.Unit.String()}
	}
	return kind{name: TypeOther}
}

func (k kind) text() bool    { return k.name == TypeString || k.name == TypeBinary }
func (k kind) numeric() bool { return !k.text() && k.name != TypeOther }

// canSlice says whether the values of a column can name slices.
func canSlice(t arrow.DataType) bool {
	k := kindOf(t)
	return !k.list && (k.name == TypeString || k.name == TypeInteger || k.name == TypeBool)
}

// readNumbers copies the values of a numeric column that are not null into
// dst, in order; all of them if nulls is set, then those of nulls are
// arbitrary. Integers beyond 2^53 are rounded to float64. It returns dst,
// which it grows.
func readNumbers(col arrow.Array, dst []float64, nulls bool) ([]float64, error) {
	if cap(dst) < col.Len() {
		dst = make([]float64, col.Len())
	}
	dst = dst[:col.Len()]
	if err := convertAll(col, dst); err != nil {
		return nil, err
	}
	if nulls || col.NullN() == 0 {
		return dst, nil
	}
	kept := 0
	for i, x := range dst {
		if col.IsValid(i) {
			dst[kept] = x
			kept++
		}
	}
	return dst[:kept], nil
}

func convertAll(col arrow.Array, dst []float64) error {
	switch c := col.(type) {
	case *array.Float64:
		copy(dst, c.Float64Values())
	case *array.Float32:
		convert(dst, c.Float32Values())
	case *array.Float16:
		for i, v := range c.Values() {
			dst[i] = float64(v.Float32())
		}
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
	case *array.Date32:
		convert(dst, c.Date32Values())
	case *array.Date64:
		convert(dst, c.Date64Values())
	case *array.Timestamp:
		convert(dst, c.TimestampValues())
	case *array.Time32:
		convert(dst, c.Time32Values())
	case *array.Time64:
		convert(dst, c.Time64Values())
	case *array.Duration:
		convert(dst, c.DurationValues())
	default:
		return fmt.Errorf("type %s, want a number or a time", col.DataType())
	}
	return nil
}

type number interface {
	~float32 | ~int64 | ~int32 | ~int16 | ~int8 | ~uint64 | ~uint32 | ~uint16 | ~uint8
}

func convert[T number](dst []float64, src []T) {
	for i, v := range src {
		dst[i] = float64(v)
	}
}

// finite is false for NaN and the infinities.
func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }
