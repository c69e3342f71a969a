package tfrecordio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"google.golang.org/protobuf/encoding/protowire"
)

// appendList sets list to the values from to to of a, as a tf.BytesList, FloatList or Int64List.
func (e *encoder) appendList(a arrow.Array, from, to int) error {
	e.list = e.list[:0]
	for i := from; i < to; i++ {
		if a.IsNull(i) {
			return errors.New("a null in a list, which a tf.Example cannot hold: leave it out, or put a value in its place")
		}
	}
	if to == from {
		return nil
	}
	switch e.kind {
	case bytesKind:
		for i := from; i < to; i++ {
			e.list = protowire.AppendTag(e.list, 1, protowire.BytesType)
			switch a := a.(type) {
			case *array.String:
				e.list = protowire.AppendString(e.list, a.Value(i))
			case *array.Binary:
				e.list = protowire.AppendBytes(e.list, a.Value(i))
			}
		}
		return nil
	case floatKind:
		e.list = protowire.AppendTag(e.list, 1, protowire.BytesType)
		e.list = protowire.AppendVarint(e.list, uint64(4*(to-from)))
		for i := from; i < to; i++ {
			e.list = binary.LittleEndian.AppendUint32(e.list, math.Float32bits(float(a, i)))
		}
		return nil
	}
	size := 0
	for i := from; i < to; i++ {
		v, err := integer(a, i)
		if err != nil {
			return err
		}
		size += protowire.SizeVarint(uint64(v))
	}
	e.list = protowire.AppendTag(e.list, 1, protowire.BytesType)
	e.list = protowire.AppendVarint(e.list, uint64(size))
	for i := from; i < to; i++ {
		v, _ := integer(a, i)
		e.list = protowire.AppendVarint(e.list, uint64(v))
	}
	return nil
}

func float(a arrow.Array, i int) float32 {
	if a, ok := a.(*array.Float64); ok {
		return float32(a.Value(i))
	}
	return a.(*array.Float32).Value(i)
}

func integer(a arrow.Array, i int) (int64, error) {
	switch a := a.(type) {
	case *array.Boolean:
		if a.Value(i) {
			return 1, nil
		}
		return 0, nil
	case *array.Int8:
		return int64(a.Value(i)), nil
	case *array.Int16:
		return int64(a.Value(i)), nil
	case *array.Int32:
		return int64(a.Value(i)), nil
	case *array.Int64:
		return a.Value(i), nil
	case *array.Uint8:
		return int64(a.Value(i)), nil
	case *array.Uint16:
		return int64(a.Value(i)), nil
	case *array.Uint32:
		return int64(a.Value(i)), nil
	case *array.Uint64:
		if v := a.Value(i); v > math.MaxInt64 {
			return 0, fmt.Errorf("the value %d, which int64 cannot hold", v)
		}
		return int64(a.Value(i)), nil
	}
	panic(fmt.Sprintf("tfrecordio: integers of %s", a.DataType()))
}
