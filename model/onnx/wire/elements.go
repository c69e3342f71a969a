package wire

import (
	"encoding/binary"
	"math"
)

// Data returns the elements as raw data: little-endian, row-major, those of
// less than a byte packed, wherever and however they are stored. It fails for
// type String, whose elements are in Strings. Do not write to the result: it
// may be the tensor's own.
func (t *Tensor) Data() ([]byte, error) {
	b, err := t.RawData()
	if err == nil {
		var p []byte
		if p, err = b.Bytes(); err == nil {
			return p, nil
		}
	}
	return nil, t.fail(err)
}

// RawData is Data, but what is in a file is left there.
func (t *Tensor) RawData() (Blob, error) {
	if err := t.check(); err != nil {
		return Blob{}, t.fail(err)
	}
	if t.Type == String {
		return Blob{}, t.fail(invalid("no raw data of type %v", t.Type))
	}
	if t.Location == External || t.Raw.Len() > 0 {
		want, err := DataBytes(t.Type, t.Dims)
		if err == nil && t.Raw.Len() != want {
			err = invalid("external data that no reader has located")
		}
		if err != nil {
			return Blob{}, t.fail(err)
		}
		return t.Raw, nil
	}
	p, err := t.typedData()
	if err != nil {
		return Blob{}, t.fail(err)
	}
	return NewBlob(p), nil
}

// DataBytes is the length of the raw data of a tensor.
func DataBytes(t DataType, dims []int64) (int64, error) {
	n, err := Elements(dims)
	if err != nil {
		return 0, err
	}
	return t.Bytes(n)
}

// fail names the tensor in err.
func (t *Tensor) fail(err error) error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return within("tensor "+quote(t.Name), -1, err)
}

// typedData converts the typed field to raw data.
func (t *Tensor) typedData() ([]byte, error) {
	l, _ := t.Type.layout()
	size, err := DataBytes(t.Type, t.Dims)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, size)
	switch l.in {
	case inFloats:
		for _, v := range t.Floats {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	case inDoubles:
		for _, v := range t.Doubles {
			out = binary.LittleEndian.AppendUint64(out, math.Float64bits(v))
		}
	case inInt64s:
		for _, v := range t.Int64s {
			out = binary.LittleEndian.AppendUint64(out, uint64(v))
		}
	case inUint64s:
		return appendUints(out, t.Uint64s, t.Type)
	case inInt32s:
		return appendInts(out, t.Int32s, t.Type)
	}
	return out, nil
}

func appendUints(out []byte, values []uint64, t DataType) ([]byte, error) {
	for i, v := range values {
		if t == Uint64 {
			out = binary.LittleEndian.AppendUint64(out, v)
			continue
		}
		if v > math.MaxUint32 {
			return nil, invalid("value %d is %d, out of range for %v", i, v, t)
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(v))
	}
	return out, nil
}

// appendInts appends the low bits of each value. Writers differ in whether they
// extend the sign of a small integer; both are taken, any other value is an error.
func appendInts(out []byte, values []int32, t DataType) ([]byte, error) {
	l, _ := t.layout()
	width := min(l.bits*l.per, 32) // used bits of a value
	for i, v := range values {
		low := int32(-1) << (width - 1)
		if t == Bool || l.bits == 6 { // no writer extends these
			low = 0
		}
		if width < 32 && (v < low || v >= 1<<width) || t == Bool && v > 1 {
			return nil, invalid("value %d is %d, out of range for %v", i, v, t)
		}
		switch {
		case width == 32:
			out = binary.LittleEndian.AppendUint32(out, uint32(v))
		case width == 16:
			out = binary.LittleEndian.AppendUint16(out, uint16(v))
		default:
			out = append(out, byte(v))
		}
	}
	if l.bits == 6 { // one code a value
		return Pack(t, out)
	}
	return out, nil
}
