package accel

import "fmt"

// DType is the type of a tensor's elements.
type DType uint8

// The element types, named as ONNX names them.
const (
	Float32 DType = iota + 1
	Int32
	Uint64
)

// dtypes holds name and size in bytes, indexed by DType.
var dtypes = [...]struct {
	name string
	size int
}{Float32: {"float32", 4}, Int32: {"int32", 4}, Uint64: {"uint64", 8}}

// String is the ONNX name of the type.
func (t DType) String() string {
	if !t.Valid() {
		return fmt.Sprintf("dtype(%d)", uint8(t))
	}
	return dtypes[t].name
}

// Size is the bytes of one element, 0 for an unknown type.
func (t DType) Size() int {
	if !t.Valid() {
		return 0
	}
	return dtypes[t].size
}

// Valid reports whether t is one of the constants above.
func (t DType) Valid() bool { return t > 0 && int(t) < len(dtypes) }

// ParseDType returns the type of a name, as String prints it.
func ParseDType(name string) (DType, error) {
	for t := DType(1); t.Valid(); t++ {
		if dtypes[t].name == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("accel: no element type %q (float32, int32, uint64)", name)
}
