package accel

import "fmt"

// DType is the type of a tensor's elements.
type DType uint8

// The element types, named as ONNX names them. Elements of the types below one
// byte take a whole byte each in memory; files pack them.
const (
	Float32 DType = iota + 1
	Float64
	Float16
	BFloat16
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Bool
	Float8E4M3FN
	Float8E4M3FNUZ
	Float8E5M2
	Float8E5M2FNUZ
	Float8E8M0
	Float4E2M1
	Int4
	Uint4
	Int2
	Uint2
)

// dtypes holds name, size in bytes and class, indexed by DType.
var dtypes = [...]struct {
	name  string
	size  int
	class class
}{
	Float32: {"float32", 4, real}, Float64: {"float64", 8, real}, Float16: {"float16", 2, real}, BFloat16: {"bfloat16", 2, real},
	Int8: {"int8", 1, signed}, Int16: {"int16", 2, signed}, Int32: {"int32", 4, signed}, Int64: {"int64", 8, signed},
	Uint8: {"uint8", 1, unsigned}, Uint16: {"uint16", 2, unsigned}, Uint32: {"uint32", 4, unsigned}, Uint64: {"uint64", 8, unsigned},
	Bool:         {"bool", 1, other},
	Float8E4M3FN: {"float8e4m3fn", 1, other}, Float8E4M3FNUZ: {"float8e4m3fnuz", 1, other},
	Float8E5M2: {"float8e5m2", 1, other}, Float8E5M2FNUZ: {"float8e5m2fnuz", 1, other},
	Float8E8M0: {"float8e8m0", 1, other}, Float4E2M1: {"float4e2m1", 1, other},
	Int4: {"int4", 1, other}, Uint4: {"uint4", 1, other}, Int2: {"int2", 1, other}, Uint2: {"uint2", 1, other},
}

// class groups the types that arithmetic treats alike; other can only be stored and cast.
type class uint8

const (
	other class = iota
	real
	signed
	unsigned
)

// String is the ONNX name of the type.
func (t DType) String() string {
	if !t.Valid() {
		return fmt.Sprintf("dtype(%d)", uint8(t))
	}
	return dtypes[t].name
}

// Size is the bytes of one element in memory, 0 for an unknown type.
func (t DType) Size() int {
	if !t.Valid() {
		return 0
	}
	return dtypes[t].size
}

// Valid reports whether t is one of the constants above.
func (t DType) Valid() bool { return t > 0 && int(t) < len(dtypes) }

// IsFloat reports whether t is one of float16, bfloat16, float32 and float64.
func (t DType) IsFloat() bool { return t.Valid() && dtypes[t].class == real }

// IsHalf reports whether t is float16 or bfloat16.
func (t DType) IsHalf() bool { return t == Float16 || t == BFloat16 }

// IsInt reports whether t is an integer of 8 to 64 bits.
func (t DType) IsInt() bool { return t.IsSigned() || t.IsUnsigned() }

// IsSigned reports whether t is a signed integer of 8 to 64 bits.
func (t DType) IsSigned() bool { return t.Valid() && dtypes[t].class == signed }

// IsUnsigned reports whether t is an unsigned integer of 8 to 64 bits.
func (t DType) IsUnsigned() bool { return t.Valid() && dtypes[t].class == unsigned }

// IsNumeric reports whether arithmetic is defined on t.
func (t DType) IsNumeric() bool { return t.IsFloat() || t.IsInt() }

// ParseDType returns the type of a name, as String prints it.
func ParseDType(name string) (DType, error) {
	for t := DType(1); t.Valid(); t++ {
		if dtypes[t].name == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("accel: no element type %q", name)
}
