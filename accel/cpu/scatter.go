package cpu

import (
	"fmt"
	"unsafe"

	"github.com/millrace-go/millrace/accel"
)

// The kernels that write runs of elements at places that indices tell, one after
// the other in the order of the indices.
var scatterKernels = map[string]builder{
	"ScatterElements":    {in: 3, out: 1, make: unlessReduced(scatterElements), half: true},
	"ScatterND":          {in: 3, out: 1, make: unlessReduced(scatterND), half: true},
	"GatherElementsGrad": {in: 2, out: 1, make: gatherElementsGrad},
	"GatherNDGrad":       {in: 2, out: 1, make: gatherNDGrad},
}

// unlessReduced gives half precision to a kernel that only moves elements; a
// reduction gets it as float32.
func unlessReduced(make func(*call) (kernel, error)) func(*call) (kernel, error) {
	return func(c *call) (kernel, error) {
		return builder{make: make, half: c.Str("reduction", "none") == "none"}.kernel(c)
	}
}

func scatterElements(c *call) (kernel, error) {
	at, err := elementPlaces(c, c.out[0], c.in[1])
	if err != nil {
		return nil, err
	}
	return put(c, at, 1, c.in[0], c.in[2], c.Str("reduction", "none"))
}

func gatherElementsGrad(c *call) (kernel, error) {
	at, err := elementPlaces(c, c.out[0], c.in[1])
	if err != nil {
		return nil, err
	}
	return put(c, at, 1, nil, c.in[0], "add")
}

func scatterND(c *call) (kernel, error) {
	at, run, err := tuplePlaces(c, c.out[0], c.in[1], 0)
	if err != nil {
		return nil, err
	}
	return put(c, at, run, c.in[0], c.in[2], c.Str("reduction", "none"))
}

func gatherNDGrad(c *call) (kernel, error) {
	at, run, err := tuplePlaces(c, c.out[0], c.in[1], c.Int("batch_dims", 0))
	if err != nil {
		return nil, err
	}
	return put(c, at, run, nil, c.in[0], "add")
}

// put is the kernel that combines runs of updates with the output at the given
// places. The output is base at first, or zeros.
func put(c *call, at *indices, run int, base, updates *tensor, reduction string) (kernel, error) {
	y := c.out[0]
	if err := want(c.Op, []*tensor{base, updates}, y.DType); err != nil {
		return nil, err
	}
	if base != nil && base.n != y.n || at.count()*run != updates.n {
		return nil, shapeErr(base, at.t, updates, y)
	}
	combine := combiner(y.DType, reduction)
	if combine == nil {
		return nil, fmt.Errorf("reduction %q of %s: %w", reduction, y.DType, accel.ErrUnsupported)
	}
	return func(f *frame) error {
		places, err := at.read(f)
		if err != nil {
			return err
		}
		if base == nil {
			clear(raw(f, y))
		} else {
			copyUnlessSame(raw(f, y), raw(f, base))
		}
		combine(raw(f, y), raw(f, updates), places, run)
		return nil
	}, nil
}

// copyUnlessSame copies where the memory plan has not made both the same memory.
func copyUnlessSame(dst, src []byte) {
	if unsafe.SliceData(dst) != unsafe.SliceData(src) {
		copy(dst, src)
	}
}

// combiner is the function that combines runs of x with y at places, in order;
// nil if the type has none.
func combiner(t accel.DType, reduction string) func(y, x []byte, places []int, run int) {
	if reduction == "none" {
		return bySize(t.Size(), overwrite[uint8], overwrite[uint16], overwrite[uint32], overwrite[uint64])
	}
	switch t {
	case accel.Float32:
		return combinerOf[float32](reduction)
	case accel.Float64:
		return combinerOf[float64](reduction)
	case accel.Int8:
		return combinerOf[int8](reduction)
	case accel.Int16:
		return combinerOf[int16](reduction)
	case accel.Int32:
		return combinerOf[int32](reduction)
	case accel.Int64:
		return combinerOf[int64](reduction)
	case accel.Uint8:
		return combinerOf[uint8](reduction)
	case accel.Uint16:
		return combinerOf[uint16](reduction)
	case accel.Uint32:
		return combinerOf[uint32](reduction)
	case accel.Uint64:
		return combinerOf[uint64](reduction)
	}
	return nil
}

func overwrite[T accel.Number](y, x []byte, places []int, run int) {
	to, from := as[T](y), as[T](x)
	for i, at := range places {
		if run == 1 {
			to[at] = from[i]
			continue
		}
		copy(to[at:at+run], from[i*run:])
	}
}

func combinerOf[T accel.Number](reduction string) func(y, x []byte, places []int, run int) {
	var f func(a, b T) T
	switch reduction {
	case "add":
		f = func(a, b T) T { return a + b }
	case "mul":
		f = func(a, b T) T { return a * b }
	case "max":
		f = func(a, b T) T { return max(a, b) }
	case "min":
		f = func(a, b T) T { return min(a, b) }
	default:
		return nil
	}
	return func(y, x []byte, places []int, run int) {
		to, from := as[T](y), as[T](x)
		for i, at := range places {
			row := to[at : at+run]
			for k, v := range from[i*run : (i+1)*run] {
				row[k] = f(row[k], v)
			}
		}
	}
}
