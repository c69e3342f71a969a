package program

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// axisOf is an axis that may count from the end as an index.
func axisOf(axis, rank int) (int, error) {
	a := axis
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, fmt.Errorf("axis %d of a tensor of rank %d", axis, rank)
	}
	return a, nil
}

// slice copies from ≤ i < to along an axis.
func slice(a *accel.Array, axis, from, to int) *accel.Array {
	shape := slices.Clone(a.Shape)
	shape[axis] = to - from
	out := accel.NewArray(a.DType, shape...)
	inner := accel.Size(a.Shape[axis+1:]) * a.DType.Size()
	step, size := a.Shape[axis]*inner, (to-from)*inner
	for o := 0; o*size < len(out.Data); o++ {
		copy(out.Data[o*size:(o+1)*size], a.Data[o*step+from*inner:])
	}
	return out
}

// concat lays arrays one after the other along an axis.
func concat(list []*accel.Array, axis int) (*accel.Array, error) {
	first := list[0]
	axis, err := axisOf(axis, len(first.Shape))
	if err != nil {
		return nil, err
	}
	shape := slices.Clone(first.Shape)
	shape[axis] = 0
	for _, a := range list {
		ok := a.DType == first.DType && len(a.Shape) == len(shape)
		for d := range shape {
			ok = ok && (d == axis || a.Shape[d] == shape[d])
		}
		if !ok {
			return nil, fmt.Errorf("%s and %s do not join along axis %d", first, a, axis)
		}
		shape[axis] += a.Shape[axis]
	}
	if accel.Size(shape) < 0 {
		return nil, fmt.Errorf("shape %v has too many elements", shape)
	}
	out := accel.NewArray(first.DType, shape...)
	outer := accel.Size(shape[:axis])
	step := accel.Size(shape[axis:]) * first.DType.Size()
	at := 0
	for _, a := range list {
		size := accel.Size(a.Shape[axis:]) * a.DType.Size()
		for o := range outer {
			copy(out.Data[o*step+at:], a.Data[o*size:(o+1)*size])
		}
		at += size
	}
	return out, nil
}

// stack lays arrays of one shape along a new axis.
func stack(list []*accel.Array, axis int) (*accel.Array, error) {
	axis, err := axisOf(axis, len(list[0].Shape)+1)
	if err != nil {
		return nil, err
	}
	with := make([]*accel.Array, len(list))
	for i, a := range list {
		if !slices.Equal(a.Shape, list[0].Shape) {
			return nil, fmt.Errorf("%s and %s do not stack", list[0], a)
		}
		with[i] = &accel.Array{DType: a.DType, Shape: slices.Insert(slices.Clone(a.Shape), axis, 1), Data: a.Data}
	}
	return concat(with, axis)
}
