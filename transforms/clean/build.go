package clean

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// build makes an array of the rows that keep lists, ascending; nil keeps all.
// Cells that equal their source and lose no row are the source's array itself.
func (c *cells) build(keep []int32) (arrow.Array, error) {
	if keep == nil && c.same != nil {
		return c.same, nil
	}
	n := c.n
	if keep != nil {
		n = len(keep)
	}
	valid, nulls := c.buildValidity(keep)
	buffers := []*memory.Buffer{valid}
	switch c.kind {
	case kindString:
		offsets, data, err := buildTexts(pick(c.texts, keep), valid)
		if err != nil {
			return nil, err
		}
		buffers = append(buffers, offsets, data)
	case kindFloat64:
		buffers = append(buffers, memory.NewBufferBytes(arrow.Float64Traits.CastToBytes(pick(c.floats, keep))))
	case kindBool:
		buffers = append(buffers, buildBits(pick(c.ints, keep)))
	case kindDate:
		buffers = append(buffers, buildDays(pick(c.ints, keep)))
	default:
		buffers = append(buffers, memory.NewBufferBytes(arrow.Int64Traits.CastToBytes(pick(c.ints, keep))))
	}
	return array.MakeFromData(array.NewData(arrowTypes[c.kind], n, buffers, nil, nulls, 0)), nil
}

// pick gathers the kept values; nil keeps all, without a copy.
func pick[T any](values []T, keep []int32) []T {
	if keep == nil {
		return values
	}
	kept := make([]T, len(keep))
	for i, row := range keep {
		kept[i] = values[row]
	}
	return kept
}

// buildValidity gives the null bitmap of the kept rows, nil if none is null.
func (c *cells) buildValidity(keep []int32) (bitmap *memory.Buffer, nulls int) {
	if c.valid == nil {
		return nil, 0
	}
	bits, n := c.valid, c.n
	if keep != nil {
		n = len(keep)
		bits = make([]byte, bitutil.BytesForBits(int64(n)))
		for i, row := range keep {
			if bitutil.BitIsSet(c.valid, int(row)) {
				bitutil.SetBit(bits, i)
			}
		}
	}
	if nulls = n - bitutil.CountSetBits(bits, 0, n); nulls == 0 {
		return nil, 0
	}
	return memory.NewBufferBytes(bits), nulls
}

// buildTexts lays texts end to end; a null takes no bytes.
func buildTexts(texts []string, valid *memory.Buffer) (offsets, data *memory.Buffer, err error) {
	ends := make([]int32, len(texts)+1)
	total := 0
	for i, s := range texts {
		if valid == nil || bitutil.BitIsSet(valid.Bytes(), i) {
			total += len(s)
		}
		if total > math.MaxInt32 {
			return nil, nil, fmt.Errorf("a batch has more than 2 GiB of text, want smaller batches")
		}
		ends[i+1] = int32(total)
	}
	bytes := make([]byte, total)
	for i, s := range texts {
		copy(bytes[ends[i]:ends[i+1]], s)
	}
	return memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(ends)), memory.NewBufferBytes(bytes), nil
}

func buildBits(values []int64) *memory.Buffer {
	bits := make([]byte, bitutil.BytesForBits(int64(len(values))))
	for i, v := range values {
		bits[i/8] |= byte(v&1) << (i % 8)
	}
	return memory.NewBufferBytes(bits)
}

func buildDays(values []int64) *memory.Buffer {
	days := make([]int32, len(values))
	for i, v := range values {
		days[i] = int32(v)
	}
	return memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(days))
}
