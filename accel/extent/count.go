package extent

import (
	"fmt"
	"math"

	"github.com/millrace-go/millrace/accel"
)

// RangeLen is the number of elements of ONNX's Range: ⌈(limit - start) / delta⌉,
// or none if that is negative. The inputs are scalars of one numeric type.
func RangeLen(start, limit, delta *accel.Array) (int, error) {
	for _, a := range []*accel.Array{start, limit, delta} {
		if a.Len() != 1 || a.DType != start.DType {
			return 0, fmt.Errorf("a range of %v, %v, %v, want scalars of one type", start, limit, delta)
		}
	}
	if start.DType.IsFloat() {
		return rangeFloat(Float(start, 0), Float(limit, 0), Float(delta, 0))
	}
	from, to, step := Int(start, 0), Int(limit, 0), Int(delta, 0)
	switch {
	case step == 0:
		return 0, fmt.Errorf("a range with a step of 0")
	case step > 0 && from < to:
		return rangeInt(uint64(to)-uint64(from), uint64(step))
	case step < 0 && from > to:
		return rangeInt(uint64(from)-uint64(to), -uint64(step))
	}
	return 0, nil
}

// most is the longest range or tensor of found elements: more than memory holds.
const most = math.MaxInt32

func rangeInt(distance, step uint64) (int, error) {
	n := (distance-1)/step + 1
	if n > most {
		return 0, fmt.Errorf("a range of %d elements", n)
	}
	return int(n), nil
}

func rangeFloat(start, limit, delta float64) (int, error) {
	n := math.Ceil((limit - start) / delta)
	if !(n <= most) {
		return 0, fmt.Errorf("a range from %g to %g in steps of %g", start, limit, delta)
	}
	return int(max(n, 0)), nil
}

// NonZero counts the elements that are not zero; -0 is.
func NonZero(a *accel.Array) int {
	n := 0
	EachNonZero(a, func(int) { n++ })
	return n
}

// EachNonZero calls f with the place of each element that is not zero, in order.
func EachNonZero(a *accel.Array, f func(i int)) {
	size, float := a.DType.Size(), a.DType.IsFloat()
	for i := range a.Len() {
		zero := true
		for _, b := range a.Data[i*size : (i+1)*size] {
			zero = zero && b == 0
		}
		if float && !zero {
			zero = Float(a, i) == 0 // -0
		}
		if !zero {
			f(i)
		}
	}
}

// Compressed counts what Compress takes: the true elements of a condition of
// bools, as far as the dimension of n reaches.
func Compressed(condition *accel.Array, n int) (int, error) {
	if condition.DType != accel.Bool || len(condition.Shape) != 1 {
		return 0, fmt.Errorf("a condition of type %v, want a vector of bool", condition)
	}
	count := 0
	for i, v := range accel.Values[uint8](condition) {
		if v != 0 && i < n {
			count++
		}
	}
	return count, nil
}
