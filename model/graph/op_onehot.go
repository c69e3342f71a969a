package graph

import (
	"fmt"
	"slices"

	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/accel/extent"
)

// opOneHot turns indices into vectors of depth elements along a new axis (the
// attribute axis, -1): values[1] where the index says, values[0] elsewhere. The
// inputs are indices, depth (a scalar) and values; an index may count from the end,
// and one out of range marks nothing.
var opOneHot = operator{
	name: "OneHot", min: 3, static: []int{1}, grad: oneHotGrad,
	shapes: func(c *Context) ([]Type, error) {
		d, err := c.Value(1)
		if err != nil {
			return nil, err
		}
		if d.Len() != 1 || !d.DType.IsNumeric() || !c.DType(0).IsNumeric() {
			return nil, fmt.Errorf("depth of type %v, indices of %v: want numbers", d, c.DType(0))
		}
		if s := c.Shape(2); len(s) != 1 || s[0] != 2 {
			return nil, fmt.Errorf("values of shape %v, want [2]", s)
		}
		depth := int(extent.Int(d, 0))
		if d.DType.IsFloat() {
			depth = int(extent.Float(d, 0))
		}
		s := c.Shape(0)
		axis, err := axisOf(c.Attrs.Int("axis", -1), len(s)+1)
		if err != nil {
			return nil, err
		}
		if depth < 0 {
			return nil, fmt.Errorf("depth %d", depth)
		}
		return one(c.DType(2), slices.Concat(s[:axis], []int{depth}, s[axis:]))
	},
}

// opReverseSequence reverses the first lens[b] elements along the attribute
// time_axis (0) of each batch b, which the attribute batch_axis (1) counts; the
// axes are the first two dimensions. The inputs are x and lens, int64.
var opReverseSequence = operator{
	name: "ReverseSequence", min: 2,
	shapes: func(c *Context) ([]Type, error) {
		s, batch, time := c.Shape(0), c.Attrs.Int("batch_axis", 1), c.Attrs.Int("time_axis", 0)
		if len(s) < 2 || batch < 0 || batch > 1 || time != 1-batch {
			return nil, fmt.Errorf("shape %v with batch_axis %d and time_axis %d, want 0 and 1 or 1 and 0", s, batch, time)
		}
		if err := c.IsA(1, accel.Int64); err != nil {
			return nil, err
		}
		if !slices.Equal(c.Shape(1), []int{s[batch]}) {
			return nil, fmt.Errorf("lengths of shape %v for %d sequences", c.Shape(1), s[batch])
		}
		return like(c)
	},
	grad: func(b *backward, n *Node, dy []*Value) []*Value {
		return []*Value{b.Op("ReverseSequence", n.Attrs, dy[0], n.Inputs[1]), nil}
	},
}

// opTensorScatter writes update into a copy of past along the attribute axis
// (-2), for each batch (dimension 0) from the place on that the optional third input
// says (0): a key-value cache. In mode circular places wrap around, in mode linear (the
// default) they must not pass the end.
var opTensorScatter = operator{
	name: "TensorScatter", min: 2, max: 3, inplace: []int{0}, grad: tensorScatterGrad,
	shapes: func(c *Context) ([]Type, error) {
		if err := c.Same(0, 1); err != nil {
			return nil, err
		}
		if err := c.IsA(2, accel.Int64); err != nil {
			return nil, err
		}
		past, update := c.Shape(0), slices.Clone(c.Shape(1))
		axis, err := axisOf(c.Attrs.Int("axis", -2), len(past))
		if err != nil {
			return nil, err
		}
		if axis == 0 || len(update) != len(past) || update[axis] > past[axis] {
			return nil, fmt.Errorf("an update of shape %v along axis %d of %v", c.Shape(1), axis, past)
		}
		update[axis] = past[axis]
		if !slices.Equal(update, past) || c.Has(2) && !slices.Equal(c.Shape(2), past[:1]) {
			return nil, fmt.Errorf("an update of shape %v along axis %d of %v", c.Shape(1), axis, past)
		}
		if m := c.Attrs.Str("mode", "linear"); m != "linear" && m != "circular" {
			return nil, fmt.Errorf("mode %q, want linear or circular", m)
		}
		return like(c)
	},
}

// tensorScatterGrad gives dy with zeros where update was written, and what was
// there.
func tensorScatterGrad(b *backward, n *Node, dy []*Value) []*Value {
	past, update := n.Inputs[0].Type.Shape, n.Inputs[1].Type.Shape
	out := make([]*Value, 3)
	if b.needs(n.Inputs[0]) {
		zeros := b.Zeros(n.Inputs[1].Type.DType, update...)
		out[0] = b.Op("TensorScatter", n.Attrs, append([]*Value{dy[0], zeros}, n.Inputs[2:]...)...)
	}
	if b.needs(n.Inputs[1]) {
		axis, _ := axisOf(n.Attrs.Int("axis", -2), len(past)) // the shape rule has checked it
		along, batch := slices.Repeat([]int{1}, len(past)), slices.Repeat([]int{1}, len(past))
		along[axis], batch[0] = update[axis], past[0]
		at := b.Reshape(b.Const(counts(0, update[axis])), along...)
		if first := n.Input(2); first != nil {
			at = b.Op("Mod", nil, b.Add(at, b.Reshape(first, batch...)), b.Ints(max(1, past[axis])))
		}
		out[1] = b.Op("GatherElements", accel.Attrs{accel.Int("axis", axis)}, dy[0], b.Expand(at, update...))
	}
	return out[:len(n.Inputs)]
}

// oneHotGrad is that of the two values: the sums of dy where they are.
func oneHotGrad(b *backward, n *Node, dy []*Value) []*Value {
	out := make([]*Value, 3)
	if values := n.Inputs[2]; b.needs(values) {
		axes := counting(len(dy[0].Type.Shape))
		ends := b.Concat(0, b.Reshape(b.Like(values, 0), 1), b.Reshape(b.Like(values, 1), 1))
		hot := b.ReduceSum(b.Mul(dy[0], b.Op("OneHot", n.Attrs, n.Inputs[0], n.Inputs[1], ends)), false, axes...)
		cold := b.Sub(b.ReduceSum(dy[0], false, axes...), hot)
		out[2] = b.Concat(0, b.Reshape(cold, 1), b.Reshape(hot, 1))
	}
	return out
}

// counting is 0, 1, … of n numbers: all axes.
func counting(n int) []int {
	axes := make([]int, n)
	for i := range axes {
		axes[i] = i
	}
	return axes
}
