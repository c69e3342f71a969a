package wire

import "math/bits"

// DataType is the type of a tensor's elements, TensorProto.DataType.
type DataType int32

// The data types, with the numbers of the protobuf definition.
const (
	Undefined      DataType = 0
	Float          DataType = 1
	Uint8          DataType = 2
	Int8           DataType = 3
	Uint16         DataType = 4
	Int16          DataType = 5
	Int32          DataType = 6
	Int64          DataType = 7
	String         DataType = 8
	Bool           DataType = 9
	Float16        DataType = 10
	Double         DataType = 11
	Uint32         DataType = 12
	Uint64         DataType = 13
	Complex64      DataType = 14
	Complex128     DataType = 15
	Bfloat16       DataType = 16
	Float8E4M3FN   DataType = 17
	Float8E4M3FNUZ DataType = 18
	Float8E5M2     DataType = 19
	Float8E5M2FNUZ DataType = 20
	Uint4          DataType = 21
	Int4           DataType = 22
	Float4E2M1     DataType = 23
	Float8E8M0     DataType = 24
	Uint2          DataType = 25
	Int2           DataType = 26
	Float6E2M3     DataType = 27
	Float6E3M2     DataType = 28
)

// store names the typed field of a tensor that holds a data type.
type store uint8

const (
	inNone store = iota
	inFloats
	inInt32s
	inStrings
	inInt64s
	inDoubles
	inUint64s
)

// layout is how a data type is stored.
type layout struct {
	name string
	bits int   // of an element in raw data; 0 if it has none
	in   store // the typed field
	// per is the number of elements in one value of the typed field; a
	// complex number takes two values, which -2 says.
	per int
}

var layouts = [...]layout{
	Undefined:      {"UNDEFINED", 0, inNone, 0},
	Float:          {"FLOAT", 32, inFloats, 1},
	Uint8:          {"UINT8", 8, inInt32s, 1},
	Int8:           {"INT8", 8, inInt32s, 1},
	Uint16:         {"UINT16", 16, inInt32s, 1},
	Int16:          {"INT16", 16, inInt32s, 1},
	Int32:          {"INT32", 32, inInt32s, 1},
	Int64:          {"INT64", 64, inInt64s, 1},
	String:         {"STRING", 0, inStrings, 1},
	Bool:           {"BOOL", 8, inInt32s, 1},
	Float16:        {"FLOAT16", 16, inInt32s, 1},
	Double:         {"DOUBLE", 64, inDoubles, 1},
	Uint32:         {"UINT32", 32, inUint64s, 1},
	Uint64:         {"UINT64", 64, inUint64s, 1},
	Complex64:      {"COMPLEX64", 64, inFloats, -2},
	Complex128:     {"COMPLEX128", 128, inDoubles, -2},
	Bfloat16:       {"BFLOAT16", 16, inInt32s, 1},
	Float8E4M3FN:   {"FLOAT8E4M3FN", 8, inInt32s, 1},
	Float8E4M3FNUZ: {"FLOAT8E4M3FNUZ", 8, inInt32s, 1},
	Float8E5M2:     {"FLOAT8E5M2", 8, inInt32s, 1},
	Float8E5M2FNUZ: {"FLOAT8E5M2FNUZ", 8, inInt32s, 1},
	Uint4:          {"UINT4", 4, inInt32s, 2},
	Int4:           {"INT4", 4, inInt32s, 2},
	Float4E2M1:     {"FLOAT4E2M1", 4, inInt32s, 2},
	Float8E8M0:     {"FLOAT8E8M0", 8, inInt32s, 1},
	Uint2:          {"UINT2", 2, inInt32s, 4},
	Int2:           {"INT2", 2, inInt32s, 4},
	Float6E2M3:     {"FLOAT6E2M3", 6, inInt32s, 1},
	Float6E3M2:     {"FLOAT6E3M2", 6, inInt32s, 1},
}

// layout returns how t is stored, and false if t is no known, defined type.
func (t DataType) layout() (layout, bool) {
	if t <= Undefined || int(t) >= len(layouts) {
		return layout{}, false
	}
	return layouts[t], true
}

// String returns the type's name in the protobuf definition.
func (t DataType) String() string {
	if t == Undefined {
		return layouts[t].name
	}
	if l, ok := t.layout(); ok {
		return l.name
	}
	return enumName(nil, int32(t), "data type")
}

// Bits is the size of an element in raw data, 0 for String and unknown types.
func (t DataType) Bits() int {
	l, _ := t.layout()
	return l.bits
}

// Bytes is the length of the raw data of n elements: elements of less than
// a byte are packed from the lowest bit up, the last byte filled with zeros.
// It fails if t has no raw form or the length overflows.
func (t DataType) Bytes(n int64) (int64, error) {
	width := t.Bits()
	if width == 0 {
		return 0, invalid("no raw data of type %v", t)
	}
	hi, lo := bits.Mul64(uint64(n), uint64(width))
	if n < 0 || hi != 0 || lo > 1<<63-8 {
		return 0, invalid("%d elements of type %v overflow", n, t)
	}
	return int64(lo+7) / 8, nil
}

// Unpack returns n elements of raw data of a type of less than 8 bits, each in
// a byte of its own; Int4 and Int2 are sign-extended.
func Unpack(t DataType, raw []byte, n int) ([]byte, error) {
	width, err := packedWidth(t, int64(len(raw)), n)
	if err != nil {
		return nil, err
	}
	out := make([]byte, n)
	mask := byte(1)<<width - 1
	for i := range out {
		at := i * width
		v := uint16(raw[at/8])
		if at/8+1 < len(raw) {
			v |= uint16(raw[at/8+1]) << 8
		}
		out[i] = byte(v>>(at%8)) & mask
		if sign := byte(1) << (width - 1); (t == Int4 || t == Int2) && out[i]&sign != 0 {
			out[i] |= ^mask
		}
	}
	return out, nil
}

// Pack is the inverse of Unpack; it takes the low bits of each element.
func Pack(t DataType, elems []byte) ([]byte, error) {
	size, err := t.Bytes(int64(len(elems)))
	if err != nil {
		return nil, err
	}
	width, err := packedWidth(t, size, len(elems))
	if err != nil {
		return nil, err
	}
	out := make([]byte, size)
	for i, e := range elems {
		at := i * width
		v := uint16(e&(byte(1)<<width-1)) << (at % 8)
		out[at/8] |= byte(v)
		if v > 0xff {
			out[at/8+1] |= byte(v >> 8)
		}
	}
	return out, nil
}

// packedWidth returns the bits of an element, if t is packed and n of them fill size bytes.
func packedWidth(t DataType, size int64, n int) (int, error) {
	width := t.Bits()
	if width == 0 || width >= 8 {
		return 0, invalid("elements of type %v are not packed", t)
	}
	want, err := t.Bytes(int64(n))
	if err != nil {
		return 0, err
	}
	if size != want {
		return 0, invalid("%d bytes for %d elements of type %v, want %d", size, n, t, want)
	}
	return width, nil
}
