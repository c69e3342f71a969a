package arrays

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// concatSlices is gather for the types that appender does not know (lists,
// structs, large strings, dictionaries that differ): right, not fast.
func concatSlices(dt arrow.DataType, arrs []arrow.Array, runs [][]Run) (out arrow.Array, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("copying rows of type %s: %v", dt, p)
		}
	}()
	var parts []arrow.Array
	for i, a := range arrs {
		for _, r := range runs[i] {
			parts = append(parts, array.NewSlice(a, int64(r.From), int64(r.To)))
		}
	}
	mem := memory.NewGoAllocator()
	if len(parts) == 0 {
		return array.MakeArrayOfNull(mem, dt, 0), nil
	}
	return array.Concatenate(parts, mem)
}
