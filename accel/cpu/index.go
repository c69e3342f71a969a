package cpu

import (
	"fmt"
	"unsafe"

	"github.com/millrace-go/millrace/accel"
)

// indices reads a tensor of indices, which may count from the end, into places
// of elements. It knows the places when the kernel is made if the tensor is a constant.
type indices struct {
	t *tensor
	// limits[k] and strides[k] are the size and the stride, in elements, of the
	// dimension that component k of an index is of; an index has as many components.
	limits, strides []int
	// base is where index i counts from; nil is 0.
	base  func(i int) int
	mem   scratchRef
	fixed []int
}

// newIndices plans the reading of t, each limits of whose elements make an index.
func newIndices(c *call, t *tensor, limits, strides []int, base func(i int) int) (*indices, error) {
	x := &indices{t: t, limits: limits, strides: strides, base: base}
	if err := want(c.Op, []*tensor{t}, accel.Int64, accel.Int32); err != nil {
		return nil, err
	}
	if t.Const() {
		places := make([]int, x.count())
		if err := x.places(places, t.Data); err != nil {
			return nil, err
		}
		x.fixed = places
		return x, nil
	}
	x.mem = c.scratch(x.count() * int(unsafe.Sizeof(0)))
	return x, nil
}

// count is the number of indices.
func (x *indices) count() int {
	if len(x.limits) == 0 {
		return 0
	}
	return x.t.n / len(x.limits)
}

// read gives the places of this run. They are valid until the kernel returns.
func (x *indices) read(f *frame) ([]int, error) {
	if x.fixed != nil {
		return x.fixed, nil
	}
	out := as[int64](x.mem.raw(f))
	places := unsafe.Slice((*int)(unsafe.Pointer(unsafe.SliceData(out))), len(out))
	return places, x.places(places, raw(f, x.t))
}

func (x *indices) places(out []int, from []byte) error {
	if x.t.DType == accel.Int32 {
		return placesOf(x, out, as[int32](from))
	}
	return placesOf(x, out, as[int64](from))
}

func placesOf[I int32 | int64](x *indices, out []int, from []I) error {
	width := len(x.limits)
	for i := range out {
		at := 0
		if x.base != nil {
			at = x.base(i)
		}
		for k, v := range from[i*width : (i+1)*width] {
			n := int(v)
			if n < 0 {
				n += x.limits[k]
			}
			if n < 0 || n >= x.limits[k] {
				return fmt.Errorf("index %d at position %d is out of range for a dimension of %d", v, i*width+k, x.limits[k])
			}
			at += n * x.strides[k]
		}
		out[i] = at
	}
	return nil
}
