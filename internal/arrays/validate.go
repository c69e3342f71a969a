package arrays

import (
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/bitutil"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Validate checks that no access to a row of rec can leave its buffers: Arrow
// does not check what it decodes. Types other than null, bool, numbers, times,
// decimals, binary, utf8, dictionaries, lists and structs are refused.
func Validate(rec arrow.Record) error {
	for i := range int(rec.NumCols()) {
		col := rec.Column(i)
		if int64(col.Len()) != rec.NumRows() {
			return fmt.Errorf("column %q: %d rows, want %d", rec.ColumnName(i), col.Len(), rec.NumRows())
		}
		if err := validate(col.Data()); err != nil {
			return fmt.Errorf("column %q: %w", rec.ColumnName(i), err)
		}
	}
	return nil
}

func validate(d arrow.ArrayData) error {
	if d.Len() < 0 || d.Offset() < 0 {
		return fmt.Errorf("negative length %d or offset %d", d.Len(), d.Offset())
	}
	if d.DataType().ID() == arrow.NULL {
		return nil
	}
	if err := validateNulls(d); err != nil {
		return err
	}
	end := int64(d.Offset()) + int64(d.Len())
	switch t := d.DataType().(type) {
	case *arrow.BooleanType:
		return need(d, 1, bitutil.BytesForBits(end))
	case *arrow.StringType, *arrow.BinaryType:
		if err := validateOffsets(d, bufferLen(d.Buffers()[2])); err != nil {
			return err
		}
	case *arrow.ListType:
		if err := validateOffsets(d, int64(d.Children()[0].Len())); err != nil {
			return err
		}
	case *arrow.DictionaryType:
		return validateDictionary(d, t)
	case *arrow.FixedSizeListType:
		if t.Len() < 0 || int64(d.Children()[0].Len())/max(int64(t.Len()), 1) < end {
			return fmt.Errorf("%d elements for %d lists of %d", d.Children()[0].Len(), end, t.Len())
		}
	case *arrow.StructType:
		for _, c := range d.Children() {
			if int64(c.Len()) < end {
				return fmt.Errorf("struct field of %d rows, want %d", c.Len(), end)
			}
		}
	case arrow.ExtensionType:
		return fmt.Errorf("extension type %s is not supported", t)
	case arrow.FixedWidthDataType:
		return need(d, 1, end*int64(t.BitWidth()/8))
	default:
		return fmt.Errorf("type %s is not supported", d.DataType())
	}
	for _, c := range d.Children() {
		if err := validate(c); err != nil {
			return err
		}
	}
	return nil
}

func validateNulls(d arrow.ArrayData) error {
	if d.NullN() == 0 || d.Len() == 0 && d.NullN() == array.UnknownNullCount {
		return nil
	}
	if err := need(d, 0, bitutil.BytesForBits(int64(d.Offset()+d.Len()))); err != nil {
		return fmt.Errorf("validity bitmap: %w", err)
	}
	if d.Len() == 0 {
		return fmt.Errorf("null count %d of no rows", d.NullN())
	}
	nulls := d.Len() - bitutil.CountSetBits(d.Buffers()[0].Bytes(), d.Offset(), d.Len())
	if d.NullN() != array.UnknownNullCount && d.NullN() != nulls {
		return fmt.Errorf("null count %d, the bitmap has %d", d.NullN(), nulls)
	}
	return nil
}

// validateOffsets checks int32 offsets that may reach limit.
func validateOffsets(d arrow.ArrayData, limit int64) error {
	if d.Len() == 0 {
		return nil
	}
	if err := need(d, 1, 4*int64(d.Offset()+d.Len()+1)); err != nil {
		return fmt.Errorf("offsets: %w", err)
	}
	offsets := arrow.Int32Traits.CastFromBytes(d.Buffers()[1].Bytes())[d.Offset() : d.Offset()+d.Len()+1]
	prev := int32(0)
	for i, o := range offsets {
		if o < prev {
			return fmt.Errorf("offset %d of row %d is below %d", o, i, prev)
		}
		prev = o
	}
	if int64(prev) > limit {
		return fmt.Errorf("offset %d is beyond the %d there are", prev, limit)
	}
	return nil
}

func validateDictionary(d arrow.ArrayData, t *arrow.DictionaryType) error {
	width := int64(t.IndexType.(arrow.FixedWidthDataType).BitWidth() / 8)
	if err := need(d, 1, int64(d.Offset()+d.Len())*width); err != nil {
		return err
	}
	if d.Dictionary() == nil {
		return fmt.Errorf("no dictionary")
	}
	if err := validate(d.Dictionary()); err != nil {
		return fmt.Errorf("dictionary: %w", err)
	}
	dict := array.NewDictionaryData(d)
	size := d.Dictionary().Len()
	for i := range dict.Len() {
		if dict.IsNull(i) {
			continue
		}
		if k := dict.GetValueIndex(i); k < 0 || k >= size {
			return fmt.Errorf("row %d: index %d of a dictionary of %d", i, k, size)
		}
	}
	return nil
}

func need(d arrow.ArrayData, i int, bytes int64) error {
	if i >= len(d.Buffers()) {
		return fmt.Errorf("no buffer %d", i)
	}
	if got := bufferLen(d.Buffers()[i]); got < bytes {
		return fmt.Errorf("buffer %d has %d bytes, want %d", i, got, bytes)
	}
	return nil
}

func bufferLen(b *memory.Buffer) int64 {
	if b == nil {
		return 0
	}
	return int64(b.Len())
}
