package graph

import (
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// opNonZero gives the indices of the elements that are not zero, one a column, in
// row-major order; int64. The size depends on the value of x, so Bind must know
// it, and makes a constant.
var opNonZero = operator{
	name: "NonZero", min: 1, static: []int{0}, flat: true,
	shapes: func(c *Context) ([]Type, error) {
		x, err := c.Value(0)
		if err != nil {
			return nil, err
		}
		return one(accel.Int64, []int{len(x.Shape), extent.NonZero(x)})
	},
	expand: func(b *B, n *Node) []*Value {
		x := n.Inputs[0].Data
		count := extent.NonZero(x)
		out := accel.NewArray(accel.Int64, len(x.Shape), count)
		v, col := accel.Values[int64](out), 0
		extent.EachNonZero(x, func(i int) {
			for d := len(x.Shape) - 1; d >= 0; d-- {
				v[d*count+col] = int64(i % x.Shape[d])
				i /= x.Shape[d]
			}
			col++
		})
		return []*Value{b.Const(out)}
	},
}

// opCompress takes the slices of x along the attribute axis, or its elements if
// there is none, for which the second input, a vector of bools, is true; what
// lies beyond its end is not taken. Bind must know the condition.
var opCompress = operator{
	name: "Compress", min: 2, static: []int{1},
	shapes: func(c *Context) ([]Type, error) {
		condition, err := c.Value(1)
		if err != nil {
			return nil, err
		}
		out, axis := []int{accel.Size(c.Shape(0))}, 0
		if c.Attrs.Has("axis") {
			out = slices.Clone(c.Shape(0))
			if axis, err = axisOf(c.Attrs.Int("axis", 0), len(out)); err != nil {
				return nil, err
			}
		}
		if out[axis], err = extent.Compressed(condition, out[axis]); err != nil {
			return nil, err
		}
		return one(c.DType(0), out)
	},
	expand: func(b *B, n *Node) []*Value {
		x, condition := n.Inputs[0], n.Inputs[1].Data
		if !n.Attrs.Has("axis") {
			x = b.Reshape(x, accel.Size(x.Type.Shape))
		}
		axis, err := axisOf(n.Attrs.Int("axis", 0), len(x.Type.Shape))
		b.Fail(err)
		var taken []int
		for i, v := range condition.Data {
			if v != 0 && i < x.Type.Shape[axis] {
				taken = append(taken, i)
			}
		}
		return []*Value{b.Op("Gather", accel.Attrs{accel.Int("axis", axis)}, x, b.Ints(taken...))}
	},
}

// opUnique gives the distinct slices of x along the attribute axis, or its
// distinct elements if there is none, in ascending order (sorted 1, the default)
// or that of their first places (0). Further outputs are, for each of them, its first
// place; for each place of x, which of them it is; and how often each occurs. Bind
// must know x, and makes constants.
var opUnique = operator{
	name: "Unique", min: 1, static: []int{0},
	shapes: func(c *Context) ([]Type, error) {
		x, err := c.Value(0)
		if err != nil {
			return nil, err
		}
		u, axis, err := unique(c.Node, x)
		if err != nil {
			return nil, err
		}
		count := len(u.Order)
		y := []int{count}
		if axis >= 0 {
			y = slices.Clone(x.Shape)
			y[axis] = count
		}
		places := Type{DType: accel.Int64, Shape: []int{count}}
		return []Type{{DType: x.DType, Shape: y}, places, {DType: accel.Int64, Shape: []int{len(u.Inverse)}}, places}, nil
	},
	expand: func(b *B, n *Node) []*Value {
		x := n.Inputs[0]
		u, axis, err := unique(n, x.Data)
		if err != nil {
			b.Fail(err)
			return nil
		}
		order := b.Ints(u.Order...)
		if axis < 0 {
			x, axis = b.Reshape(x, accel.Size(x.Type.Shape)), 0
		}
		y := b.Op("Gather", accel.Attrs{accel.Int("axis", axis)}, x, order)
		return []*Value{y, order, b.Ints(u.Inverse...), b.Ints(u.Counts...)}
	},
}

// unique is what Unique finds; axis is -1 if there is none.
func unique(n *Node, x *accel.Array) (u extent.Uniques, axis int, err error) {
	axis = -1
	if n.Attrs.Has("axis") {
		if axis, err = axisOf(n.Attrs.Int("axis", 0), len(x.Shape)); err != nil {
			return u, 0, err
		}
	}
	return extent.Unique(x, axis, n.Attrs.Bool("sorted", true)), axis, nil
}
