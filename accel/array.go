package accel

import (
	"fmt"
	"slices"
	"unsafe"
)

// Array is a tensor in host memory: constants of a graph, and what goes in and
// out of a device. Data holds the elements row-major in the host's byte order,
// aligned for their type.
type Array struct {
	DType DType
	Shape []int // all dimensions ≥ 0; empty for a scalar
	Data  []byte
}

// Number is the Go type of an element that arithmetic is defined on. The types
// without one of their own are held in the unsigned integer of their size.
type Number interface {
	~float32 | ~float64 | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// NewArray returns an array of zeros. It panics on a shape or type that is none.
func NewArray(t DType, shape ...int) *Array {
	n := Size(shape)
	if n < 0 || !t.Valid() {
		panic(fmt.Sprintf("accel.NewArray: %s%v", t, shape))
	}
	return &Array{t, slices.Clone(shape), Aligned(n * t.Size())}
}

// ArrayOf wraps a slice, which stays the caller's. It panics if the lengths
// or the element sizes do not agree.
func ArrayOf[T Number | ~bool](t DType, shape []int, data []T) *Array {
	if len(data) != Size(shape) {
		panic(fmt.Sprintf("accel.ArrayOf: %d elements for shape %v", len(data), shape))
	}
	b := Bytes(data)
	if len(b) != len(data)*t.Size() {
		panic(fmt.Sprintf("accel.ArrayOf: elements of %d bytes for %s", len(b)/max(1, len(data)), t))
	}
	return &Array{t, slices.Clone(shape), b}
}

// Ints64 is an int64 vector, the form in which ONNX passes shapes and axes.
func Ints64(v ...int) *Array {
	a := NewArray(Int64, len(v))
	for i, d := range v {
		Values[int64](a)[i] = int64(d)
	}
	return a
}

// Len is the number of elements.
func (a *Array) Len() int { return Size(a.Shape) }

// String prints float32[2 3].
func (a *Array) String() string { return fmt.Sprintf("%s%v", a.DType, a.Shape) }

// Values views the elements as a slice of a Go type of their size.
func Values[T Number | ~bool](a *Array) []T { return View[T](a.Data) }

// View reinterprets bytes that are aligned for T; it panics if they are not, or
// if they are not a whole number of elements.
func View[T Number | ~bool](b []byte) []T {
	var z T
	size := int(unsafe.Sizeof(z))
	if len(b)%size != 0 {
		panic(fmt.Sprintf("accel.View: %d bytes as elements of %d", len(b), size))
	}
	if len(b) == 0 {
		return nil
	}
	p := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(p)%unsafe.Alignof(z) != 0 {
		panic(fmt.Sprintf("accel.View: bytes at an address that is no multiple of %d", unsafe.Alignof(z)))
	}
	return unsafe.Slice((*T)(p), len(b)/size)
}

// Bytes views a slice as its bytes, which stay the caller's.
func Bytes[T Number | ~bool](s []T) []byte {
	var z T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(z)))
}

// Aligned returns n zero bytes that begin at a multiple of Align.
func Aligned(n int) []byte {
	b := make([]byte, n+Align-1)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (Align - 1)
	return b[skip : skip+n : skip+n]
}

// Size multiplies dimensions: the number of elements, or -1 if one is negative
// or the product does not fit into an int.
func Size(shape []int) int {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return -1
		}
		if d > 0 && n > maxInt/d {
			return -1
		}
		n *= d
	}
	return n
}

const maxInt = int(^uint(0) >> 1)
