package clean

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
)

// kind is the type of a cleaned column.
type kind uint8

const (
	kindString kind = iota
	kindInt64
	kindFloat64
	kindBool
	kindDate
	kindTimestamp
)

// typeNames are the job's words for the kinds, by kind.
var typeNames = []string{"string", "int64", "float64", "bool", "date", "timestamp"}

func (k kind) String() string { return typeNames[k] }

// kindOf finds the kind of a type name.
func kindOf(name string) (kind, bool) {
	for k, n := range typeNames {
		if n == name {
			return kind(k), true
		}
	}
	return 0, false
}

// arrowTypes are the kinds in Arrow, by kind.
var arrowTypes = []arrow.DataType{
	arrow.BinaryTypes.String,
	arrow.PrimitiveTypes.Int64,
	arrow.PrimitiveTypes.Float64,
	arrow.FixedWidthTypes.Boolean,
	arrow.FixedWidthTypes.Date32,
	arrow.FixedWidthTypes.Timestamp_us,
}

// cells is one column on its way through the rules. Exactly one of ints,
// floats and texts holds the values, by kind: texts for string, floats for
// float64, ints for the others (bool as 0 and 1, date as days, timestamp as
// microseconds).
//
// The values may lie in the source's memory: they are read, and replaced as a
// whole, but never written in place. valid is the column's own.
type cells struct {
	kind   kind
	n      int
	ints   []int64
	floats []float64
	texts  []string
	valid  []byte // a bit a row, set if it has a value; nil: all have

	// same is the source array as long as the cells equal it, in the Arrow type
	// of their kind.
	same arrow.Array
}

func (c *cells) isNull(i int) bool {
	return c.valid != nil && !bitutil.BitIsSet(c.valid, i)
}

// setNull takes the value of row i away.
func (c *cells) setNull(i int) {
	c.same = nil
	if c.valid == nil {
		c.valid = make([]byte, bitutil.BytesForBits(int64(c.n)))
		bitutil.SetBitsTo(c.valid, 0, int64(c.n), true)
	}
	bitutil.ClearBit(c.valid, i)
}
