package extent

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/millrace-go/millrace/accel"
)

// Uniques is what ONNX's Unique finds along an axis: Order has the first place
// of each distinct slice, in the order of the output; Inverse says for each
// place which of them it equals, and Counts how often each occurs.
type Uniques struct{ Order, Inverse, Counts []int }

// Unique finds the distinct slices of a along an axis, or its distinct elements if
// axis is negative. They come in ascending order if sorted is true, else in the order
// of their first places. NaN equals NaN and comes last; -0 equals 0.
func Unique(a *accel.Array, axis int, sorted bool) Uniques {
	u := newSlices(a, axis)
	places := make([]int, u.n)
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, u.compare)
	out := Uniques{Inverse: make([]int, u.n)}
	for i, p := range places {
		if i == 0 || u.compare(places[i-1], p) != 0 {
			out.Order, out.Counts = append(out.Order, p), append(out.Counts, 0)
		}
		last := len(out.Order) - 1
		out.Inverse[p] = last
		out.Counts[last]++
	}
	if !sorted {
		out.byPlace()
	}
	return out
}

// byPlace puts what was found in the order of the first places.
func (u *Uniques) byPlace() {
	old := make([]int, len(u.Order))
	for i := range old {
		old[i] = i
	}
	slices.SortFunc(old, func(i, j int) int { return cmp.Compare(u.Order[i], u.Order[j]) })
	now := make([]int, len(old))
	order, counts := make([]int, len(old)), make([]int, len(old))
	for i, o := range old {
		now[o], order[i], counts[i] = i, u.Order[o], u.Counts[o]
	}
	u.Order, u.Counts = order, counts
	for i, o := range u.Inverse {
		u.Inverse[i] = now[o]
	}
}

// slicesOf is an array seen as n slices along an axis.
type slicesOf struct {
	a               *accel.Array
	n, outer, inner int
	element         func(i, j int) int // compares two elements
}

func newSlices(a *accel.Array, axis int) *slicesOf {
	u := &slicesOf{a: a, n: a.Len(), outer: 1, inner: 1, element: comparer(a)}
	if axis >= 0 {
		u.n, u.outer, u.inner = a.Shape[axis], accel.Size(a.Shape[:axis]), accel.Size(a.Shape[axis+1:])
	}
	return u
}

// compare compares two slices by their elements in order.
func (u *slicesOf) compare(i, j int) int {
	for o := range u.outer {
		for k := range u.inner {
			at := o * u.n * u.inner
			if c := u.element(at+i*u.inner+k, at+j*u.inner+k); c != 0 {
				return c
			}
		}
	}
	return 0
}

// comparer compares elements by value, or by their bytes where they have none.
func comparer(a *accel.Array) func(i, j int) int {
	switch {
	case a.DType.IsFloat():
		return func(i, j int) int { return compareFloat(Float(a, i), Float(a, j)) }
	case a.DType == accel.Uint64:
		v := accel.Values[uint64](a)
		return func(i, j int) int { return cmp.Compare(v[i], v[j]) }
	case a.DType.IsInt() || a.DType == accel.Bool:
		return func(i, j int) int { return cmp.Compare(Int(a, i), Int(a, j)) }
	}
	size := a.DType.Size()
	return func(i, j int) int { return bytes.Compare(a.Data[i*size:(i+1)*size], a.Data[j*size:(j+1)*size]) }
}

func compareFloat(x, y float64) int {
	switch {
	case math.IsNaN(x) && math.IsNaN(y):
		return 0
	case math.IsNaN(x):
		return 1
	case math.IsNaN(y):
		return -1
	}
	return cmp.Compare(x, y)
}
